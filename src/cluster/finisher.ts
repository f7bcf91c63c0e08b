import { hasSqlState, isCancel, maybeOne, one, query, run, subtransaction, warning } from '../engine/spi.ts';
import { ident, literal } from '../lib/quote.ts';
import { SQLSTATE } from '../lib/sqlstate.ts';
import { withServer } from './remote.ts';
import { makeServer, serverOptions } from './server.ts';

const SERVER = 'tessera_finisher';

/**
 * It waits as long as the transaction takes. What role and database set is set here, because whoever commits can use this
 * connection too, and so change what the role sets.
 */
const SESSION =
  '-c lock_timeout=0 -c statement_timeout=0 -c idle_in_transaction_session_timeout=1h -c idle_session_timeout=10s -c default_transaction_isolation=read\\ committed -c default_transaction_read_only=off';

const allowConnect = (role: string): void => {
  const { database, allowed } = one<{ database: string; allowed: boolean }>(
    `select current_database()::text as database, has_database_privilege($1, current_database(), 'CONNECT') as allowed`,
    [role],
  );
  if (allowed) return;
  try {
    subtransaction(() => run(`grant connect on database ${ident(database)} to ${ident(role)}`));
  } catch (e) {
    if (!hasSqlState(e, SQLSTATE.insufficientPrivilege)) throw e;
    warning(
      `role "${role}" may not connect to database "${database}": transactions on nodes will end some seconds late`,
    );
  }
};

const wanted = (): Record<string, string> => ({
  ...Object.fromEntries(
    query<{ name: string; value: string }>(
      `select name, value from _tessera_functions.loopback_options() where name in ('host', 'port', 'dbname', 'connect_timeout')`,
    ).map((o) => [o.name, o.value]),
  ),
  options: SESSION,
  application_name: 'tessera finisher',
});

/** A login without any rights, as which the second phase of commit is waited for. */
export const makeFinisher = (): void => {
  const { role, password } = one<{ role: string; password: string }>(
    `select 'tessera_loopback_' || (select oid from pg_database where datname = current_database()) || '_0' as role,
       encode(sha256(convert_to(concat(gen_random_uuid(), gen_random_uuid()), 'UTF8')), 'hex') as password`,
  );
  const there = maybeOne('select from pg_roles where rolname = $1', [role]) !== undefined;
  run(`${there ? 'alter' : 'create'} role ${ident(role)} login password ${literal(password)}`);
  allowConnect(role);
  makeServer(SERVER, 'finisher', wanted(), { user: role, password }, 'current_user');
};

const isFit = (): boolean => {
  const known = serverOptions(SERVER);
  if (Object.entries(wanted()).some(([name, value]) => known[name] !== value)) return false;
  try {
    withServer(SERVER, { name: 'localhost', port: Number(known.port) }, (remote) => remote.rows('select 1'));
    return true;
  } catch (e) {
    if (isCancel(e)) throw e;
    return false;
  }
};

/** Makes it anew where it leads elsewhere or does not get in. */
export const mendFinisher = (): void => {
  if (!isFit()) makeFinisher();
};

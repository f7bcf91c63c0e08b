import { log, one, query, run } from '../engine/spi.ts';
import { PgError } from '../lib/pg-error.ts';
import { literal } from '../lib/quote.ts';
import { SQLSTATE } from '../lib/sqlstate.ts';
import { preparedAlready, shardBusy } from './failures.ts';
import { openNodeById, type Node } from './node.ts';
import { origin } from './origin.ts';
import { aside, withServer } from './remote.ts';

/** Version of the form of ids; a later version of tessera must be able to tell its own. */
const VERSION = 1;

/** What the ids of prepared transactions of an origin begin with. */
export const prefixOf = (origin: string): string => `tessera-${VERSION}-${origin}-`;

/** Class of the advisory lock a transaction holds from before its first PREPARE to its end, keyed by its id. */
const TRANSACTION_CLASS = 0x5453000b;

/** Queues statements for a node; they run, all or none of them, when this transaction commits. */
export const queueCommand = (node: { readonly id: number }, server: string, command: string): void => {
  // Whatever the user has said about all constraints: prepared now, they would be in the way of the next ones.
  run('set constraints _tessera_catalog.prepare_remotely deferred');
  run('insert into _tessera_catalog.remote_command (nodeid, server, command) values ($1, $2, $3)', [
    node.id,
    server,
    command,
  ]);
};

interface Branch {
  readonly id: string;
  readonly node: Node;
  readonly server: string;
  readonly commands: readonly string[];
}

const takeCommands = (): { nodeid: number; server: string; commands: string[] }[] =>
  query(
    `with mine as (
       delete from _tessera_catalog.remote_command where transaction_id = pg_current_xact_id()
       returning nodeid, server::text as server, command, command_id)
     select nodeid, server, array_agg(command order by command_id) as commands from mine
     group by nodeid, server order by nodeid, server`,
  );

/** Names the transaction of each login on each node, and records that it is committed if this one is. */
const branchesOf = (xid: string): Branch[] => {
  const here = origin();
  return takeCommands().map(({ nodeid, server, commands }) => {
    const node = openNodeById(nodeid);
    const { oid } = one<{ oid: string }>('select oid::text as oid from pg_foreign_server where srvname = $1', [server]);
    const id = `${prefixOf(here)}${xid}-${nodeid}-${oid}`;
    run('insert into _tessera_catalog.remote_txn (remote_transaction_id, nodeid, server) values ($1, $2, $3)', [
      id,
      nodeid,
      server,
    ]);
    return { id, node, server, commands };
  });
};

/**
 * A crash would give our id to another transaction, if nothing on disk bears it; then what we leave prepared would be taken
 * for the other's.
 */
const keepId = (): void => {
  const { version } = one<{ version: number }>(`select current_setting('server_version_num')::int as version`);
  if (version >= 170000) run(`select pg_logical_emit_message(false, 'tessera', '', true)`);
  // Whoever commits writes all before it.
  else aside((session) => session.rows(`select pg_catalog.pg_logical_emit_message(true, 'tessera', '')::text as lsn`));
};

const rollBack = (branches: readonly Branch[]): void => {
  for (const b of branches) {
    try {
      withServer(b.server, b.node, (remote) => remote.exec(`rollback prepared ${literal(b.id)}`));
    } catch (e) {
      log(`prepared transaction "${b.id}" on node ${b.node.id} was left to be healed: ${(e as Error).message}`);
    }
  }
};

/**
 * First phase of two-phase commit (Gray 1978, with presumed abort): does on every node what was queued and prepares it
 * there. Runs as a deferred trigger, the last thing before the commit of the local transaction, which is the decision: the
 * rows of remote_txn are committed with it.
 */
export const prepareRemotely = (): void => {
  const { xid, before } = one<{ xid: string; before: boolean }>(
    `select pg_current_xact_id()::text as xid, exists (
       select from _tessera_catalog.remote_txn where split_part(remote_transaction_id, '-', 4) = pg_current_xact_id()::text) as before`,
  );
  // The first ones keep their locks, for which the second would wait.
  if (before) throw preparedAlready();
  const branches = branchesOf(xid);
  if (branches.length === 0) return;
  run('select pg_advisory_xact_lock($1, ($2::int8 & 2147483647)::int4)', [TRANSACTION_CLASS, BigInt(xid)]);
  // A decision that is carried out on nodes must not be lost in a crash.
  run(`select set_config('synchronous_commit', 'local', true) where current_setting('synchronous_commit') = 'off'`);
  keepId();
  // From here on, however this transaction ends, what it has prepared is ended at once.
  run('select _tessera_functions.start_finisher($1::text, $2::int4[])', [xid, branches.map((b) => b.node.id)]);
  const prepared: Branch[] = [];
  try {
    for (const b of branches) {
      withServer(b.server, b.node, (remote) =>
        remote.exec(['begin', ...b.commands, `prepare transaction ${literal(b.id)}`].join(';\n')),
      );
      prepared.push(b);
    }
  } catch (e) {
    rollBack(prepared);
    throw e instanceof PgError && e.sqlstate === SQLSTATE.lockNotAvailable ? shardBusy(e) : e;
  }
};

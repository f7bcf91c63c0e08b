import { maybeOne, one, query, run } from '../engine/spi.ts';
import { ident, literal } from '../lib/quote.ts';
import { parseConninfo, type Conninfo } from './conninfo-plan.ts';
import { badConninfo, foreignOrigin } from './failures.ts';
import type { Node } from './node.ts';
import { withNode } from './remote.ts';

/** Settings of what crosses a connection to a node as text, and an end to waits no deadlock detector sees. */
const SESSION =
  '-c lock_timeout=10s -c statement_timeout=0 -c idle_in_transaction_session_timeout=1h -c datestyle=ISO -c intervalstyle=postgres -c lc_monetary=C -c bytea_output=hex -c xmloption=content';

/** Anything else is libpq's own default. A node that is cut off is noticed after half a minute. */
const BASE: Readonly<Record<string, string>> = {
  connect_timeout: '10',
  keepalives_idle: '10',
  keepalives_interval: '5',
  keepalives_count: '4',
  tcp_user_timeout: '30000',
  options: SESSION,
};

/** For reading and writing shards. Without remote estimates postgres_fdw ships no join. */
const SHARDS: Readonly<Record<string, string>> = {
  fetch_size: '10000',
  batch_size: '1000',
  async_capable: 'true',
  parallel_commit: 'true',
  use_remote_estimate: 'true',
  keep_connections: 'on',
};

export const originHere = (): string =>
  one<{ origin: string }>('select _tessera_functions.cluster_origin() as origin').origin;

/** The name under which this database is known on its nodes; refused where the catalog is somebody else's. */
export const origin = (): string => {
  const here = originHere();
  const known = maybeOne<{ origin: string }>('select origin from _tessera_catalog.pg_dist_origin')?.origin;
  if (known === undefined) run('insert into _tessera_catalog.pg_dist_origin (origin) values ($1)', [here]);
  else if (known !== here) throw foreignOrigin();
  return here;
};

/** A copy that did not adopt the nodes must not change what is on them. */
export const isCopy = (): boolean => {
  const known = maybeOne<{ origin: string }>('select origin from _tessera_catalog.pg_dist_origin')?.origin;
  return known !== undefined && known !== originHere();
};

export const nodeServer = (node: { readonly id: number }): string => `tessera_node_${node.id}`;

const conninfoOf = (node: Node): Conninfo => {
  const text =
    maybeOne<{ authinfo: string }>(
      'select authinfo from _tessera_catalog.pg_dist_authinfo where nodeid in ($1, 0) order by nodeid desc limit 1',
      [node.id],
    )?.authinfo ?? '';
  const parsed = parseConninfo(text);
  if (parsed === undefined) throw badConninfo(text.replaceAll(/password\s*=\s*\S+/g, 'password=…'));
  return parsed;
};

const options = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${ident(name)} ${literal(value)}`)
    .join(', ');

const setOptions = (server: string, wanted: Readonly<Record<string, string>>): void => {
  const known = query<{ o: string }>('select unnest(srvoptions) as o from pg_foreign_server where srvname = $1', [
    server,
  ]).map((r) => [r.o.slice(0, r.o.indexOf('=')), r.o.slice(r.o.indexOf('=') + 1)] as const);
  const changes = [
    ...Object.entries(wanted)
      .filter(([name, value]) => !known.some(([n, v]) => n === name && v === value))
      .map(([name, value]) => `${known.some(([n]) => n === name) ? 'set' : 'add'} ${ident(name)} ${literal(value)}`),
  ];
  if (changes.length > 0) run(`alter server ${ident(server)} options (${changes.join(', ')})`);
};

const isSuperuser = (): boolean =>
  one<{ super: boolean }>('select rolsuper as super from pg_roles where rolname = current_user').super;

const makeServer = (
  server: string,
  version: string,
  values: Readonly<Record<string, string>>,
  mapping: Readonly<Record<string, string>>,
  user: string,
): void => {
  if (maybeOne('select from pg_foreign_server where srvname = $1', [server]) === undefined) {
    run(
      `create server ${ident(server)} type 'tessera node' version ${literal(version)} foreign data wrapper postgres_fdw
       options (${options(values)})`,
    );
    run(`comment on server ${ident(server)} is 'a node of the cluster; made by tessera'`);
  } else setOptions(server, values);
  if (maybeOne('select from pg_user_mappings where srvname = $1', [server]) !== undefined)
    run(`drop user mapping if exists for ${user} server ${ident(server)}`);
  run(
    `create user mapping for ${user} server ${ident(server)} options (${options({
      ...mapping,
      // Only a superuser may say so; where it is not said, the node must ask for the password.
      ...(isSuperuser() ? { password_required: 'false' } : {}),
    })})`,
  );
};

const address = (node: Node, given: Conninfo): Readonly<Record<string, string>> => ({
  ...BASE,
  dbname: one<{ name: string }>('select current_database()::text as name').name,
  ...given.server,
  host: node.name,
  port: String(node.port),
});

/** The server for management, with the credentials of the owner of the extension. */
export const makeNodeServer = (node: Node): void => {
  const given = conninfoOf(node);
  const user = one<{ name: string }>('select current_user::text as name').name;
  makeServer(nodeServer(node), String(node.id), address(node, given), { user, ...given.mapping }, 'current_user');
};

/** libpq's words for how another node reaches this one. */
export const conninfoText = (node: Node): string => {
  const given = conninfoOf(node);
  const user = one<{ name: string }>('select current_user::text as name').name;
  const { options: _, ...rest } = address(node, given);
  return Object.entries({ ...rest, user, ...given.mapping })
    .map(([name, value]) => `${name}='${value.replaceAll(/['\\]/g, '\\$&')}'`)
    .join(' ');
};

/** Class of the advisory lock of whoever makes the servers of an owner, by his OID. */
const OWNER_CLASS = 0x54530013;

const ownerOid = (owner: string): bigint =>
  one<{ oid: bigint }>('select oid::int8 as oid from pg_roles where rolname = $1', [owner]).oid;

export const remoteRole = (owner: string): string => `tessera_${origin()}_${ownerOid(owner)}`;
export const ownerServer = (node: { readonly id: number }, owner: string): string =>
  `tessera_node_${node.id}_${ownerOid(owner)}`;

/**
 * The server through which everybody reaches the shards of one owner: it logs in as a role that owns these shards and
 * nothing else. Made on first use.
 */
export const ensureOwnerServer = (node: Node, owner: string): string => {
  const server = ownerServer(node, owner);
  const isThere = (): boolean => maybeOne('select from pg_foreign_server where srvname = $1', [server]) !== undefined;
  if (isThere()) return server;
  // Of two that set a password, the second would leave the first with a wrong one.
  run('select pg_advisory_xact_lock($1, ($2::int8 & 2147483647)::int4)', [OWNER_CLASS, ownerOid(owner)]);
  if (!isThere()) makeOwnerServer(node, owner);
  return server;
};

/** As above, or again with a new password. */
export const makeOwnerServer = (node: Node, owner: string): void => {
  const role = remoteRole(owner);
  const password = one<{ p: string }>(
    `select encode(sha256(convert_to(concat(gen_random_uuid(), gen_random_uuid()), 'UTF8')), 'hex') as p`,
  ).p;
  withNode(node, (remote) => {
    const there = remote.rows(`select 1 from pg_catalog.pg_roles where rolname = ${literal(role)}`).length > 0;
    remote.exec(`${there ? 'alter' : 'create'} role ${ident(role)} login password ${literal(password)}`);
    if (!remote.one<{ member: boolean }>(`select pg_catalog.pg_has_role(${literal(role)}, 'MEMBER') as member`).member)
      remote.exec(`grant ${ident(role)} to current_user`);
  });
  const server = ownerServer(node, owner);
  const given = conninfoOf(node);
  const { password: _p, user: _u, ...certificates } = given.mapping;
  makeServer(
    server,
    `${node.id} ${owner}`,
    { ...address(node, given), ...SHARDS },
    { ...certificates, user: role, password },
    'public',
  );
  run(`grant usage on foreign server ${ident(server)} to ${ident(owner)}`);
};

/** All servers of a node, its own first. */
export const serversOf = (node: { readonly id: number }): { name: string; owner: string | null }[] =>
  query(
    `select srvname as name, nullif(substring(srvversion from ' (.*)$'), '') as owner from pg_foreign_server
     where srvtype = 'tessera node' and split_part(srvversion, ' ', 1) = $1 order by srvname`,
    [String(node.id)],
  );

/** Points the servers of a node at its address, after it or its credentials changed. */
export const refreshServers = (node: Node): void => {
  const given = conninfoOf(node);
  makeNodeServer(node);
  for (const s of serversOf(node)) if (s.owner !== null) setOptions(s.name, address(node, given));
};

/** A login without any rights, as which the second phase of commit is waited for. */
export const makeFinisher = (): void => {
  const { role, password } = one<{ role: string; password: string }>(
    `select 'tessera_loopback_' || (select oid from pg_database where datname = current_database()) || '_0' as role,
       encode(sha256(convert_to(concat(gen_random_uuid(), gen_random_uuid()), 'UTF8')), 'hex') as password`,
  );
  const there = maybeOne('select from pg_roles where rolname = $1', [role]) !== undefined;
  run(`${there ? 'alter' : 'create'} role ${ident(role)} login password ${literal(password)}`);
  const values = Object.fromEntries(
    query<{ name: string; value: string }>(
      `select name, value from _tessera_functions.loopback_options() where name in ('host', 'port', 'dbname')`,
    ).map((o) => [o.name, o.value]),
  );
  makeServer(
    'tessera_finisher',
    'finisher',
    { ...BASE, ...values, application_name: 'tessera finisher' },
    { user: role, password },
    'current_user',
  );
};

import { inMaintenance } from '../engine/session.ts';
import { maybeOne, one, query, run, warning } from '../engine/spi.ts';
import { ident, literal } from '../lib/quote.ts';
import { parseConninfo, type Conninfo } from './conninfo-plan.ts';
import { badConninfo, foreignServerTaken } from './failures.ts';
import type { Node } from './node.ts';
import { origin } from './origin.ts';
import { withNode } from './remote.ts';
import { touch } from './touched.ts';

type Options = Readonly<Record<string, string>>;

/**
 * Settings of what crosses a connection to a node as text, and an end to waits no deadlock detector sees. A statement whose
 * session here is gone or was cancelled ends there, too, instead of getting its locks some time later.
 */
const SESSION =
  '-c client_connection_check_interval=1s -c lock_timeout=10s -c statement_timeout=0 -c idle_session_timeout=0 -c idle_in_transaction_session_timeout=1h -c datestyle=ISO -c intervalstyle=postgres -c lc_monetary=C -c bytea_output=hex -c xmloption=content';

/** Anything else is libpq's own default. A node that is cut off is noticed after half a minute. */
const BASE: Options = {
  connect_timeout: '10',
  keepalives_idle: '10',
  keepalives_interval: '5',
  keepalives_count: '4',
  tcp_user_timeout: '30000',
  options: SESSION,
};

/** For reading and writing shards. Without remote estimates postgres_fdw ships no join. */
const SHARDS: Options = {
  fetch_size: '10000',
  batch_size: '1000',
  async_capable: 'true',
  parallel_commit: 'true',
  use_remote_estimate: 'true',
  keep_connections: 'on',
};

export const nodeServer = (node: { readonly id: number }): string => `tessera_node_${node.id}`;

export const conninfoOf = (node: Node): Conninfo => {
  const text =
    maybeOne<{ authinfo: string }>(
      'select authinfo from _tessera_catalog.pg_dist_authinfo where nodeid in ($1, 0) order by nodeid desc limit 1',
      [node.id],
    )?.authinfo ?? '';
  const parsed = parseConninfo(text);
  if (parsed === undefined) throw badConninfo(text.replaceAll(/password\s*=\s*\S+/g, 'password=…'));
  return parsed;
};

const options = (values: Options): string =>
  Object.entries(values)
    .map(([name, value]) => `${ident(name)} ${literal(value)}`)
    .join(', ');

const readOptions = (sql: string, server: string): Options =>
  Object.fromEntries(
    query<{ o: string }>(sql, [server]).map(({ o }) => [o.slice(0, o.indexOf('=')), o.slice(o.indexOf('=') + 1)]),
  );
export const serverOptions = (server: string): Options =>
  readOptions('select unnest(srvoptions) as o from pg_foreign_server where srvname = $1', server);
const publicMapping = (server: string): Options =>
  readOptions('select unnest(umoptions) as o from pg_user_mappings where srvname = $1 and umuser = 0', server);

/** What OPTIONS (...) of an ALTER has to say; options that are in neither list stay. */
const optionChanges = (known: Options, wanted: Options, gone: readonly string[] = []): string =>
  [
    ...Object.entries(wanted)
      .filter(([name, value]) => known[name] !== value)
      .map(([name, value]) => `${name in known ? 'set' : 'add'} ${ident(name)} ${literal(value)}`),
    ...gone.filter((name) => name in known && !(name in wanted)).map((name) => `drop ${ident(name)}`),
  ].join(', ');

const setOptions = (server: string, wanted: Options, gone: readonly string[] = []): void => {
  const changes = optionChanges(serverOptions(server), wanted, gone);
  if (changes === '') return;
  run(`alter server ${ident(server)} options (${changes})`);
  touch(server);
};

/** Whether the server is there. One of somebody else is refused: its owner could have our passwords sent anywhere. */
const isOurs = (server: string): boolean => {
  const found = maybeOne<{ trusted: boolean; owner: string }>(
    `select _tessera_functions.is_trusted(srvowner) as trusted, pg_get_userbyid(srvowner)::text as owner
     from pg_foreign_server where srvname = $1`,
    [server],
  );
  if (found?.trusted === false) throw foreignServerTaken(server, found.owner);
  return found !== undefined;
};

const isSuperuser = (): boolean =>
  one<{ super: boolean }>('select rolsuper as super from pg_roles where rolname = current_user').super;

export const makeServer = (server: string, version: string, values: Options, mapping: Options, user: string): void =>
  inMaintenance(() => makeServerAndMapping(server, version, values, mapping, user));

const makeServerAndMapping = (
  server: string,
  version: string,
  values: Options,
  mapping: Options,
  user: string,
): void => {
  if (!isOurs(server)) {
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
  touch(server);
};

/** The name this database had when the node was added, unless the administrator has given another. */
const address = (node: Node, given: Conninfo): Options => ({
  ...BASE,
  dbname:
    serverOptions(nodeServer(node)).dbname ?? one<{ name: string }>('select current_database()::text as name').name,
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

/** Who owns no shards any more was relieved of it, so that the role can be dropped. */
const letUse = (server: string, owner: string): void => {
  if (one<{ may: boolean }>(`select has_server_privilege($1, $2, 'USAGE') as may`, [owner, server]).may) return;
  run(`grant usage on foreign server ${ident(server)} to ${ident(owner)}`);
};

/**
 * The server through which everybody reaches the shards of one owner: it logs in as a role that owns these shards and
 * nothing else. Made on first use.
 */
export const ensureOwnerServer = (node: Node, owner: string): string => {
  const server = ownerServer(node, owner);
  if (isOurs(server)) {
    letUse(server, owner);
    return server;
  }
  // Of two that set a password, the second would leave the first with a wrong one.
  run('select pg_advisory_xact_lock($1, ($2::int8 & 2147483647)::int4)', [OWNER_CLASS, ownerOid(owner)]);
  if (!isOurs(server)) makeOwnerServer(node, owner);
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
    // Since PostgreSQL 16 whoever makes a role may give it away, but not act as it.
    if (!remote.one<{ member: boolean }>(`select pg_catalog.pg_has_role(${literal(role)}, 'USAGE') as member`).member)
      remote.exec(`grant ${ident(role)} to current_user`);
  });
  const server = ownerServer(node, owner);
  const given = conninfoOf(node);
  makeServer(
    server,
    `${node.id} ${owner}`,
    { ...address(node, given), ...SHARDS },
    { ...certificatesOf(given), user: role, password },
    'public',
  );
  letUse(server, owner);
};

/** All servers of a node, its own first. */
export const serversOf = (node: { readonly id: number }): { name: string; owner: string | null }[] =>
  query(
    `select srvname as name, nullif(substring(srvversion from ' (.*)$'), '') as owner from pg_foreign_server
     where srvtype = 'tessera node' and split_part(srvversion, ' ', 1) = $1 and _tessera_functions.is_trusted(srvowner)
     order by srvname`,
    [String(node.id)],
  );

/** Options with which owners of shards log in beside their own name and password. */
const certificatesOf = (given: Conninfo): Options => {
  const { password: _p, user: _u, ...certificates } = given.mapping;
  return certificates;
};

/** Points the servers of a node at its address, after it or its credentials changed. */
export const refreshServers = (node: Node, before: Conninfo = { server: {}, mapping: {} }): void => {
  const given = conninfoOf(node);
  const gone = Object.keys(before.server);
  makeNodeServer(node);
  setOptions(nodeServer(node), address(node, given), gone);
  for (const s of serversOf(node)) {
    if (s.owner === null) continue;
    setOptions(s.name, address(node, given), gone);
    const changes = optionChanges(publicMapping(s.name), certificatesOf(given), Object.keys(certificatesOf(before)));
    if (changes === '') continue;
    run(`alter user mapping for public server ${ident(s.name)} options (${changes})`);
    touch(s.name);
  }
};

/** Has the shards of an owner, and the server that leads to them, follow their database to its new origin. */
const adoptOwner = (node: Node, server: string, owner: string, predecessor: string): void => {
  if (maybeOne('select from pg_roles where rolname = $1', [owner]) === undefined) {
    warning(`shards of role "${owner}" on node ${node.name}:${node.port} are not adopted: the role does not exist`);
    return;
  }
  const before = `tessera_${predecessor}_${server.slice(server.lastIndexOf('_') + 1)}`;
  const role = remoteRole(owner);
  withNode(node, (remote) => {
    const there = remote.rows<{ name: string }>('select rolname as name from pg_catalog.pg_roles').map((r) => r.name);
    // Renamed by an attempt that failed later, it has the new name already.
    if (there.includes(before) && !there.includes(role))
      remote.exec(`alter role ${ident(before)} rename to ${ident(role)}`);
  });
  const name = ownerServer(node, owner);
  if (name !== server) run(`alter server ${ident(server)} rename to ${ident(name)}`);
  touch(name);
  makeOwnerServer(node, owner);
};

export const adoptServers = (node: Node, predecessor: string): void => {
  makeNodeServer(node);
  for (const s of serversOf(node)) if (s.owner !== null) adoptOwner(node, s.name, s.owner, predecessor);
};

import { isCancel, maybeOne, notice, one, query, run, warning } from '../engine/spi.ts';
import { ident } from '../lib/quote.ts';
import { leaveNothing, rejoin } from './remove-node.ts';
import { isUnderWay } from './cleanup.ts';
import {
  address,
  addressTaken,
  coordinatorStays,
  groupTaken,
  lastPlacement,
  notSupported,
  originalIsThere,
  ownNode,
  transferUnderWay,
  unfitNode,
  wrongProperty,
} from './failures.ts';
import { makeFinisher } from './finisher.ts';
import { healAsSuccessor, healNode } from './heal-nodes.ts';
import { allNodes, findNode, openNode, openNodeById, type Node } from './node.ts';
import { isCopy, knownOrigin, origin, originHere } from './origin.ts';
import { withNode } from './remote.ts';
import { adoptServers, makeNodeServer, refreshServers, serversOf } from './server.ts';

/** One change of the list of nodes at a time; placements are made under a weaker lock of the same table. */
export const lockNodes = (): void => {
  run('lock table _tessera_catalog.pg_dist_node in exclusive mode');
};

interface Fitness {
  readonly version: number;
  readonly wal: string;
  readonly prepared: number;
  readonly recovery: boolean;
  readonly origin: string;
  readonly encoding: string;
}

const LOWEST = 150000;

/** Asks the server whether it can be a node; refuses before anything is made. */
const examine = (node: Node): void => {
  const at = address(node);
  const found = withNode(node, (remote) =>
    remote.one<Fitness>(
      `select pg_catalog.current_setting('server_version_num')::int as version, pg_catalog.current_setting('wal_level') as wal,
         pg_catalog.current_setting('max_prepared_transactions')::int as prepared, pg_catalog.pg_is_in_recovery() as recovery,
         pg_catalog.current_setting('server_encoding') as encoding,
         (select pg_catalog.substr(pg_catalog.md5(c.system_identifier || '.' || d.oid), 1, 12)
          from pg_catalog.pg_control_system() c, pg_catalog.pg_database d where d.datname = pg_catalog.current_database()) as origin`,
    ),
  );
  if (node.group !== 0 && found.origin === originHere()) throw ownNode(at);
  if (node.group === 0 && found.origin !== originHere())
    throw unfitNode(
      at,
      'Another database than this one answers there.',
      'Give the address at which nodes reach this database.',
    );
  if (found.version < LOWEST)
    throw unfitNode(at, `Its version is ${Math.floor(found.version / 10000)}.`, 'Nodes need PostgreSQL 15 or later.');
  if (found.recovery) throw unfitNode(at, 'It is a standby.', 'Give the address of its primary.');
  if (found.prepared === 0)
    throw unfitNode(
      at,
      'Its max_prepared_transactions is 0, so nothing could be committed on several nodes at once.',
      'Run there: alter system set max_prepared_transactions = 100; and restart it.',
    );
  const { encoding } = one<{ encoding: string }>(`select current_setting('server_encoding') as encoding`);
  if (found.encoding !== encoding)
    throw unfitNode(
      at,
      `Its encoding is ${found.encoding}, that of this database is ${encoding}.`,
      'Create its database with the same encoding.',
    );
  if (found.wal !== 'logical')
    warning(
      `wal_level of node ${at} is "${found.wal}": shards can be moved away from it only while their writes are blocked`,
    );
};

/** How sessions aside get in; its login must have been committed before it is needed. */
const makeLoopback = (): void => {
  run(`select _tessera_functions.make_loopback(current_user) where not exists
    (select from pg_foreign_server s where s.srvname = _tessera_functions.loopback_of(current_user) and not _tessera_functions.leads_elsewhere(s.oid))`);
};

export interface NewNode {
  readonly name: string;
  readonly port: number;
  readonly group: number;
  readonly role: string;
  readonly cluster: string;
  readonly active: boolean;
}

/** Registers a node and returns its id; one that is there already is left as it is. */
export const addNode = (n: NewNode): number => {
  const known = findNode(n.name, n.port);
  if (known !== undefined) return known.id;
  if (n.role !== 'primary')
    throw notSupported(
      `nodes of role "${n.role}" are not supported`,
      undefined,
      'Add the primary; its standbys need no entry.',
    );
  run('select _tessera_functions.require_wrapper()');
  origin();
  lockNodes();
  const meanwhile = findNode(n.name, n.port);
  if (meanwhile !== undefined) return meanwhile.id;
  if (
    n.group >= 0 &&
    maybeOne(`select from _tessera_catalog.pg_dist_node where groupid = $1 and noderole = 'primary'`, [n.group])
  )
    throw groupTaken(n.group);
  const coordinator = n.group === 0;
  const { id } = one<{ id: number }>(
    `insert into _tessera_catalog.pg_dist_node (groupid, nodename, nodeport, isactive, noderole, nodecluster, shouldhaveshards)
     values (case when $3::int >= 0 then $3::int else nextval('_tessera_catalog.pg_dist_groupid_seq') end, $1, $2, $4, 'primary', $5, $6)
     returning nodeid as id`,
    [n.name, n.port, n.group, n.active || coordinator, n.cluster, !coordinator],
  );
  const node = openNodeById(id);
  makeNodeServer(node);
  makeFinisher();
  examine(node);
  rejoin(node);
  makeLoopback();
  run('select _tessera_functions.switch_cluster_job(true)');
  const local = query('select from _tessera_catalog.pg_dist_placement where groupid = 0 limit 1');
  if (!coordinator && local.length > 0)
    notice(
      `shards are still on the coordinator; to move them to nodes: select rebalance_table_shards() or citus_drain_node()`,
    );
  return id;
};

export const setCoordinatorHost = (name: string, port: number): void => {
  lockNodes();
  const group = maybeOne<{ id: number }>(`select nodeid as id from _tessera_catalog.pg_dist_node where groupid = 0`);
  if (group === undefined) {
    addNode({ name, port, group: 0, role: 'primary', cluster: 'default', active: true });
    return;
  }
  changeAddress(openNodeById(group.id), name, port);
};

const changeAddress = (node: Node, name: string, port: number): void => {
  if (node.name === name && node.port === port) return;
  if (findNode(name, port) !== undefined) throw addressTaken(address({ name, port }));
  run('update _tessera_catalog.pg_dist_node set nodename = $2, nodeport = $3 where nodeid = $1', [node.id, name, port]);
  const moved = openNodeById(node.id);
  refreshServers(moved);
  examine(moved);
};

/**
 * After a fail-over. Sessions go over to the new address with their next transaction: their connections end when the
 * options of the server change.
 */
export const updateNode = (id: number, name: string, port: number): void => {
  lockNodes();
  changeAddress(openNodeById(id), name, port);
};

/** Refuses to take a node away that has the only placement of a shard. */
const requireReplaceable = (node: Node): void => {
  const last = maybeOne<{ shard: bigint; table: string }>(
    `select p.shardid as shard, s.logicalrelid::regclass::text as "table"
     from _tessera_catalog.pg_dist_placement p join _tessera_catalog.pg_dist_shard s using (shardid)
     where p.groupid = $1 and not exists (
       select from _tessera_catalog.pg_dist_placement o join _tessera_catalog.pg_dist_node n on n.groupid = o.groupid and n.isactive
       where o.shardid = p.shardid and o.groupid <> p.groupid)
       and not exists (select from _tessera_catalog.pg_dist_partition t where t.logicalrelid = s.logicalrelid and t.repmodel = 't')
     order by p.shardid limit 1`,
    [node.group],
  );
  if (last !== undefined) throw lastPlacement(address(node), last.shard, last.table);
};

/** Refuses to take a node away that a move of a shard is under way to: what it makes there would stay for ever. */
const requireNoTransfer = (node: Node): void => {
  const transfer = maybeOne<{ shard: bigint }>(
    `select t.shardid as shard from _tessera_catalog.shard_transfer t
     where t.target_nodeid = $1 and ${isUnderWay('t.operation_id')} order by 1 limit 1`,
    [node.id],
  );
  if (transfer !== undefined) throw transferUnderWay(address(node), transfer.shard);
};

const forgetReferencePlacements = (node: Node): void =>
  void run(
    `delete from _tessera_catalog.pg_dist_placement p using _tessera_catalog.pg_dist_shard s
     join _tessera_catalog.pg_dist_partition t using (logicalrelid)
     where p.shardid = s.shardid and p.groupid = $1 and t.repmodel = 't'`,
    [node.group],
  );

export const disableNode = (name: string, port: number): void => {
  lockNodes();
  const node = openNode(name, port);
  if (node.group === 0) throw coordinatorStays();
  requireReplaceable(node);
  requireNoTransfer(node);
  forgetReferencePlacements(node);
  run('update _tessera_catalog.pg_dist_node set isactive = false where nodeid = $1', [node.id]);
};

export const activateNode = (name: string, port: number): number => {
  lockNodes();
  const node = openNode(name, port);
  refreshServers(node);
  examine(node);
  run('update _tessera_catalog.pg_dist_node set isactive = true where nodeid = $1', [node.id]);
  return node.id;
};

const healLast = (node: Node): void => {
  try {
    healNode(node);
  } catch (e) {
    if (isCancel(e)) throw e;
    warning(
      `prepared transactions on node ${address(node)}, if any, must be ended there by hand: ${(e as Error).message}`,
    );
  }
};

export const removeNode = (name: string, port: number): void => {
  lockNodes();
  const node = openNode(name, port);
  requireReplaceable(node);
  requireNoTransfer(node);
  // A copy of the database lets go of nodes that are not its own.
  if (isCopy()) run('delete from _tessera_catalog.pg_dist_cleanup where node_group_id = $1', [node.group]);
  else {
    leaveNothing(node);
    healLast(node);
  }
  forgetReferencePlacements(node);
  run('delete from _tessera_catalog.remote_txn where nodeid = $1', [node.id]);
  run('delete from _tessera_catalog.pg_dist_authinfo where nodeid = $1', [node.id]);
  for (const s of serversOf(node)) {
    for (const u of query<{ user: string }>(
      `select case umuser when 0 then 'public' else quote_ident(usename) end as "user" from pg_user_mappings where srvname = $1`,
      [s.name],
    ))
      run(`drop user mapping for ${u.user} server ${ident(s.name)}`);
    run(`drop server ${ident(s.name)} cascade`);
  }
  run('delete from _tessera_catalog.pg_dist_node where nodeid = $1', [node.id]);
  if (query('select from _tessera_catalog.pg_dist_node limit 1').length === 0)
    run('select _tessera_functions.switch_cluster_job(false)');
};

export const setNodeProperty = (name: string, port: number, property: string | null, value: boolean): void => {
  if (property !== 'shouldhaveshards') throw wrongProperty(property);
  lockNodes();
  const node = openNode(name, port);
  run('update _tessera_catalog.pg_dist_node set shouldhaveshards = $2 where nodeid = $1', [node.id, value]);
};

/** A database of this server that has the given origin. */
const databaseOf = (origin: string): string | undefined =>
  maybeOne<{ name: string }>(
    `select d.datname::text as name from pg_control_system() c, pg_database d
     where substr(md5(c.system_identifier || '.' || d.oid), 1, 12) = $1`,
    [origin],
  )?.name;

/** Takes the nodes of a copied catalog over, on the word of the administrator that the original is gone. */
export const adoptNodes = (): number => {
  lockNodes();
  const nodes = allNodes();
  const predecessor = knownOrigin();
  if (predecessor === undefined || !isCopy()) return nodes.length;
  const original = databaseOf(predecessor);
  if (original !== undefined) throw originalIsThere(original);
  run('delete from _tessera_catalog.pg_dist_origin');
  origin();
  for (const node of nodes) {
    adoptServers(node, predecessor);
    healAsSuccessor(node, predecessor);
  }
  makeFinisher();
  makeLoopback();
  return nodes.length;
};

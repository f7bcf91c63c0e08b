import { address, type Node, type Remote } from '../../cluster/index.ts';
import { requireReadCommitted } from '../../engine/isolation.ts';
import { one, query } from '../../engine/spi.ts';
import { findRelation } from '../../hypertable/index.ts';
import { PgError } from '../../lib/pg-error.ts';
import { displayed, qualified } from '../../lib/quote.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';
import { keysOf } from '../definition/definition.ts';
import {
  findDistributed,
  shardsOf,
  tablesOfGroup,
  type DistributedTable,
  type Shard,
} from '../table/distributed-table.ts';
import { PLACEMENT_CLASS } from '../table/locks.ts';

export type Mode = 'auto' | 'force_logical' | 'block_writes';

const fail = (sqlstate: string, message: string, detail?: string, hint?: string): PgError =>
  new PgError({ sqlstate, message, detail, hint });

export const nameOf = (relid: bigint): string => {
  const relation = findRelation(relid);
  return relation === undefined ? String(relid) : displayed(relation);
};

/** Nodes a shard may go from and to. */
export const checkNodes = (source: Node, target: Node): void => {
  if (source.id === target.id)
    throw fail(
      SQLSTATE.invalidParameterValue,
      'cannot move shard to the same node',
      `Both are node ${address(source)}.`,
    );
  const at = address(target);
  if (!target.active)
    throw fail(
      SQLSTATE.featureNotSupported,
      `moving shards to inactive node ${at} is not supported`,
      undefined,
      `select citus_activate_node('${target.name}', ${target.port});`,
    );
  if (!target.shouldHaveShards)
    throw fail(
      SQLSTATE.featureNotSupported,
      `moving shards to node ${at}, which should not have shards, is not supported`,
      undefined,
      `select citus_set_node_property('${target.name}', ${target.port}, 'shouldhaveshards', true);`,
    );
};

export const checkTable = (t: DistributedTable): void => {
  if (t.model === 't')
    throw fail(
      SQLSTATE.featureNotSupported,
      `table "${nameOf(t.relid)}" is a reference table, and moving its shard is not supported`,
      'Every node has a copy of it.',
    );
};

/** Where updates and deletes could not be replicated they would fail for the time of the move. */
export const checkIdentity = (group: number): void => {
  for (const t of tablesOfGroup(group)) {
    if (t.definition.replicaIdentity === 'full') continue;
    if (t.definition.replicaIdentity === 'default' && keysOf(t.relid).some((k) => k.kind === 'p')) continue;
    throw fail(
      SQLSTATE.featureNotSupported,
      `cannot use logical replication to transfer shards of table "${nameOf(t.relid)}" because it has no replica identity or primary key`,
      'Its rows could not be updated or deleted during the transfer.',
      `Give it a primary key, run alter table ${nameOf(t.relid)} replica identity full, or pass shard_transfer_mode := 'force_logical' or 'block_writes'.`,
    );
  }
};

export const checkPlacements = (shards: readonly Shard[], source: Node, target: Node): void => {
  for (const s of shards) {
    if (!s.groups.includes(source.group))
      throw fail(
        SQLSTATE.dataException,
        `could not find placement of shard ${s.id} on node ${address(source)}`,
        undefined,
        'Check where it is: select * from citus_shards;',
      );
    if (s.groups.includes(target.group))
      throw fail(SQLSTATE.invalidParameterValue, `shard ${s.id} already exists on node ${address(target)}`);
  }
};

/** What this transaction has done to the tables before, which a copy made by other sessions would lack. */
export const checkTransaction = (tables: readonly DistributedTable[], mode: Mode): void => {
  requireReadCommitted('move shards');
  const held = query<{ type: string; mode: string }>(
    `select distinct locktype as type, mode from pg_locks where pid = pg_backend_pid() and granted and (
       locktype = 'relation' and relation::int8 = any($1) and database = (select oid from pg_database where datname = current_database())
       or locktype = 'advisory' and classid::int8 = $2 and objid::int8 = $3)`,
    [tables.map((t) => t.relid), BigInt(PLACEMENT_CLASS), BigInt(tables[0]?.group ?? 0)],
  ).map((l) => `${l.type} ${l.mode}`);
  if (held.includes('relation RowExclusiveLock') || held.includes('advisory ExclusiveLock'))
    throw fail(
      SQLSTATE.activeSqlTransaction,
      'cannot move shards of tables that this transaction has changed',
      undefined,
      'Commit first.',
    );
  if (mode !== 'block_writes' && held.includes('relation AccessExclusiveLock'))
    throw fail(
      SQLSTATE.featureNotSupported,
      'cannot move shards by replication while this transaction has their tables locked',
      'A move before this one, or another statement, has locked them against everybody.',
      `Commit first, or pass shard_transfer_mode := 'block_writes'.`,
    );
};

/** A slot waits for the end of every transaction that has an id on its server; of this one it would wait for ever. */
export const checkNoOwnId = (source: Remote): void => {
  const { xid, system } = one<{ xid: string | null; system: string }>(
    'select pg_current_xact_id_if_assigned()::text as xid, system_identifier::text as system from pg_control_system()',
  );
  if (xid === null) return;
  const there = source.one<{ system: string }>(
    'select system_identifier::text as system from pg_catalog.pg_control_system()',
  );
  if (there.system === system)
    throw fail(
      SQLSTATE.activeSqlTransaction,
      'cannot move shards away from this server in a transaction that has written',
      undefined,
      `Commit first, or pass shard_transfer_mode := 'block_writes'.`,
    );
};

/** Foreign keys of the shards need copies of the reference tables they point at. */
export const checkReferences = (shards: readonly Shard[], target: Node): void => {
  for (const s of shards)
    for (const k of keysOf(s.relid)) {
      if (k.kind !== 'f' || k.referenced === null || findDistributed(k.referenced)?.model !== 't') continue;
      if (shardsOf(k.referenced).some((r) => r.groups.includes(target.group))) continue;
      throw fail(
        SQLSTATE.objectNotInPrerequisiteState,
        `reference table "${nameOf(k.referenced)}" has no copy on node ${address(target)}`,
        `Foreign key "${k.name}" of table "${nameOf(s.relid)}" needs it there.`,
        'select replicate_reference_tables();',
      );
    }
};

export const checkNoOrphans = (shards: readonly Shard[], target: Node): void => {
  const left = query<{ name: string; message: string }>(
    `select object_name as name, message from _tessera_catalog.pg_dist_cleanup
     where object_type = 1 and node_group_id = $1 and object_name = any($2) limit 1`,
    [target.group, shards.map(qualified)],
  );
  const [first] = left;
  if (first !== undefined)
    throw fail(
      SQLSTATE.objectNotInPrerequisiteState,
      `shard ${first.name} of an earlier operation is still on node ${address(target)}`,
      first.message === '' ? undefined : first.message,
      'call citus_cleanup_orphaned_resources();',
    );
};

export const busyShard = (shard: bigint): PgError =>
  fail(
    SQLSTATE.lockNotAvailable,
    `could not acquire the lock required to move shard ${shard}`,
    'A concurrent move, copy or creation of a colocated table holds it.',
    'Try again when it is over: select * from get_rebalance_progress();',
  );

export const groupOf = (relid: bigint): DistributedTable => {
  const t = findDistributed(relid);
  if (t === undefined) throw new Error(`table ${relid} is not distributed`);
  return t;
};

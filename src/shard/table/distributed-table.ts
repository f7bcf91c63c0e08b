import { maybeOne, query } from '../../engine/spi.ts';
import { findRelation, type Relation } from '../../hypertable/index.ts';
import { displayed } from '../../lib/quote.ts';
import { notTableOwner, nullArgument, relationMissing } from '../../lib/failures.ts';
import { notDistributed } from './failures.ts';
import type { ShardDefinition } from './shard-ddl.ts';

/** Where foreign tables that stand for shards live on the coordinator. */
export const LOCAL_SCHEMA = '_tessera_internal';

export interface DistributedTable {
  readonly relid: bigint;
  /** h: by hash; n: one shard, or a copy on every node */
  readonly method: string;
  readonly key: string | null;
  readonly group: number;
  /** s: each shard is on one node; t: a reference table */
  readonly model: string;
  readonly definition: ShardDefinition;
}

export interface Shard {
  readonly id: bigint;
  readonly relid: bigint;
  readonly modulus: number | null;
  readonly remainder: number | null;
  readonly schema: string;
  readonly name: string;
  readonly local: bigint | null;
  readonly groups: number[];
}

const TABLES = `select logicalrelid::oid::int8 as relid, partmethod::text as method, partkey::text as key, colocationid as "group",
  repmodel::text as model, definition from _tessera_catalog.pg_dist_partition`;

export const findDistributed = (relid: bigint): DistributedTable | undefined =>
  maybeOne<DistributedTable>(`${TABLES} where logicalrelid::oid = $1::int8::oid`, [relid]);

export const tablesOfGroup = (group: number): DistributedTable[] =>
  query<DistributedTable>(`${TABLES} where colocationid = $1 order by logicalrelid::oid`, [group]);

export const distributedTables = (): DistributedTable[] =>
  query<DistributedTable>(`${TABLES} order by logicalrelid::oid`);

const SHARDS = `select s.shardid as id, s.logicalrelid::oid::int8 as relid, s.modulus, s.remainder, s.shard_schema as schema,
  s.shard_name as name, s.local_relid::oid::int8 as local,
  array(select p.groupid from _tessera_catalog.pg_dist_placement p where p.shardid = s.shardid and p.shardstate = 1 order by p.placementid) as groups
  from _tessera_catalog.pg_dist_shard s`;

export const shardsOf = (relid: bigint): Shard[] =>
  query<Shard>(`${SHARDS} where s.logicalrelid::oid = $1::int8::oid order by s.shardid`, [relid]);

export const findShard = (id: bigint): Shard | undefined => maybeOne<Shard>(`${SHARDS} where s.shardid = $1`, [id]);

/** The shards of all tables of its group that are where this one is, itself among them. */
export const colocatedShards = (shard: Shard, group: number): Shard[] =>
  query<Shard>(
    `${SHARDS} join _tessera_catalog.pg_dist_partition t on t.logicalrelid = s.logicalrelid
     where t.colocationid = $1 and s.remainder is not distinct from $2::int order by s.shardid`,
    [group, shard.remainder],
  );

export interface OpenTable {
  readonly table: DistributedTable;
  readonly root: Relation;
}

export const openDistributed = (oid: bigint | null): OpenTable => {
  if (oid === null) throw nullArgument('table_name');
  const root = findRelation(oid);
  if (root === undefined) throw relationMissing(oid);
  const table = findDistributed(oid);
  if (table === undefined) throw notDistributed(displayed(root));
  return { table, root };
};

export const openOwnDistributed = (oid: bigint | null): OpenTable => {
  const opened = openDistributed(oid);
  if (!opened.root.owned) throw notTableOwner(displayed(opened.root));
  return opened;
};

import { origin, primaryOfGroup, ownerServer, type Node } from '../../cluster/index.ts';
import { maybeOne, one, run } from '../../engine/spi.ts';
import type { Relation } from '../../hypertable/index.ts';
import { isOneClause } from '../../lib/one-clause.ts';
import { displayed } from '../../lib/quote.ts';
import { checkForeignKey, checkUnique } from '../key/check-keys.ts';
import { chooseGroup, placementsFor, type Group } from '../table/colocation.ts';
import { readDefinition, type FoundKey } from '../definition/definition.ts';
import { findDistributed, LOCAL_SCHEMA, shardsOf, type DistributedTable } from '../table/distributed-table.ts';
import { columnMissing } from '../../lib/failures.ts';
import { alreadyDistributed, badDefinition, badRegistration, badShardCount, mayNotReference } from './failures.ts';
import { madeOn, makeShards, nameOfShard } from '../definition/make-shards.ts';
import { ownedRelation } from '../table/owned-relation.ts';
import { copyToGroups, fillCopies, referencePlacements } from './reference.ts';
import type { ShardDefinition } from '../table/shard-ddl.ts';

/** A foreign key lets its owner see which rows there are, and keep them from being deleted. */
export const requireReferences = (caller: string, relid: bigint): void => {
  const { fit, name } = one<{ fit: boolean; name: string }>(
    `select has_table_privilege($1::name, $2::int8::oid, 'REFERENCES') or has_any_column_privilege($1::name, $2::int8::oid, 'REFERENCES') as fit, $2::int8::oid::regclass::text as name`,
    [caller, relid],
  );
  if (!fit) throw mayNotReference(name);
};

/** A key as it comes through JSON. */
export type NewKey = Omit<FoundKey, 'referenced'> & { readonly referenced: string | null };

export interface NewTable {
  readonly relid: string;
  readonly column: string | null;
  readonly model: 's' | 't';
  readonly with: string;
  readonly shardCount: number | null;
  readonly keys: readonly NewKey[];
}

/** What the caller makes foreign tables of. */
export interface PlacedShard {
  readonly id: string;
  readonly server: string;
  readonly schema: string;
  readonly name: string;
  readonly modulus: number | null;
  readonly remainder: number | null;
}

const groupOf = (root: Relation, t: NewTable): Group => {
  if (t.model === 't') return referenceGroup();
  const key =
    t.column === null
      ? { type: null, collation: null }
      : maybeOne<{ type: bigint; collation: bigint }>(
          `select atttypid::int8 as type, attcollation::int8 as collation from pg_attribute
         where attrelid = $1::int8::oid and attname = $2 and attnum > 0 and not attisdropped`,
          [root.oid, t.column],
        );
  if (key === undefined) throw columnMissing(t.column ?? '', displayed(root));
  const setting = one<{ n: string }>(`select _tessera_functions.setting('shard_count') as n`).n;
  const usual = Number(setting);
  // A configuration parameter may hold anything.
  if (!(Number.isInteger(usual) && usual >= 1 && usual <= 64_000)) throw badShardCount(setting);
  return chooseGroup(
    {
      table: displayed(root),
      ...key,
      with: t.with === 'none' || t.with === 'default' ? t.with : BigInt(t.with),
      shardCount: t.shardCount,
    },
    usual,
  );
};

/** Reference tables are one group. */
const referenceGroup = (): Group => {
  const { id } = one<{ id: number }>(
    `with made as (
       insert into _tessera_catalog.pg_dist_colocation (shardcount, replicationfactor)
       select 1, -1 where not exists (select from _tessera_catalog.pg_dist_colocation where replicationfactor = -1)
       returning colocationid as id)
     select id from made union all
     select colocationid from _tessera_catalog.pg_dist_colocation where replicationfactor = -1`,
  );
  return { id, shardCount: 1, created: false };
};

export const insertKey = (relid: bigint, k: NewKey): void =>
  void run(
    `insert into _tessera_catalog.pg_dist_key
       (logicalrelid, name, kind, definition, columns, referenced, referenced_columns, on_update, on_delete, comment)
     values ($1::int8::oid, $2, $3, $4, $5, nullif($6::int8, 0)::oid, $7, $8, $9, $10)`,
    [
      relid,
      k.name,
      k.kind,
      k.definition,
      k.columns,
      BigInt(k.referenced ?? 0),
      k.referencedColumns,
      k.onUpdate,
      k.onDelete,
      k.comment,
    ],
  );

const insertTable = (relid: bigint, t: NewTable, group: number, definition: ShardDefinition): void => {
  run(
    `insert into _tessera_catalog.pg_dist_partition (logicalrelid, partmethod, partkey, colocationid, repmodel, definition, owner)
     select $1::int8::oid, $2, $3, $4, $5, $6::text::jsonb, c.relowner from pg_class c where c.oid = $1::int8::oid`,
    [relid, t.column === null ? 'n' : 'h', t.column, group, t.model, JSON.stringify(definition)],
  );
  for (const k of t.keys) insertKey(relid, k);
};

const insertShards = (root: Relation, t: NewTable, placements: readonly number[]): void => {
  if (t.model === 't') {
    insertReferenceShard(root, placements);
    return;
  }
  for (const [i, groupid] of placements.entries()) {
    const { id } = one<{ id: bigint }>(`select nextval('_tessera_catalog.pg_dist_shardid_seq') as id`);
    const hashed = t.column !== null;
    run(
      `insert into _tessera_catalog.pg_dist_shard (logicalrelid, shardid, modulus, remainder, shard_schema, shard_name)
       values ($1::int8::oid, $2, nullif($3::int4, 0), case when $3::int4 > 0 then $4::int4 end, $5, $6)`,
      [root.oid, id, hashed ? placements.length : 0, i, root.schema, nameOfShard(root.name, id)],
    );
    run('insert into _tessera_catalog.pg_dist_placement (shardid, groupid) values ($1, $2)', [id, groupid]);
  }
};

const insertReferenceShard = (root: Relation, placements: readonly number[]): void => {
  const { id } = one<{ id: bigint }>(`select nextval('_tessera_catalog.pg_dist_shardid_seq') as id`);
  run(
    `insert into _tessera_catalog.pg_dist_shard (logicalrelid, shardid, shard_schema, shard_name) values ($1::int8::oid, $2, $3, $4)`,
    [root.oid, id, root.schema, nameOfShard(root.name, id)],
  );
  for (const group of placements)
    run('insert into _tessera_catalog.pg_dist_placement (shardid, groupid) values ($1, $2)', [id, group]);
};

export const placedShards = (table: DistributedTable, owner: string): PlacedShard[] =>
  shardsOf(table.relid).flatMap((s) =>
    madeOn(table, s.groups).map((group) => ({
      id: String(s.id),
      server: ownerServer(primaryOfGroup(group) as Node, owner),
      schema: s.schema,
      name: s.name,
      modulus: s.modulus,
      remainder: s.remainder,
    })),
  );

const BEGINS: Readonly<Record<string, RegExp>> = {
  p: /^PRIMARY KEY \(/,
  u: /^UNIQUE (NULLS NOT DISTINCT )?\(/,
  x: /^EXCLUDE USING /,
  f: /^FOREIGN KEY \(.*\) REFERENCES %s\(/,
  i: /^USING /,
};

/** It becomes part of statements on nodes. */
const requireDefinition = (k: NewKey): void => {
  if (!BEGINS[k.kind]?.test(k.definition) || !isOneClause(k.definition)) throw badDefinition(k.name);
};

/** Records a distributed table and makes its shards. */
export const registerTable = (caller: string, t: NewTable): PlacedShard[] => {
  const root = ownedRelation(caller, BigInt(t.relid));
  if (findDistributed(root.oid) !== undefined) throw alreadyDistributed(displayed(root));
  origin();
  if (root.kind !== (t.model === 't' ? 'r' : 'p') || (t.model === 't' && t.column !== null))
    throw badRegistration(displayed(root));
  if (!/^(none|default|\d{1,10})$/.test(t.with)) throw badRegistration(displayed(root));
  if (t.shardCount !== null && (t.shardCount < 1 || t.shardCount > 64_000)) throw badShardCount(t.shardCount);
  for (const k of t.keys) requireDefinition(k);
  const keys: FoundKey[] = t.keys.map((k) => ({
    ...k,
    referenced: k.referenced === null ? null : BigInt(k.referenced),
  }));
  checkUnique(keys, t.column);
  const group = groupOf(root, t);
  for (const k of keys)
    if (k.referenced !== null && k.referenced !== root.oid) requireReferences(root.owner, k.referenced);
  for (const k of keys) checkForeignKey(k, { self: root.oid, column: t.column, group: group.id, model: t.model });
  const placements = t.model === 't' ? referencePlacements() : placementsFor(group);
  if (t.model === 's') ensureReferences(keys, placements);
  insertTable(root.oid, t, group.id, readDefinition(root.oid));
  insertShards(root, t, placements);
  const table = findDistributed(root.oid) as DistributedTable;
  makeShards(table, root.owner);
  if (t.model === 't') fillCopies(table, root.owner);
  return placedShards(table, root.owner);
};

/** Copies of reference tables that foreign keys of new shards point at. */
const ensureReferences = (keys: readonly FoundKey[], groups: readonly number[]): void => {
  const targets = keys.filter(
    (k) => k.kind === 'f' && k.referenced !== null && findDistributed(k.referenced)?.model === 't',
  );
  if (targets.length > 0) copyToGroups([...new Set(groups)]);
};

/** Notes which foreign table leads to which shard. */
export const attachShards = (caller: string, relid: bigint): void => {
  const root = ownedRelation(caller, relid);
  run(
    `update _tessera_catalog.pg_dist_shard s set local_relid = c.oid
     from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_inherits i on i.inhrelid = c.oid
     where s.logicalrelid::oid = $1::int8::oid and i.inhparent = s.logicalrelid and n.nspname = $2
       and c.relname = s.shard_name`,
    [root.oid, LOCAL_SCHEMA],
  );
  const { missing } = one<{ missing: bigint }>(
    `select count(*) as missing from _tessera_catalog.pg_dist_shard where logicalrelid::oid = $1::int8::oid and local_relid is null`,
    [root.oid],
  );
  if (missing > 0n) throw new Error(`${missing} shards have no foreign table`);
};

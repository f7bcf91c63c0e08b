import { request } from '../catalog/request.ts';
import { requireReadCommitted } from '../engine/isolation.ts';
import { inMaintenance } from '../engine/session.ts';
import { maybeOne, notice, one, run } from '../engine/spi.ts';
import {
  checkTable,
  createGrants,
  createTriggersAndPolicies,
  findColumn,
  findRelation,
  replaceByRoot,
  replaceViews,
  storedColumns,
  takeSnapshot,
  type Relation,
  type Snapshot,
} from '../hypertable/index.ts';
import { displayed, ident, qualified, type RelationName } from '../lib/quote.ts';
import { readKeys, type FoundKey } from './definition.ts';
import {
  alreadyDistributed,
  generatedKey,
  incomingForeignKey,
  isHypertable,
  nondeterministicKey,
  notTableOwner,
  relationMissing,
} from './failures.ts';
import type { PlacedShard } from './register.ts';
import { foreignTableDdl, hashBounds } from './shard-ddl.ts';
import { findDistributed } from './distributed-table.ts';

export const LOCAL_SCHEMA = '_tessera_internal';

export interface Distribution {
  readonly column: string | null;
  readonly with: string;
  readonly shardCount: number | null;
}

/** What is refused for a distributed and a reference table alike; reads only. */
export const checkDistributable = (table: Relation, purpose: 'distributed table' | 'reference table'): void => {
  const name = displayed(table);
  if (findDistributed(table.oid) !== undefined) throw alreadyDistributed(name);
  if (maybeOne('select from _tessera_catalog.hypertable where relid::oid = $1::int8::oid', [table.oid]) !== undefined)
    throw isHypertable(name);
  checkTable(table, purpose);
};

const checkKey = (table: Relation, column: string): void => {
  if (findColumn(table, column).generated) throw generatedKey(column);
  const { fit } = one<{ fit: boolean }>(
    `select coalesce((select c.collisdeterministic from pg_attribute a join pg_collation c on c.oid = a.attcollation
       where a.attrelid = $1::int8::oid and a.attname = $2), true) as fit`,
    [table.oid, column],
  );
  if (!fit) throw nondeterministicKey(column);
};

/** Any column will do: a list over whether it is null, all of whose rows go to the default partition. */
const single = (s: Snapshot): string => {
  const [first] = s.columns;
  return first === undefined ? 'list ((true is null))' : `list ((${ident(first.name)} is null))`;
};

const moveRows = (root: Relation, old: RelationName): bigint => {
  const occupied = maybeOne(`select from only ${qualified(old)} limit 1`) !== undefined;
  if (!occupied) return 0n;
  notice('copying data from the local table');
  const columns = storedColumns(root.oid).map(ident).join(', ');
  const moved = BigInt(
    run(
      `insert into ${qualified(root)} (${columns}) overriding system value select ${columns} from only ${qualified(old)}`,
    ),
  );
  notice(`copied ${moved} rows`);
  return moved;
};

/** Indexes without uniqueness stay on the table too, so that it still tells what its shards have. */
const createIndexes = (s: Snapshot, keys: readonly FoundKey[]): void => {
  const given = new Set(keys.map((k) => k.name));
  for (const index of s.indexes)
    if (!given.has(index.name) && !index.constraint && !index.unique) run(index.definition);
  for (const st of s.statistics) run(st.definition);
};

const createForeignTables = (table: Relation, root: Relation, shards: readonly PlacedShard[]): void => {
  for (const s of shards) {
    const local = { schema: LOCAL_SCHEMA, name: s.name };
    const bounds = s.modulus === null ? 'default' : hashBounds(s.modulus, s.remainder as number);
    run(foreignTableDdl(local, root, bounds, s.server, s));
    if (!root.owned || table.owner !== root.owner)
      run(`alter foreign table ${qualified(local)} owner to ${ident(table.owner)}`);
  }
};

/** Turns a plain table into a distributed one; everything or nothing. */
export const distribute = (oid: bigint, d: Distribution): void => {
  const seen = findRelation(oid);
  if (seen === undefined) throw relationMissing(oid);
  if (!seen.owned) throw notTableOwner(displayed(seen));
  checkDistributable(seen, 'distributed table');
  if (d.column !== null) checkKey(seen, d.column);
  requireReadCommitted();
  inMaintenance(() => {
    run(`lock table only ${qualified(seen)} in access exclusive mode`);
    const table = findRelation(oid);
    if (table === undefined) throw relationMissing(oid);
    checkDistributable(table, 'distributed table');
    const snapshot = takeSnapshot(table);
    const [incoming] = snapshot.incoming;
    if (incoming !== undefined) throw incomingForeignKey(displayed(table), incoming.name, incoming.child);
    const keys = readKeys(oid);
    request('open_schema', { relid: oid });
    const { root, old } = replaceByRoot(
      table,
      d.column === null ? single(snapshot) : `hash (${ident(d.column)})`,
      snapshot,
    );
    if (root.owner !== table.owner) run(`alter table ${qualified(root)} owner to ${ident(table.owner)}`);
    createIndexes(snapshot, keys);
    const { result: shards } = request<{ result: PlacedShard[] }>('shard.register', {
      relid: root.oid,
      column: d.column,
      model: 's',
      with: d.with,
      shardCount: d.shardCount,
      // A foreign key of the table to itself names its successor.
      keys: keys.map((k) => ({ ...k, referenced: k.referenced === oid ? root.oid : k.referenced })),
    });
    createForeignTables(table, root, shards);
    request('shard.attach', { relid: root.oid });
    moveRows(root, old);
    createTriggersAndPolicies(table, snapshot);
    replaceViews(snapshot);
    run(`drop table ${qualified(old)}`);
    createGrants(table, snapshot.grants);
  });
};

import { request } from '../../catalog/catalog-writer.ts';
import { withLockRetry } from '../../engine/lock-retry.ts';
import { query, run } from '../../engine/spi.ts';
import { ident, qualified, type RelationName } from '../../lib/quote.ts';
import { flushCapture } from '../capture/capture.ts';
import type { OpenHypertable } from '../dimension/open-hypertable.ts';

/** A key that every heap of the hypertable has for itself. */
export interface ChunkKey {
  readonly name: string;
  /** p primary key, u unique constraint, f foreign key, i unique index */
  readonly kind: string;
  readonly definition: string;
  readonly columns: string[];
}

export const chunkKeys = (hypertableId: number): ChunkKey[] =>
  query<ChunkKey>(
    `select name, kind::text as kind, definition, columns::text[] as columns from _tessera_catalog.chunk_key
     where hypertable_id = $1 order by position(kind::text in 'puif'), name`,
    [hypertableId],
  );

/** How an index compares one of its columns, as SQL: operators of its own operator class, and its own collation. */
export interface KeyColumn {
  readonly column: string;
  readonly equals: string;
  /** null where the class is not the default of the type, so that min() and max() need not agree with it */
  readonly atMost: string | null;
  readonly atLeast: string | null;
  /** '' for that of the column */
  readonly collation: string;
}

/** Columns of a key of the heap, by the index that enforces it. */
export const keyColumns = (heap: RelationName, key: ChunkKey): KeyColumn[] => {
  const operator = (strategy: number): string => `_tessera_functions.class_operator(c.oid, ${strategy})`;
  const found = query<KeyColumn & { index: bigint }>(
    `select i.indexrelid::int8 as index, a.attname::text as column, ${operator(3)} as equals,
       case when c.opcdefault then ${operator(2)} end as "atMost", case when c.opcdefault then ${operator(4)} end as "atLeast",
       _tessera_functions.key_collation(u.coll, a.attcollation) as collation
     from pg_index i,
       unnest((i.indkey::int2[])[0:i.indnkeyatts - 1], i.indclass::oid[], i.indcollation::oid[])
         with ordinality u(number, class, coll, o)
     join pg_attribute a on a.attnum = u.number join pg_opclass c on c.oid = u.class
     where i.indrelid = $1::regclass and i.indisunique and i.indpred is null and a.attrelid = i.indrelid
     order by i.indexrelid, u.o`,
    [qualified(heap)],
  );
  const sorted = (columns: readonly string[]): string => JSON.stringify([...columns].sort());
  const indexes = [...new Set(found.map((f) => f.index))].map((index) => found.filter((f) => f.index === index));
  const match = indexes.find((columns) => sorted(columns.map((c) => c.column)) === sorted(key.columns));
  if (match === undefined) throw new Error(`no index of ${qualified(heap)} enforces key "${key.name}"`);
  return match;
};

const keyDdl = (heap: RelationName, key: ChunkKey): string =>
  key.kind === 'i'
    ? `create unique index on ${qualified(heap)} ${key.definition}`
    : `alter table ${qualified(heap)} add ${key.definition}`;

/** Gives heaps that are not yet attached the keys of their hypertable; rows that break one are an error here. */
export const addKeys = (hypertableId: number, heaps: readonly RelationName[]): void => {
  const keys = chunkKeys(hypertableId);
  for (const heap of heaps) for (const key of keys) run(keyDdl(heap, key));
};

/** Keys and foreign keys the root itself has. */
export const rootKeys = (root: bigint): ChunkKey[] =>
  query<ChunkKey>(
    `select name, kind::text as kind, definition, columns::text[] as columns
     from _tessera_functions.keys_of($1::int8::oid::regclass)`,
    [root],
  );

interface Leaf {
  readonly schema: string;
  readonly name: string;
  readonly parentSchema: string;
  readonly parentName: string;
  readonly bounds: string;
}

const leaves = (root: bigint): Leaf[] =>
  query<Leaf>(
    `select n.nspname as schema, c.relname as name, pn.nspname as "parentSchema", p.relname as "parentName",
       pg_get_expr(c.relpartbound, c.oid) as bounds
     from pg_partition_tree($1::int8::oid::regclass) t join pg_class c on c.oid = t.relid join pg_namespace n on n.oid = c.relnamespace
     join pg_class p on p.oid = t.parentrelid join pg_namespace pn on pn.oid = p.relnamespace
     where t.isleaf and t.level > 0
     order by pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT', c.oid`,
    [root],
  );

const each = (all: readonly Leaf[], ddl: (parent: string, leaf: string, bounds: string) => string): void => {
  for (const l of all) run(ddl(qualified({ schema: l.parentSchema, name: l.parentName }), qualified(l), l.bounds));
};

/**
 * Moves the keys of the root to its heaps. A detached partition keeps its part of a key as its own; so all are
 * detached, the root loses the key, and all are attached again. ATTACH reads each heap once to check its bounds.
 */
export const demoteKeys = ({ hypertable, root }: OpenHypertable): readonly ChunkKey[] => {
  const keys = rootKeys(root.oid);
  if (keys.length === 0) return keys;
  flushCapture(hypertable, 'all');
  withLockRetry(() => {
    run(`lock table ${qualified(root)} in access exclusive mode`);
    // While the root has them: what they are is read from it, and not believed.
    request('demote_keys', { hypertable_id: hypertable.id });
    const all = leaves(root.oid);
    each(all, (parent, leaf) => `alter table ${parent} detach partition ${leaf}`);
    for (const key of keys)
      run(
        key.kind === 'i'
          ? `drop index ${qualified({ schema: root.schema, name: key.name })}`
          : `alter table ${qualified(root)} drop constraint ${ident(key.name)}`,
      );
    each(all, (parent, leaf, bounds) => `alter table ${parent} attach partition ${leaf} ${bounds}`);
  });
  return keys;
};

/**
 * Gives the root its keys back, where nothing but heaps is left. The indexes of the heaps become parts of the new ones,
 * so nothing is built.
 */
export const promoteKeys = ({ hypertable, root }: OpenHypertable): void => {
  const keys = chunkKeys(hypertable.id);
  if (keys.length === 0) return;
  withLockRetry(() => {
    run(`lock table ${qualified(root)} in access exclusive mode`);
    for (const key of keys)
      run(
        key.kind === 'i'
          ? `create unique index ${ident(key.name)} on ${qualified(root)} ${key.definition}`
          : `alter table ${qualified(root)} add constraint ${ident(key.name)} ${key.definition}`,
      );
    for (const key of keys.filter((k) => k.kind === 'f')) dropStandalone(root.oid, key);
  });
  request('promote_keys', { hypertable_id: hypertable.id });
};

/** ADD FOREIGN KEY on a root gives each heap a second one beside the one it kept. */
const dropStandalone = (root: bigint, key: ChunkKey): void => {
  for (const { heap, name } of query<{ heap: string; name: string }>(
    `select c.conrelid::regclass::text as heap, c.conname as name
     from pg_partition_tree($1::int8::oid::regclass) t join pg_constraint c on c.conrelid = t.relid
     where t.level > 0 and c.contype = 'f' and c.conparentid = 0 and pg_get_constraintdef(c.oid) = $2`,
    [root, key.definition],
  ))
    run(`alter table ${heap} drop constraint ${ident(name)}`);
};

import { inMaintenance } from '../../engine/session.ts';
import { one, query, run } from '../../engine/spi.ts';
import { findRelation, type Relation } from '../../hypertable/index.ts';
import { ident, qualified } from '../../lib/quote.ts';
import { typeOf } from '../definition/column-plan.ts';
import { keysOf, readKeys, type FoundKey } from '../definition/definition.ts';
import type { DistributedTable } from '../table/distributed-table.ts';
import { keyDdl, tableDdl, type Column, type ShardDefinition } from '../table/shard-ddl.ts';
import { renameInForeignKey, type Change } from '../definition/sync-plan.ts';

const deleteKey = (relid: bigint, name: string): void =>
  void run('delete from _tessera_catalog.pg_dist_key where logicalrelid::oid = $1::int8::oid and name = $2', [
    relid,
    name,
  ]);

/** Columns whose types are gone as well; no key can have stayed that has one of them. */
const withoutType = (columns: readonly Column[]): string[] =>
  columns
    .filter(
      (c) =>
        one<{ gone: boolean }>('select to_regtype($1) is null or to_regcollation($2) is null as gone', [
          c.type,
          c.collation ?? 'pg_catalog."default"',
        ]).gone,
    )
    .map((c) => c.name);

/**
 * What becomes of keys when columns change, asked of PostgreSQL by means of an empty table that has them: a key can name
 * columns in expressions, predicates and INCLUDE.
 */
const tryKeys = (
  root: Relation,
  before: ShardDefinition,
  after: ShardDefinition,
  keys: readonly FoundKey[],
  change: Change,
): FoundKey[] => {
  const table = { schema: 'pg_temp', name: `tessera_keys_${root.oid}` };
  const name = qualified(table);
  const lost = withoutType(before.columns.filter((c) => change.dropped.includes(c.name)));
  const columns = before.columns.filter((c) => !lost.includes(c.name));
  const [create] = tableDdl(table, { ...before, columns, checks: [] }, undefined);
  run(create as string);
  // Expressions of indexes run with the rights of the owner of the table.
  if (one<{ may: boolean }>(`select pg_has_role($1::name, 'MEMBER') as may`, [root.owner]).may)
    run(`alter table ${name} owner to ${ident(root.owner)}`);
  for (const k of keys) if (!k.columns.some((c) => lost.includes(c))) run(keyDdl(table, k, (x) => x));
  for (const r of change.renamed) run(`alter table ${name} rename column ${ident(r.from)} to ${ident(r.to)}`);
  for (const c of change.dropped) run(`alter table ${name} drop column if exists ${ident(c)} cascade`);
  for (const r of change.retyped) {
    const column = after.columns.find((c) => c.name === r.name);
    if (column !== undefined) run(`alter table ${name} alter column ${ident(r.name)} type ${typeOf(column)}`);
  }
  const { oid } = one<{ oid: bigint }>('select $1::regclass::oid::int8 as oid', [name]);
  const found = readKeys(oid);
  run(`drop table ${name}`);
  return found;
};

const followOwnKeys = (t: DistributedTable, root: Relation, after: ShardDefinition, change: Change): void => {
  const keys = keysOf(t.relid).filter((k) => k.kind !== 'f');
  if (keys.length === 0) return;
  const found = inMaintenance(() => tryKeys(root, t.definition, after, keys, change));
  for (const k of keys) {
    const now = found.find((f) => f.name === k.name);
    if (now === undefined) deleteKey(t.relid, k.name);
    else
      run(
        `update _tessera_catalog.pg_dist_key set definition = $3, columns = $4::text[]::name[]
         where logicalrelid::oid = $1::int8::oid and name = $2`,
        [t.relid, k.name, now.definition, now.columns],
      );
  }
};

/** The columns of the other table come after this. */
const REFERENCES = ' REFERENCES %s(';

const followForeignKeys = (t: DistributedTable, change: Change): void => {
  for (const k of keysOf(t.relid))
    if (k.kind === 'f' && k.columns.some((c) => change.dropped.includes(c))) deleteKey(t.relid, k.name);
  for (const r of change.renamed)
    for (const k of query<{ relid: bigint; name: string; definition: string; own: boolean; incoming: boolean }>(
      `select logicalrelid::oid::int8 as relid, name, definition, logicalrelid::oid = $1::int8::oid as own, referenced::oid = $1::int8::oid as incoming
       from _tessera_catalog.pg_dist_key where kind = 'f' and $1::int8::oid in (logicalrelid::oid, referenced::oid)`,
      [t.relid],
    )) {
      const at = k.definition.indexOf(REFERENCES);
      // ON DELETE SET NULL may name columns of its own table after those of the other.
      const end = k.definition.indexOf(')', at) + 1;
      const renamed = (text: string, when: boolean): string => (when ? renameInForeignKey(text, r.from, r.to) : text);
      const definition =
        renamed(k.definition.slice(0, at), k.own) +
        REFERENCES +
        renamed(k.definition.slice(at + REFERENCES.length, end), k.incoming) +
        renamed(k.definition.slice(end), k.own);
      run(
        `update _tessera_catalog.pg_dist_key set definition = $3,
           columns = case when $6 then array_replace(columns, $4::name, $5::name) else columns end,
           referenced_columns = case when $7 then array_replace(referenced_columns, $4::name, $5::name) else referenced_columns end
         where logicalrelid::oid = $1::int8::oid and name = $2`,
        [k.relid, k.name, definition, r.from, r.to, k.own, k.incoming],
      );
    }
};

/** Keys are on the shards alone and follow their columns there; the catalog has to be told. */
export const followKeys = (t: DistributedTable, after: ShardDefinition, change: Change): void => {
  for (const r of change.renamed)
    run(
      'update _tessera_catalog.pg_dist_partition set partkey = $2 where logicalrelid::oid = $1::int8::oid and partkey = $3',
      [t.relid, r.to, r.from],
    );
  if (change.renamed.length + change.dropped.length + change.retyped.length === 0) return;
  followOwnKeys(t, findRelation(t.relid) as Relation, after, change);
  followForeignKeys(t, change);
};

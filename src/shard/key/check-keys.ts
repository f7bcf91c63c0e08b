import { maybeOne, one } from '../../engine/spi.ts';
import type { FoundKey } from '../definition/definition.ts';
import { findDistributed } from '../table/distributed-table.ts';
import {
  foreignKeyCycle,
  foreignKeyFromReference,
  foreignKeyNotColocated,
  foreignKeyToLocal,
  keyNotInUnique,
  keyWouldChange,
  noDefaultOnShards,
} from './failures.ts';

const nameOf = (oid: bigint): string =>
  maybeOne<{ name: string }>('select $1::int8::oid::regclass::text as name', [oid])?.name ?? String(oid);

/** A shard can only watch over its own rows, so what is unique must contain the distribution column. */
export const checkUnique = (keys: readonly FoundKey[], column: string | null): void => {
  if (column === null) return;
  for (const k of keys) if (k.kind !== 'f' && !k.columns.includes(column)) throw keyNotInUnique(k.name, column);
};

/** ON DELETE SET NULL can name the columns it means; otherwise it is all of them. */
const setNull = (k: FoundKey): readonly string[] => {
  const [, named] = / ON DELETE SET NULL \(((?:"(?:[^"]|"")*"|[^)"])*)\)/.exec(k.definition) ?? [];
  return named === undefined
    ? k.columns
    : [...named.matchAll(/"((?:[^"]|"")*)"|[^,\s"]+/g)].map(([all, quoted]) => quoted?.replaceAll('""', '"') ?? all);
};

const ACTIONS: Readonly<Record<string, string>> = { n: 'SET NULL', c: 'CASCADE' };

interface Referencing {
  readonly self: bigint;
  readonly column: string | null;
  readonly group: number;
  readonly model: string;
}

/** Foreign keys that nodes can watch over: to reference tables, and between shards that are always on the same node. */
export const checkForeignKey = (k: FoundKey, t: Referencing): void => {
  if (k.kind !== 'f' || k.referenced === null) return;
  const own = k.referenced === t.self;
  const target = own ? { key: t.column, group: t.group, model: t.model } : findDistributed(k.referenced);
  if (target === undefined) throw foreignKeyToLocal(k.name, nameOf(k.referenced));
  if (t.model === 's' && (k.onDelete === 'd' || k.onUpdate === 'd')) throw noDefaultOnShards(k.name);
  if (t.column !== null && k.columns.includes(t.column)) {
    const onDelete = k.onDelete === 'n' && setNull(k).includes(t.column) ? k.onDelete : undefined;
    const onUpdate = k.onUpdate === 'n' || k.onUpdate === 'c' ? k.onUpdate : undefined;
    if (onDelete !== undefined) throw keyWouldChange(k.name, `ON DELETE ${ACTIONS[onDelete]}`);
    if (onUpdate !== undefined) throw keyWouldChange(k.name, `ON UPDATE ${ACTIONS[onUpdate]}`);
  }
  if (target.model === 't') return;
  if (t.model === 't') throw foreignKeyFromReference(k.name, nameOf(k.referenced));
  const paired =
    t.column === null
      ? target.key === null
      : k.columns.some((c, i) => c === t.column && k.referencedColumns[i] === target.key);
  if (target.group !== t.group || !paired) throw foreignKeyNotColocated(k.name, nameOf(k.referenced));
};

/** Whether foreign keys lead from one plain table to another. */
const leadsTo = (from: bigint, to: bigint): boolean =>
  one<{ does: boolean }>(
    `with recursive reached(oid) as (
       select $1::int8::oid union
       select c.confrelid from pg_constraint c join reached r on r.oid = c.conrelid where c.contype = 'f')
     select exists (select from reached where oid = $2::int8::oid) as does`,
    [from, to],
  ).does;

/** Names what has to be distributed before a table, while all keys are still where they were. Reads only. */
export const checkReferenced = (
  table: { readonly oid: bigint; readonly name: string },
  column: string | null,
  keys: readonly FoundKey[],
): void => {
  for (const k of keys) {
    if (k.referenced === null || k.referenced === table.oid || findDistributed(k.referenced) !== undefined) continue;
    const target = nameOf(k.referenced);
    if (leadsTo(k.referenced, table.oid)) throw foreignKeyCycle(table.name, k.name, target);
    const at = column === null ? -1 : k.columns.indexOf(column);
    throw foreignKeyToLocal(k.name, target, k.referencedColumns[at] ?? null);
  }
};

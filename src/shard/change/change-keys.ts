import {
  awaitPending,
  ownerServer,
  primaryOfGroup,
  queueCommand,
  requireUnused,
  type Node,
} from '../../cluster/index.ts';
import { one, query, run } from '../../engine/spi.ts';
import { findRelation, type Relation } from '../../hypertable/index.ts';
import { displayed, ident, qualified } from '../../lib/quote.ts';
import { checkForeignKey, checkUnique } from '../key/check-keys.ts';
import { keysOf, type FoundKey } from '../definition/definition.ts';
import { findDistributed, shardsOf, type DistributedTable, type Shard } from '../table/distributed-table.ts';
import { columnMissing, relationMissing } from '../../lib/failures.ts';
import {
  columnCountsDiffer,
  columnTwice,
  constraintExists,
  constraintMissing,
  copiesMissing,
  keyNeeded,
  noColumns,
  noUniqueKey,
  referenceTableKeys,
  secondPrimaryKey,
} from './failures.ts';
import { foreignKeyToLocal } from '../key/failures.ts';
import { groupBusy, notDistributed } from '../table/failures.ts';
import { foreignKeyDefinition, keyName, NOT_VALID, uniqueDefinition } from '../key/key-plan.ts';
import { lockGroup } from '../table/locks.ts';
import { foreignKeyStatements, grantReferences, madeOn, nameIn } from '../definition/make-shards.ts';
import { insertKey, requireReferences } from '../distribute/register.ts';
import { ownedRelation } from '../table/owned-relation.ts';
import { keyDdl } from '../table/shard-ddl.ts';

interface Opened {
  readonly table: DistributedTable;
  readonly root: Relation;
  readonly name: string;
}

/** The table of a request whose keys are on its shards alone. */
const openForKeys = (caller: string, relid: bigint): Opened => {
  const root = ownedRelation(caller, relid);
  const name = displayed(root);
  const table = findDistributed(relid);
  if (table === undefined) throw notDistributed(name);
  if (table.model === 't') throw referenceTableKeys(name);
  // A move copies the keys it found; it would miss a new one.
  if (!lockGroup(table.group)) throw groupBusy(name);
  requireUnused([relid]);
  awaitPending(nodesOf(table).map((n) => n.id));
  return { table: findDistributed(relid) ?? table, root, name };
};

const nodesOf = (table: DistributedTable): Node[] =>
  [...new Set(shardsOf(table.relid).flatMap((s) => s.groups))].map((g) => primaryOfGroup(g) as Node);

const checkColumns = (
  relid: bigint,
  table: string,
  columns: readonly (string | null)[],
  argument: string,
): string[] => {
  const named = columns.filter((c) => c !== null);
  if (named.length === 0 || named.length !== columns.length) throw noColumns(argument);
  const twice = named.find((c, i) => named.indexOf(c) !== i);
  if (twice !== undefined) throw columnTwice(twice);
  const known = query<{ name: string }>(
    'select attname::text as name from pg_attribute where attrelid = $1::int8::oid and attnum > 0 and not attisdropped',
    [relid],
  ).map((r) => r.name);
  const missing = named.find((c) => !known.includes(c));
  if (missing !== undefined) throw columnMissing(missing, table);
  return named;
};

const chooseName = (
  { table, root, name }: Opened,
  wanted: string | null,
  columns: readonly string[],
  ending: 'pkey' | 'key' | 'fkey',
): string => {
  const taken = [...keysOf(table.relid), ...table.definition.checks].map((k) => k.name);
  if (wanted === null) return keyName(root.name, columns, ending, taken);
  if (taken.includes(wanted)) throw constraintExists(wanted, name);
  return wanted;
};

const queueForShards = ({ table, root }: Opened, ddl: (shard: Shard, group: number) => string[]): void => {
  const shards = shardsOf(table.relid);
  for (const group of new Set(shards.flatMap((s) => madeOn(table, s.groups)))) {
    const node = primaryOfGroup(group) as Node;
    const commands = shards.filter((s) => s.groups.includes(group)).flatMap((s) => ddl(s, group));
    if (commands.length > 0)
      queueCommand(node, ownerServer(node, root.owner), commands.join(';\n'), { relid: table.relid, rewrites: false });
  }
};

export interface WantedKey {
  readonly columns: readonly (string | null)[];
  readonly kind: 'p' | 'u';
  readonly name: string | null;
}

/** Adds a primary key or unique constraint to all shards. */
export const createKey = (caller: string, relid: bigint, w: WantedKey): void => {
  const opened = openForKeys(caller, relid);
  const columns = checkColumns(relid, opened.name, w.columns, 'columns');
  const primary = keysOf(relid).find((k) => k.kind === 'p');
  if (w.kind === 'p' && primary !== undefined) throw secondPrimaryKey(opened.name, primary.name);
  const key: FoundKey = {
    name: chooseName(opened, w.name, columns, w.kind === 'p' ? 'pkey' : 'key'),
    kind: w.kind,
    definition: uniqueDefinition(w.kind, columns),
    columns,
    referenced: null,
    referencedColumns: [],
    onUpdate: null,
    onDelete: null,
    comment: null,
  };
  checkUnique([key], opened.table.key);
  insertKey(relid, { ...key, referenced: null });
  queueForShards(opened, (s) => [keyDdl(s, key, nameIn(s))]);
};

const sameSet = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((x) => b.includes(x));

/** What foreign keys can point at: not a partial index, nor one over expressions. */
const isTarget = (k: FoundKey): boolean =>
  k.kind === 'p' || k.kind === 'u' || (k.kind === 'i' && !/ WHERE /.test(k.definition) && !k.columns.includes(''));

export interface WantedForeignKey {
  readonly columns: readonly (string | null)[];
  readonly referenced: bigint;
  readonly referencedColumns: readonly (string | null)[] | null;
  readonly onDelete: string;
  readonly onUpdate: string;
  readonly name: string | null;
  /** Rows that are there need not fit it. */
  readonly notValid: boolean;
}

const referencedColumns = (w: WantedForeignKey, target: Relation): string[] => {
  const keys = keysOf(w.referenced).filter(isTarget);
  if (w.referencedColumns === null) {
    const primary = keys.find((k) => k.kind === 'p');
    if (primary === undefined) throw noUniqueKey(displayed(target), []);
    return [...primary.columns];
  }
  const columns = checkColumns(w.referenced, displayed(target), w.referencedColumns, 'referenced_columns');
  if (!keys.some((k) => sameSet(k.columns, columns))) throw noUniqueKey(displayed(target), columns);
  return columns;
};

const checkCopies = (table: DistributedTable, target: DistributedTable, name: string): void => {
  const there = shardsOf(target.relid).flatMap((s) => s.groups);
  if (target.model === 't' && shardsOf(table.relid).some((s) => s.groups.some((g) => !there.includes(g))))
    throw copiesMissing(name);
};

/** Adds a foreign key to all shards, each to the shard or copy on its node. */
export const createForeignKey = (caller: string, relid: bigint, w: WantedForeignKey): void => {
  const opened = openForKeys(caller, relid);
  const { table, root, name } = opened;
  const target = findRelation(w.referenced);
  if (target === undefined) throw relationMissing(w.referenced);
  requireReferences(caller, w.referenced);
  const columns = checkColumns(relid, name, w.columns, 'columns');
  const key = chooseName(opened, w.name, columns, 'fkey');
  const distributed = findDistributed(w.referenced);
  if (distributed === undefined) throw foreignKeyToLocal(key, displayed(target));
  const others = referencedColumns(w, target);
  if (others.length !== columns.length) throw columnCountsDiffer(key);
  const found: FoundKey = {
    name: key,
    kind: 'f',
    definition: foreignKeyDefinition(columns, others, w.onUpdate, w.onDelete) + (w.notValid ? NOT_VALID : ''),
    columns,
    referenced: w.referenced,
    referencedColumns: others,
    onUpdate: w.onUpdate,
    onDelete: w.onDelete,
    comment: null,
  };
  checkForeignKey(found, { self: relid, column: table.key, group: table.group, model: table.model });
  checkCopies(table, distributed, displayed(target));
  if (distributed.model === 's') requireUnused([w.referenced]);
  run(`lock table only ${qualified(target)} in share row exclusive mode`);
  insertKey(relid, { ...found, referenced: String(w.referenced) });
  for (const group of new Set(shardsOf(relid).flatMap((s) => s.groups)))
    grantReferences(
      primaryOfGroup(group) as Node,
      root.owner,
      shardsOf(relid)
        .filter((s) => s.groups.includes(group))
        .map((shard) => ({ shard })),
    );
  queueForShards(opened, (s, group) => foreignKeyStatements(table, s, group, (n) => n === key));
};

const requireUnneeded = (opened: Opened, k: FoundKey): void => {
  if (
    !isTarget(k) ||
    keysOf(opened.table.relid).some((o) => o.name !== k.name && isTarget(o) && sameSet(o.columns, k.columns))
  )
    return;
  const by = query<{ key: string; table: string; columns: string[] }>(
    `select name::text as key, logicalrelid::text as "table", referenced_columns::text[] as columns from _tessera_catalog.pg_dist_key
     where kind = 'f' and referenced::oid = $1::int8::oid order by 2, 1`,
    [opened.table.relid],
  ).find((f) => sameSet(f.columns, k.columns));
  if (by !== undefined) throw keyNeeded(k.name, opened.name, by.key, by.table);
};

/** Drops a key of any kind from all shards. */
export const dropKey = (caller: string, relid: bigint, key: string): void => {
  const opened = openForKeys(caller, relid);
  const found = keysOf(relid).find((k) => k.name === key);
  if (found === undefined)
    throw constraintMissing(
      key,
      opened.name,
      opened.table.definition.checks.some((c) => c.name === key),
    );
  requireUnneeded(opened, found);
  run('delete from _tessera_catalog.pg_dist_key where logicalrelid::oid = $1::int8::oid and name = $2', [relid, key]);
  queueForShards(opened, (s) => [
    found.kind === 'i'
      ? `drop index ${qualified({ schema: s.schema, name: nameIn(s)(key) })}`
      : `alter table ${qualified(s)} drop constraint ${ident(found.kind === 'f' ? key : nameIn(s)(key))}`,
  ]);
};

/** Whether writers of a table have to wait for copies of reference tables. */
export const refersToCopies = (relid: bigint): boolean =>
  one<{ does: boolean }>(
    `select exists (select from _tessera_catalog.pg_dist_key k join _tessera_catalog.pg_dist_partition p on p.logicalrelid = k.referenced
       where k.logicalrelid::oid = $1::int8::oid and k.kind = 'f' and p.repmodel = 't') as does`,
    [relid],
  ).does;

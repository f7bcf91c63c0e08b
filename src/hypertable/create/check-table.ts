import { maybeOne } from '../../engine/spi.ts';
import { displayed, qualified } from '../../lib/quote.ts';
import {
  badExclusion,
  badUniqueIndex,
  dependentObjects,
  generatedColumn,
  notYourForeignKey,
  publishedTable,
  unsupportedTable,
  wrongRelation,
  type Purpose,
} from './failures.ts';
import { columnMissing } from '../../lib/failures.ts';
import {
  otherDependents,
  publicationOf,
  readColumns,
  readConstraints,
  readIncomingForeignKeys,
  readIndexes,
  readTable,
  readTriggers,
  type ColumnDefinition,
} from '../table/read-table.ts';
import type { Relation } from '../table/relation.ts';

const KINDS: Readonly<Record<string, string>> = {
  v: 'It is a view.',
  m: 'It is a materialized view.',
  f: 'It is a foreign table.',
  S: 'It is a sequence.',
  i: 'It is an index.',
  I: 'It is an index.',
  c: 'It is a composite type.',
  t: 'It is a TOAST table.',
  p: 'It is a partitioned table already.',
};

/** Refuses a table that something hangs on which its successor would not get. Reads only. */
export const checkReplaceable = (table: Relation, purpose: Purpose): void => {
  const name = displayed(table);
  if (readTable(table.oid).hasRules)
    throw unsupportedTable(name, purpose, 'It has rules.', 'Replace the rules by triggers.');
  const publication = publicationOf(table.oid);
  if (publication !== undefined) throw publishedTable(name, purpose, publication);
  const others = otherDependents(table.oid);
  if (others !== null) throw dependentObjects(name, others);
};

/** Refuses what cannot become partitioned without losing something. Reads only. */
export const checkTable = (table: Relation, purpose: Purpose = 'hypertable'): void => {
  const name = displayed(table);
  if (table.kind !== 'r') throw wrongRelation(name, purpose, KINDS[table.kind] ?? 'It is not a table.');
  const definition = readTable(table.oid);
  if (definition.persistence === 't') throw unsupportedTable(name, purpose, 'It is a temporary table.');
  if (definition.persistence === 'u')
    throw unsupportedTable(
      name,
      purpose,
      'It is an unlogged table.',
      `Run: alter table ${qualified(table)} set logged`,
    );
  if (definition.isPartition) throw unsupportedTable(name, purpose, 'It is a partition of another table.');
  if (
    maybeOne('select from pg_inherits where inhrelid = $1::int8::oid or inhparent = $1::int8::oid limit 1', [table.oid])
  )
    throw unsupportedTable(name, purpose, 'It takes part in table inheritance.');
  if (definition.accessMethod !== null && definition.accessMethod !== 'heap')
    throw unsupportedTable(name, purpose, `Its access method is "${definition.accessMethod}".`);
  const badTrigger = readTriggers(table.oid).find((t) => t.rowWithTransitionTables);
  if (badTrigger !== undefined)
    throw unsupportedTable(name, purpose, `Its row trigger "${badTrigger.name}" uses a transition table.`);
  const noInherit = readConstraints(table.oid).find((c) => (c.type === 'c' || c.type === 'n') && c.noInherit);
  if (noInherit !== undefined)
    throw unsupportedTable(
      name,
      purpose,
      `Its ${noInherit.type === 'c' ? 'check' : 'not-null'} constraint "${noInherit.name}" is marked NO INHERIT.`,
    );
  checkReplaceable(table, purpose);
  for (const key of readIncomingForeignKeys(table.oid)) {
    if (key.childIsHypertable)
      throw unsupportedTable(name, purpose, `Hypertable ${key.child} has a foreign key "${key.name}" to it.`);
    if (!key.owned) throw notYourForeignKey(key.name, key.child);
  }
};

export const openColumn = (table: Relation, column: string): ColumnDefinition => {
  const found = readColumns(table.oid).find((c) => c.name === column);
  if (found === undefined) throw columnMissing(column, displayed(table));
  return found;
};

export const findColumn = (table: Relation, column: string): ColumnDefinition => {
  const found = openColumn(table, column);
  if (found.generated) throw generatedColumn(column);
  return found;
};

/** Every unique index and exclusion constraint must contain every column that divides the table. */
export const checkUniqueIndexes = (table: Relation, columns: readonly string[]): void => {
  for (const index of readIndexes(table.oid)) {
    if (!index.unique && !index.exclusion) continue;
    const missing = columns.find((c) => !index.columns.includes(c));
    if (missing === undefined) continue;
    if (index.exclusion) throw badExclusion(index.name, `It does not contain column "${missing}".`);
    throw badUniqueIndex(index.name, missing);
  }
};

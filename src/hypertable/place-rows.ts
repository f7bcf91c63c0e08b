import { overlappingSlices, type Slice } from '../catalog/dimension-slice.ts';
import type { Hypertable } from '../catalog/hypertable.ts';
import { hasSqlState, maybeOne, one, query, run, subtransaction } from '../engine/spi.ts';
import { inMaintenance, withSettings } from '../engine/session.ts';
import { PLUS_INFINITY } from '../lib/internal-time.ts';
import { SQLSTATE } from '../lib/sqlstate.ts';
import { ident, qualified, type RelationName } from '../lib/quote.ts';
import { planSlice } from './chunk-slice-plan.ts';
import { attachSlices, prepareSlice, timeDimension } from './create-chunk.ts';
import { partNames } from './partition-ddl.ts';
import type { Relation } from './relation.ts';
import { insideSql, internalSql, placeableSql, typedLiteral } from './time-sql.ts';

/** Errors that mean: not now. The rows stay where they are, readable as ever. */
export const NOT_NOW = [
  SQLSTATE.lockNotAvailable,
  SQLSTATE.deadlockDetected,
  '55006', // object_in_use: the root is being used by a query of this session
  SQLSTATE.checkViolation, // rows newer than the snapshot of a REPEATABLE READ transaction
  SQLSTATE.serializationFailure, // a slice newer than that snapshot; a doomed transaction still fails at commit
  '42P17', // invalid_object_definition: an overlapping partition newer than that snapshot
] as const;

export const isNotNow = (e: unknown): boolean => hasSqlState(e, ...NOT_NOW);

/**
 * Lock order everywhere: root, then default partition, then chunks. ATTACH itself would be content with SHARE UPDATE
 * EXCLUSIVE on the root; but a writer that chose the default partition for a row before the chunk was attached, and
 * reaches it afterwards, fails with 23514. SHARE ROW EXCLUSIVE waits for such writers and keeps new ones out; readers
 * go on.
 */
export const lockForAttach = (root: Relation, parts: { readonly defaultPartition: RelationName }): void => {
  run(`lock table only ${qualified(root)} in share row exclusive mode`);
  run(`lock table only ${qualified(parts.defaultPartition)} in access exclusive mode`);
};

const hasTimeIndex = (table: RelationName, column: string): boolean =>
  maybeOne(
    `select from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
     where i.indrelid = $1::regclass and i.indisvalid and i.indpred is null and a.attname = $2 limit 1`,
    [qualified(table), column],
  ) !== undefined;

/**
 * The slices that the rows of a table need. With an index on time the smallest time behind each slice is looked up;
 * without one, a single pass collects the distinct multiples of the interval.
 */
export const neededSlices = (h: Hypertable, source: RelationName): Slice[] => {
  const time = timeDimension(h);
  const column = ident(time.column_name);
  const found: Slice[] = [];
  const plan = (value: bigint): Slice =>
    planSlice(value, time.interval, time.type, (start, end) => {
      const known = overlappingSlices(time.id, start, end);
      return [...known, ...found.filter((s) => s.start < end && s.end > start)].sort((a, b) =>
        a.start < b.start ? -1 : 1,
      );
    });
  const placeable = placeableSql(column, time.type);
  if (hasTimeIndex(source, time.column_name)) {
    let after = '';
    for (;;) {
      const { value } = one<{ value: bigint | null }>(
        `select ${internalSql(`min(${column})`, time.type)} as value from only ${qualified(source)} where ${placeable}${after}`,
      );
      if (value === null) return found;
      const slice = plan(value);
      found.push(slice);
      if (slice.end !== PLUS_INFINITY) after = ` and ${column} >= ${typedLiteral(slice.end, time.type)}`;
      else return found;
    }
  }
  const internal = internalSql(column, time.type);
  const rows = query<{ value: bigint }>(
    `select min(${internal}) as value from only ${qualified(source)} where ${placeable}
     group by div(${internal}, ${time.interval}) order by 1`,
  );
  for (const { value } of rows) {
    const slice = plan(value);
    if (!found.some((s) => s.start === slice.start)) found.push(slice);
  }
  return found;
};

interface IncomingKey {
  readonly child: string;
  readonly childColumns: string[];
  readonly columns: string[];
}

const incomingForeignKeys = (root: Relation): IncomingKey[] =>
  query<IncomingKey>(
    `select c.conrelid::regclass::text as child,
       array(select attname::text from unnest(c.conkey) with ordinality k(n, o) join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.n order by o) as "childColumns",
       array(select attname::text from unnest(c.confkey) with ordinality k(n, o) join pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.n order by o) as columns
     from pg_constraint c where c.confrelid = $1::int8::oid and c.contype = 'f' and c.conparentid = 0`,
    [root.oid],
  );

/**
 * Deleting a referenced row would fire the actions of the foreign key, so a slice with such rows stays where it is.
 * The lock on the default partition keeps new references out until the rows are in their chunk.
 */
const isReferenced = (keys: readonly IncomingKey[], source: RelationName, condition: string): boolean =>
  keys.some(
    (k) =>
      maybeOne(
        `select from (select * from only ${qualified(source)} where ${condition}) d
         where exists (select from ${k.child} c where ${k.columns.map((col, i) => `c.${ident(k.childColumns[i] ?? '')} = d.${ident(col)}`).join(' and ')})
         limit 1`,
      ) !== undefined,
  );

/** Runs the body without the user's row triggers: a moved row is neither deleted nor inserted for the user. */
const withoutUserTriggers = (table: RelationName, body: () => void): void => {
  const triggers = query<{ name: string; enabled: string }>(
    `select tgname as name, tgenabled::text as enabled from pg_trigger
     where tgrelid = $1::regclass and not tgisinternal and tgenabled <> 'D' and tgname <> 'tessera_note'`,
    [qualified(table)],
  );
  const WORDS: Readonly<Record<string, string>> = { O: 'enable', A: 'enable always', R: 'enable replica' };
  for (const t of triggers) run(`alter table ${qualified(table)} disable trigger ${ident(t.name)}`);
  body();
  for (const t of triggers) run(`alter table ${qualified(table)} ${WORDS[t.enabled]} trigger ${ident(t.name)}`);
};

/**
 * Takes from the default partition what was copied into chunks. TRUNCATE would be quicker (1 ms against 0.6 s for 1 M
 * rows), but it takes row versions away that an older snapshot may still need: versions that others, or this very
 * transaction, have deleted cannot be seen from here.
 */
const removeMoved = (h: Hypertable, source: RelationName, slices: readonly Slice[]): void => {
  const time = timeDimension(h);
  withoutUserTriggers(source, () => {
    for (const slice of slices)
      run(`delete from only ${qualified(source)} where ${insideSql(time.column_name, slice, time.type)}`);
  });
};

/** Creates the missing chunks and moves the rows of the default partition into them. Returns how many were moved. */
export const placeRows = (h: Hypertable, root: Relation, lockTimeout: string): number =>
  subtransaction(() =>
    inMaintenance(() => {
      const parts = partNames(h);
      const source = parts.defaultPartition;
      withSettings({ lock_timeout: lockTimeout }, () => lockForAttach(root, parts));
      const time = timeDimension(h);
      const keys = incomingForeignKeys(root);
      const slices = neededSlices(h, source).filter(
        (slice) => !isReferenced(keys, source, insideSql(time.column_name, slice, time.type)),
      );
      if (slices.length === 0) return 0;
      const prepared = slices.map((slice) => prepareSlice(h, root, slice, source));
      const moved = prepared.reduce((sum, p) => sum + p.rows, 0);
      removeMoved(h, source, slices);
      attachSlices(h, root, prepared);
      return moved;
    }),
  );

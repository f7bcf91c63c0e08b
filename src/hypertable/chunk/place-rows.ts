import { overlappingSlices, type Slice } from '../../catalog/dimension-slice.ts';
import type { Hypertable } from '../../catalog/hypertable.ts';
import { hasSqlState, maybeOne, one, query, run, subtransaction } from '../../engine/spi.ts';
import { inMaintenance, withSettings } from '../../engine/session.ts';
import { isIntegerTime, PLUS_INFINITY } from '../../lib/internal-time.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';
import { ident, qualified, type RelationName } from '../../lib/quote.ts';
import { planSlice } from '../dimension/chunk-slice-plan.ts';
import { attachSlices, prepareSlice } from './create-chunk.ts';
import { timeDimension } from '../dimension/dimensions.ts';
import {
  attachWithOneReading,
  deleteMoved,
  MANY_ROWS,
  othersWait,
  settleMarks,
  truncateFreshHeap,
} from './fresh-heap.ts';
import { admitOwner } from '../dimension/open-hypertable.ts';
import { partNames } from '../table/partition-ddl.ts';
import { movePublished, moveUnheard, publishedBy } from './publication.ts';
import type { Relation } from '../table/relation.ts';
import { insideSql, internalSql, placeableSql, typedLiteral } from '../table/time-sql.ts';

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

/** Results of a continuous aggregate. */
const isMaterialization = (h: Hypertable): boolean =>
  maybeOne('select from _tessera_catalog.continuous_agg where mat_hypertable_id = $1', [h.id]) !== undefined;

/**
 * Lock order everywhere: root, then default partition, then chunks. ATTACH itself would be content with SHARE UPDATE
 * EXCLUSIVE on the root; but a writer that chose the default partition for a row before the chunk was attached, and
 * reaches it afterwards, fails with 23514. SHARE ROW EXCLUSIVE waits for such writers and keeps new ones out; readers
 * go on.
 *
 * A reader that has looked up the partitions and then waits for the default one goes on without the new chunk, though its
 * snapshot may be younger. It does not matter that rows of this transaction are missing there. But rows that were there
 * before would be, and the view of a continuous aggregate would see that results are there, and not the results: so readers
 * wait at the root then.
 */
export const lockForAttach = (h: Hypertable, root: Relation): void => {
  run(`lock table only ${qualified(root)} in share row exclusive mode`);
  if (isMaterialization(h) || othersWait(h)) run(`lock table only ${qualified(root)} in access exclusive mode`);
  run(`lock table only ${qualified(partNames(h).defaultPartition)} in access exclusive mode`);
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

/** Whether the default partition has rows that no chunk can take. */
const hasUnplaceable = (h: Hypertable, source: RelationName): boolean => {
  const time = timeDimension(h);
  const column = ident(time.column_name);
  const placeable = (expression: string): string => placeableSql(expression, time.type);
  // The planner reads the two ends of an index, but would not use it for the condition itself.
  const outside = isIntegerTime(time.type)
    ? 'false'
    : hasTimeIndex(source, time.column_name)
      ? `(select not (${placeable(`min(${column})`)} and ${placeable(`max(${column})`)}) from only ${qualified(source)})`
      : `exists (select from only ${qualified(source)} where not ${placeable(column)})`;
  return one<{ found: boolean }>(
    `select coalesce(${outside}, false) or exists (select from only ${qualified(source)} where ${column} is null) as found`,
  ).found;
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

/** Creates the missing chunks and moves the rows of the default partition into them. Returns how many were moved. */
export const placeRows = (
  h: Hypertable,
  root: Relation,
  lockTimeout: string,
  moment: 'at commit' | 'on demand' = 'on demand',
): number =>
  subtransaction(() =>
    inMaintenance(() => {
      admitOwner({ hypertable: h, root });
      const parts = partNames(h);
      const source = parts.defaultPartition;
      const published = publishedBy(h, root);
      withSettings({ lock_timeout: lockTimeout }, () => {
        if (published === 'name') run(`lock table only ${qualified(root)} in access exclusive mode`);
        lockForAttach(h, root);
      });
      const time = timeDimension(h);
      const keys = incomingForeignKeys(root);
      const needed = neededSlices(h, source);
      const slices = needed.filter(
        (slice) => !isReferenced(keys, source, insideSql(time.column_name, slice, time.type)),
      );
      const rowsStay = slices.length < needed.length || hasUnplaceable(h, source);
      if (slices.length > 0 && published !== undefined) {
        // A partition that foreign keys point into cannot be detached.
        const move = published === 'name' && keys.length === 0 ? moveUnheard : movePublished;
        const sent = move(h, root, slices);
        settleMarks(h, rowsStay, moment === 'at commit');
        return sent;
      }
      const prepared = slices.map((slice) => prepareSlice(h, root, slice, source));
      const moved = prepared.reduce((sum, p) => sum + p.rows, 0);
      if (slices.length > 0) {
        const attach = (): void => attachSlices(h, root, prepared);
        const truncated = !rowsStay && truncateFreshHeap(h, root, moved);
        if (!truncated) deleteMoved(h, slices);
        if (truncated || moved < MANY_ROWS || slices.length < 3) attach();
        else attachWithOneReading(h, slices, attach);
      }
      settleMarks(h, rowsStay, moment === 'at commit');
      return moved;
    }),
  );

import { request } from '../../catalog/catalog-writer.ts';
import { withSettings } from '../../engine/session.ts';
import { one, query, run } from '../../engine/spi.ts';
import { internalSql, OWN_RESULTS_SETTING, placeableSql, SQL_TYPES } from '../../hypertable/index.ts';
import { maximumOf, MINUS_INFINITY, PLUS_INFINITY, type Range } from '../../lib/internal-time.ts';
import { ident, identList, literal, qualified } from '../../lib/quote.ts';
import type { Cagg } from '../query/cagg.ts';
import { cellsOf, planBatches } from './refresh-plan.ts';
import { insideRange, queryWhere, type RowsOf } from '../query/ranged-query.ts';

/** Advisory locks (0x54530018, mat hypertable and cell) of a continuous aggregate; each batch takes those of the cells it overlaps, in their order. */
const CELL_LOCKS = 1414725656;
const CELLS = 64;

export const bucketStart = (cagg: Cagg, value: bigint): bigint => {
  if (value === MINUS_INFINITY || value === PLUS_INFINITY) return value;
  if (!cagg.fixedWidth)
    return one<{ v: bigint }>('select _tessera_functions.bucket_start($1, $2::int8) as v', [cagg.id, value]).v;
  const start = value - ((((value - cagg.phase) % cagg.period) + cagg.period) % cagg.period);
  return start < MINUS_INFINITY ? MINUS_INFINITY : start;
};

export const bucketEnd = (cagg: Cagg, value: bigint): bigint =>
  one<{ v: bigint }>('select _tessera_functions.bucket_end($1, $2::int8) as v', [cagg.id, value]).v;

/** A request speaks of the last value of a range. */
export const lastOf = (end: bigint): bigint => (end === PLUS_INFINITY ? end : end - 1n);

const ends = (cagg: Cagg, where: string): { first: bigint | null; last: bigint | null; finite: boolean } => {
  const column = ident(cagg.timeColumn);
  const end = (value: string): string =>
    `case when ${placeableSql(value, cagg.timeType)} then ${internalSql(value, cagg.timeType)} end`;
  // Without the OFFSET each mention of an end would look for it.
  return one(
    `select ${end('first')} as first, ${end('last')} as last,
       coalesce(${placeableSql('first', cagg.timeType)} and ${placeableSql('last', cagg.timeType)}, true) as finite
     from (select (select min(${column}) from ${qualified(cagg.source)} where ${where}) as first,
             (select max(${column}) from ${qualified(cagg.source)} where ${where}) as last offset 0) e`,
  );
};

/** The times of the raw rows, in whole buckets; null without rows. Rows at infinity are in no bucket. */
const dataRange = (cagg: Cagg): Range | null => {
  // To leave out infinity takes three times as long, and hardly any table has it.
  const all = ends(cagg, 'true');
  const { first, last } = all.finite ? all : ends(cagg, placeableSql(ident(cagg.timeColumn), cagg.timeType));
  return first === null || last === null ? null : { start: bucketStart(cagg, first), end: bucketEnd(cagg, last) };
};

/** dataRange(), asked for once in a refresh: it looks into each chunk. Rows that come meanwhile are in the last batch. */
export class DataRange {
  private readonly cagg: Cagg;
  /** Undefined until it is asked for. */
  known: Range | null | undefined;

  constructor(cagg: Cagg, known?: Range | null) {
    this.cagg = cagg;
    this.known = known;
  }

  get(): Range | null {
    if (this.known === undefined) this.known = dataRange(this.cagg);
    return this.known;
  }
}

/**
 * Raises the threshold to the end of what will be materialized and returns that; null when there is nothing to do. Who
 * reads the raw rows in the same transaction must be alone.
 */
export const moveThreshold = (cagg: Cagg, window: Range, all: DataRange, alone = false): Range | null => {
  let { end } = window;
  if (end === PLUS_INFINITY) {
    const data = all.get();
    // The bucket that holds the last value of the type has no end.
    const most = maximumOf(cagg.timeType);
    const last = data === null ? cagg.watermark : data.end > most ? bucketStart(cagg, most) : data.end;
    end = last > cagg.watermark ? last : cagg.watermark;
  }
  // Of a parent only what is materialized is settled: later rows of it change without a trace.
  if (cagg.parentId !== null) {
    const { watermark } = one<{ watermark: bigint }>('select _tessera_functions.cagg_watermark($1) as watermark', [
      cagg.parentId,
    ]);
    // The bucket that holds its end is computed again when the parent goes on.
    const settled = bucketStart(cagg, watermark) === watermark ? watermark : bucketEnd(cagg, watermark);
    if (settled < end) end = settled;
  }
  const bounded = end > window.start ? { start: window.start, end } : null;
  request('cagg_threshold', { cagg: cagg.id, threshold: bounded === null ? null : bounded.end, alone });
  return bounded;
};

const ranges = (pairs: readonly (readonly [string, string])[]): Range[] =>
  pairs.map(([start, end]) => ({ start: BigInt(start), end: BigInt(end) }));

/** SQL of the ranges `p` of an int8multirange. */
export const rangesSql = (parts: string): string =>
  `select coalesce(lower(p), ${MINUS_INFINITY}) as start, coalesce(upper(p), ${PLUS_INFINITY}) as end from unnest(${parts}) p`;

/** Buckets whose raw rows are gone stay as they are, whatever is asked for. */
const frozenParts = (cagg: Cagg): Range[] =>
  query<Range>(`${rangesSql('_tessera_functions.frozen_parts($1)')} order by p`, [cagg.id]);

const minus = (range: Range, frozen: readonly Range[]): Range[] =>
  frozen.reduce<Range[]>(
    (left, f) =>
      left.flatMap((r) => {
        if (f.end <= r.start || f.start >= r.end) return [r];
        const before = f.start > r.start ? [{ start: r.start, end: f.start }] : [];
        return f.end < r.end ? [...before, { start: f.end, end: r.end }] : before;
      }),
    [range],
  );

export const unfrozen = (cagg: Cagg, stale: readonly Range[]): Range[] => {
  const frozen = frozenParts(cagg);
  return stale.flatMap((range) => minus(range, frozen));
};

export interface RefreshOptions {
  readonly force: boolean;
  /** Buckets of a batch, where the user said so. */
  readonly bucketsPerBatch: bigint | null;
  readonly newestFirst: boolean;
}

/** Rows a batch reads, about, where nobody says how long it is: some seconds' work. */
const BATCH_ROWS = 5_000_000n;

/** What the planner thinks of a table whose sizes it knows, analyzed or not. */
const estimatedRows = (cagg: Cagg): bigint => {
  const { plan } = one<{ plan: readonly { readonly Plan: { readonly 'Plan Rows': number } }[] }>(
    `select _tessera_functions.explain_json($1) as plan`,
    [`select from ${qualified(cagg.source)}`],
  );
  return BigInt(Math.max(1, Math.round(plan[0]?.Plan['Plan Rows'] ?? 1)));
};

/** No batch is cut shorter. */
export const shortest = (cagg: Cagg, o: RefreshOptions): bigint => {
  if (o.bucketsPerBatch !== null) return cagg.period * o.bucketsPerBatch;
  return cagg.maxInterval ?? cagg.period * 20n;
};

const batchLength = (cagg: Cagg, o: RefreshOptions, data: Range): bigint => {
  const least = shortest(cagg, o);
  if (o.bucketsPerBatch !== null || cagg.maxInterval !== null) return least;
  const length = ((data.end - data.start) * BATCH_ROWS) / estimatedRows(cagg);
  return length > least ? length : least;
};

/** Cuts what is stale inside the window into batches, each of which has a row of its own in the log. */
export const planRefresh = (cagg: Cagg, window: Range, o: RefreshOptions, all: DataRange): Range[] => {
  const asked = { cagg: cagg.id, first: window.start, last: lastOf(window.end), force: o.force };
  const stale = ranges(request<[string, string][]>('cagg_take', asked));
  const left = unfrozen(cagg, stale);
  // Where there are rows matters to long ranges only, and takes a look into each chunk.
  const long = left.some((range) => range.end - range.start > shortest(cagg, o));
  const data = long ? all.get() : null;
  const batches = planBatches(left, {
    length: data === null ? PLUS_INFINITY : batchLength(cagg, o, data),
    data,
    align: (value) => bucketStart(cagg, value),
    newestFirst: o.newestFirst,
  });
  request('cagg_put', { ...asked, parts: batches.map((b) => [b.start, b.end]), batches: batches.length });
  return batches;
};

const lockCells = (cagg: Cagg, batch: Range): void => {
  const cells = cellsOf(batch, cagg.matInterval).map((cell) => cagg.id * CELLS + cell);
  query('select pg_advisory_xact_lock($1::int4, c) from unnest($2::int4[]) c', [CELL_LOCKS, cells]);
};

const matColumns = (cagg: Cagg): { readonly name: string; readonly type: string }[] =>
  query<{ name: string; type: string }>(
    `select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute where attrelid = $1::int8::oid and attnum > 0 and not attisdropped order by attnum`,
    [cagg.matOid],
  );

/**
 * SQL of what stays stale whatever is materialized, in whole buckets inside a range. Writers may be under way that do not
 * log their rows there. What a parent answers from raw rows comes and goes without a trace in what it has materialized,
 * which stays as it is where they came and went between two refreshes.
 */
const unsettledParts = (cagg: Cagg, range: Range): string =>
  `_tessera_functions.whole_buckets(${cagg.id}, _tessera_functions.unsettled_parts(${cagg.parentId ?? 'null'})
       + _tessera_functions.open_part(${cagg.rawId}))
     * int8multirange(_tessera_functions.change_range(${range.start}, ${lastOf(range.end)}))`;

const lockRaw = (cagg: Cagg): void => {
  // Who may read a parent only by its view locks what is behind it later, as he reads.
  if (cagg.rawReadable) run(`lock table only ${qualified(cagg.raw)} in access share mode`);
};

/** The rows of a range as they are computed now, in place of those that were materialized; returns what is to stay logged. */
export const materialize = (cagg: Cagg, batch: Range, open: boolean, raw?: RowsOf): Range[] =>
  withSettings({ [OWN_RESULTS_SETTING]: 'on' }, () => replaceResults(cagg, batch, open, raw));

const replaceResults = (cagg: Cagg, batch: Range, open: boolean, raw?: RowsOf): Range[] => {
  const mat = qualified(cagg.mat);
  run(`delete from ${mat} where ${insideRange(ident(cagg.bucketColumn), batch, cagg.timeType)}`);
  const rows = queryWhere(
    { view: cagg.partialView, source: cagg.source, timeColumn: cagg.timeColumn },
    (time) => insideRange(time, batch, cagg.timeType),
    raw,
  );
  const columns = matColumns(cagg);
  // What INSERT itself selects is never read by parallel workers; what a function returns may be.
  const typed = columns.map((c) => `${ident(c.name)} ${c.type}`).join(', ');
  const source =
    batch.end - batch.start < cagg.matInterval
      ? `(${rows}) q`
      : `_tessera_functions.query_rows(${literal(rows)}) as q(${typed})`;
  const insert = `insert into ${mat} (${identList(columns.map((c) => c.name))}) select * from ${source}`;
  if (open || cagg.parentId !== null)
    return query<Range>(`with done as (${insert}) ${rangesSql(unsettledParts(cagg, batch))}`);
  run(insert);
  return [];
};

interface CutResult {
  readonly stale: boolean;
  /** Whether transactions may be under way whose rows of the batch are not logged. */
  readonly open: boolean;
}

/**
 * One batch. Whoever materializes a range holds the locks of its cells until its rows are committed, so that the next one
 * sees and replaces them. What the log says is read before the raw rows are: a change that is not among the rows is
 * still in the log afterwards. The raw hypertable is locked before all that: whoever drops its chunks has it for himself,
 * and changes results after that.
 */
export const runBatch = (cagg: Cagg, batch: Range, force: boolean, raw?: RowsOf): void => {
  lockRaw(cagg);
  lockCells(cagg, batch);
  const { stale, open } = request<CutResult>('cagg_cut', {
    cagg: cagg.id,
    first: batch.start,
    last: lastOf(batch.end),
  });
  // Chunks may have been dropped since the batch was planned.
  const unsettled = stale || force ? unfrozen(cagg, [batch]).flatMap((part) => materialize(cagg, part, open, raw)) : [];
  request('cagg_done', {
    cagg: cagg.id,
    watermark: batch.end === PLUS_INFINITY ? null : batch.end,
    unsettled: unsettled.map((r) => [r.start, r.end]),
  });
};

/** Stale ranges in the window that are left, because others were at them; unless asked for, without those that stay so. */
export const leftovers = (cagg: Cagg, window: Range, unsettledToo = false): Range[] =>
  query<Range>(
    `${rangesSql(`(
       select _tessera_functions.whole_buckets($1, range_agg(
           _tessera_functions.change_range(l.lowest_modified_value, l.greatest_modified_value)))
         * int8multirange(_tessera_functions.change_range($2::int8, $3::int8)) ${unsettledToo ? '' : `- ${unsettledParts(cagg, window)}`}
       from _tessera_catalog.continuous_aggs_materialization_invalidation_log l where l.materialization_id = $1)`)}
     order by p`,
    [cagg.id, window.start, lastOf(window.end)],
  );

export const timeTypeName = (cagg: Cagg): string => SQL_TYPES[cagg.timeType];

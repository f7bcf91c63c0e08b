import { coveredSlices } from '../../catalog/dimension-slice.ts';
import { request } from '../../catalog/catalog-writer.ts';
import { callAs } from '../../engine/session.ts';
import { hasSqlState, notice } from '../../engine/spi.ts';
import { createRange, timeDimension, toInternal, type OpenHypertable } from '../../hypertable/index.ts';
import { INTEGERS, isIntegerTime, MINUS_INFINITY, PLUS_INFINITY, type Range } from '../../lib/internal-time.ts';
import { displayed } from '../../lib/quote.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';
import { matHypertable, type Cagg } from '../query/cagg.ts';
import { badOption, badWindowType, unknownOption, windowTooSmall } from './failures.ts';
import {
  bucketEnd,
  bucketStart,
  DataRange,
  lastOf,
  leftovers,
  moveThreshold,
  planRefresh,
  runBatch,
  shortest,
  timeTypeName,
  unfrozen,
  type RefreshOptions,
} from './materialize.ts';

const PLAIN: RefreshOptions = { force: false, bucketsPerBatch: null, newestFirst: false };

/** Whole buckets inside what the user asked for. */
export const windowOf = (cagg: Cagg, start: string | null, end: string | null, type: string): Range => {
  const bound = (text: string): bigint => {
    const fits = type === 'text' || INTEGERS.includes(type) === isIntegerTime(cagg.timeType);
    if (type === 'interval' || !fits) throw badWindowType(type, timeTypeName(cagg));
    return toInternal(text, type, cagg.timeType);
  };
  const first = start === null ? MINUS_INFINITY : bound(start);
  const last = end === null ? PLUS_INFINITY : bound(end);
  const window = wholeBuckets(cagg, { start: first, end: last });
  if (window === null) throw windowTooSmall();
  return window;
};

/** The whole buckets inside a range; null when there is none. */
export const wholeBuckets = (cagg: Cagg, range: Range): Range | null => {
  const start = bucketStart(cagg, range.start) === range.start ? range.start : bucketEnd(cagg, range.start);
  const end = bucketStart(cagg, range.end);
  return start < end ? { start, end } : null;
};

export interface GivenOptions {
  readonly options: RefreshOptions;
  readonly mostBatches: number | null;
}

const positive = (name: string, value: unknown): number | null => {
  if (value == null) return null;
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0)
    throw badOption(name, 'It must be an integer of at least 0.');
  return number;
};

const KNOWN = ['buckets_per_batch', 'max_batches_per_execution', 'refresh_newest_first'];

/** 0 stands for no limit. */
export const optionsOf = (given: Readonly<Record<string, unknown>> | null, force: boolean): GivenOptions => {
  if (given !== null && (typeof given !== 'object' || Array.isArray(given)))
    throw badOption('options', 'It must be an object.');
  const unknown = Object.keys(given ?? {}).find((k) => !KNOWN.includes(k));
  if (unknown !== undefined) throw unknownOption(unknown);
  const buckets = positive('buckets_per_batch', given?.buckets_per_batch);
  const newest = given?.refresh_newest_first;
  if (newest != null && typeof newest !== 'boolean')
    throw badOption('refresh_newest_first', 'It must be true or false.');
  return {
    options: {
      force,
      bucketsPerBatch: buckets === null || buckets === 0 ? null : BigInt(buckets),
      newestFirst: newest === true,
    },
    mostBatches: positive('max_batches_per_execution', given?.max_batches_per_execution) || null,
  };
};

const MOST_CHUNKS = 1000n;

/** Whether the results of a range would have to go by way of the default partition. */
const lacksChunks = (open: OpenHypertable, range: Range): boolean => {
  let reached = range.start;
  for (const slice of coveredSlices(timeDimension(open.hypertable).id, range.start, range.end)) {
    if (slice.start > reached) return true;
    reached = slice.end;
  }
  return reached < range.end;
};

/** Neighbours as one: making chunks takes locks each time. */
const joined = (ranges: readonly Range[]): Range[] => {
  const all: Range[] = [];
  for (const range of ranges) {
    const before = all.at(-1);
    if (before?.end === range.start) all[all.length - 1] = { start: before.start, end: range.end };
    else all.push(range);
  }
  return all;
};

/** Creates chunks for the results. Where others keep their locks too long, rows may go by way of the default partition. */
const prepareChunks = (cagg: Cagg, batches: readonly Range[], all: DataRange): void => {
  const open = matHypertable(cagg);
  const lacking = joined(batches.filter((b) => lacksChunks(open, b)));
  const data = lacking.length === 0 ? null : all.get();
  if (data === null) return;
  for (const batch of lacking) {
    const start = batch.start > data.start ? batch.start : data.start;
    const end = batch.end < data.end ? batch.end : data.end;
    if (start >= end || (end - start) / cagg.matInterval >= MOST_CHUNKS) continue;
    try {
      createRange(open, start, end);
    } catch (e) {
      if (!hasSqlState(e, SQLSTATE.lockNotAvailable, SQLSTATE.deadlockDetected)) throw e;
      return;
    }
  }
};

/** Second step of a refresh, after the threshold is committed: its batches, and where their results will go. */
export const planBatchesOf = (cagg: Cagg, window: Range, options: RefreshOptions, all: DataRange): Range[] => {
  const batches = planRefresh(cagg, window, options, all);
  prepareChunks(cagg, batches, all);
  return batches;
};

/** Settles the threshold; done when nothing is stale in the window, or so little that it takes no plan and no log of batches. */
export const refreshedAtOnce = (cagg: Cagg, window: Range, options: RefreshOptions): boolean => {
  const part = request<readonly string[] | null>('cagg_look', {
    cagg: cagg.id,
    first: window.start,
    last: lastOf(window.end),
  })?.map(BigInt);
  if (part === undefined || options.force) return false;
  const [start, end] = part;
  if (start === undefined || end === undefined) {
    sayUpToDate(cagg);
    return true;
  }
  if (end - start > shortest(cagg, options)) return false;
  runBatch(cagg, { start, end }, false);
  return true;
};

/** Everything in the present transaction, which therefore keeps writers of the raw hypertable from committing. */
export const refreshNow = (cagg: Cagg, window: Range): void => {
  const all = new DataRange(cagg);
  const bounded = moveThreshold(cagg, window, all, true);
  if (bounded === null) return;
  for (const batch of planBatchesOf(cagg, bounded, PLAIN, all)) runBatch(cagg, batch, false);
};

/** What others were at when this refresh was planned: by the time its locks are to be had they are done, or have failed. */
export const leftToOthers = (cagg: Cagg, window: Range): Range[] => unfrozen(cagg, leftovers(cagg, window));

export const endRefresh = (cagg: Cagg): void => void request('cagg_done', { cagg: cagg.id, finished: true });

/** Runs a step as the owner of the continuous aggregate, with whose rights the functions in its query must run. */
export const asOwner = (cagg: Cagg, call: string): string[] =>
  callAs(cagg.owner, cagg.place, call).flatMap((text) => text ?? []);

export const sayUpToDate = (cagg: Cagg): void =>
  notice(`continuous aggregate "${displayed(cagg.view)}" is already up to date`);

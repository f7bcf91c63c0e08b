import { request } from '../catalog/request.ts';
import { callAs } from '../engine/session.ts';
import { hasSqlState, notice } from '../engine/spi.ts';
import { createRange, timeDimension, toInternal } from '../hypertable/index.ts';
import { isIntegerTime, MINUS_INFINITY, PLUS_INFINITY } from '../lib/internal-time.ts';
import { displayed } from '../lib/quote.ts';
import { SQLSTATE } from '../lib/sqlstate.ts';
import { ownPlace, type Cagg } from './cagg.ts';
import { badOption, badWindowType, unknownOption, windowTooSmall } from './failures.ts';
import {
  bucketEnd,
  bucketStart,
  dataRange,
  leftovers,
  moveThreshold,
  planRefresh,
  runBatch,
  timeTypeName,
  unfrozen,
  type RefreshOptions,
} from './materialize.ts';
import type { Range } from './refresh-plan.ts';

const PLAIN: RefreshOptions = { force: false, bucketsPerBatch: null, newestFirst: false };

/** Whole buckets inside what the user asked for. */
export const windowOf = (cagg: Cagg, start: string | null, end: string | null, type: string): Range => {
  const bound = (text: string): bigint => {
    const integer = isIntegerTime(cagg.timeType);
    if (type === 'interval' || (integer && type !== 'text' && !['smallint', 'integer', 'bigint'].includes(type)))
      throw badWindowType(type, timeTypeName(cagg));
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

/** Chunks for the results, so that they need not go by way of the default partition; where others write, they may. */
const prepareChunks = (cagg: Cagg, batches: readonly Range[]): void => {
  const data = batches.length === 0 ? null : dataRange(cagg);
  if (data === null) return;
  const { interval } = timeDimension(cagg.mat.hypertable);
  const first = batches.reduce((least, b) => (b.start < least ? b.start : least), PLUS_INFINITY);
  const last = batches.reduce((most, b) => (b.end > most ? b.end : most), MINUS_INFINITY);
  const start = first > data.start ? first : data.start;
  const end = last < data.end ? last : data.end;
  if (start >= end || (end - start) / interval >= MOST_CHUNKS) return;
  try {
    createRange(cagg.mat, start, end);
  } catch (e) {
    if (!hasSqlState(e, SQLSTATE.lockNotAvailable, SQLSTATE.deadlockDetected)) throw e;
  }
};

const MOST_CHUNKS = 1000n;

/** Second step of a refresh, after the threshold is committed: its batches, and where their results will go. */
export const planBatchesOf = (cagg: Cagg, window: Range, options: RefreshOptions): Range[] => {
  const batches = planRefresh(cagg, window, options);
  prepareChunks(cagg, batches);
  return batches;
};

/** Everything in the present transaction, which therefore keeps writers of the raw hypertable from committing. */
export const refreshNow = (cagg: Cagg, window: Range): void => {
  const bounded = moveThreshold(cagg, window);
  if (bounded === null) return;
  for (const batch of planBatchesOf(cagg, bounded, PLAIN)) runBatch(cagg, batch, false);
};

/** What others were at when this refresh was planned: by the time its locks are to be had they are done, or have failed. */
export const finishOthers = (cagg: Cagg, window: Range): void => {
  for (const range of unfrozen(cagg, leftovers(cagg, window))) runBatch(cagg, range, false);
};

export const endRefresh = (cagg: Cagg): void => void request('cagg_done', { cagg: cagg.id, finished: true });

/** Runs a step as the owner of the continuous aggregate, with whose rights the functions in its query must run. */
export const asOwner = (cagg: Cagg, call: string): string[] =>
  callAs(cagg.view.owner, ownPlace(cagg), call).flatMap((text) => text ?? []);

export const sayUpToDate = (cagg: Cagg): void =>
  notice(`continuous aggregate "${displayed(cagg.view)}" is already up to date`);

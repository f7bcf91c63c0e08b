/** What dropping chunks of a raw hypertable means for its continuous aggregates. */
import { request } from '../catalog/request.ts';
import { notice, query, run } from '../engine/spi.ts';
import { internalNow } from '../hypertable/index.ts';
import { formatInternal, MINUS_INFINITY, PLUS_INFINITY } from '../lib/internal-time.ts';
import { displayed, ident, qualified } from '../lib/quote.ts';
import { caggsOf, type Cagg } from './cagg.ts';
import { notCaggOwner, tooFarBehind, wouldCountChanges } from './failures.ts';
import { localRows } from './local-rows.ts';
import { bucketEnd, leftovers, rangesSql, runBatch, unfrozen } from './materialize.ts';
import { insideRange } from './ranged-query.ts';
import { asOwner, wholeBuckets } from './refresh.ts';
import { baseOf } from './refresh-policy.ts';
import type { Range } from './refresh-plan.ts';

/** Results of dropped rows can be kept where no later change would count, and everything was materialized. */
export const requireMaterialized = (rawId: number, before: bigint): void => {
  const caggs = caggsOf(rawId);
  const longest = caggs.reduce<Cagg | undefined>(
    (most, c) => (most === undefined || c.ignoreOlderThan > most.ignoreOlderThan ? c : most),
    undefined,
  );
  if (longest === undefined) return;
  const text = (value: bigint): string => formatInternal(value, longest.timeType);
  if (longest.ignoreOlderThan === PLUS_INFINITY) throw wouldCountChanges(displayed(longest.view), text(before), null);
  const cutoff = internalNow(baseOf(longest)) - longest.ignoreOlderThan;
  if (cutoff < before) throw wouldCountChanges(displayed(longest.view), text(before), text(cutoff));
  const behind = caggs.find((c) => c.watermark < before);
  if (behind !== undefined) throw tooFarBehind(displayed(behind.view), text(before), text(behind.watermark));
};

/** What has to be refreshed before rows older than this are dropped: whole buckets, as far as any were materialized. */
const windowBefore = (cagg: Cagg, before: bigint): Range => {
  const end = before === MINUS_INFINITY ? before : bucketEnd(cagg, before - 1n);
  return { start: MINUS_INFINITY, end: end < cagg.watermark ? end : cagg.watermark };
};

/** Logged or not yet handed on: what the view would read from raw rows. */
const isStale = (cagg: Cagg, window: Range): boolean =>
  query<Range>(rangesSql('_tessera_functions.stale_parts($1)'), [cagg.id]).some(
    (p) => p.start < window.end && p.end > window.start,
  );

/** As the owner of the continuous aggregate. */
export const processCagg = (cagg: Cagg, before: bigint): void => {
  const window = windowBefore(cagg, before);
  request('cagg_threshold', { cagg: cagg.id, threshold: null });
  // Also what another refresh is at: should that fail, the rows it needs would be gone.
  for (const range of unfrozen(cagg, leftovers(cagg, window, true)))
    runBatch(cagg, range, false, localRows(cagg, range));
};

/** Refreshes what changed before some time, in the present transaction, whose locks keep further changes out. */
export const processInvalidations = (rawId: number, before: bigint): void => {
  for (const cagg of caggsOf(rawId)) {
    notice(`refreshing changes of continuous aggregate "${displayed(cagg.view)}" before chunks are dropped`);
    if (cagg.runByOwner) processCagg(cagg, before);
    else if (cagg.owned) asOwner(cagg, `_tessera_functions.process_cagg(${cagg.id}, ${before}::int8)`);
    else if (isStale(cagg, windowBefore(cagg, before))) throw notCaggOwner(displayed(cagg.view));
  }
};

/** As requests have them. */
const pairs = (ranges: readonly Range[]): (readonly [string, string])[] =>
  ranges.map((r) => [r.start.toString(), r.end.toString()]);

/** Deletes results of whole buckets, as the owner of the continuous aggregate. */
export const deleteBuckets = (cagg: Cagg, parts: readonly Range[]): void => {
  for (const part of parts)
    run(`delete from ${qualified(cagg.mat)} where ${insideRange(ident(cagg.bucketColumn), part, cagg.timeType)}`);
};

const edgesOf = (range: Range, inside: Range | null): Range[] =>
  inside === null
    ? [range]
    : [
        { start: range.start, end: inside.start },
        { start: inside.end, end: range.end },
      ].filter((edge) => edge.start < edge.end);

/**
 * Results of dropped rows go as well. Buckets of which only a part was dropped are for the next refresh, and so is
 * everything where the caller may not change the results.
 */
export const dropMaterialized = (rawId: number, ranges: readonly Range[]): void => {
  for (const cagg of caggsOf(rawId)) {
    const cut = ranges.map((range) => ({ range, inside: cagg.owned ? wholeBuckets(cagg, range) : null }));
    const whole = cut.flatMap((c) => c.inside ?? []);
    const stale = cut.flatMap((c) => edgesOf(c.range, c.inside));
    request('cagg_forsake', { hypertable_id: rawId, cagg: cagg.id, gone: pairs(ranges), stale: pairs(stale) });
    if (cagg.runByOwner) deleteBuckets(cagg, whole);
    else if (whole.length > 0)
      asOwner(cagg, `_tessera_functions.delete_buckets(${cagg.id}, '${JSON.stringify(pairs(whole))}')`);
  }
};

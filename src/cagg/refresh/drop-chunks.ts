/** What dropping chunks of a raw hypertable means for its continuous aggregates. */
import { request } from '../../catalog/catalog-writer.ts';
import { withSettings } from '../../engine/session.ts';
import { notice, query, run } from '../../engine/spi.ts';
import { internalNow, OWN_RESULTS_SETTING } from '../../hypertable/index.ts';
import { formatInternal, MINUS_INFINITY, PLUS_INFINITY, type Range } from '../../lib/internal-time.ts';
import { displayed, ident, qualified } from '../../lib/quote.ts';
import { caggsOf, type Cagg } from '../query/cagg.ts';
import { notCaggOwner } from '../query/failures.ts';
import { tooFarBehind, wouldCountChanges } from './failures.ts';
import { localRows } from './local-rows.ts';
import { bucketEnd, DataRange, leftovers, moveThreshold, rangesSql, runBatch, unfrozen } from './materialize.ts';
import { insideRange } from '../query/ranged-query.ts';
import { asOwner, wholeBuckets } from './refresh.ts';
import { baseOf } from './refresh-policy.ts';

const longestMemory = (caggs: readonly Cagg[]): Cagg | undefined =>
  caggs.reduce<Cagg | undefined>(
    (most, c) => (most === undefined || c.ignoreOlderThan > most.ignoreOlderThan ? c : most),
    undefined,
  );

/** Results of dropped rows can be kept only where no later change of them would count. */
export const requireKeepable = (rawId: number, before: bigint): void => {
  const longest = longestMemory(caggsOf(rawId));
  if (longest === undefined) return;
  const text = (value: bigint): string => formatInternal(value, longest.timeType);
  if (longest.ignoreOlderThan === PLUS_INFINITY) throw wouldCountChanges(displayed(longest.view), text(before), null);
  const cutoff = internalNow(baseOf(longest)) - longest.ignoreOlderThan;
  if (cutoff < before) throw wouldCountChanges(displayed(longest.view), text(before), text(cutoff));
};

/** And where everything was materialized. */
export const requireMaterialized = (rawId: number, before: bigint): void => {
  requireKeepable(rawId, before);
  const text = (c: Cagg, value: bigint): string => formatInternal(value, c.timeType);
  const behind = caggsOf(rawId).find((c) => c.watermark < before);
  if (behind !== undefined)
    throw tooFarBehind(displayed(behind.view), text(behind, before), text(behind, behind.watermark));
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
    notice(refreshing(cagg));
    if (cagg.runByOwner) processCagg(cagg, before);
    else if (cagg.owned) asOwner(cagg, `_tessera_functions.process_cagg(${cagg.id}, ${before}::int8)`);
    else if (isStale(cagg, windowBefore(cagg, before))) throw notCaggOwner(displayed(cagg.view));
  }
};

const refreshing = (cagg: Cagg): string =>
  `refreshing changes of continuous aggregate "${displayed(cagg.view)}" before chunks are dropped`;

/** The buckets of times that are dropped; unless they may be materialized for the first time, those below the watermark. */
const windowsOf = (cagg: Cagg, dropped: readonly Range[], ahead: boolean): Range[] =>
  query<Range>(
    `${rangesSql('_tessera_functions.whole_buckets($1, _tessera_functions.ranges_of_request($2::text::jsonb))')} order by p`,
    [cagg.id, JSON.stringify(pairs(dropped))],
  )
    .map(({ start, end }) => ({ start, end: ahead || end < cagg.watermark ? end : cagg.watermark }))
    .filter(({ start, end }) => start < end);

/** As the owner of the continuous aggregate. */
export const materializeBuckets = (cagg: Cagg, windows: readonly Range[]): void => {
  for (const window of windows) moveThreshold(cagg, window, new DataRange(cagg));
  for (const window of windows)
    for (const range of unfrozen(cagg, leftovers(cagg, window, true)))
      runBatch(cagg, range, false, localRows(cagg, range));
};

/** Materializes what of rows that are dropped is not, in the present transaction, whose locks keep further changes out. */
export const materializeDropped = (rawId: number, dropped: readonly Range[], ahead: boolean): void => {
  for (const cagg of caggsOf(rawId)) {
    const windows = windowsOf(cagg, dropped, ahead);
    if (!windows.some((w) => isStale(cagg, w))) continue;
    if (!cagg.owned) throw notCaggOwner(displayed(cagg.view));
    notice(refreshing(cagg));
    if (cagg.runByOwner) materializeBuckets(cagg, windows);
    else asOwner(cagg, `_tessera_functions.materialize_buckets(${cagg.id}, '${JSON.stringify(pairs(windows))}')`);
  }
};

/** As requests have them. */
const pairs = (ranges: readonly Range[]): (readonly [string, string])[] =>
  ranges.map((r) => [r.start.toString(), r.end.toString()]);

/** Deletes results of whole buckets, as the owner of the continuous aggregate. */
export const deleteBuckets = (cagg: Cagg, parts: readonly Range[]): void => {
  withSettings({ [OWN_RESULTS_SETTING]: 'on' }, () => {
    for (const part of parts)
      run(`delete from ${qualified(cagg.mat)} where ${insideRange(ident(cagg.bucketColumn), part, cagg.timeType)}`);
  });
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

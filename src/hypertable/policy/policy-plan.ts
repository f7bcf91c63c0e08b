import type { Slice } from '../../catalog/dimension-slice.ts';
import { PLUS_INFINITY, type TimeType } from '../../lib/internal-time.ts';
import { planSlice } from '../dimension/chunk-slice-plan.ts';

export interface ReorderCandidate {
  readonly id: number;
  readonly sliceStart: bigint;
  /** Whether this policy reordered it before. */
  readonly reordered: boolean;
}

/** The newest slices are still written to; this many of them, less one, are left alone. */
const SETTLED_FROM = 3;

/**
 * Chunks a reorder policy has still to do, oldest first: those whose slice is at or before the third-newest slice and that
 * it never did.
 */
export const chunksToReorder = <T extends ReorderCandidate>(chunks: readonly T[]): T[] => {
  const starts = [...new Set(chunks.map((c) => c.sliceStart))].sort((a, b) => (a < b ? 1 : -1));
  const bound = starts[SETTLED_FROM - 1];
  if (bound === undefined) return [];
  return chunks
    .filter((c) => c.sliceStart <= bound && !c.reordered)
    .sort((a, b) => (a.sliceStart === b.sliceStart ? a.id - b.id : a.sliceStart < b.sliceStart ? -1 : 1));
};

export interface AheadOptions {
  /** Chunk intervals beyond the present one. */
  readonly ahead: number;
  /** Chunk intervals back in which there must be a chunk, or the hypertable counts as idle. */
  readonly activeWithin: number;
  /** Least time to cover, in internal time: what passes until the policy surely ran again. */
  readonly lead: bigint;
}

export type AheadPlan =
  | { readonly kind: 'create'; readonly slices: readonly Slice[] }
  | { readonly kind: 'nothing'; readonly reason: string };

const MOST_AHEAD = 100;

/** Slices that rows of the near future will need and that do not exist yet. */
export const planAhead = (
  now: bigint,
  interval: bigint,
  type: TimeType,
  slices: readonly Slice[],
  options: AheadOptions,
): AheadPlan => {
  if (slices.length === 0) return { kind: 'nothing', reason: 'it has no chunk yet' };
  const since = now - BigInt(options.activeWithin) * interval;
  if (!slices.some((s) => s.end > since && s.start <= now + interval))
    return { kind: 'nothing', reason: `it has no chunk within ${options.activeWithin} chunk intervals of now` };
  const reach = BigInt(options.ahead) * interval;
  const target = now + (reach > options.lead ? reach : options.lead);
  const wanted: Slice[] = [];
  for (let value = now; value <= target && wanted.length < MOST_AHEAD; ) {
    const at = value;
    const known = slices.find((s) => s.start <= at && at < s.end);
    const slice =
      known ?? planSlice(value, interval, type, (start, end) => slices.filter((s) => s.start < end && s.end > start));
    if (known === undefined) wanted.push(slice);
    if (slice.end === PLUS_INFINITY) break;
    value = slice.end;
  }
  return wanted.length > 0
    ? { kind: 'create', slices: wanted }
    : { kind: 'nothing', reason: 'its chunks reach far enough ahead' };
};

import type { Slice } from '../../catalog/dimension-slice.ts';
import { maximumOf, MINUS_INFINITY, minimumOf, PLUS_INFINITY, type TimeType } from '../../lib/internal-time.ts';

/**
 * The slice [start, end) of a range dimension that holds a value: aligned to multiples of the interval from internal
 * zero (1970-01-01 UTC), and open-ended where the next multiple is beyond the type.
 */
export const calculateSlice = (value: bigint, interval: bigint, type: TimeType): Slice => {
  if (value >= 0n) {
    const start = (value / interval) * interval;
    return { start, end: maximumOf(type) - start < interval ? PLUS_INFINITY : start + interval };
  }
  const end = ((value + 1n) / interval) * interval;
  return { start: minimumOf(type) - end > -interval ? MINUS_INFINITY : end - interval, end };
};

/** An existing slice that holds the value is used as it is; otherwise the new one gives way to its neighbours. */
export const planSlice = (
  value: bigint,
  interval: bigint,
  type: TimeType,
  neighbours: (start: bigint, end: bigint) => readonly Slice[],
): Slice => {
  let slice = calculateSlice(value, interval, type);
  for (const other of neighbours(slice.start, slice.end)) {
    if (other.start <= value && value < other.end) return other;
    if (other.end <= value) slice = { start: other.end > slice.start ? other.end : slice.start, end: slice.end };
    else slice = { start: slice.start, end: other.start < slice.end ? other.start : slice.end };
  }
  return slice;
};

/** Ranges of the hash values 0 .. 2^31-1 that N hash partitions stand for, in order of their remainder. */
export const hashSlices = (count: number): Slice[] => {
  const width = 2_147_483_647n / BigInt(count);
  return Array.from({ length: count }, (_, i) => ({
    start: i === 0 ? MINUS_INFINITY : width * BigInt(i),
    end: i === count - 1 ? PLUS_INFINITY : width * BigInt(i + 1),
  }));
};

import type { Range } from '../../lib/internal-time.ts';

export interface BatchOptions {
  /** Longest range of one batch. */
  readonly length: bigint;
  /** Where there are raw rows, in whole buckets; nothing outside has to be read. */
  readonly data: Range | null;
  /** Start of the bucket that holds a time. */
  readonly align: (value: bigint) => bigint;
  readonly newestFirst: boolean;
}

const clip = (range: Range, to: Range): Range | null => {
  const start = range.start > to.start ? range.start : to.start;
  const end = range.end < to.end ? range.end : to.end;
  return start < end ? { start, end } : null;
};

const split = (range: Range, o: BatchOptions): Range[] => {
  const pieces: Range[] = [];
  for (let start = range.start; start < range.end; ) {
    let end = start;
    // A bucket longer than the batch is taken whole. Beyond the range the calendar may be at its end.
    for (let reach = o.length; end <= start; reach *= 2n)
      end = start + reach < range.end ? o.align(start + reach) : range.end;
    pieces.push({ start, end });
    start = end;
  }
  return pieces;
};

/**
 * The batches in which stale ranges are materialized, each a transaction: whole buckets, of bounded length where there
 * are raw rows. What has none goes along with its neighbour.
 */
export const planBatches = (stale: readonly Range[], o: BatchOptions): Range[] => {
  const batches = stale.flatMap((range) => {
    const inside = o.data === null ? null : clip(range, o.data);
    if (inside === null) return [range];
    const pieces = split(inside, o);
    return pieces.map((piece, i) => ({
      start: i === 0 ? range.start : piece.start,
      end: i === pieces.length - 1 ? range.end : piece.end,
    }));
  });
  return o.newestFirst ? batches.reverse() : batches;
};

const floorDivide = (a: bigint, b: bigint): bigint => {
  const quotient = a / b;
  return a % b !== 0n && a < 0n ? quotient - 1n : quotient;
};

/** Locks that two batches which overlap have in common; more would fill the lock table, so distant cells share them. */
const MOST_CELLS = 64n;

export const cellsOf = (range: Range, size: bigint): number[] => {
  const first = floorDivide(range.start, size);
  const last = floorDivide(range.end - 1n, size);
  const cells = new Set<number>();
  const all = last - first >= MOST_CELLS - 1n;
  for (let cell = all ? 0n : first; cell <= (all ? MOST_CELLS - 1n : last); cell += 1n)
    cells.add(Number(((cell % MOST_CELLS) + MOST_CELLS) % MOST_CELLS));
  return [...cells].sort((a, b) => a - b);
};

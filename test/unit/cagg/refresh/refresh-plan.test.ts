import { describe, expect, it } from 'vitest';
import { type BatchOptions, cellsOf, planBatches } from '../../../../src/cagg/refresh/refresh-plan.ts';
import { MINUS_INFINITY, PLUS_INFINITY, type Range } from '../../../../src/lib/internal-time.ts';

const tens = (value: bigint): bigint => value - (((value % 10n) + 10n) % 10n);
const range = (start: number | bigint, end: number | bigint): Range => ({ start: BigInt(start), end: BigInt(end) });
const plan = (stale: Range[], options: Partial<BatchOptions> = {}): string[] =>
  planBatches(stale, { length: 30n, data: range(0, 100), align: tens, newestFirst: false, ...options }).map(
    (r) => `${r.start}..${r.end}`,
  );

describe('batches of a refresh', () => {
  it('are of whole buckets and of bounded length', () => {
    expect(plan([range(0, 100)])).toEqual(['0..30', '30..60', '60..90', '90..100']);
    expect(plan([range(0, 100)], { length: 35n })).toEqual(['0..30', '30..60', '60..90', '90..100']);
  });

  it('take a bucket that is longer than they may be whole', () => {
    const hundreds = (value: bigint): bigint => value - (((value % 100n) + 100n) % 100n);
    expect(plan([range(0, 300)], { length: 20n, data: range(0, 300), align: hundreds })).toEqual([
      '0..100',
      '100..200',
      '200..300',
    ]);
  });

  it('take what has no raw rows along with their neighbours', () => {
    expect(plan([range(MINUS_INFINITY, 50)])).toEqual([`${MINUS_INFINITY}..30`, '30..50']);
    expect(plan([range(80, PLUS_INFINITY)])).toEqual([`80..${PLUS_INFINITY}`]);
    expect(plan([range(200, 900)])).toEqual(['200..900']);
  });

  it('are one for each stale range where nobody looked for the rows', () => {
    expect(plan([range(0, 100), range(200, 210)], { data: null })).toEqual(['0..100', '200..210']);
  });

  it('come newest first where that is asked', () => {
    expect(plan([range(0, 40), range(60, 70)], { newestFirst: true })).toEqual(['60..70', '30..40', '0..30']);
  });

  it('cover what is stale, and nothing else, for any ranges', () => {
    let seed = 1n;
    const random = (n: bigint): bigint => {
      seed = (seed * 6364136223846793005n + 1442695040888963407n) % 18446744073709551616n;
      return (seed >> 33n) % n;
    };
    for (let round = 0; round < 300; round++) {
      const stale: Range[] = [];
      for (let at = -200n; at < 300n; ) {
        const start = at + 10n * (1n + random(5n));
        const end = start + 10n * (1n + random(20n));
        stale.push({ start, end });
        at = end;
      }
      const batches = planBatches(stale, {
        length: 10n + random(100n),
        data: random(4n) === 0n ? null : range(10n * random(20n) - 100n, 100n + 10n * random(20n)),
        align: tens,
        newestFirst: random(2n) === 1n,
      });
      const points = (ranges: readonly Range[]): bigint[] => {
        const all: bigint[] = [];
        for (const r of ranges) for (let p = r.start; p < r.end; p += 10n) all.push(p);
        return all.sort((a, b) => (a < b ? -1 : 1));
      };
      expect(points(batches)).toEqual(points(stale));
      expect(batches.every((b) => tens(b.start) === b.start && tens(b.end) === b.end && b.start < b.end)).toBe(true);
    }
  });
});

describe('cells that batches lock', () => {
  it('are shared by batches that overlap, and come in one order', () => {
    for (const [a, b] of [
      [range(0, 100), range(90, 95)],
      [range(-50, 10), range(0, 5)],
      [range(MINUS_INFINITY, 7), range(3, 4)],
      [range(5, PLUS_INFINITY), range(123_456, 123_457)],
    ] as const) {
      const [x, y] = [cellsOf(a, 10n), cellsOf(b, 10n)];
      expect(x.some((cell) => y.includes(cell))).toBe(true);
      expect([...x].sort((m, n) => m - n)).toEqual(x);
    }
  });

  it('are different for neighbours that are near, and never more than 64', () => {
    expect(cellsOf(range(0, 10), 10n)).toEqual([0]);
    expect(cellsOf(range(10, 20), 10n)).toEqual([1]);
    expect(cellsOf(range(-10, 0), 10n)).toEqual([63]);
    expect(cellsOf(range(MINUS_INFINITY, PLUS_INFINITY), 10n)).toHaveLength(64);
    expect(cellsOf(range(0, 100_000), 10n)).toHaveLength(64);
  });
});

import { describe, expect, test } from 'vitest';
import { calculateSlice, hashSlices, planSlice } from '../../../../src/hypertable/dimension/chunk-slice-plan.ts';
import { MINUS_INFINITY, PLUS_INFINITY } from '../../../../src/lib/internal-time.ts';

describe('calculateSlice', () => {
  for (const [value, start, end] of [
    [0n, 0n, 10n],
    [9n, 0n, 10n],
    [10n, 10n, 20n],
    [-1n, -10n, 0n],
    [-10n, -10n, 0n],
    [-11n, -20n, -10n],
  ] as const)
    test(`${value} is in [${start}, ${end})`, () => expect(calculateSlice(value, 10n, 'int8')).toEqual({ start, end }));

  test('a week begins on a Thursday', () => {
    const monday = 1_590_969_600_000_000n; // 2020-06-01
    expect(calculateSlice(monday, 604_800_000_000n, 'timestamptz')).toEqual({
      start: 1_590_624_000_000_000n,
      end: 1_591_228_800_000_000n,
    });
  });

  test('the last and the first slice of a type are open', () => {
    expect(calculateSlice(32_767n, 10_000n, 'int2')).toEqual({ start: 30_000n, end: PLUS_INFINITY });
    expect(calculateSlice(-32_768n, 10_000n, 'int2')).toEqual({ start: MINUS_INFINITY, end: -30_000n });
  });

  test('always holds its value, and neighbours meet', () => {
    for (let value = -500n; value <= 500n; value += 7n)
      for (const interval of [1n, 3n, 10n, 77n]) {
        const slice = calculateSlice(value, interval, 'int8');
        expect(slice.start <= value && value < slice.end).toBe(true);
        expect(calculateSlice(slice.end, interval, 'int8').start).toBe(slice.end);
        expect(calculateSlice(slice.start - 1n, interval, 'int8').end).toBe(slice.start);
      }
  });
});

describe('planSlice', () => {
  const among = (existing: { start: bigint; end: bigint }[]) => (start: bigint, end: bigint) =>
    existing.filter((s) => s.start < end && s.end > start);

  test('takes an existing slice that holds the value', () => {
    expect(planSlice(25n, 100n, 'int8', among([{ start: 20n, end: 30n }]))).toEqual({ start: 20n, end: 30n });
  });

  test('gives way to neighbours on both sides', () => {
    const existing = [
      { start: 20n, end: 30n },
      { start: 60n, end: 70n },
    ];
    expect(planSlice(50n, 100n, 'int8', among(existing))).toEqual({ start: 30n, end: 60n });
    expect(planSlice(5n, 100n, 'int8', among(existing))).toEqual({ start: 0n, end: 20n });
    expect(planSlice(99n, 100n, 'int8', among(existing))).toEqual({ start: 70n, end: 100n });
  });
});

test('hashSlices divides 2^31-1 as the check vectors say', () => {
  expect(hashSlices(4).map((s) => s.start)).toEqual([MINUS_INFINITY, 536_870_911n, 1_073_741_822n, 1_610_612_733n]);
  expect(hashSlices(2).map((s) => s.end)).toEqual([1_073_741_823n, PLUS_INFINITY]);
  expect(hashSlices(1)).toEqual([{ start: MINUS_INFINITY, end: PLUS_INFINITY }]);
});

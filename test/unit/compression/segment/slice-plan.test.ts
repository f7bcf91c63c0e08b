import { describe, expect, test } from 'vitest';
import { planSlices } from '../../../../src/compression/segment/slice-plan.ts';

const plan = (rows: number, groups: number, first = 0n, last = 999_999n, unit = 1n): bigint[] =>
  planSlices({ rows: BigInt(rows), groups: BigInt(groups), first, last, unit });

describe('slices of a chunk', () => {
  test('a chunk with few segments a group is not cut', () => {
    expect(plan(2500, 1)).toEqual([]);
    expect(plan(0, 0)).toEqual([]);
    expect(plan(10, 10)).toEqual([]);
  });
  test('a group has about one segment in a slice', () => {
    expect(plan(40 * 8640, 40)).toHaveLength(9);
  });
  test('there are never more than sixteen', () => {
    expect(plan(100_000_000, 1)).toHaveLength(15);
  });
  test('bounds ascend inside the range and are multiples of the unit away from the first value', () => {
    const day = 86_400_000_000n;
    const bounds = plan(1_000_000, 1, 0n, 6n * day, day);
    expect(bounds).toEqual([1n, 2n, 3n, 4n, 5n, 6n].map((d) => d * day));
  });
  test('one moment cannot be cut', () => {
    expect(plan(1_000_000, 1, 5n, 5n)).toEqual([]);
  });
  test('the whole of int8 can be cut', () => {
    const bounds = plan(1_000_000, 1, -(2n ** 63n), 2n ** 63n - 1n);
    expect(bounds).toHaveLength(15);
    expect(bounds).toEqual([...bounds].sort((a, b) => (a < b ? -1 : 1)));
  });
});

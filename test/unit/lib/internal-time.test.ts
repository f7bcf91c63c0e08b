import { describe, expect, test } from 'vitest';
import { formatInternal, MINUS_INFINITY, PLUS_INFINITY, timeTypeOf } from '../../../src/lib/internal-time.ts';

const DAY = 86_400_000_000n;

describe('formatInternal', () => {
  for (const [value, type, expected] of [
    [0n, 'timestamptz', '1970-01-01 00:00:00+00'],
    [-1n, 'timestamp', '1969-12-31 23:59:59.999999'],
    [1_704_067_200_000_000n, 'date', '2024-01-01'],
    [951_782_400_000_000n, 'date', '2000-02-29'],
    [-62_135_596_800_000_000n, 'date', '0001-01-01'],
    [-62_135_683_200_000_000n, 'date', '0001-12-31 BC'],
    [-210_866_803_200_000_000n, 'timestamptz', '4714-11-24 00:00:00+00 BC'],
    [9_223_372_036_854_775_000n, 'timestamp', '294247-01-10 04:00:54.775000'],
    [MINUS_INFINITY, 'timestamptz', '-infinity'],
    [PLUS_INFINITY, 'date', 'infinity'],
    [-42n, 'int4', '-42'],
  ] as const)
    test(`${value} as ${type} is ${expected}`, () => expect(formatInternal(value, type)).toBe(expected));

  test('agrees with the calendar of JavaScript over four centuries', () => {
    for (let day = -80_000n; day < 80_000n; day += 37n)
      expect(formatInternal(day * DAY, 'date')).toBe(new Date(Number(day) * 86_400_000).toISOString().slice(0, 10));
  });
});

test('timeTypeOf knows the types a time column may have, with any precision', () => {
  expect(timeTypeOf('timestamp(3) with time zone')).toBe('timestamptz');
  expect(timeTypeOf('timestamp without time zone')).toBe('timestamp');
  expect(timeTypeOf('integer')).toBe('int4');
  expect(timeTypeOf('numeric')).toBeUndefined();
});

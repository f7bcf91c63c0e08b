import { describe, expect, test } from 'vitest';
import { sentAsTimes, secondsOf } from '../../../../src/compression/segment/time-values.ts';

const day = 86_400_000_000n;

describe('far times as text', () => {
  test('near times are not text', () => {
    expect(sentAsTimes([0, 1, -1, 900_000_000_123_457, null], 'int8')).toBeUndefined();
    expect(sentAsTimes([0, 100_000, null], 'int4')).toBeUndefined();
  });
  test('one infinity makes text of the segment, nulls stay null', () => {
    expect(sentAsTimes([2n ** 63n - 1n, -(2n ** 63n), null, 1], 'int8')).toEqual([
      'infinity',
      '-infinity',
      null,
      '2000-01-01 00:00:00.000001+00',
    ]);
    expect(sentAsTimes([2_147_483_647, -2_147_483_648, 59, null], 'int4')).toEqual([
      'infinity',
      '-infinity',
      '2000-02-29',
      null,
    ]);
  });
  test('the calendar reaches from 4714 BC to the end of the type', () => {
    const text = (days: bigint, rest = 0n): string | null | undefined =>
      sentAsTimes([days * day + rest, 2n ** 63n - 1n], 'int8')?.[0];
    expect(text(-2_451_545n)).toBe('4714-11-24 00:00:00.000000+00 BC');
    expect(text(-730_119n)).toBe('0001-01-01 00:00:00.000000+00');
    expect(text(-730_120n, day - 1n)).toBe('0001-12-31 23:59:59.999999+00 BC');
    expect(text(-36_525n)).toBe('1899-12-31 00:00:00.000000+00');
    expect(text(106_751_982n)).toBe('294276-12-31 00:00:00.000000+00');
  });
  test('every time kept as a number comes back from its seconds to the microsecond', () => {
    let state = 12345;
    const next = (): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return state / 2 ** 32;
    };
    for (let i = 0; i < 20_000; i++) {
      const value = Math.floor((next() - 0.5) * 2 ** 53);
      if (sentAsTimes([value], 'int8') === undefined)
        expect(Math.round((secondsOf(value) - 946_684_800) * 1_000_000)).toBe(value);
    }
  });
});

import { describe, expect, test } from 'vitest';
import { deltasOf } from '../../../../src/compression/codec/delta-delta.ts';
import { decode } from '../../../../src/compression/codec/decode.ts';
import { encode } from '../../../../src/compression/codec/encode.ts';
import { toArray } from '../../../../src/compression/codec/rows.ts';
import { INT4_SHAPES, INT8_SHAPES, NULL_SHAPES, series, withNulls } from './series.ts';

const INT8 = { kind: 'int8', algorithm: 'delta-delta' } as const;
const INT4 = { kind: 'int4', algorithm: 'delta-delta' } as const;
const LENGTHS = [1, 2, 3, 63, 64, 65, 1000, 5000];

describe('delta-delta', () => {
  test('10, 20, 30, 45 become the zigzag numbers 20, 0, 0, 10', () => {
    const { low, high, lastValue, lastDelta } = deltasOf(new Int32Array(BigInt64Array.of(10n, 20n, 30n, 45n).buffer));
    expect([...low]).toEqual([20, 0, 0, 10]);
    expect([...high]).toEqual([0, 0, 0, 0]);
    expect(lastValue).toEqual([45, 0]);
    expect(lastDelta).toEqual([15, 0]);
  });

  for (const shape of INT8_SHAPES)
    test(`int8 comes back exactly: ${shape[0]}`, () => {
      for (const length of LENGTHS)
        for (const [n, nulls] of NULL_SHAPES.entries()) {
          const values = withNulls(series(shape, length, length + n), nulls, length);
          const payload = encode(INT8, values);
          if (values.every((v) => v === null)) expect(payload).toBeNull();
          else {
            const column = decode(payload!, { kind: 'int8', rows: length });
            expect(toArray(column)).toEqual(values);
          }
        }
    });

  for (const shape of INT4_SHAPES)
    test(`int4 comes back exactly: ${shape[0]}`, () => {
      for (const length of LENGTHS)
        for (const [n, nulls] of NULL_SHAPES.entries()) {
          const values = withNulls(series(shape, length, length + n), nulls, length);
          const payload = encode(INT4, values);
          if (values.every((v) => v === null)) expect(payload).toBeNull();
          else expect(toArray(decode(payload!, { kind: 'int4', rows: length }))).toEqual(values);
        }
    });

  test('numbers are taken for int8 while they are exact', () => {
    const values = [
      0,
      -1,
      2 ** 53 - 1,
      -(2 ** 53 - 1),
      4_294_967_296,
      -4_294_967_296,
      -4_294_967_297,
      757_382_400_000_000,
    ];
    const fromNumbers = encode(INT8, values)!;
    expect(fromNumbers).toEqual(encode(INT8, values.map(BigInt)));
    expect(toArray(decode(fromNumbers))).toEqual(values.map(BigInt));
  });

  test('a typed array may be part of a larger buffer', () => {
    const part = BigInt64Array.of(9n, 1n, 2n, 3n, 9n).subarray(1, 4);
    expect(decode(encode(INT8, part)!).values).toEqual(BigInt64Array.of(1n, 2n, 3n));
  });

  test('a thousand regular timestamps take less than a tenth of a byte each', () => {
    expect(encode(INT8, series(INT8_SHAPES[2]!, 1000, 1))!.length).toBeLessThan(100);
  });

  test('a value that the kind cannot hold is refused, not stored as another', () => {
    for (const bad of [2n ** 63n, -(2n ** 63n) - 1n, 2 ** 53, 1.5, '7', true])
      expect(() => encode(INT8, [bad])).toThrow(expect.objectContaining({ sqlstate: 'XX000' }));
    for (const bad of [2 ** 31, 0.5, Number.NaN, 7n])
      expect(() => encode(INT4, [bad])).toThrow(expect.objectContaining({ sqlstate: 'XX000' }));
  });
});

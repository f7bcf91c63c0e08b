import { describe, expect, test } from 'vitest';
import { decode } from '../../../../src/compression/codec/decode.ts';
import { encode } from '../../../../src/compression/codec/encode.ts';
import { xorsOf } from '../../../../src/compression/codec/gorilla.ts';
import { toArray } from '../../../../src/compression/codec/rows.ts';
import { FLOAT8_BITS, FLOAT8_SHAPES, NULL_SHAPES, generator, series, withNulls } from './series.ts';

const FLOAT8 = { kind: 'float8', algorithm: 'gorilla' } as const;
const FLOAT4 = { kind: 'float4', algorithm: 'gorilla' } as const;
const LENGTHS = [1, 2, 3, 64, 1000, 5000];

const bitsOf = (values: ArrayBufferView): BigInt64Array =>
  new BigInt64Array(values.buffer, values.byteOffset, values.byteLength / 8);

describe('gorilla', () => {
  test('1, 1, 2 give the tags, windows and bits of the specification', () => {
    const x = xorsOf(new Int32Array(Float64Array.of(1, 1, 2).buffer));
    expect([...x.tag0]).toEqual([1, 0, 1]);
    expect([...x.tag1.subarray(0, x.changes)]).toEqual([1, 1]);
    expect(x.leading.words[0]).toBe(2 | (1 << 6));
    expect(x.leading.bits).toBe(12);
    expect([...x.bitsUsed.subarray(0, x.windows)]).toEqual([10, 11]);
    expect(x.bits.words[0]).toBe(0x3ff | (0x7ff << 10));
    expect(x.bits.bits).toBe(21);
    expect(x.lastValue).toEqual([...new Int32Array(Float64Array.of(2).buffer)]);
  });

  for (const shape of FLOAT8_BITS)
    test(`float8 keeps every bit: ${shape[0]}`, () => {
      for (const length of LENGTHS) {
        const values = new Float64Array(BigInt64Array.from(series(shape, length, length)).buffer);
        const column = decode(encode(FLOAT8, values)!, { kind: 'float8', rows: length });
        expect(bitsOf(column.values as Float64Array)).toEqual(bitsOf(values));
      }
    });

  for (const shape of FLOAT8_SHAPES)
    test(`float8 comes back between nulls: ${shape[0]}`, () => {
      for (const length of LENGTHS)
        for (const [n, nulls] of NULL_SHAPES.entries()) {
          const values = withNulls(series(shape, length, length + n), nulls, length);
          const payload = encode(FLOAT8, values);
          if (values.every((v) => v === null)) expect(payload).toBeNull();
          else expect(toArray(decode(payload!, { rows: length }))).toEqual(values);
        }
    });

  test('NaN, infinities and the sign of zero come back between nulls', () => {
    const values = [null, Number.NaN, -0, null, 0, Infinity, -Infinity, null];
    for (const codec of [FLOAT8, FLOAT4]) expect(toArray(decode(encode(codec, values)!))).toStrictEqual(values);
  });

  test('float4 keeps every bit of any pattern', () => {
    for (let seed = 1; seed <= 100; seed++) {
      const random = generator(seed);
      const shift = Math.floor(random() * 32);
      const bits = Int32Array.from({ length: 300 }, () => (random() * 4_294_967_296) >>> shift);
      const column = decode(encode(FLOAT4, new Float32Array(bits.buffer))!, { kind: 'float4', rows: 300 });
      expect(new Int32Array((column.values as Float32Array).buffer)).toEqual(bits);
    }
  });

  test('a number that is no float4 is refused', () => {
    expect(() => encode(FLOAT4, [0.1])).toThrow(expect.objectContaining({ sqlstate: 'XX000' }));
    expect(toArray(decode(encode(FLOAT4, [Math.fround(0.1)])!))).toEqual([Math.fround(0.1)]);
  });

  test('every window of leading and trailing zeros comes back', () => {
    const bits: bigint[] = [];
    for (let lead = 0; lead < 64; lead++)
      for (let trail = 0; trail + lead < 64; trail++)
        bits.push((2n ** BigInt(64 - lead - trail) - 1n) << BigInt(trail), 0n);
    const values = new Float64Array(BigInt64Array.from(bits).buffer);
    expect(bitsOf(decode(encode(FLOAT8, values)!).values as Float64Array)).toEqual(bitsOf(values));
  });
});

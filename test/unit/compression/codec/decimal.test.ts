import { describe, expect, test } from 'vitest';
import { decimalWords, readDecimals } from '../../../../src/compression/codec/decimal.ts';
import { decode } from '../../../../src/compression/codec/decode.ts';
import { encode } from '../../../../src/compression/codec/encode.ts';
import { readFloat8Gorilla, writeGorilla } from '../../../../src/compression/codec/gorilla.ts';
import { open } from '../../../../src/compression/codec/header.ts';
import { WordReader } from '../../../../src/compression/codec/word-reader.ts';
import { WordWriter } from '../../../../src/compression/codec/word-writer.ts';
import { FLOAT8_SHAPES, generator, series } from './series.ts';

const bitsOf = (values: Float64Array): BigInt64Array => new BigInt64Array(values.buffer.slice(0));

const back = (values: Float64Array): Float64Array | undefined => {
  const words = decimalWords(values);
  if (words === undefined) return undefined;
  const reader = new WordReader(words, 0);
  const result = readDecimals(reader, new Float64Array(values.length));
  reader.end();
  return result;
};

const usedAlgorithm = (rows: readonly number[]): string =>
  open(encode({ kind: 'float8', algorithm: 'gorilla' }, rows)!).header.algorithm;

describe('decimals', () => {
  test('of any number of digits come back bit by bit, as noise, walk and slope', () => {
    for (let digits = 0; digits <= 9; digits++)
      for (const shape of [
        (_: number, random: number) => (random - 0.5) * 10 ** (15 - digits),
        (row: number, random: number) => 20 + row / 100 + random,
        (row: number) => row * 0.37,
        (row: number) => -1e5 + row * row,
      ]) {
        const random = generator(digits);
        const values = Float64Array.from({ length: 500 }, (_, row) => Number(shape(row, random()).toFixed(digits)) + 0);
        const result = back(values);
        expect(result).toBeDefined();
        expect(bitsOf(result!)).toEqual(bitsOf(values));
      }
  });

  test('with up to 15 digits come back at the ends of what is exact', () => {
    const largest = 2 ** 50;
    for (const values of [
      [largest, -largest, largest, 0],
      [-largest, largest, -largest],
      [largest - 1, largest, 1 - largest],
      [0.000000000000001, 0.999999999999999],
      [112589990684262.4, -0.1],
    ])
      expect(back(Float64Array.from(values))).toEqual(Float64Array.from(values));
    expect(back(Float64Array.of(largest + 1))).toBeUndefined();
  });

  test('do not stand for what has no such form', () => {
    for (const odd of [
      Number.NaN,
      Infinity,
      -Infinity,
      -0,
      Math.PI,
      1 / 3,
      Number.MIN_VALUE,
      Number.MAX_VALUE,
      2 ** 60,
    ]) {
      expect(back(Float64Array.of(1.5, 2.25, odd))).toBeUndefined();
      const rows = [1.5, 2.25, odd, 1.5];
      expect(usedAlgorithm(rows)).toBe('gorilla');
      expect(
        Array.from(decode(encode({ kind: 'float8', algorithm: 'gorilla' }, rows)!).values as Float64Array),
      ).toStrictEqual(rows);
    }
  });

  test('that sit next to a decimal are not taken for it', () => {
    const words = new BigInt64Array(Float64Array.of(0.1, 0.1).buffer);
    words[1]! += 1n;
    expect(back(new Float64Array(words.buffer))).toBeUndefined();
  });

  test('of float4 come back in its precision', () => {
    const random = generator(8);
    const values = Float32Array.from({ length: 1000 }, () => Math.round(random() * 100_000) / 1000);
    const payload = encode({ kind: 'float4', algorithm: 'gorilla' }, values)!;
    expect(open(payload).header.algorithm).toBe('decimal');
    expect(decode(payload).values).toEqual(values);
  });

  test('are used where they take less room than Gorilla, and then take a tenth of it for a gauge', () => {
    expect(usedAlgorithm(series(FLOAT8_SHAPES[0]!, 1000, 1))).toBe('decimal');
    expect(usedAlgorithm(series(FLOAT8_SHAPES[2]!, 1000, 1))).toBe('gorilla');
    expect(usedAlgorithm([1e15, 1e15 + 0.5])).toBe('gorilla');
    const gauge = series(FLOAT8_SHAPES[0]!, 1000, 1);
    expect(encode({ kind: 'float8', algorithm: 'gorilla' }, gauge)!.length).toBeLessThan(1100);
  });

  test('come back from Gorilla as well', () => {
    for (const shape of FLOAT8_SHAPES) {
      const values = Float64Array.from(series(shape, 1000, 6));
      const out = new WordWriter();
      writeGorilla(out, values);
      const reader = new WordReader(out.finish(), 0);
      expect(bitsOf(readFloat8Gorilla(reader, 1000))).toEqual(bitsOf(values));
      reader.end();
    }
  });
});

import { describe, expect, test } from 'vitest';
import { CorruptPayload } from '../../../../src/compression/codec/corrupt-payload.ts';
import { readSimple8b, writeSimple8b } from '../../../../src/compression/codec/simple8b.ts';
import { WordReader } from '../../../../src/compression/codec/word-reader.ts';
import { WordWriter } from '../../../../src/compression/codec/word-writer.ts';
import { generator } from './series.ts';

const MASK = 0xffff_ffffn;

const write = (values: readonly bigint[]): Int32Array => {
  const out = new WordWriter();
  const low = Uint32Array.from(values, (v) => Number(v & MASK));
  const high = Uint32Array.from(values, (v) => Number(v >> 32n));
  writeSimple8b(out, low, high, values.length);
  return out.finish();
};

const read = (words: Int32Array, count: number): bigint[] => {
  const low = new Uint32Array(count);
  const high = new Uint32Array(count);
  const reader = new WordReader(words, 0);
  readSimple8b(reader, count, low, high);
  reader.end();
  return Array.from(low, (l, i) => (BigInt(high[i]!) << 32n) | BigInt(l));
};

/** Fields of a stream with one block, as 64-bit words. */
const oneBlock = (words: Int32Array): { elements: number; blocks: number; selectors: bigint; data: bigint } => {
  const u = (i: number): bigint => BigInt(words[i]! >>> 0);
  return { elements: words[0]!, blocks: words[1]!, selectors: u(2) | (u(3) << 32n), data: u(4) | (u(5) << 32n) };
};

describe('simple-8b', () => {
  test('packs 20, 0, 0, 10 into one block of five bits a number', () => {
    expect(oneBlock(write([20n, 0n, 0n, 10n]))).toEqual({ elements: 4, blocks: 1, selectors: 5n, data: 327_700n });
  });

  test('stores one hundred zeros as one run', () => {
    expect(oneBlock(write(new Array(100).fill(0n)))).toEqual({
      elements: 100,
      blocks: 1,
      selectors: 15n,
      data: 100n << 36n,
    });
  });

  test('an empty stream is two words', () => {
    expect(write([])).toEqual(Int32Array.of(0, 0));
    expect(read(write([]), 0)).toEqual([]);
  });

  test('a run takes values up to 36 bits and not beyond', () => {
    const largest = 2n ** 36n - 1n;
    expect(write([largest, largest, largest])[1]).toBe(1);
    expect(write([largest + 1n, largest + 1n, largest + 1n])[1]).toBe(3);
    for (const value of [largest, largest + 1n, 2n ** 32n, 2n ** 64n - 1n])
      expect(read(write([value, value, value]), 3)).toEqual([value, value, value]);
  });

  test('every width comes back at every position of a block', () => {
    for (let width = 0; width <= 64; width++)
      for (let at = 0; at < 70; at += 3) {
        const values = Array.from({ length: 70 }, (_, i) => (i === at ? 2n ** BigInt(width) - 1n : BigInt(i & 1)));
        expect(read(write(values), values.length)).toEqual(values);
      }
  });

  test('random widths come back in blocks that are full except for the last', () => {
    for (let seed = 1; seed <= 400; seed++) {
      const random = generator(seed);
      const widest = Math.floor(random() * 65);
      const values: bigint[] = [];
      const length = Math.floor(random() * 300);
      while (values.length < length) {
        const width = BigInt(Math.floor(random() * (widest + 1)));
        const value = BigInt.asUintN(Number(width), BigInt(Math.floor(random() * 2 ** 53)) * 0x9e37_79b9_7f4a_7c15n);
        const repeat = random() < 0.1 ? Math.floor(random() * 100) : 1;
        for (let i = 0; i < repeat && values.length < length; i++) values.push(value);
      }
      expect(read(write(values), values.length)).toEqual(values);
    }
  });

  test('a stream of another length than expected is corrupt', () => {
    expect(() => read(write([1n, 2n, 3n]), 4)).toThrow(CorruptPayload);
    expect(() => read(write([1n, 2n, 3n]), 2)).toThrow(CorruptPayload);
  });

  test('a block without numbers, a run too long, and an end too early are corrupt', () => {
    for (const words of [
      [1, 1, 0, 0, 1, 0], // selector 0
      [5, 1, 15, 0, 7, 6 << 4], // a run of 6 in a stream of 5
      [5, 1, 15, 0, 7, 0], // a run of nothing
      [5, 1, 15, 0, 7, 4 << 4], // 4 of 5
      [5, 2, 0xff, 0, 7, 5 << 4, 7, 5 << 4], // a block after the last number
      [5, 6, 0, 0, 0, 0], // more blocks than numbers
      [2, 2, 0xee, 0, 1, 0, 1], // half of the last block is missing
    ])
      expect(() => read(Int32Array.from(words), words[0]!)).toThrow(CorruptPayload);
  });

  test('a number beyond 32 bits is corrupt where none can be', () => {
    for (const value of [2n ** 32n, 2n ** 40n]) {
      const words = write([value, value, value]);
      expect(() => readSimple8b(new WordReader(words, 0), 3, new Uint32Array(3), undefined)).toThrow(CorruptPayload);
    }
  });
});

import { describe, expect, test } from 'vitest';
import { decode } from '../../../../src/compression/codec/decode.ts';
import { encode } from '../../../../src/compression/codec/encode.ts';
import { open } from '../../../../src/compression/codec/header.ts';
import { numericWords, readNumerics } from '../../../../src/compression/codec/numeric.ts';
import { toArray } from '../../../../src/compression/codec/rows.ts';
import { WordReader } from '../../../../src/compression/codec/word-reader.ts';
import { generator } from './series.ts';

const NUMERIC = { kind: 'text', algorithm: 'decimal' } as const;

/** As numeric_out prints a whole number with so many digits behind the point. */
const printed = (number: bigint, scale: number): string => {
  const digits = (number < 0n ? -number : number).toString().padStart(scale + 1, '0');
  const point = digits.length - scale;
  return `${number < 0n ? '-' : ''}${digits.slice(0, point)}${scale > 0 ? '.' : ''}${digits.slice(point)}`;
};

/** Long enough a column that its text takes more room than its numbers. */
const repeated = (texts: readonly string[]): string[] => Array.from({ length: 40 }, () => texts).flat();

const back = (texts: readonly string[]): string[] | undefined => {
  const words = numericWords(texts);
  if (words === undefined) return undefined;
  const reader = new WordReader(words, 0);
  const result = readNumerics(reader, texts.length);
  reader.end();
  return result;
};

describe('numeric', () => {
  test('of every scale comes back digit by digit', () => {
    for (let scale = 0; scale <= 15; scale++) {
      const random = generator(scale);
      const numbers = Array.from({ length: 400 }, () => {
        const number = BigInt(Math.floor((random() - 0.5) * 10 ** (random() * 16)));
        return number > 2n ** 50n || number < -(2n ** 50n) ? 7n : number;
      });
      const texts = [
        0n,
        1n,
        -1n,
        9n,
        10n,
        9_999_999n,
        10_000_000n,
        -10_000_001n,
        2n ** 50n,
        -(2n ** 50n),
        ...numbers,
      ].map((n) => printed(n, scale));
      expect(back(texts)).toEqual(texts);
    }
  });

  test('in any other form is kept as text', () => {
    for (const odd of [
      'NaN',
      'Infinity',
      '-Infinity',
      '-0.00',
      '007.50',
      '.50',
      '1.',
      '1e3',
      '1,50',
      '+1.50',
      '',
      ' 1.50',
      '1.5',
      '1.500',
      '12',
      '1125899906842625.00',
      '99999999999999999999.99',
      '-',
      '-.50',
      '1..0',
      '12.3a',
      '٣.50',
    ]) {
      const texts = repeated(['1.50', '-2.25', odd]);
      const payload = encode(NUMERIC, texts)!;
      expect(open(payload).header.algorithm).toBe('array');
      expect(toArray(decode(payload))).toEqual(texts);
    }
    const long = repeated(['0.0000000000000001']);
    expect(open(encode(NUMERIC, long)!).header.algorithm).toBe('array');
  });

  test('of one scale takes a fraction of its text, between nulls too', () => {
    const random = generator(4);
    const texts = Array.from({ length: 1000 }, (_, row) => (row % 10 === 3 ? null : (random() * 1000).toFixed(2)));
    const payload = encode(NUMERIC, texts)!;
    expect(open(payload).header.algorithm).toBe('decimal');
    expect(toArray(decode(payload, { kind: 'text', rows: 1000 }))).toEqual(texts);
    expect(payload.length).toBeLessThan(2900);
  });

  test('stays text where numbers would take no less room', () => {
    expect(numericWords(['1.5'])).toBeUndefined();
    expect(numericWords(repeated(['1', '1125899906842624']))).toBeUndefined();
  });
});

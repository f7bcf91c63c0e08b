import { CorruptPayload } from './corrupt-payload.ts';
import { readSimple8b, writeSimple8b } from './simple8b.ts';
import type { WordReader } from './word-reader.ts';
import { WordWriter } from './word-writer.ts';

/**
 * Floats that are decimals of few digits, as most gauges are, stored as whole numbers: v = n / 10^e for one e, checked
 * bit by bit for every value (after Afroozeh, Kuffó, Boncz: "ALP: Adaptive Lossless Floating-Point Compression", SIGMOD
 * 2023). A gauge in tenths takes 0.7 bytes a value so, 5.7 under Gorilla. One NaN, infinity or -0 rules it out.
 * The whole numbers are stored as they are above the least one (order 0), as deltas (1) or deltas of deltas (2).
 * Stored: e and order (bytes of one word), least number for order 0 or else zero (two words), stream (simple-8b).
 */
const POWERS = Float64Array.from({ length: 16 }, (_, exponent) => Number(`1e${exponent}`));
const TWO_TO_32 = 4_294_967_296;
/** Up to here a zigzag number of a delta of deltas is below 2^53 and doubles are exact all along. */
const LARGEST = 2 ** 50;
const HIGH_LIMIT = 2 ** 21;

type Floats = Float64Array | Float32Array;

/** What the decoder will make of the number, in the precision of the column. */
const floatOf = (number: number, power: number, single: boolean): number =>
  single ? Math.fround(number / power) : number / power;

interface Decimals {
  readonly exponent: number;
  readonly numbers: Float64Array;
}

const decimalsAt = (values: Floats, exponent: number, numbers: Float64Array, single: boolean): number => {
  const power = POWERS[exponent]!;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    // Adding zero turns -0 into 0, which then is not the same as the value.
    const number = Math.round(value * power) + 0;
    if (!(Math.abs(number) <= LARGEST) || !Object.is(floatOf(number, power, single), value)) return i;
    numbers[i] = number;
  }
  return values.length;
};

const decimalsOf = (values: Floats): Decimals | undefined => {
  const single = values instanceof Float32Array;
  const numbers = new Float64Array(values.length);
  const one = new Float64Array(1);
  for (let exponent = 0; exponent < POWERS.length; exponent++) {
    const fitting = decimalsAt(values, exponent, numbers, single);
    if (fitting === values.length) return { exponent, numbers };
    // The exponent that the misfit needs; the others are tried again with it.
    const misfit = values.subarray(fitting, fitting + 1);
    while (exponent + 1 < POWERS.length && decimalsAt(misfit, exponent + 1, one, single) === 0) exponent++;
  }
  return undefined;
};

const widthOf = (number: number): number =>
  number < TWO_TO_32 ? 32 - Math.clz32(number) : 64 - Math.clz32(number / TWO_TO_32);

const zigzag = (number: number): number => (number < 0 ? -2 * number - 1 : 2 * number);

const leastOf = (numbers: Float64Array): number => {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < numbers.length; i++) if (numbers[i]! < least) least = numbers[i]!;
  return least;
};

/** Noise is narrowest as it is, a walk in its deltas, a slope in the deltas of these. */
const narrowestOrder = (numbers: Float64Array, least: number): number => {
  const bits = [0, 0, 0];
  let previous = 0;
  let delta = 0;
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i]!;
    const step = number - previous;
    bits[0]! += widthOf(number - least);
    bits[1]! += widthOf(zigzag(step));
    bits[2]! += widthOf(zigzag(step - delta));
    previous = number;
    delta = step;
  }
  return bits[0]! <= bits[1]! ? (bits[0]! <= bits[2]! ? 0 : 2) : bits[1]! <= bits[2]! ? 1 : 2;
};

/** Words of the section, or undefined where a value is no decimal. */
export const decimalWords = (values: Floats): Int32Array | undefined => {
  const decimals = decimalsOf(values);
  if (decimals === undefined) return undefined;
  const { exponent, numbers } = decimals;
  const least = leastOf(numbers);
  const order = narrowestOrder(numbers, least);
  const base = order === 0 ? least : 0;
  const low = new Uint32Array(numbers.length);
  const high = new Uint32Array(numbers.length);
  let previous = 0;
  let delta = 0;
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i]!;
    const step = number - previous;
    const stored = order === 0 ? number - base : zigzag(order === 1 ? step : step - delta);
    low[i] = stored;
    high[i] = stored / TWO_TO_32;
    previous = number;
    delta = step;
  }
  const out = new WordWriter();
  out.word(exponent | (order << 8));
  out.word(base);
  out.word(Math.floor(base / TWO_TO_32));
  writeSimple8b(out, low, high, numbers.length);
  return out.finish();
};

export const readDecimals = <A extends Floats>(reader: WordReader, values: A): A => {
  const count = values.length;
  const first = reader.unsigned();
  const order = first >>> 8;
  const power = POWERS[first & 255];
  const baseLow = reader.unsigned();
  const base = reader.signed() * TWO_TO_32 + baseLow;
  if (power === undefined || order > 2 || Math.abs(base) > LARGEST)
    throw new CorruptPayload(`decimals of order ${order} with exponent ${first & 255} above ${base}`);
  const low = new Uint32Array(count);
  const high = new Uint32Array(count);
  readSimple8b(reader, count, low, high);
  let number = 0;
  let delta = 0;
  for (let i = 0; i < count; i++) {
    const upper = high[i]!;
    const lower = low[i]!;
    if (upper > HIGH_LIMIT) throw new CorruptPayload('a decimal of more than 53 bits');
    if (order === 0) number = base + upper * TWO_TO_32 + lower;
    else {
      const half = upper * (TWO_TO_32 / 2) + (lower >>> 1);
      const signed = lower & 1 ? -half - 1 : half;
      if (order === 1) number += signed;
      else {
        delta += signed;
        number += delta;
      }
    }
    values[i] = number / power;
  }
  return values;
};

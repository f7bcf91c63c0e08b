import { CorruptPayload } from './corrupt-payload.ts';
import { readSimple8b, writeSimple8b } from './simple8b.ts';
import type { WordReader } from './word-reader.ts';
import type { WordWriter } from './word-writer.ts';

/**
 * Whole numbers of up to 50 bits in doubles, with a power of ten in common. They are stored as they are above the least
 * one (order 0; frame of reference: Goldstein, Ramakrishnan, Shaft: "Compressing Relations and Indexes", ICDE 1998), as
 * zigzag deltas (1) or deltas of deltas (2), whatever needs the fewest bits.
 * Stored: exponent and order (bytes of one word), least number for order 0 or else zero (two words), stream (simple-8b).
 */
export interface Scaled {
  readonly exponent: number;
  readonly numbers: Float64Array;
}

export const MAX_EXPONENT = 15;
/** Up to here a zigzag number of a delta of deltas is below 2^53 and doubles are exact all along. */
export const LARGEST = 2 ** 50;
const HIGH_LIMIT = 2 ** 21;
const TWO_TO_32 = 4_294_967_296;

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
  let [plain, first, second, previous, delta] = [0, 0, 0, 0, 0];
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i]!;
    const step = number - previous;
    plain += widthOf(number - least);
    first += widthOf(zigzag(step));
    second += widthOf(zigzag(step - delta));
    previous = number;
    delta = step;
  }
  return plain <= first ? (plain <= second ? 0 : 2) : first <= second ? 1 : 2;
};

export const writeNumbers = (out: WordWriter, { exponent, numbers }: Scaled): void => {
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
  out.word(exponent | (order << 8));
  out.word(base);
  out.word(Math.floor(base / TWO_TO_32));
  writeSimple8b(out, low, high, numbers.length);
};

export const readNumbers = (reader: WordReader, count: number): Scaled => {
  const first = reader.unsigned();
  const exponent = first & 255;
  const order = first >>> 8;
  const baseLow = reader.unsigned();
  const base = reader.signed() * TWO_TO_32 + baseLow;
  if (exponent > MAX_EXPONENT || order > 2 || Math.abs(base) > LARGEST)
    throw new CorruptPayload(`numbers of order ${order} above ${base} with exponent ${exponent}`);
  const low = new Uint32Array(count);
  const high = new Uint32Array(count);
  readSimple8b(reader, count, low, high);
  const numbers = new Float64Array(count);
  let number = 0;
  let delta = 0;
  for (let i = 0; i < count; i++) {
    const upper = high[i]!;
    const lower = low[i]!;
    if (upper > HIGH_LIMIT) throw new CorruptPayload('a number of more than 53 bits');
    if (order === 0) number = base + upper * TWO_TO_32 + lower;
    else {
      const half = upper * (TWO_TO_32 / 2) + (lower >>> 1);
      delta = (order === 1 ? 0 : delta) + (lower & 1 ? -half - 1 : half);
      number += delta;
    }
    if (!(Math.abs(number) <= LARGEST)) throw new CorruptPayload(`the number ${number} is larger than 2^50`);
    numbers[i] = number;
  }
  return { exponent, numbers };
};

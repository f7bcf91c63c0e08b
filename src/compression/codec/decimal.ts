import { LARGEST, MAX_EXPONENT, readNumbers, type Scaled, writeNumbers } from './whole-numbers.ts';
import type { WordReader } from './word-reader.ts';
import { WordWriter } from './word-writer.ts';

/**
 * Floats that are decimals of few digits, as most gauges are, stored as whole numbers: v = n / 10^e for one e, checked
 * bit by bit for every value (after Afroozeh, Kuffó, Boncz: "ALP: Adaptive Lossless Floating-Point Compression", SIGMOD
 * 2023). A gauge in tenths takes 0.6 bytes a value so, 5.7 under Gorilla. One NaN, infinity or -0 rules it out.
 */
const POWERS = Float64Array.from({ length: MAX_EXPONENT + 1 }, (_, exponent) => Number(`1e${exponent}`));

type Floats = Float64Array | Float32Array;

/** What the decoder will make of the number, in the precision of the column. */
const floatOf = (number: number, power: number, single: boolean): number =>
  single ? Math.fround(number / power) : number / power;

/** Fills in the numbers and returns how many values had one before the first that has none. */
const numbersAt = (values: Floats, exponent: number, numbers: Float64Array, single: boolean): number => {
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

const scaledOf = (values: Floats): Scaled | undefined => {
  const single = values instanceof Float32Array;
  const numbers = new Float64Array(values.length);
  const one = new Float64Array(1);
  for (let exponent = 0; exponent <= MAX_EXPONENT; exponent++) {
    const fitting = numbersAt(values, exponent, numbers, single);
    if (fitting === values.length) return { exponent, numbers };
    // The exponent that the misfit needs; the others are tried again with it.
    const misfit = values.subarray(fitting, fitting + 1);
    while (exponent < MAX_EXPONENT && numbersAt(misfit, exponent + 1, one, single) === 0) exponent++;
  }
  return undefined;
};

/** Words of the section, or undefined where a value is no decimal. */
export const decimalWords = (values: Floats): Int32Array | undefined => {
  const scaled = scaledOf(values);
  if (scaled === undefined) return undefined;
  const out = new WordWriter();
  writeNumbers(out, scaled);
  return out.finish();
};

export const readDecimals = <A extends Floats>(reader: WordReader, values: A): A => {
  const { exponent, numbers } = readNumbers(reader, values.length);
  const power = POWERS[exponent]!;
  for (let i = 0; i < numbers.length; i++) values[i] = numbers[i]! / power;
  return values;
};

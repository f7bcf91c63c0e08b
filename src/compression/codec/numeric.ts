import { textsOf } from './utf8.ts';
import { LARGEST, MAX_EXPONENT, readNumbers, type Scaled, writeNumbers } from './whole-numbers.ts';
import type { WordReader } from './word-reader.ts';
import { WordWriter } from './word-writer.ts';

/**
 * Numerics of one scale, as numeric(p, s) prints them, stored as whole numbers instead of text: 12.50 and 3.00 are 1250
 * and 300 with two digits after the point. Values of several scales, of more than 50 bits, NaN and infinities are not.
 */
const ZERO = 0x30;
const MINUS = 0x2d;
const POINT = 0x2e;
const HALF = 10_000_000;
/** Sign, the point, a zero before it and 16 digits. */
const LONGEST = 19;

const scaleOf = (text: string): number => {
  const point = text.indexOf('.');
  return point < 0 ? 0 : text.length - point - 1;
};

/** The number without its point; NaN where PostgreSQL would not print it as this very text. */
const numberOf = (text: string, scale: number): number => {
  const negative = text.charCodeAt(0) === MINUS;
  const start = negative ? 1 : 0;
  const point = scale === 0 ? text.length : text.length - scale - 1;
  if (point <= start || text.length - start > LONGEST - 1) return Number.NaN;
  if (point > start + 1 && text.charCodeAt(start) === ZERO) return Number.NaN;
  let number = 0;
  for (let i = start; i < text.length; i++) {
    if (i === point) {
      if (text.charCodeAt(i) !== POINT) return Number.NaN;
      continue;
    }
    const digit = text.charCodeAt(i) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    number = 10 * number + digit;
  }
  if (number > LARGEST || (negative && number === 0)) return Number.NaN;
  return negative ? -number : number;
};

const scaledOf = (texts: readonly string[]): Scaled | undefined => {
  const exponent = scaleOf(texts[0]!);
  if (exponent > MAX_EXPONENT) return undefined;
  const numbers = new Float64Array(texts.length);
  for (let i = 0; i < texts.length; i++) {
    const number = numberOf(texts[i]!, exponent);
    if (Number.isNaN(number)) return undefined;
    numbers[i] = number;
  }
  return { exponent, numbers };
};

/** Words of the section, or undefined where a value does not fit in or the text takes no more room. */
export const numericWords = (texts: readonly string[]): Int32Array | undefined => {
  const scaled = scaledOf(texts);
  if (scaled === undefined) return undefined;
  const out = new WordWriter();
  writeNumbers(out, scaled);
  const characters = texts.reduce((sum, text) => sum + text.length, 0);
  return characters < 4 * out.length ? undefined : out.finish();
};

/** Writes the digits of a whole number, at least `atLeast` of them, so that they end before `end`; returns their begin. */
const writeDigits = (units: Uint16Array, end: number, number: number, atLeast: number): number => {
  let at = end;
  let upper = Math.floor(number / HALF);
  let lower = number - upper * HALF;
  for (let k = 0; k < 7; k++) {
    units[--at] = ZERO + (lower % 10);
    lower = (lower / 10) | 0;
  }
  while (upper > 0) {
    const rest = Math.floor(upper / 10);
    units[--at] = ZERO + (upper - 10 * rest);
    upper = rest;
  }
  while (end - at < atLeast) units[--at] = ZERO;
  while (end - at > atLeast && units[at] === ZERO) at++;
  return at;
};

export const readNumerics = (reader: WordReader, count: number): string[] => {
  const { exponent, numbers } = readNumbers(reader, count);
  const units = new Uint16Array(LONGEST * count);
  const digits = new Uint16Array(2 * LONGEST);
  const ends = new Uint32Array(count);
  let end = 0;
  for (let i = 0; i < count; i++) {
    const number = numbers[i]!;
    if (number < 0) units[end++] = MINUS;
    const from = writeDigits(digits, digits.length, Math.abs(number), exponent + 1);
    for (let k = from; k < digits.length; k++) {
      if (exponent > 0 && k === digits.length - exponent) units[end++] = POINT;
      units[end++] = digits[k]!;
    }
    ends[i] = end;
  }
  return textsOf(units, ends);
};

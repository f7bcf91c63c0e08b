import { CorruptPayload } from './corrupt-payload.ts';
import { readSimple8b, writeSimple8b } from './simple8b.ts';
import type { WordReader } from './word-reader.ts';
import type { WordWriter } from './word-writer.ts';

/**
 * Delta of delta (Pelkonen et al.: "Gorilla: A Fast, Scalable, In-Memory Time Series Database", VLDB 2015, section 4.1.1)
 * with zigzag numbers (Protocol Buffers, "Encoding: signed integers") in simple-8b. All arithmetic is modulo 2^64, on
 * 32-bit halves, so any int8 comes back whatever the distance to its neighbour.
 * Stored: last value (two words), last delta (two words), stream of zigzag numbers.
 */
export interface Deltas {
  readonly low: Uint32Array;
  readonly high: Uint32Array;
  readonly lastValue: readonly [low: number, high: number];
  readonly lastDelta: readonly [low: number, high: number];
}

/** The zigzag numbers of int8 values given as words, the lower half of each first. */
export const deltasOf = (words: Int32Array): Deltas => {
  const count = words.length >>> 1;
  const low = new Uint32Array(count);
  const high = new Uint32Array(count);
  let [valueLow, valueHigh, deltaLow, deltaHigh] = [0, 0, 0, 0];
  for (let i = 0; i < count; i++) {
    const nextLow = words[2 * i]!;
    const nextHigh = words[2 * i + 1]!;
    const stepLow = (nextLow - valueLow) | 0;
    const stepHigh = (nextHigh - valueHigh - (nextLow >>> 0 < valueLow >>> 0 ? 1 : 0)) | 0;
    const changeLow = (stepLow - deltaLow) | 0;
    const changeHigh = (stepHigh - deltaHigh - (stepLow >>> 0 < deltaLow >>> 0 ? 1 : 0)) | 0;
    const sign = changeHigh >> 31;
    low[i] = (changeLow << 1) ^ sign;
    high[i] = ((changeHigh << 1) | (changeLow >>> 31)) ^ sign;
    valueLow = nextLow;
    valueHigh = nextHigh;
    deltaLow = stepLow;
    deltaHigh = stepHigh;
  }
  return { low, high, lastValue: [valueLow, valueHigh], lastDelta: [deltaLow, deltaHigh] };
};

const write = (out: WordWriter, words: Int32Array): void => {
  const { low, high, lastValue, lastDelta } = deltasOf(words);
  for (const word of [...lastValue, ...lastDelta]) out.word(word);
  writeSimple8b(out, low, high, words.length >>> 1);
};

export const writeInt8DeltaDelta = (out: WordWriter, values: BigInt64Array): void =>
  write(out, new Int32Array(values.buffer, values.byteOffset, 2 * values.length));

export const writeInt4DeltaDelta = (out: WordWriter, values: Int32Array): void => {
  const words = new Int32Array(2 * values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    words[2 * i] = value;
    words[2 * i + 1] = value >> 31;
  }
  write(out, words);
};

const wrongEnd = (): CorruptPayload => new CorruptPayload('the numbers do not lead to the last value and its delta');

export const readInt8DeltaDelta = (reader: WordReader, count: number): BigInt64Array => {
  const header = reader.take(4);
  const low = new Uint32Array(count);
  const high = new Uint32Array(count);
  readSimple8b(reader, count, low, high);
  const values = new BigInt64Array(count);
  const words = new Int32Array(values.buffer);
  let [valueLow, valueHigh, deltaLow, deltaHigh] = [0, 0, 0, 0];
  for (let i = 0; i < count; i++) {
    const zigzagLow = low[i]!;
    const zigzagHigh = high[i]!;
    const sign = -(zigzagLow & 1);
    const changeLow = ((zigzagLow >>> 1) | (zigzagHigh << 31)) ^ sign;
    const stepLow = (deltaLow + changeLow) | 0;
    deltaHigh = (deltaHigh + ((zigzagHigh >>> 1) ^ sign) + (stepLow >>> 0 < deltaLow >>> 0 ? 1 : 0)) | 0;
    deltaLow = stepLow;
    const nextLow = (valueLow + deltaLow) | 0;
    valueHigh = (valueHigh + deltaHigh + (nextLow >>> 0 < valueLow >>> 0 ? 1 : 0)) | 0;
    valueLow = nextLow;
    words[2 * i] = valueLow;
    words[2 * i + 1] = valueHigh;
  }
  const at = reader.words;
  if (at[header] !== valueLow || at[header + 1] !== valueHigh) throw wrongEnd();
  if (at[header + 2] !== deltaLow || at[header + 3] !== deltaHigh) throw wrongEnd();
  return values;
};

/** Below 2^32 the lower halves depend on lower halves alone. */
export const readInt4DeltaDelta = (reader: WordReader, count: number): Int32Array => {
  const header = reader.take(4);
  const low = new Uint32Array(count);
  const high = new Uint32Array(count);
  readSimple8b(reader, count, low, high);
  const values = new Int32Array(count);
  let value = 0;
  let delta = 0;
  for (let i = 0; i < count; i++) {
    const zigzag = low[i]!;
    delta = (delta + (((zigzag >>> 1) | (high[i]! << 31)) ^ -(zigzag & 1))) | 0;
    value = (value + delta) | 0;
    values[i] = value;
  }
  if (reader.words[header] !== value || reader.words[header + 1] !== value >> 31) throw wrongEnd();
  if (reader.words[header + 2] !== delta) throw wrongEnd();
  return values;
};

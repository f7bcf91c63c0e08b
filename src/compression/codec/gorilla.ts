import { BitArrayWriter, readBitArray } from './bit-array.ts';
import { CorruptPayload } from './corrupt-payload.ts';
import { readSimple8b, writeSimple8b } from './simple8b.ts';
import type { WordReader } from './word-reader.ts';
import type { WordWriter } from './word-writer.ts';

/**
 * XOR compression of floats (Pelkonen et al.: "Gorilla: A Fast, Scalable, In-Memory Time Series Database", VLDB 2015,
 * section 4.1.2), its tags split into streams of their own so that runs of them compress. Values are bit patterns from
 * end to end: a NaN keeps its payload, zero its sign.
 * Stored: last value (two words); tag0 as simple-8b, 1 where a value differs from the one before (and for the first);
 * tag1 as simple-8b, one per 1 in tag0, 1 where a new window begins; per window the leading zeros (bit array, 6 bits
 * each) and the bits used (simple-8b); the windows' bits of each XOR (bit array).
 */
export interface Xors {
  readonly tag0: Uint32Array;
  readonly tag1: Uint32Array;
  readonly changes: number;
  readonly leading: BitArrayWriter;
  readonly bitsUsed: Uint32Array;
  readonly windows: number;
  readonly bits: BitArrayWriter;
  readonly lastValue: readonly [low: number, high: number];
}

/** A window is kept while it wastes no more bits than a new one would cost (6 for leading zeros, about 6 for bits used). */
const MAX_WASTE = 12;

const trailingZeros = (word: number): number => 31 - Math.clz32(word & -word);

/** Values as words, the lower half of each first. */
export const xorsOf = (words: Int32Array): Xors => {
  const count = words.length >>> 1;
  const tag0 = new Uint32Array(count);
  const tag1 = new Uint32Array(count);
  const bitsUsed = new Uint32Array(count);
  const leading = new BitArrayWriter(6 * count);
  const bits = new BitArrayWriter(64 * count);
  let [changes, windows, low, high, windowLead, windowTrail] = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < count; i++) {
    const xorLow = words[2 * i]! ^ low;
    const xorHigh = words[2 * i + 1]! ^ high;
    low = words[2 * i]!;
    high = words[2 * i + 1]!;
    if (i > 0 && (xorLow | xorHigh) === 0) continue;
    tag0[i] = 1;
    const zero = (xorLow | xorHigh) === 0;
    const lead = zero ? 63 : xorHigh === 0 ? 32 + Math.clz32(xorLow) : Math.clz32(xorHigh);
    const trail = zero ? 1 : xorLow === 0 ? 32 + trailingZeros(xorHigh) : trailingZeros(xorLow);
    const waste = lead - windowLead + trail - windowTrail;
    if (i === 0 || lead < windowLead || trail < windowTrail || waste > MAX_WASTE) {
      tag1[changes] = 1;
      windowLead = lead;
      windowTrail = trail;
      leading.append(lead, 6);
      bitsUsed[windows++] = 64 - lead - trail;
    }
    changes++;
    appendShifted(bits, xorLow, xorHigh, windowTrail, 64 - windowLead - windowTrail);
  }
  return { tag0, tag1, changes, leading, bitsUsed, windows, bits, lastValue: [low, high] };
};

/** Appends the lowest `count` bits of (high, low) >> shift. */
const appendShifted = (out: BitArrayWriter, low: number, high: number, shift: number, count: number): void => {
  const shiftedLow = shift >= 32 ? high >>> (shift - 32) : (low >>> shift) | ((high << 1) << (31 - shift));
  if (count <= 32) {
    if (count > 0) out.append(shiftedLow, count);
    return;
  }
  out.append(shiftedLow, 32);
  out.append(shift >= 32 ? 0 : high >>> shift, count - 32);
};

const write = (out: WordWriter, words: Int32Array): void => {
  const x = xorsOf(words);
  for (const word of x.lastValue) out.word(word);
  writeSimple8b(out, x.tag0, undefined, words.length >>> 1);
  writeSimple8b(out, x.tag1, undefined, x.changes);
  x.leading.write(out);
  writeSimple8b(out, x.bitsUsed, undefined, x.windows);
  x.bits.write(out);
};

/** A float4 is its 32 bits, the upper half zero. */
const wordsOf = (values: Float32Array | Float64Array): Int32Array => {
  const words = new Int32Array(values.buffer, values.byteOffset, values.byteLength >>> 2);
  if (values instanceof Float64Array) return words;
  const widened = new Int32Array(2 * values.length);
  for (let i = 0; i < words.length; i++) widened[2 * i] = words[i]!;
  return widened;
};

export const writeGorilla = (out: WordWriter, values: Float32Array | Float64Array): void => write(out, wordsOf(values));

const readTags = (reader: WordReader, count: number): { readonly tags: Uint32Array; readonly ones: number } => {
  const tags = new Uint32Array(count);
  readSimple8b(reader, count, tags, undefined);
  let ones = 0;
  for (let i = 0; i < count; i++) {
    const tag = tags[i]!;
    if (tag > 1) throw new CorruptPayload(`a tag is ${tag}, neither 0 nor 1`);
    ones += tag;
  }
  return { tags, ones };
};

const readWords = (reader: WordReader, count: number): Int32Array => {
  const last = reader.take(2);
  const { tags: tag0, ones: changes } = readTags(reader, count);
  const { tags: tag1, ones: windows } = readTags(reader, changes);
  const leading = readBitArray(reader);
  if (leading.bits !== 6 * windows)
    throw new CorruptPayload(`${leading.bits} bits of leading zeros, ${windows} windows`);
  const bitsUsed = new Uint32Array(windows);
  readSimple8b(reader, windows, bitsUsed, undefined);
  const bits = readBitArray(reader);
  if (count > 0 && (tag0[0] !== 1 || tag1[0] !== 1)) throw new CorruptPayload('the first value has no window');

  const words = new Int32Array(2 * count);
  const source = bits.words;
  let [position, change, window, low, high, used, trail] = [0, 0, 0, 0, 0, 0, 0];
  for (let i = 0; i < count; i++) {
    if (tag0[i] !== 0) {
      if (tag1[change++] !== 0) {
        const at = 6 * window;
        const lead =
          ((leading.words[at >>> 5]! >>> (at & 31)) | ((leading.words[(at >>> 5) + 1]! << 1) << (31 - (at & 31)))) & 63;
        used = bitsUsed[window++]!;
        trail = 64 - lead - used;
        if (trail < 0) throw new CorruptPayload(`a window of ${lead} leading zeros and ${used} bits`);
      }
      const at = position >>> 5;
      const shift = position & 31;
      position += used;
      if (position > bits.bits) throw new CorruptPayload('the bits of the values end too early');
      const middle = source[at + 1]!;
      let xorLow = (source[at]! >>> shift) | ((middle << 1) << (31 - shift));
      let xorHigh = 0;
      if (used > 32) {
        xorHigh = (middle >>> shift) | ((source[at + 2]! << 1) << (31 - shift));
        xorHigh &= -1 >>> (64 - used);
      } else xorLow = used === 0 ? 0 : xorLow & (-1 >>> (32 - used));
      if (trail >= 32) {
        high ^= trail === 64 ? 0 : xorLow << (trail - 32);
      } else {
        low ^= xorLow << trail;
        high ^= (xorHigh << trail) | ((xorLow >>> 1) >>> (31 - trail));
      }
    }
    words[2 * i] = low;
    words[2 * i + 1] = high;
  }
  if (position !== bits.bits) throw new CorruptPayload(`${bits.bits - position} bits are left after the last value`);
  if (reader.words[last] !== low || reader.words[last + 1] !== high)
    throw new CorruptPayload('the values do not lead to the last value');
  return words;
};

export const readFloat8Gorilla = (reader: WordReader, count: number): Float64Array =>
  new Float64Array(readWords(reader, count).buffer);

export const readFloat4Gorilla = (reader: WordReader, count: number): Float32Array => {
  const words = readWords(reader, count);
  const halves = new Int32Array(count);
  for (let i = 0; i < count; i++) halves[i] = words[2 * i]!;
  return new Float32Array(halves.buffer);
};

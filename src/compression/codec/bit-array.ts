import { CorruptPayload } from './corrupt-payload.ts';
import type { WordReader } from './word-reader.ts';
import type { WordWriter } from './word-writer.ts';

/**
 * A vector of bits in 64-bit buckets, lowest bit first; a value that crosses a border has its low bits before it.
 * Stored: number of buckets, bits used in the last one, buckets (as two words each, the lower half first).
 */
export class BitArrayWriter {
  words: Int32Array;
  bits = 0;

  /** `capacity` in bits; it must cover all that will be appended. */
  constructor(capacity: number) {
    this.words = new Int32Array(2 * Math.ceil(capacity / 64) + 2);
  }

  /** Appends the lowest `count` <= 32 bits of a value that has no others. */
  append(value: number, count: number): void {
    const at = this.bits >>> 5;
    const shift = this.bits & 31;
    this.words[at]! |= value << shift;
    // Two shifts, because JavaScript takes a shift by 32 for one by 0.
    this.words[at + 1]! |= (value >>> 1) >>> (31 - shift);
    this.bits += count;
  }

  write(out: WordWriter): void {
    const buckets = Math.ceil(this.bits / 64);
    out.word(buckets);
    out.word(buckets === 0 ? 0 : this.bits - 64 * (buckets - 1));
    out.append(this.words, 2 * buckets);
  }
}

export interface BitArray {
  /** With two words of zeros after the last bucket, so that any 64 bits that begin inside can be read. */
  readonly words: Int32Array;
  readonly bits: number;
}

export const readBitArray = (reader: WordReader): BitArray => {
  const buckets = reader.unsigned();
  const bitsInLast = reader.unsigned();
  if (bitsInLast > 64 || (bitsInLast === 0) !== (buckets === 0))
    throw new CorruptPayload(`${bitsInLast} bits in the last of ${buckets} buckets`);
  const start = reader.take(2 * buckets);
  const words = new Int32Array(2 * buckets + 2);
  words.set(reader.words.subarray(start, start + 2 * buckets));
  return { words, bits: buckets === 0 ? 0 : 64 * (buckets - 1) + bitsInLast };
};

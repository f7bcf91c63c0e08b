import { CorruptPayload } from './corrupt-payload.ts';
import type { WordReader } from './word-reader.ts';
import type { WordWriter } from './word-writer.ts';

/**
 * Simple-8b (Anh, Moffat: "Index compression using 64-bit words", Software: Practice and Experience, 2010) with a run
 * length selector: unsigned 64-bit numbers in blocks of one 4-bit selector and one 64-bit word. The selector says how
 * many numbers of how many bits the word holds, lowest bits first; selector 15 is a run, (count << 36) | value.
 * Numbers travel as two 32-bit halves: a BigInt operation takes some 200 ns in plv8, one on a half less than one.
 */
const BITS = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 21, 32, 64, 36);
const COUNT = Uint8Array.of(0, 64, 32, 21, 16, 12, 10, 9, 8, 6, 5, 4, 3, 2, 1, 0);
const WIDE = 14;
const RUN = 15;
const SELECTORS_PER_WORD = 8;

/** The narrowest selector whose numbers have at least this many bits. */
const SELECTOR_OF_WIDTH = Uint8Array.from({ length: 65 }, (_, width) => {
  let selector = 1;
  while (BITS[selector]! < width) selector++;
  return selector;
});

const widthOf = (low: number, high: number): number => (high === 0 ? 32 - Math.clz32(low) : 64 - Math.clz32(high));

const runLength = (low: Uint32Array, high: Uint32Array | undefined, from: number, count: number): number => {
  const firstLow = low[from]!;
  const firstHigh = high === undefined ? 0 : high[from]!;
  let i = from + 1;
  while (i < count && low[i] === firstLow && (high === undefined || high[i] === firstHigh)) i++;
  return i - from;
};

/** Appends the stream of the first `count` numbers; without `high` all of them are below 2^32. */
export const writeSimple8b = (
  out: WordWriter,
  low: Uint32Array,
  high: Uint32Array | undefined,
  count: number,
): void => {
  const selectors = new Uint8Array(count);
  const data = new Int32Array(2 * count);
  let blocks = 0;
  let i = 0;
  while (i < count) {
    const firstLow = low[i]!;
    const firstHigh = high === undefined ? 0 : high[i]!;
    const width = widthOf(firstLow, firstHigh);
    if (firstHigh < 16) {
      const run = runLength(low, high, i, count);
      if (run * Math.max(width, 1) >= 64) {
        selectors[blocks] = RUN;
        data[2 * blocks] = firstLow;
        data[2 * blocks + 1] = (run << 4) | firstHigh;
        blocks++;
        i += run;
        continue;
      }
    }
    let selector = SELECTOR_OF_WIDTH[width]!;
    let taken = 1;
    while (taken < COUNT[selector]! && i + taken < count) {
      const needed = SELECTOR_OF_WIDTH[widthOf(low[i + taken]!, high === undefined ? 0 : high[i + taken]!)]!;
      if (needed > selector) {
        if (COUNT[needed]! <= taken) {
          // The wider block would hold no more than what is accepted: stay with the widest that still fills up.
          while (COUNT[selector]! > taken) selector++;
          break;
        }
        selector = needed;
      }
      taken++;
    }
    const full = Math.min(COUNT[selector]!, taken);
    packBlock(data, 2 * blocks, low, high, i, full, BITS[selector]!);
    selectors[blocks] = selector;
    blocks++;
    i += full;
  }
  out.word(count);
  out.word(blocks);
  writeSelectors(out, selectors, blocks);
  out.append(data, 2 * blocks);
};

const packBlock = (
  data: Int32Array,
  at: number,
  low: Uint32Array,
  high: Uint32Array | undefined,
  from: number,
  count: number,
  bits: number,
): void => {
  if (bits === 64) {
    data[at] = low[from]!;
    data[at + 1] = high === undefined ? 0 : high[from]!;
    return;
  }
  let lowWord = 0;
  let highWord = 0;
  for (let k = 0, shift = 0; k < count; k++, shift += bits) {
    const value = low[from + k]!;
    if (shift < 32) {
      lowWord |= value << shift;
      if (shift + bits > 32) highWord |= value >>> (32 - shift);
    } else highWord |= value << (shift - 32);
  }
  data[at] = lowWord;
  data[at + 1] = highWord;
};

const writeSelectors = (out: WordWriter, selectors: Uint8Array, blocks: number): void => {
  const start = out.reserve(2 * Math.ceil(blocks / (2 * SELECTORS_PER_WORD)));
  for (let b = 0; b < blocks; b++) out.words[start + (b >>> 3)]! |= selectors[b]! << (4 * (b & 7));
};

/**
 * Reads a stream of exactly `count` numbers into `low` and, where given, `high`, both zero before. The caller bounds
 * `count`; every block adds at least one number and none beyond it, so the loop ends and no array grows.
 */
export const readSimple8b = (
  reader: WordReader,
  count: number,
  low: Uint32Array,
  high: Uint32Array | undefined,
): void => {
  const stored = reader.unsigned();
  if (stored !== count) throw new CorruptPayload(`a stream of ${stored} numbers stands where ${count} are expected`);
  const blocks = reader.unsigned();
  if (blocks > count) throw new CorruptPayload(`${blocks} blocks for ${count} numbers`);
  const selectors = reader.take(2 * Math.ceil(blocks / (2 * SELECTORS_PER_WORD)));
  const data = reader.take(2 * blocks);
  const words = reader.words;
  let filled = 0;
  for (let b = 0; b < blocks; b++) {
    const selector = (words[selectors + (b >>> 3)]! >>> (4 * (b & 7))) & 15;
    let lowWord = words[data + 2 * b]!;
    let highWord = words[data + 2 * b + 1]!;
    const left = count - filled;
    if (left === 0 || selector === 0) throw new CorruptPayload(`block ${b} of ${blocks} holds no numbers`);
    if (selector === RUN) {
      const run = highWord >>> 4;
      const highValue = highWord & 15;
      if (run === 0 || run > left) throw new CorruptPayload(`a run of ${run} numbers where ${left} are left`);
      if (lowWord !== 0) low.fill(lowWord, filled, filled + run);
      if (highValue !== 0) {
        if (high === undefined) throw new CorruptPayload('a number beyond 32 bits');
        high.fill(highValue, filled, filled + run);
      }
      filled += run;
    } else if (selector === WIDE) {
      low[filled] = lowWord;
      if (high !== undefined) high[filled] = highWord;
      else if (highWord !== 0) throw new CorruptPayload('a number beyond 32 bits');
      filled++;
    } else if (selector === 13) {
      low[filled++] = lowWord;
      if (left > 1) low[filled++] = highWord;
    } else {
      const bits = BITS[selector]!;
      const mask = (1 << bits) - 1;
      const rest = 32 - bits;
      const end = filled + (left < COUNT[selector]! ? left : COUNT[selector]!);
      while (filled < end) {
        low[filled++] = lowWord & mask;
        lowWord = (lowWord >>> bits) | (highWord << rest);
        highWord >>>= bits;
      }
    }
  }
  if (filled !== count) throw new CorruptPayload(`a stream of ${count} numbers ends after ${filled}`);
};

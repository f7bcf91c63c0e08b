import { CorruptPayload } from './corrupt-payload.ts';
import { readSimple8b, writeSimple8b } from './simple8b.ts';
import type { WordReader } from './word-reader.ts';
import type { WordWriter } from './word-writer.ts';

/** One number a row, 1 for null, as simple-8b: runs cost a block. Stored only where a null exists. */
export interface NullBitmap {
  readonly nulls: Uint8Array;
  readonly present: number;
}

export const writeNullBitmap = (out: WordWriter, nulls: Uint8Array): void =>
  writeSimple8b(out, Uint32Array.from(nulls), undefined, nulls.length);

export const readNullBitmap = (reader: WordReader, rows: number): NullBitmap => {
  const bits = new Uint32Array(rows);
  readSimple8b(reader, rows, bits, undefined);
  const nulls = new Uint8Array(rows);
  let present = rows;
  for (let i = 0; i < rows; i++) {
    const bit = bits[i]!;
    if (bit > 1) throw new CorruptPayload(`a null bit is ${bit}, neither 0 nor 1`);
    nulls[i] = bit;
    present -= bit;
  }
  if (present === 0 || present === rows) throw new CorruptPayload(`a null bitmap with ${present} of ${rows} values`);
  return { nulls, present };
};

interface Writable<T> {
  readonly length: number;
  [row: number]: T;
}

/** Puts the values that are present into the rows they belong to. */
export const spread = <T, A extends Writable<T>>(present: Writable<T>, nulls: Uint8Array, into: A): A => {
  let next = 0;
  for (let row = 0; row < nulls.length; row++) if (nulls[row] === 0) into[row] = present[next++]!;
  return into;
};

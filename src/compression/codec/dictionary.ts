import { type ArrayKind, elementsOf, readArray, writeArray } from './array.ts';
import { CorruptPayload } from './corrupt-payload.ts';
import { readSimple8b, writeSimple8b } from './simple8b.ts';
import type { WordReader } from './word-reader.ts';
import { WordWriter } from './word-writer.ts';

/**
 * Distinct values, numbered as they first appear, and their numbers in simple-8b (dictionary encoding: Abadi, Madden,
 * Ferreira: "Integrating Compression and Execution in Column-Oriented Database Systems", SIGMOD 2006, section 3.2).
 * Equal means equal in every byte, whatever the type's own operator says: 1.0 and 1.00, or '1 day' and '24 hours', are
 * two entries, so both come back as they were.
 * Stored: number of distinct values (one word), number of each value (simple-8b), the distinct values as an array.
 */
export interface Numbering {
  readonly distinct: readonly (string | Uint8Array)[];
  readonly indexes: Uint32Array;
}

/** Bytes as a text of the same length, to look them up by. */
const keyOf = (bytes: Uint8Array): string => {
  let key = '';
  for (let i = 0; i < bytes.length; i++) key += String.fromCharCode(bytes[i]!);
  return key;
};

export const numberingOf = (values: readonly (string | Uint8Array)[]): Numbering => {
  const numbers = new Map<string, number>();
  const distinct: (string | Uint8Array)[] = [];
  const indexes = new Uint32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    const key = typeof value === 'string' ? value : keyOf(value);
    let number = numbers.get(key);
    if (number === undefined) {
      number = distinct.length;
      distinct.push(value);
      numbers.set(key, number);
    }
    indexes[i] = number;
  }
  return { distinct, indexes };
};

/** Words of the dictionary, or undefined where the values themselves take no more room. */
export const dictionaryWords = (kind: ArrayKind, values: readonly (string | Uint8Array)[]): Int32Array | undefined => {
  const { distinct, indexes } = numberingOf(values);
  if (distinct.length === values.length) return undefined;
  const elements = elementsOf(kind, distinct);
  const out = new WordWriter();
  out.word(distinct.length);
  writeSimple8b(out, indexes, undefined, indexes.length);
  writeArray(out, elements);
  let bytesAsArray = 0;
  for (let i = 0; i < indexes.length; i++) bytesAsArray += elements.lengths[indexes[i]!]!;
  return bytesAsArray < 4 * out.length ? undefined : out.finish();
};

export const readDictionary = (reader: WordReader, kind: ArrayKind, count: number): (string | Uint8Array)[] => {
  const size = reader.unsigned();
  if (size > count) throw new CorruptPayload(`a dictionary of ${size} entries for ${count} values`);
  const indexes = new Uint32Array(count);
  readSimple8b(reader, count, indexes, undefined);
  const distinct = readArray(reader, kind, size);
  const values = new Array<string | Uint8Array>(count);
  for (let i = 0; i < count; i++) {
    const index = indexes[i]!;
    if (index >= size) throw new CorruptPayload(`entry ${index} of a dictionary of ${size}`);
    values[i] = distinct[index]!;
  }
  return values;
};

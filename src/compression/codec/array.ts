import { CorruptPayload } from './corrupt-payload.ts';
import { readSimple8b, writeSimple8b } from './simple8b.ts';
import { readUtf8, textsOf, utf8Length, writeUtf8 } from './utf8.ts';
import { readUuid, UUID_BYTES, UUID_CHARACTERS, writeUuid } from './uuid.ts';
import type { WordReader } from './word-reader.ts';
import type { WordWriter } from './word-writer.ts';

/**
 * Values of any type one after the other, as text or bytes; the plain columnar layout (Abadi, Madden, Ferreira:
 * "Integrating Compression and Execution in Column-Oriented Database Systems", SIGMOD 2006, section 3). The lengths are
 * numbers in simple-8b, so a fixed width costs one block; making the values themselves smaller is left to TOAST.
 * Stored: lengths in bytes (simple-8b), sum of the lengths (one word), the bytes, zeros up to a whole word.
 */
export type ArrayKind = 'text' | 'bytes' | 'uuid';

export interface Elements {
  readonly lengths: Uint32Array;
  readonly bytes: Uint8Array;
}

const fromTexts = (texts: readonly string[]): Elements => {
  const lengths = new Uint32Array(texts.length);
  let total = 0;
  for (let i = 0; i < texts.length; i++) total += lengths[i] = utf8Length(texts[i]!);
  const bytes = new Uint8Array(total);
  let at = 0;
  for (let i = 0; i < texts.length; i++) at = writeUtf8(texts[i]!, bytes, at);
  return { lengths, bytes };
};

const fromBytes = (values: readonly Uint8Array[]): Elements => {
  const lengths = Uint32Array.from(values, (value) => value.length);
  const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  let at = 0;
  for (const value of values) {
    bytes.set(value, at);
    at += value.length;
  }
  return { lengths, bytes };
};

const fromUuids = (texts: readonly string[]): Elements => {
  const bytes = new Uint8Array(UUID_BYTES * texts.length);
  for (let i = 0; i < texts.length; i++) writeUuid(texts[i]!, bytes, UUID_BYTES * i);
  return { lengths: new Uint32Array(texts.length).fill(UUID_BYTES), bytes };
};

export const elementsOf = (kind: ArrayKind, values: readonly (string | Uint8Array)[]): Elements =>
  kind === 'text'
    ? fromTexts(values as readonly string[])
    : kind === 'uuid'
      ? fromUuids(values as readonly string[])
      : fromBytes(values as readonly Uint8Array[]);

export const writeArray = (out: WordWriter, elements: Elements): void => {
  writeSimple8b(out, elements.lengths, undefined, elements.lengths.length);
  out.word(elements.bytes.length);
  out.appendBytes(elements.bytes);
};

const readElements = (reader: WordReader, count: number): Elements => {
  const lengths = new Uint32Array(count);
  readSimple8b(reader, count, lengths, undefined);
  const total = reader.unsigned();
  const bytes = reader.bytes(total);
  let sum = 0;
  for (let i = 0; i < count; i++) sum += lengths[i]!;
  if (sum !== total) throw new CorruptPayload(`values of ${sum} bytes in ${total} bytes`);
  return { lengths, bytes };
};

const toTexts = ({ lengths, bytes }: Elements): string[] => {
  const units = new Uint16Array(bytes.length);
  const ends = new Uint32Array(lengths.length);
  let from = 0;
  let end = 0;
  for (let i = 0; i < lengths.length; i++) {
    const to = from + lengths[i]!;
    ends[i] = end = readUtf8(bytes, from, to, units, end);
    from = to;
  }
  return textsOf(units, ends);
};

/** Copies: the payload may be memory of PostgreSQL that is gone after the call. */
const toBytes = ({ lengths, bytes }: Elements): Uint8Array[] => {
  const copy = bytes.slice();
  let from = 0;
  return Array.from(lengths, (length) => {
    from += length;
    return copy.subarray(from - length, from);
  });
};

const toUuids = ({ lengths, bytes }: Elements): string[] => {
  const units = new Uint16Array(UUID_CHARACTERS * lengths.length);
  const ends = new Uint32Array(lengths.length);
  for (let i = 0; i < lengths.length; i++) {
    if (lengths[i] !== UUID_BYTES) throw new CorruptPayload(`a uuid of ${lengths[i]} bytes`);
    readUuid(bytes, UUID_BYTES * i, units, UUID_CHARACTERS * i);
    ends[i] = UUID_CHARACTERS * (i + 1);
  }
  return textsOf(units, ends);
};

export const readArray = (reader: WordReader, kind: ArrayKind, count: number): (string | Uint8Array)[] => {
  const elements = readElements(reader, count);
  return kind === 'text' ? toTexts(elements) : kind === 'uuid' ? toUuids(elements) : toBytes(elements);
};

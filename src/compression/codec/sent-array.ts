import { PgError } from '../../lib/pg-error.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';
import type { Rows, ValueKind } from './column.ts';
import { readUtf8 } from './utf8.ts';
import { UUID_CHARACTERS, readUuid } from './uuid.ts';

/**
 * What PostgreSQL's array_send() makes of one column of a segment: exact for every type, and one block of memory at the
 * border to JavaScript. Big-endian: dimensions (4), flags (4), element type (4), then elements (4) and lower bound (4),
 * then per element its length (4, -1 for null) and its bytes.
 */
const HEADER = 20;

const malformed = (): PgError =>
  new PgError({ sqlstate: SQLSTATE.internalError, message: 'what is to be compressed is not a sent array' });

const WIDTHS: Partial<Record<ValueKind, number>> = { int4: 4, int8: 8, float4: 4, float8: 8, bool: 1, uuid: 16 };

/** The elements of a fixed width without nulls stand at equal distances. */
const isEven = (sent: Uint8Array, rows: number, width: number): boolean =>
  sent.length === HEADER + rows * (4 + width) && sent[7] === 0;

const int32At = (b: Uint8Array, at: number): number =>
  (b[at]! << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!;

const TWO_TO_32 = 4_294_967_296;
/** Beyond it a number is not exact any more; the upper half of an int8 says so. */
const EXACT = 0x20_0000;

const int8At = (b: Uint8Array, at: number): number | bigint => {
  const high = int32At(b, at);
  const low = int32At(b, at + 4) >>> 0;
  if (high >= -EXACT && high < EXACT) return high * TWO_TO_32 + low;
  return (BigInt(high) << 32n) | BigInt(low);
};

const scratch = new DataView(new ArrayBuffer(8));
const floatAt = (b: Uint8Array, at: number, kind: 'float4' | 'float8'): number => {
  scratch.setInt32(0, int32At(b, at));
  if (kind === 'float4') return scratch.getFloat32(0);
  scratch.setInt32(4, int32At(b, at + 4));
  return scratch.getFloat64(0);
};

const unitsToString = (units: Uint16Array, count: number): string => {
  let text = '';
  for (let i = 0; i < count; i += 8192)
    text += String.fromCharCode.apply(null, units.subarray(i, Math.min(count, i + 8192)) as unknown as number[]);
  return text;
};

const textAt = (b: Uint8Array, at: number, length: number): string => {
  const units = new Uint16Array(length);
  return unitsToString(units, readUtf8(b, at, at + length, units, 0));
};

const uuidAt = (b: Uint8Array, at: number): string => {
  const units = new Uint16Array(UUID_CHARACTERS);
  readUuid(b, at, units, 0);
  return unitsToString(units, UUID_CHARACTERS);
};

/** Numbers without nulls, bit by bit: a NaN keeps its payload, which it would not as a number. */
const evenNumbers = (b: Uint8Array, rows: number, kind: 'int4' | 'int8' | 'float4' | 'float8'): Rows => {
  const width = kind === 'int8' || kind === 'float8' ? 8 : 4;
  const words = new Int32Array((rows * width) / 4);
  if (width === 4) for (let i = 0, at = HEADER + 4; i < rows; i++, at += 8) words[i] = int32At(b, at);
  else
    for (let i = 0, at = HEADER + 4; i < rows; i++, at += 12) {
      words[2 * i] = int32At(b, at + 4);
      words[2 * i + 1] = int32At(b, at);
    }
  switch (kind) {
    case 'int4':
      return words;
    case 'int8':
      return new BigInt64Array(words.buffer);
    case 'float4':
      return new Float32Array(words.buffer);
    case 'float8':
      return new Float64Array(words.buffer);
  }
};

const valueAt = (
  b: Uint8Array,
  at: number,
  length: number,
  kind: ValueKind,
): number | bigint | boolean | string | Uint8Array => {
  switch (kind) {
    case 'int4':
      // smallint is sent in two bytes.
      return length === 2 ? ((b[at]! << 24) | (b[at + 1]! << 16)) >> 16 : int32At(b, at);
    case 'int8':
      return int8At(b, at);
    case 'float4':
    case 'float8':
      return floatAt(b, at, kind);
    case 'bool':
      return b[at] !== 0;
    case 'text':
      return textAt(b, at, length);
    case 'uuid':
      return uuidAt(b, at);
    case 'bytes':
      return b.slice(at, at + length);
  }
};

/** The rows of a sent array, as encode() takes them. */
export const rowsOfSentArray = (sent: Uint8Array, kind: ValueKind): Rows => {
  if (sent.length < HEADER || int32At(sent, 0) !== 1) throw malformed();
  const rows = int32At(sent, 12);
  const width = WIDTHS[kind];
  if ((kind === 'int4' || kind === 'int8' || kind === 'float4' || kind === 'float8') && isEven(sent, rows, width ?? 0))
    return evenNumbers(sent, rows, kind);
  const values = new Array<number | bigint | boolean | string | Uint8Array | null>(rows);
  let at = HEADER;
  for (let i = 0; i < rows; i++) {
    const length = int32At(sent, at);
    at += 4;
    if (length < 0) {
      values[i] = null;
      continue;
    }
    if (at + length > sent.length) throw malformed();
    values[i] = valueAt(sent, at, length, kind);
    at += length;
  }
  if (at !== sent.length) throw malformed();
  return values;
};

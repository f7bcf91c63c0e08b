import { PgError } from '../../lib/pg-error.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';
import type { Rows, Value, ValueKind } from './column.ts';

/** The rows that are not null, in the array in which their codec takes them. */
export interface Present {
  readonly nulls: Uint8Array | undefined;
  readonly count: number;
}

const TWO_TO_32 = 4_294_967_296;

/** A value the column cannot hold means that the caller mixed up columns; storing another one would lose data. */
const misfit = (value: unknown, kind: ValueKind): PgError =>
  new PgError({
    sqlstate: SQLSTATE.internalError,
    message: `a value to be compressed is not of kind ${kind}`,
    detail: `It is ${typeof value === 'object' ? 'an object' : `${typeof value} ${String(value).slice(0, 100)}`}.`,
  });

export const nullsOf = (rows: Rows): Present => {
  let nulls: Uint8Array | undefined;
  let count = rows.length;
  if (ArrayBuffer.isView(rows)) return { nulls, count };
  for (let i = 0; i < rows.length; i++)
    if (rows[i] === null || rows[i] === undefined) {
      nulls ??= new Uint8Array(rows.length);
      nulls[i] = 1;
      count--;
    }
  return { nulls, count };
};

export const int4sOf = (rows: Rows, count: number): Int32Array => {
  if (rows instanceof Int32Array) return rows;
  const values = new Int32Array(count);
  let next = 0;
  for (let i = 0; i < rows.length; i++) {
    const value = rows[i];
    if (value === null || value === undefined) continue;
    if (typeof value !== 'number' || (value | 0) !== value) throw misfit(value, 'int4');
    values[next++] = value;
  }
  return values;
};

export const int8sOf = (rows: Rows, count: number): BigInt64Array => {
  if (rows instanceof BigInt64Array) return rows;
  const values = new BigInt64Array(count);
  const words = new Int32Array(values.buffer);
  let next = 0;
  for (let i = 0; i < rows.length; i++) {
    const value = rows[i];
    if (value === null || value === undefined) continue;
    if (typeof value === 'bigint') {
      values[next] = value;
      if (values[next] !== value) throw misfit(value, 'int8');
    } else {
      if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw misfit(value, 'int8');
      const high = Math.floor(value / TWO_TO_32);
      words[2 * next] = value - high * TWO_TO_32;
      words[2 * next + 1] = high;
    }
    next++;
  }
  return values;
};

const numbersInto = <A extends Float32Array | Float64Array>(rows: Rows, values: A, kind: ValueKind): A => {
  let next = 0;
  for (let i = 0; i < rows.length; i++) {
    const value = rows[i];
    if (value === null || value === undefined) continue;
    if (typeof value !== 'number') throw misfit(value, kind);
    values[next] = value;
    if (!Object.is(values[next], value)) throw misfit(value, kind);
    next++;
  }
  return values;
};

export const float8sOf = (rows: Rows, count: number): Float64Array =>
  rows instanceof Float64Array ? rows : numbersInto(rows, new Float64Array(count), 'float8');

export const float4sOf = (rows: Rows, count: number): Float32Array =>
  rows instanceof Float32Array ? rows : numbersInto(rows, new Float32Array(count), 'float4');

export const boolsOf = (rows: Rows, count: number): Uint32Array => {
  const values = new Uint32Array(count);
  let next = 0;
  for (let i = 0; i < rows.length; i++) {
    const value = rows[i];
    if (value === null || value === undefined) continue;
    if (typeof value !== 'boolean') throw misfit(value, 'bool');
    values[next++] = value ? 1 : 0;
  }
  return values;
};

const listOf = <T extends Value>(
  rows: Rows,
  count: number,
  kind: ValueKind,
  fits: (value: Value) => value is T,
): readonly T[] => {
  const values = new Array<T>(count);
  let next = 0;
  for (let i = 0; i < rows.length; i++) {
    const value = rows[i];
    if (value === null || value === undefined) continue;
    if (!fits(value)) throw misfit(value, kind);
    values[next++] = value;
  }
  return values;
};

export const textsOfRows = (rows: Rows, count: number, kind: ValueKind): readonly string[] =>
  listOf(rows, count, kind, (value) => typeof value === 'string');

export const bytesOfRows = (rows: Rows, count: number): readonly Uint8Array[] =>
  listOf(rows, count, 'bytes', (value) => value instanceof Uint8Array);

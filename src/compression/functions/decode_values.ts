import { defineFunction, returnsScalar, type FunctionDeclaration } from '../../udf/define-function.ts';
import type { Column } from '../codec/column.ts';
import { CorruptPayload } from '../codec/corrupt-payload.ts';
import { decode } from '../codec/decode.ts';
import { toArray } from '../codec/rows.ts';
import { secondsOf } from '../time-values.ts';

const shared = {
  schema: '_tessera_functions',
  args: [{ name: 'payload', type: 'bytea', doc: 'a payload; null gives null' }],
  volatility: 'immutable',
  strict: true,
  parallelSafe: true,
  privileges: 'anybody',
  errors: 'XX001 the payload is corrupt',
} as const;

type Numbers = Int32Array | Float32Array | Float64Array | BigInt64Array;

const misfit = (column: Column): CorruptPayload => new CorruptPayload(`values of kind ${column.kind} in this column`);

const decoded = <K extends Column['kind']>(payload: Uint8Array, kind: K): Extract<Column, { kind: K }> => {
  const column = decode(payload);
  if (column.kind !== kind) throw misfit(column);
  return column as Extract<Column, { kind: K }>;
};

/**
 * A typed array crosses the border as one block, but holds no nulls. Where there are some it becomes longer than the
 * segment, and what follows says 1 for every row that is null.
 */
const withNulls = <A extends Numbers>(values: A, nulls: Uint8Array | undefined): A => {
  if (nulls === undefined) return values;
  const wide = new (values.constructor as new (length: number) => A)(2 * nulls.length);
  wide.set(values as never);
  const one = (values instanceof BigInt64Array ? 1n : 1) as never;
  for (let row = 0; row < nulls.length; row++) if (nulls[row] === 1) wide[nulls.length + row] = one;
  return wide;
};

const numbersOf = (column: Column): { values: Numbers; nulls: Uint8Array | undefined } => {
  if (column.kind === 'bool') return { values: Int32Array.from(column.values), nulls: column.nulls };
  if (column.kind === 'text' || column.kind === 'bytes' || column.kind === 'uuid') throw misfit(column);
  return { values: column.values, nulls: column.nulls };
};

const ofKinds = (payload: Uint8Array, kinds: readonly Column['kind'][]): Column => {
  const column = decode(payload);
  if (!kinds.includes(column.kind)) throw misfit(column);
  return column;
};

/** Times for to_timestamp(); where it would not be exact they are kept as text, and there is nothing to give here. */
const timesOf = (payload: Uint8Array): { values: Float64Array; nulls: Uint8Array | undefined } | null => {
  const column = ofKinds(payload, ['int8', 'text']);
  if (column.kind !== 'int8') return null;
  const words = new Int32Array(column.values.buffer, column.values.byteOffset, 2 * column.rows);
  const values = new Float64Array(column.rows);
  for (let i = 0; i < values.length; i++)
    values[i] = secondsOf(words[2 * i + 1]! * 4_294_967_296 + (words[2 * i]! >>> 0));
  return { values, nulls: column.nulls };
};

const ordinary = (numbers: { values: Numbers; nulls: Uint8Array | undefined }): unknown[] => {
  const { values, nulls } = numbers;
  const array = Array.from<unknown>(values as never);
  if (nulls !== undefined) for (let row = 0; row < array.length; row++) if (nulls[row] === 1) array[row] = null;
  return array;
};

/** Both forms of a function: for a plv8 that takes typed arrays as results, and for one that does not. */
const pair = (
  name: string,
  typed: string,
  plain: string,
  summary: string,
  numbers: (payload: Uint8Array) => { values: Numbers; nulls: Uint8Array | undefined } | null,
): [FunctionDeclaration, FunctionDeclaration] => [
  defineFunction({
    ...shared,
    name,
    returns: returnsScalar(typed),
    summary: `${summary}; twice as many elements where there are nulls, the second half says 1 for each.`,
    handler: (payload: Uint8Array): unknown => {
      const found = numbers(payload);
      return found === null ? null : withNulls(found.values, found.nulls);
    },
  }),
  defineFunction({
    ...shared,
    name: `${name}_plain`,
    returns: returnsScalar(plain),
    summary: `${summary}, as an ordinary array.`,
    handler: (payload: Uint8Array): unknown => {
      const found = numbers(payload);
      return found === null ? null : ordinary(found);
    },
  }),
];

const int4s = (payload: Uint8Array): { values: Numbers; nulls: Uint8Array | undefined } | null => {
  const column = ofKinds(payload, ['int4', 'bool', 'text']);
  return column.kind === 'text' ? null : numbersOf(column);
};

export const [decode_int4, decode_int4_plain] = pair(
  'decode_int4',
  'plv8_int4array',
  'integer[]',
  'The values of a payload of integers, days since 2000-01-01 or booleans; null where it holds text',
  int4s,
);
export const [decode_int8, decode_int8_plain] = pair(
  'decode_int8',
  'plv8_int8array',
  'bigint[]',
  'The values of a payload of bigints',
  (payload) => decoded(payload, 'int8'),
);
export const [decode_float4, decode_float4_plain] = pair(
  'decode_float4',
  'plv8_float4array',
  'real[]',
  'The values of a payload of reals',
  (payload) => decoded(payload, 'float4'),
);
export const [decode_float8, decode_float8_plain] = pair(
  'decode_float8',
  'plv8_float8array',
  'double precision[]',
  'The values of a payload of double precision',
  (payload) => decoded(payload, 'float8'),
);
export const [decode_time, decode_time_plain] = pair(
  'decode_time',
  'plv8_float8array',
  'double precision[]',
  'The values of a payload of timestamps in seconds since 1970-01-01; null where it holds text',
  timesOf,
);

export const decode_text = defineFunction({
  ...shared,
  name: 'decode_text',
  returns: returnsScalar('text[]'),
  summary: 'The values of a payload as text; null where it holds something else.',
  handler: (payload: Uint8Array): unknown => {
    const column = decode(payload);
    return column.kind === 'text' || column.kind === 'uuid' ? column.values : null;
  },
});

export const decode_bytes = defineFunction({
  ...shared,
  name: 'decode_bytes',
  returns: returnsScalar('bytea[]'),
  summary: 'The values of a payload of bytea.',
  handler: (payload: Uint8Array): unknown => toArray(decoded(payload, 'bytes')),
});

export const typed_array_probe = defineFunction({
  schema: '_tessera_functions',
  name: 'typed_array_probe',
  args: [],
  returns: returnsScalar('plv8_float8array'),
  volatility: 'immutable',
  summary: 'A typed array with one element; fails where plv8 does not make an array of it.',
  privileges: 'anybody',
  handler: (): unknown => Float64Array.of(1.5),
});

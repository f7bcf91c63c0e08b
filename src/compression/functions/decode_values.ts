import { defineFunction, returnsScalar, type FunctionDeclaration } from '../../udf/define-function.ts';
import type { Column } from '../codec/column.ts';
import { CorruptPayload } from '../codec/corrupt-payload.ts';
import { decode } from '../codec/decode.ts';
import { toArray } from '../codec/rows.ts';
import { secondsOf } from '../segment/time-values.ts';

const shared = {
  schema: '_tessera_functions',
  args: [{ name: 'payload', type: 'bytea', doc: 'a payload; null gives null' }],
  volatility: 'immutable',
  strict: true,
  parallelSafe: true,
  privileges: 'anybody',
  errors: 'XX001 the payload is corrupt',
} as const;

interface Numbers {
  readonly values: Int32Array | Float32Array | Float64Array | BigInt64Array;
  readonly nulls: Uint8Array | undefined;
}

const misfit = (column: Column): CorruptPayload => new CorruptPayload(`values of kind ${column.kind} in this column`);

const decoded = <K extends Column['kind']>(payload: Uint8Array, kind: K): Extract<Column, { kind: K }> => {
  const column = decode(payload);
  if (column.kind !== kind) throw misfit(column);
  return column as Extract<Column, { kind: K }>;
};

const numbersOf = (column: Column): Numbers => {
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
const timesOf = (payload: Uint8Array): Numbers | null => {
  const column = ofKinds(payload, ['int8', 'text']);
  if (column.kind !== 'int8') return null;
  const words = new Int32Array(column.values.buffer, column.values.byteOffset, 2 * column.rows);
  const values = new Float64Array(column.rows);
  for (let i = 0; i < values.length; i++)
    values[i] = secondsOf(words[2 * i + 1]! * 4_294_967_296 + (words[2 * i]! >>> 0));
  return { values, nulls: column.nulls };
};

/** Numbers where they are exact: they cross the border in two thirds of the time of a bigint. */
const int8Array = (values: BigInt64Array): (number | bigint)[] => {
  const words = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
  const array = new Array<number | bigint>(values.length);
  for (let i = 0; i < array.length; i++) {
    const high = words[2 * i + 1]!;
    array[i] = high >= -0x200000 && high < 0x200000 ? high * 4_294_967_296 + (words[2 * i]! >>> 0) : values[i]!;
  }
  return array;
};

const numberArray = (values: ArrayLike<number>): number[] => {
  const array = new Array<number>(values.length);
  for (let i = 0; i < array.length; i++) array[i] = values[i]!;
  return array;
};

/** An ordinary array: plv8 makes no array of a typed one. */
const ordinary = ({ values, nulls }: Numbers): unknown[] => {
  const array: unknown[] = values instanceof BigInt64Array ? int8Array(values) : numberArray(values);
  if (nulls !== undefined) for (let row = 0; row < array.length; row++) if (nulls[row] === 1) array[row] = null;
  return array;
};

const decoder = (
  name: string,
  returns: string,
  summary: string,
  numbers: (payload: Uint8Array) => Numbers | null,
): FunctionDeclaration =>
  defineFunction({
    ...shared,
    name,
    returns: returnsScalar(returns),
    summary,
    handler: (payload: Uint8Array): unknown => {
      const found = numbers(payload);
      return found === null ? null : ordinary(found);
    },
  });

export const decode_int4_plain = decoder(
  'decode_int4_plain',
  'integer[]',
  'The values of a payload of integers, days since 2000-01-01 or booleans; null where it holds text.',
  (payload) => {
    const column = ofKinds(payload, ['int4', 'bool', 'text']);
    return column.kind === 'text' ? null : numbersOf(column);
  },
);
export const decode_int8_plain = decoder(
  'decode_int8_plain',
  'bigint[]',
  'The values of a payload of bigints.',
  (payload) => decoded(payload, 'int8'),
);
export const decode_float4_plain = decoder(
  'decode_float4_plain',
  'real[]',
  'The values of a payload of reals.',
  (payload) => decoded(payload, 'float4'),
);
export const decode_float8_plain = decoder(
  'decode_float8_plain',
  'double precision[]',
  'The values of a payload of double precision.',
  (payload) => decoded(payload, 'float8'),
);
export const decode_time_plain = decoder(
  'decode_time_plain',
  'double precision[]',
  'The values of a payload of timestamps in seconds since 1970-01-01; null where it holds text.',
  timesOf,
);

/** Up to here the number of microseconds since 1970 is exact in seconds, as to_timestamp() takes them. */
const MOST = 2 ** 51;

/** The value before the first and the step, where all steps are alike. */
const stepsOf = ({ values, nulls }: Numbers): number[] | null => {
  if (nulls !== undefined) return null;
  const wide = values instanceof BigInt64Array;
  const at = (i: number): number => Number(values[i]);
  const [first, last] = [at(0), at(values.length - 1)];
  const step = values.length === 1 ? 0 : (last - first) / (values.length - 1);
  if (!Number.isInteger(step) || Math.abs(first) > MOST || Math.abs(last) > MOST) return null;
  if (!wide) {
    for (let i = 1; i < values.length; i++) if (at(i) !== first + step * i) return null;
    return [first - step, step];
  }
  const words = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
  for (let i = 1; i < values.length; i++)
    if (words[2 * i + 1]! * 4_294_967_296 + (words[2 * i]! >>> 0) !== first + step * i) return null;
  return [first - step, step];
};

export const decode_steps = defineFunction({
  ...shared,
  name: 'decode_steps',
  returns: returnsScalar('double precision[]'),
  summary:
    'For a payload of integers, days or microseconds that go by equal steps: the value before the first, and the step; else null.',
  handler: (payload: Uint8Array): unknown => {
    const column = decode(payload);
    return column.kind === 'int4' || column.kind === 'int8' ? stepsOf(numbersOf(column)) : null;
  },
});

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

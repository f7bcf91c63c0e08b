import type { Codec } from './encode.ts';

/** What decides about the codec of a column; of a domain, its base type. */
export interface ColumnType {
  /** As format_type() prints it without a modifier and with search_path = pg_catalog, so a user's type has a schema. */
  readonly name: string;
  /** The type has an equality operator and a hash function of its own, as dictionaries need them upstream. */
  readonly hashable: boolean;
}

const BY_NAME: ReadonlyMap<string, Codec> = new Map([
  ['smallint', { kind: 'int4', algorithm: 'delta-delta' }],
  ['integer', { kind: 'int4', algorithm: 'delta-delta' }],
  ['date', { kind: 'int4', algorithm: 'delta-delta' }],
  ['bigint', { kind: 'int8', algorithm: 'delta-delta' }],
  ['timestamp without time zone', { kind: 'int8', algorithm: 'delta-delta' }],
  ['timestamp with time zone', { kind: 'int8', algorithm: 'delta-delta' }],
  ['real', { kind: 'float4', algorithm: 'gorilla' }],
  ['double precision', { kind: 'float8', algorithm: 'gorilla' }],
  ['numeric', { kind: 'text', algorithm: 'decimal' }],
  ['boolean', { kind: 'bool', algorithm: 'boolean' }],
  ['uuid', { kind: 'uuid', algorithm: 'dictionary' }],
  ['bytea', { kind: 'bytes', algorithm: 'dictionary' }],
]);

/**
 * Which type gets which algorithm, as TimescaleDB has it, but for decimals: where all values of a segment are such, they
 * replace Gorilla and, for numeric, the array. Any other type travels as the text of its output function.
 */
export const chooseAlgorithm = (type: ColumnType): Codec =>
  BY_NAME.get(type.name) ?? { kind: 'text', algorithm: type.hashable ? 'dictionary' : 'array' };

/** How a value looks in JavaScript: int8 also carries timestamps in microseconds, int4 also int2 and dates in days. */
export type ValueKind = 'int4' | 'int8' | 'float4' | 'float8' | 'bool' | 'text' | 'bytes' | 'uuid';

interface ValuesByKind {
  readonly int4: Int32Array;
  readonly int8: BigInt64Array;
  readonly float4: Float32Array;
  readonly float8: Float64Array;
  readonly bool: Uint8Array;
  readonly text: readonly (string | null)[];
  readonly bytes: readonly (Uint8Array | null)[];
  readonly uuid: readonly (string | null)[];
}

export interface ColumnOf<K extends ValueKind> {
  readonly kind: K;
  readonly rows: number;
  /** One entry a row; where a row is null, 0 in a typed array and null in an ordinary one. */
  readonly values: ValuesByKind[K];
  /** 1 where a row is null; undefined when none is. */
  readonly nulls: Uint8Array | undefined;
}

/** A segment of one column, decoded. */
export type Column = { [K in ValueKind]: ColumnOf<K> }[ValueKind];

export type Value = number | bigint | boolean | string | Uint8Array;

/** What may be given to be encoded: one entry a row. A number stands for an int8 only while it is exact. */
export type Rows = ArrayLike<Value | null | undefined>;

/** A segment holds 1000 rows; the bound is what a payload may claim before anything is allocated for it. */
export const MAX_ROWS = 65_536;

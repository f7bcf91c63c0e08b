import { maybeOne, one, warning } from '../../engine/spi.ts';
import { timeTypeOf, type TimeType } from '../../lib/internal-time.ts';
import { displayed, ident } from '../../lib/quote.ts';
import { readsInterval } from '../table/argument-text.ts';
import { chunkInterval, type GivenInterval } from './chunk-interval.ts';
import { badIntervalType, badPartitionCount, badTimeType, partitionFunction } from './failures.ts';
import type { Relation } from '../table/relation.ts';

/** An interval argument of any type, as its text and the name of its type. */
export const parseInterval = (text: string | null, typeName: string | null): GivenInterval => {
  if (text === null) return { kind: 'none' };
  const integerType = typeName === 'smallint' || typeName === 'integer' || typeName === 'bigint';
  if (integerType || (typeName === 'text' && /^\s*[+-]?\d+\s*$/.test(text)))
    return { kind: 'integer', value: BigInt(text.trim()) };
  if (typeName !== 'interval' && !(typeName === 'text' && readsInterval(text))) throw badIntervalType(text, typeName);
  const { microseconds } = one<{ microseconds: bigint }>(
    `select ((extract(year from i) * 12 + extract(month from i)) * 30 * 86400000000 + extract(day from i) * 86400000000
       + (extract(hour from i) * 3600000000 + extract(minute from i) * 60000000 + extract(microseconds from i)))::int8 as microseconds
     from (select $1::text::interval as i) s`,
    [text],
  );
  return { kind: 'interval', microseconds, text };
};

export interface DimensionInput {
  readonly column_name: string;
  readonly column_type: string;
  readonly aligned: boolean;
  readonly num_slices: number | null;
  readonly interval_length: bigint | null;
}

export const refusePartitionFunction = (table: Relation, column: string, name: string | null): void => {
  if (name === null || name === '-') return;
  const f = maybeOne<{ type: string }>(
    'select format_type(prorettype, null) as type from pg_proc where oid = to_regproc($1)',
    [name],
  );
  throw partitionFunction(displayed(table), name, `${name}(${ident(column)})`, f?.type ?? 'int');
};

export const rangeDimension = (
  table: Relation,
  column: string,
  formattedType: string,
  text: string | null,
  typeName: string | null,
): DimensionInput & { type: TimeType } => {
  const type = timeTypeOf(formattedType);
  if (type === undefined) throw badTimeType(displayed(table), column, formattedType);
  const interval = chunkInterval(parseInterval(text, typeName), type);
  if (interval.warning !== undefined) warning(`${interval.warning.message}. ${interval.warning.hint}`);
  return {
    column_name: column,
    column_type: formattedType,
    aligned: true,
    num_slices: null,
    interval_length: interval.length,
    type,
  };
};

export const hashDimension = (column: string, formattedType: string, partitions: number | null): DimensionInput => {
  if (partitions === null || partitions < 1 || partitions > 32_767) throw badPartitionCount(partitions);
  return {
    column_name: column,
    column_type: formattedType,
    aligned: false,
    num_slices: partitions,
    interval_length: null,
  };
};

import { ident, literal } from '../../lib/quote.ts';
import {
  CALENDAR_END,
  formatInternal,
  isIntegerTime,
  MINUS_INFINITY,
  PLUS_INFINITY,
  type TimeType,
} from '../../lib/internal-time.ts';
import type { Slice } from '../../catalog/dimension-slice.ts';

export const SQL_TYPES: Readonly<Record<TimeType, string>> = {
  timestamptz: 'timestamp with time zone',
  timestamp: 'timestamp without time zone',
  date: 'date',
  int2: 'smallint',
  int4: 'integer',
  int8: 'bigint',
};

export const typedLiteral = (value: bigint, type: TimeType): string =>
  `${literal(formatInternal(value, type))}::${SQL_TYPES[type]}`;

/** SQL for the internal time of an expression of the type. */
export const internalSql = (expression: string, type: TimeType): string => {
  if (isIntegerTime(type)) return `${expression}::int8`;
  if (type === 'date') return `(${expression} - '1970-01-01'::date)::int8 * 86400000000`;
  return `(extract(epoch from ${expression}) * 1000000)::int8`;
};

/** SQL condition: the value has an internal time. Infinity and the last centuries of the calendar have none. */
export const placeableSql = (expression: string, type: TimeType): string =>
  isIntegerTime(type)
    ? 'true'
    : `(${expression} > '-infinity'::${SQL_TYPES[type]} and ${expression} < ${literal(CALENDAR_END)}::${SQL_TYPES[type]})`;

/** SQL condition: the column is inside the slice. */
export const insideSql = (column: string, slice: Slice, type: TimeType): string => {
  const parts: string[] = [];
  if (slice.start !== MINUS_INFINITY) parts.push(`${ident(column)} >= ${typedLiteral(slice.start, type)}`);
  if (slice.end !== PLUS_INFINITY) parts.push(`${ident(column)} < ${typedLiteral(slice.end, type)}`);
  return parts.length === 0 ? 'true' : parts.join(' and ');
};

/** The bounds clause of a range partition. */
export const boundsSql = (slice: Slice, type: TimeType): string => {
  const from = slice.start === MINUS_INFINITY ? 'minvalue' : literal(formatInternal(slice.start, type));
  const to = slice.end === PLUS_INFINITY ? 'maxvalue' : literal(formatInternal(slice.end, type));
  return `for values from (${from}) to (${to})`;
};

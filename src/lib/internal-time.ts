/**
 * Internal time: int8 microseconds since 1970-01-01 00:00 UTC for timestamptz, timestamp and date, the number itself
 * for integers. The ends of int8 stand for minus and plus infinity.
 */
export type TimeType = 'timestamptz' | 'timestamp' | 'date' | 'int2' | 'int4' | 'int8';

export const MINUS_INFINITY = -(2n ** 63n);
export const PLUS_INFINITY = 2n ** 63n - 1n;

export const MICROSECONDS_PER_SECOND = 1_000_000n;
export const MICROSECONDS_PER_DAY = 86_400_000_000n;

const TYPE_NAMES: Readonly<Record<string, TimeType>> = {
  'timestamp with time zone': 'timestamptz',
  'timestamp without time zone': 'timestamp',
  date: 'date',
  smallint: 'int2',
  integer: 'int4',
  bigint: 'int8',
};

/** From the name format_type() gives; undefined for a type that cannot be a time dimension. */
export const timeTypeOf = (formatted: string): TimeType | undefined =>
  TYPE_NAMES[formatted.replace(/^timestamp\(\d\)/, 'timestamp')];

/** Names of the types that integer time is given in. */
export const INTEGERS: readonly string[] = ['smallint', 'integer', 'bigint'];

export const isIntegerTime = (type: TimeType): boolean => type === 'int2' || type === 'int4' || type === 'int8';

/** The largest internal value of the type; int8 ends before the calendar types do, in the year 294247. */
export const maximumOf = (type: TimeType): bigint => {
  switch (type) {
    case 'int2':
      return 32_767n;
    case 'int4':
      return 2_147_483_647n;
    case 'int8':
      return PLUS_INFINITY - 1n;
    default:
      return PLUS_INFINITY - 1n;
  }
};

/** The smallest internal value of the type; 4714-11-24 BC for the calendar types. */
export const minimumOf = (type: TimeType): bigint => {
  switch (type) {
    case 'int2':
      return -32_768n;
    case 'int4':
      return -2_147_483_648n;
    case 'int8':
      return MINUS_INFINITY + 1n;
    default:
      return -210_866_803_200_000_000n;
  }
};

/** The first calendar value that has no internal time. */
export const CALENDAR_END = '294247-01-01';

const floorDivide = (a: bigint, b: bigint): bigint => {
  const quotient = a / b;
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient;
};

/**
 * Proleptic Gregorian date of a day number counted from 1970-01-01, in exact integers over the whole range of
 * PostgreSQL (Hinnant, "chrono-Compatible Low-Level Date Algorithms", 2014).
 */
const civilFromDays = (days: bigint): { year: bigint; month: bigint; day: bigint } => {
  const z = days + 719_468n;
  const era = floorDivide(z, 146_097n);
  const dayOfEra = z - era * 146_097n;
  const yearOfEra = (dayOfEra - dayOfEra / 1460n + dayOfEra / 36_524n - dayOfEra / 146_096n) / 365n;
  const dayOfYear = dayOfEra - (365n * yearOfEra + yearOfEra / 4n - yearOfEra / 100n);
  const shifted = (5n * dayOfYear + 2n) / 153n;
  const day = dayOfYear - (153n * shifted + 2n) / 5n + 1n;
  const month = shifted < 10n ? shifted + 3n : shifted - 9n;
  return { year: yearOfEra + era * 400n + (month <= 2n ? 1n : 0n), month, day };
};

const pad = (value: bigint, width: number): string => value.toString().padStart(width, '0');

/** Text that PostgreSQL reads back as the same value, for any DateStyle and TimeZone. */
export const formatInternal = (value: bigint, type: TimeType): string => {
  if (isIntegerTime(type)) return value.toString();
  if (value === MINUS_INFINITY) return '-infinity';
  if (value === PLUS_INFINITY) return 'infinity';
  const days = floorDivide(value, MICROSECONDS_PER_DAY);
  const { year, month, day } = civilFromDays(days);
  const era = year <= 0n ? ' BC' : '';
  const date = `${pad(year <= 0n ? 1n - year : year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
  if (type === 'date') return date + era;
  const rest = value - days * MICROSECONDS_PER_DAY;
  const seconds = rest / MICROSECONDS_PER_SECOND;
  const fraction = rest % MICROSECONDS_PER_SECOND;
  const clock = `${pad(seconds / 3600n, 2)}:${pad((seconds / 60n) % 60n, 2)}:${pad(seconds % 60n, 2)}`;
  const micros = fraction === 0n ? '' : `.${pad(fraction, 6)}`;
  return `${date} ${clock}${micros}${type === 'timestamptz' ? '+00' : ''}${era}`;
};

/** Half-open range of internal time. */
export interface Range {
  readonly start: bigint;
  readonly end: bigint;
}

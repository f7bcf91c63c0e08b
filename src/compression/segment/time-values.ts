import type { Rows, ValueKind } from '../codec/column.ts';

/**
 * Timestamps are read back by to_timestamp(double precision), the cheapest way from a number to a timestamptz, from
 * seconds since 1970. Near enough to today that is exact to the microsecond; whether it is, each value is asked when it
 * is encoded. Segments with other values, infinities among them, hold text, and so do dates that are infinite.
 */
const DAY = 86_400_000_000n;
const EPOCH_SECONDS = 946_684_800;

/** Seconds since 1970 of microseconds since 2000; what PostgreSQL makes of them is in isExact(). */
export const secondsOf = (microseconds: number): number => microseconds / 1_000_000 + EPOCH_SECONDS;

const isExact = (microseconds: number): boolean =>
  Math.round((secondsOf(microseconds) - EPOCH_SECONDS) * 1_000_000) === microseconds;

const isFar = (value: number | bigint, kind: ValueKind): boolean =>
  kind === 'int4'
    ? value === 2_147_483_647 || value === -2_147_483_648
    : !(typeof value === 'number' || (value < 2n ** 53n && value > -(2n ** 53n))) || !isExact(Number(value));

const pad = (value: number | bigint, width: number): string => String(value).padStart(width, '0');

/**
 * Proleptic Gregorian calendar from a day number, days since 2000-01-01. H. F. Fliegel and T. C. Van Flandern,
 * "A machine algorithm for processing calendar dates", CACM 11(10), 1968.
 */
const dateOf = (day: number): string => {
  const julian = day + 2_451_545;
  let l = julian + 68_569;
  const n = Math.floor((4 * l) / 146_097);
  l -= Math.floor((146_097 * n + 3) / 4);
  const i = Math.floor((4000 * (l + 1)) / 1_461_001);
  l = l - Math.floor((1461 * i) / 4) + 31;
  const j = Math.floor((80 * l) / 2447);
  const dayOfMonth = l - Math.floor((2447 * j) / 80);
  l = Math.floor(j / 11);
  const month = j + 2 - 12 * l;
  const year = 100 * (n - 49) + i + l;
  const [shown, era] = year > 0 ? [year, ''] : [1 - year, ' BC'];
  return `${pad(shown, 4)}-${pad(month, 2)}-${pad(dayOfMonth, 2)}${era}`;
};

const withTime = (date: string, microseconds: bigint): string => {
  const seconds = microseconds / 1_000_000n;
  const clock = `${pad(seconds / 3600n, 2)}:${pad((seconds / 60n) % 60n, 2)}:${pad(seconds % 60n, 2)}.${pad(microseconds % 1_000_000n, 6)}`;
  // The offset counts for timestamptz and is ignored by timestamp.
  return date.endsWith(' BC') ? `${date.slice(0, -3)} ${clock}+00 BC` : `${date} ${clock}+00`;
};

const asText = (value: number | bigint, kind: ValueKind): string => {
  if (kind === 'int4') {
    if (value === 2_147_483_647) return 'infinity';
    return value === -2_147_483_648 ? '-infinity' : dateOf(Number(value));
  }
  const exact = BigInt(value);
  if (exact === 2n ** 63n - 1n) return 'infinity';
  if (exact === -(2n ** 63n)) return '-infinity';
  const rest = ((exact % DAY) + DAY) % DAY;
  return withTime(dateOf(Number((exact - rest) / DAY)), rest);
};

/** The values as text where one of them is far; undefined where all are near. */
export const sentAsTimes = (rows: Rows, kind: ValueKind): (string | null)[] | undefined => {
  const values = rows as ArrayLike<number | bigint | null>;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value !== null && value !== undefined && isFar(value, kind))
      return Array.from(values, (v) => (v === null ? null : asText(v, kind)));
  }
  return undefined;
};

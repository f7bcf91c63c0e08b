import {
  isIntegerTime,
  maximumOf,
  MICROSECONDS_PER_DAY,
  MICROSECONDS_PER_SECOND,
  type TimeType,
} from '../../lib/internal-time.ts';
import { badInterval } from './failures.ts';

/** What the user gave as an interval: an integer, or an interval of so many microseconds (a month counts 30 days). */
export type GivenInterval =
  | { readonly kind: 'none' }
  | { readonly kind: 'integer'; readonly value: bigint }
  | { readonly kind: 'interval'; readonly microseconds: bigint; readonly text: string };

const DEFAULTS: Readonly<Record<TimeType, bigint>> = {
  timestamptz: 7n * MICROSECONDS_PER_DAY,
  timestamp: 7n * MICROSECONDS_PER_DAY,
  date: 7n * MICROSECONDS_PER_DAY,
  int2: 10_000n,
  int4: 100_000n,
  int8: 1_000_000n,
};

const WITH_UNIT = `Give an interval with its unit, such as interval '7 days'; an integer is in microseconds.`;

export interface ChunkInterval {
  readonly length: bigint;
  readonly warning?: { readonly message: string; readonly hint: string };
}

/** The chunk interval in internal time; 22023 where the value does not suit the type of the column. */
export const chunkInterval = (given: GivenInterval, type: TimeType): ChunkInterval => {
  if (given.kind === 'none') return { length: DEFAULTS[type] };
  if (isIntegerTime(type)) {
    if (given.kind === 'interval')
      throw badInterval(
        'an integer time column needs an integer chunk interval',
        given.text,
        'Give the interval in the units of the column.',
      );
    if (given.value < 1n || given.value > maximumOf(type))
      throw badInterval(
        `chunk interval must be between 1 and ${maximumOf(type)}`,
        given.value.toString(),
        'Give the interval in the units of the column.',
      );
    return { length: given.value };
  }
  const length = given.kind === 'integer' ? given.value : given.microseconds;
  const text = given.kind === 'integer' ? `${given.value} microseconds` : given.text;
  if (length <= 0n) throw badInterval('chunk interval must be greater than zero', text, WITH_UNIT);
  if (type === 'date' && length % MICROSECONDS_PER_DAY !== 0n)
    throw badInterval('chunk interval of a date column must be a multiple of one day', text, WITH_UNIT);
  if (length < MICROSECONDS_PER_SECOND)
    return {
      length,
      warning: {
        message: 'chunk interval is shorter than one second',
        hint: 'An integer interval is in microseconds.',
      },
    };
  return { length };
};

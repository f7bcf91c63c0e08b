import { one } from '../../engine/spi.ts';
import { readsInterval, SQL_TYPES } from '../../hypertable/index.ts';
import { INTEGERS, isIntegerTime, maximumOf, minimumOf, type TimeType } from '../../lib/internal-time.ts';
import { badLagType, lagOutOfRange } from './failures.ts';

/** A length of time that a user gave, in internal time; months count 30 days. */
export const parseLength = (name: string, text: string | null, given: string, type: TimeType): bigint | null => {
  if (text === null) return null;
  if (isIntegerTime(type)) {
    if (!INTEGERS.includes(given) && !(given === 'text' && /^\s*[+-]?\d+\s*$/.test(text)))
      throw badLagType(name, given, 'an integer');
    const value = BigInt(text.trim());
    if (value > maximumOf(type) || value < minimumOf(type)) throw lagOutOfRange(name, text, SQL_TYPES[type]);
    return value;
  }
  if (given !== 'interval' && !(given === 'text' && readsInterval(text))) throw badLagType(name, given, 'an interval');
  return one<{ value: bigint }>('select (extract(epoch from $1::text::interval) * 1000000)::int8 as value', [text])
    .value;
};

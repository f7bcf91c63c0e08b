import type { Hypertable } from '../../catalog/hypertable.ts';
import { hasSqlState, one, query, subtransaction } from '../../engine/spi.ts';
import { INTEGERS, isIntegerTime, maximumOf, minimumOf } from '../../lib/internal-time.ts';
import { ident } from '../../lib/quote.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';
import { reads, readsInterval } from '../table/argument-text.ts';
import { toInternal } from '../dimension/chunk-bounds.ts';
import { timeDimension } from '../dimension/dimensions.ts';
import { ageNeverReached, badLag, lagOverflow, noIntegerNow } from './failures.ts';

/** An age as a policy keeps it: an interval as text, or an integer in units of the column. */
export type Lag = string | number;

/** Checks an age that a user gave for a policy against the type of the time column. */
export const parseLag = (h: Hypertable, argument: string, text: string, type: string): Lag => {
  const time = timeDimension(h);
  if (isIntegerTime(time.type)) {
    if (!INTEGERS.includes(type) && !(type === 'text' && reads(text, 'bigint')))
      throw badLag(argument, type, 'an integer', 'The time column is an integer, so its ages are integers.');
    requireIntegerNow(h);
    const value = BigInt(text.trim());
    return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : text.trim();
  }
  if (type !== 'interval' && !(type === 'text' && readsInterval(text)))
    throw badLag(argument, type, 'an interval', `Give an interval, such as interval '7 days'.`);
  return one<{ text: string }>('select $1::text::interval::text as text', [text]).text;
};

interface Clock {
  readonly schema: string | null;
  readonly name: string | null;
  /** Of the hypertable it was looked for at, quoted. */
  readonly table: string;
}

/** Results of a continuous aggregate have the time of what it reads, down to the hypertable of the user. */
const clocks = (h: Hypertable): readonly Clock[] =>
  query<Clock>(
    `with recursive up(id, depth) as (
       select $1::int, 0
       union all
       select coalesce(a.parent_mat_hypertable_id, a.raw_hypertable_id), depth + 1 from up join _tessera_catalog.continuous_agg a on a.mat_hypertable_id = up.id)
     select d.integer_now_func_schema as schema, d.integer_now_func as name, h.relid::regclass::text as table
     from up join _tessera_catalog.hypertable h on h.id = up.id
     join _tessera_catalog.dimension d on d.hypertable_id = h.id and d.interval_length is not null
     order by depth`,
    [h.id],
  );

const callOf = ({ schema, name }: Clock): string | undefined =>
  schema === null || name === null ? undefined : `${ident(schema)}.${ident(name)}()`;

/** A call of the integer_now function; results of a continuous aggregate have that of what it reads, unless they have their own. */
export const requireIntegerNow = (h: Hypertable): string => {
  const found = clocks(h);
  const call = found.map(callOf).find((c) => c !== undefined);
  if (call === undefined) throw noIntegerNow(found.at(-1)?.table ?? h.table_name);
  return call;
};

/** The present moment in internal time; for an integer column what the user's function says. */
export const internalNow = (h: Hypertable): bigint => {
  const { type } = timeDimension(h);
  return isIntegerTime(type)
    ? one<{ now: bigint }>(`select ${requireIntegerNow(h)}::int8 as now`).now
    : toInternal('0', 'interval', type);
};

/** The moment that is so old now. */
export const lagBound = (h: Hypertable, lag: Lag): bigint => {
  const { type } = timeDimension(h);
  if (!isIntegerTime(type)) return toInternal(String(lag), 'interval', type);
  const bound = internalNow(h) - BigInt(lag);
  if (bound < minimumOf(type)) throw lagOverflow(String(lag));
  return bound;
};

/** Refuses an age that no row can ever have: each run of its policy would fail. */
export const requireReachable = (h: Hypertable, argument: string, lag: Lag): void => {
  const { type } = timeDimension(h);
  if (isIntegerTime(type)) {
    if (BigInt(lag) > maximumOf(type) - minimumOf(type)) throw ageNeverReached(argument, String(lag));
    return;
  }
  requireCalendar(argument, String(lag), () => lagBound(h, lag));
};

/** The same for the age of a chunk. */
export const requireReachableCreation = (argument: string, age: string): void =>
  requireCalendar(argument, age, () => one('select now() - $1::text::interval', [age]));

const requireCalendar = (argument: string, age: string, moment: () => unknown): void => {
  try {
    subtransaction(moment);
  } catch (e) {
    if (!hasSqlState(e, SQLSTATE.datetimeFieldOverflow, SQLSTATE.intervalFieldOverflow)) throw e;
    throw ageNeverReached(argument, age);
  }
};

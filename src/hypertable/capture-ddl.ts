import { isIntegerTime, MICROSECONDS_PER_DAY, MICROSECONDS_PER_SECOND, type TimeType } from '../lib/internal-time.ts';
import { ident, literal, qualified, type RelationName } from '../lib/quote.ts';

/** A table whose changes are noted, and the times of its rows. */
export interface CapturedTable {
  readonly table: RelationName;
  readonly hypertableId: number;
  /** Of the chunk; 0 for the default partition. */
  readonly chunkId: number;
  /** What of a compressed chunk it is; a chunk that is a heap becomes the tail, and stays what it is. */
  readonly part: 'heap' | 'residue' | 'segments';
  readonly column: string;
  readonly type: TimeType;
}

const PART = { heap: '', residue: 'r', segments: 's' } as const;

/** By which the settings and the triggers of a table are told from those of others. */
export const captureKey = (t: Pick<CapturedTable, 'hypertableId' | 'chunkId' | 'part'>): string =>
  `${t.hypertableId}_${t.chunkId}${PART[t.part]}`;

/** What one step of the noted range is in internal time: a second, a day, or one. */
export const captureUnit = (type: TimeType): bigint =>
  isIntegerTime(type) ? 1n : type === 'date' ? MICROSECONDS_PER_DAY : MICROSECONDS_PER_SECOND;

const EVENTS = ['insert', 'update', 'delete'] as const;
type RowEvent = (typeof EVENTS)[number];

export const captureTriggers = (key: string): string[] => EVENTS.map((event) => `tessera_capture_${key}_${event}`);

/** Setting of one end of the range a transaction has noted; whatever lies inside needs no further look. */
export const rangeSettings = (key: string): { readonly low: string; readonly high: string } => ({
  low: `tessera.lo_${key}`,
  high: `tessera.hi_${key}`,
});

const setting = (name: string): string => `nullif(pg_catalog.current_setting(${literal(name)}, true), '')`;

/**
 * SQL condition: the time is outside of what was noted. Runs once a row. Seconds as float8 take a third of the time that
 * comparing with a timestamptz read from text does; a date may be one that has no timestamp, so it stays a date.
 */
const outside = (time: string, key: string, type: TimeType): string => {
  const { low, high } = rangeSettings(key);
  if (isIntegerTime(type))
    return `(${time} >= coalesce(${setting(low)}::int8, 0) and ${time} < coalesce(${setting(high)}::int8, 0)) is not true`;
  if (type === 'date') {
    const day = (name: string): string => `date '1970-01-01' + coalesce(${setting(name)}::int4, 0)`;
    return `(${time} >= ${day(low)} and ${time} < ${day(high)}) is not true`;
  }
  const bound = (name: string, otherwise: string): string => `coalesce(${setting(name)}::int8, ${otherwise})`;
  return `pg_catalog.width_bucket(pg_catalog.date_part('epoch', ${time}), ${bound(low, '1000000000000000')}, ${bound(high, '2000000000000000')}, 1) <> 1`;
};

/** The time in units, for times that none of them can hold as well. */
const inUnits = (time: string, type: TimeType): string => {
  if (isIntegerTime(type)) return `(${time})::int8`;
  if (type === 'date')
    return `(case when pg_catalog.isfinite(${time}) then ${time} - date '1970-01-01' when ${time} > date '1970-01-01' then 2147483647 else -2147483648 end)::int8`;
  return `pg_catalog.floor(least(greatest(pg_catalog.date_part('epoch', ${time}), -10000000000000), 10000000000000))::int8`;
};

/** SQL condition of a trigger: the row has a time that was not noted, and nothing was due before. */
const notes = (t: CapturedTable, event: RowEvent): string => {
  const key = captureKey(t);
  const [old, now] = [`old.${ident(t.column)}`, `new.${ident(t.column)}`];
  const seen = event === 'delete' ? old : now;
  const note = (low: string, high: string): string =>
    `_tessera_functions.note_change(${t.hypertableId}, ${literal(key)}, ${captureUnit(t.type)}, ${low}, ${high})`;
  if (event !== 'update') {
    const value = inUnits(seen, t.type);
    return `${outside(seen, key, t.type)} and ${note(value, value)}`;
  }
  return `(${outside(now, key, t.type)} or (${old} <> ${now} and ${outside(old, key, t.type)}))
    and ${note(inUnits(`least(${old}, ${now})`, t.type), inUnits(`greatest(${old}, ${now})`, t.type))}`;
};

/**
 * Changes are noted while they are made and logged at commit. The log depends on what is materialized by then, and a
 * row above that costs no entry. Replicated rows count too.
 */
export const captureDdl = (t: CapturedTable): string[] => {
  const key = captureKey(t);
  const names = captureTriggers(key);
  const args = `${literal(String(t.hypertableId))}, ${literal(key)}, ${literal(captureUnit(t.type).toString())}`;
  const rows = EVENTS.map(
    (event, n) =>
      `create constraint trigger ${ident(names[n] ?? '')} after ${event} on ${qualified(t.table)}
       deferrable initially deferred for each row when (${notes(t, event)})
       execute function _tessera_functions.log_changes(${args})`,
  );
  const emptied = ident(`tessera_capture_${key}_truncate`);
  return [
    ...rows,
    `create trigger ${emptied} before truncate on ${qualified(t.table)} for each statement
     when (pg_catalog.current_setting('tessera.maintenance', true) is distinct from 'on')
     execute function _tessera_functions.log_truncate(${args}, ${literal(String(t.chunkId))})`,
    `alter table ${qualified(t.table)} ${[...names.map(ident), emptied].map((name) => `enable always trigger ${name}`).join(', ')}`,
  ];
};

import {
  isIntegerTime,
  MICROSECONDS_PER_DAY,
  MICROSECONDS_PER_SECOND,
  type TimeType,
} from '../../lib/internal-time.ts';
import { ident, identList, literal, qualified, type RelationName } from '../../lib/quote.ts';
import type { PartNames } from '../table/partition-ddl.ts';

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

/**
 * SQL of the time from which on rows need no note. PostgreSQL makes a constant of it once a statement and table, so that
 * a row costs one comparison.
 */
const unnotedFrom = (t: CapturedTable): string =>
  `_tessera_functions.unnoted_${isIntegerTime(t.type) ? 'number' : t.type}(${t.hypertableId})`;

/** SQL call that notes times and says whether nothing was due before. */
const note = (t: CapturedTable, from: string, to: string): string =>
  `_tessera_functions.${t.part === 'heap' ? 'note_change' : 'note_compressed_change'}(${t.hypertableId}, ${literal(captureKey(t))}, ${captureUnit(t.type)}, ${from}, ${to})`;

/** PostgreSQL reads a condition from text once a statement and table, so that its length is what one row costs. */
const notes = (t: CapturedTable, event: RowEvent): string => {
  const [old, now] = [`old.${ident(t.column)}`, `new.${ident(t.column)}`];
  const [first, last] =
    event === 'update'
      ? [`least(${old}, ${now})`, `greatest(${old}, ${now})`]
      : event === 'delete'
        ? [old, old]
        : [now, now];
  return `(${first} >= ${unnotedFrom(t)}) is not true and ${note(t, first, last)}`;
};

const logArguments = (t: Pick<CapturedTable, 'hypertableId' | 'type'>, key: string): string =>
  `${literal(String(t.hypertableId))}, ${literal(key)}, ${literal(captureUnit(t.type).toString())}`;

const isOff = (name: string): string => `pg_catalog.current_setting(${literal(name)}, true) is distinct from 'on'`;

const rowTrigger = (t: CapturedTable, event: RowEvent, of: string, when: string): string =>
  `create constraint trigger ${ident(`tessera_capture_${captureKey(t)}_${event}`)} after ${event}${of} on ${qualified(t.table)}
   deferrable initially deferred for each row when (${when})
   execute function _tessera_functions.log_changes(${logArguments(t, captureKey(t))})`;

const enableAlways = (t: CapturedTable, events: readonly string[]): string =>
  `alter table ${qualified(t.table)} ${events
    .map((event) => `enable always trigger ${ident(`tessera_capture_${captureKey(t)}_${event}`)}`)
    .join(', ')}`;

/**
 * Changes of what may be materialized are noted while they are made and logged at commit. Replicated rows count too.
 */
export const captureDdl = (t: CapturedTable): string[] => [
  ...EVENTS.map((event) => rowTrigger(t, event, '', notes(t, event))),
  `create trigger ${ident(`tessera_capture_${captureKey(t)}_truncate`)} before truncate on ${qualified(t.table)} for each statement
   when (${isOff('tessera.maintenance')})
   execute function _tessera_functions.log_truncate(${logArguments(t, captureKey(t))}, ${literal(String(t.chunkId))})`,
  enableAlways(t, [...EVENTS, 'truncate']),
];

/**
 * Compressed rows change in the residue: by the loopback connection, where they are noted for the client to read back,
 * or by a foreign key, in the session that cascades. Row triggers on the foreign table would cost 15 times as much, for
 * want of direct modification. Rows of a segment that is taken apart stay what they were.
 */
export const captureResidueDdl = (t: CapturedTable): string[] => {
  const when = (event: RowEvent): string => {
    const time = `${event === 'insert' ? 'new' : 'old'}.${ident(t.column)}`;
    // Rows come here one statement each, so that what counts is how long a condition is to be read.
    return `${isOff(event === 'insert' ? 'tessera.taking_apart' : 'tessera.maintenance')} and ${note(t, time, time)}`;
  };
  return [...EVENTS.map((event) => rowTrigger(t, event, '', when(event))), enableAlways(t, EVENTS)];
};

/** A foreign key cascades to whole segments; what they hold is known as times of the chunk. */
export const captureSegmentsDdl = (
  t: CapturedTable,
  range: { readonly from: string; readonly to: string },
  segmentBy: readonly string[],
): string[] => {
  const when = `${isOff('tessera.maintenance')} and ${note(t, range.from, range.to)}`;
  const update = segmentBy.length === 0 ? [] : [rowTrigger(t, 'update', ` of ${identList(segmentBy)}`, when)];
  return [
    rowTrigger(t, 'delete', '', when),
    ...update,
    enableAlways(t, ['delete', ...(update.length === 0 ? [] : ['update'])]),
  ];
};

/** What the loopback connection noted and the client has not read yet is kept under this key. */
const readBackKey = (hypertableId: number): string => `${hypertableId}_c`;

/**
 * On every table by whose name compressed rows are changed. The loopback connection holds a lock when it has noted
 * something, so that nothing is asked of it otherwise. The first trigger runs as the owner of the hypertable.
 */
export const readBackDdl = (
  table: RelationName,
  h: { readonly hypertableId: number; readonly type: TimeType },
  parts: PartNames,
): string[] => {
  const lock = `1414725655, pg_catalog.pg_backend_pid()`;
  const when = `case when pg_catalog.pg_try_advisory_lock(${lock}) then not pg_catalog.pg_advisory_unlock(${lock}) else true end`;
  const key = readBackKey(h.hypertableId);
  const trigger = (name: string, action: string): string =>
    `create or replace trigger ${ident(`tessera_capture_${key}_${name}`)} after update or delete on ${qualified(table)}
     for each statement when (${when}) execute function ${action}`;
  return [
    trigger('1_read', `${qualified(parts.placeFunction)}('noted')`),
    trigger('2_log', `_tessera_functions.log_changes(${logArguments(h, key)})`),
  ];
};

/** What the loopback connection noted, read over that same connection. */
export const notedTableDdl = (parts: PartNames, server: string): string =>
  `create foreign table ${qualified(parts.noted)} (hypertable_id int, low int8, high int8) server ${ident(server)}
   options (schema_name '_tessera_functions', table_name 'noted_changes')`;

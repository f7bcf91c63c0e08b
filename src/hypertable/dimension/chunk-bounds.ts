import type { Hypertable } from '../../catalog/hypertable.ts';
import { one, query } from '../../engine/spi.ts';
import { INTEGERS, isIntegerTime, MINUS_INFINITY, PLUS_INFINITY, type TimeType } from '../../lib/internal-time.ts';
import { reads, readsInterval } from '../table/argument-text.ts';
import { timeDimension } from './dimensions.ts';
import { badBoundText, badBoundType, badCreationBound, boundsInverted, boundsMixed } from './failures.ts';
import { internalSql, SQL_TYPES } from '../table/time-sql.ts';

/** Arguments of show_chunks() and drop_chunks(): texts of one common type. */
export interface BoundArguments {
  readonly type: string;
  readonly older_than: string | null;
  readonly newer_than: string | null;
  readonly created_before: string | null;
  readonly created_after: string | null;
}

export interface ChunkBounds {
  readonly older: bigint | null;
  readonly newer: bigint | null;
  /** timestamptz as text, for chunk.creation_time */
  readonly before: string | null;
  readonly after: string | null;
}

const CALENDAR = ['timestamp with time zone', 'timestamp without time zone', 'date'];

const internalOf = (expression: string, params: readonly unknown[], type: TimeType): bigint => {
  const { value } = one<{ value: bigint }>(
    isIntegerTime(type)
      ? `select ${expression}::int8 as value`
      : `select case when isfinite(v) then ${internalSql('v', type)}
           when v > 'epoch' then ${PLUS_INFINITY}::int8 else '${MINUS_INFINITY}'::int8 end as value
         from (select ${expression} as v) s`,
    params,
  );
  return value;
};

const NOW: Readonly<Record<string, string>> = {
  timestamptz: 'now()',
  timestamp: 'localtimestamp',
  date: 'current_date',
};

/** A bound on the time dimension in internal time. */
export const toInternal = (text: string, given: string, type: TimeType): bigint => {
  const wanted = SQL_TYPES[type];
  if (isIntegerTime(type)) {
    if (INTEGERS.includes(given) || (given === 'text' && reads(text, 'bigint'))) return BigInt(text.trim());
    throw badBoundType(given, wanted, 'Give an integer, in the units of the column.');
  }
  const ago = (): bigint => internalOf(`(${NOW[type]} - $1::text::interval)::${wanted}`, [text], type);
  if (given === 'interval') return ago();
  if (CALENDAR.includes(given)) return internalOf(`$1::text::${given}::${wanted}`, [text], type);
  if (given !== 'text') throw badBoundType(given, wanted, 'Give an interval, or a value of the type of the column.');
  if (reads(text, wanted)) return internalOf(`$1::text::${wanted}`, [text], type);
  if (readsInterval(text)) return ago();
  throw badBoundText(text, wanted);
};

/** A bound on the time of creation. */
const creationBound = (text: string, given: string): string => {
  if (given === 'interval' || (given === 'text' && !reads(text, 'timestamptz') && readsInterval(text)))
    return one<{ value: string }>('select (now() - $1::text::interval)::text as value', [text]).value;
  if (given === 'text' ? reads(text, 'timestamptz') : CALENDAR.includes(given))
    return one<{ value: string }>('select $1::text::timestamptz::text as value', [text]).value;
  if (given === 'text') throw badBoundText(text, 'timestamp with time zone');
  throw badCreationBound(given);
};

export const resolveBounds = (h: Hypertable, a: BoundArguments): ChunkBounds => {
  const { type } = timeDimension(h);
  const byTime = a.older_than !== null || a.newer_than !== null;
  const byCreation = a.created_before !== null || a.created_after !== null;
  if (byTime && byCreation) throw boundsMixed();
  if (byTime && isIntegerTime(type) && (a.type === 'interval' || CALENDAR.includes(a.type)))
    throw badBoundType(
      a.type,
      SQL_TYPES[type],
      'Give an integer, in the units of the column. created_before and created_after go by when chunks were made.',
    );
  const bounds: ChunkBounds = {
    older: a.older_than === null ? null : toInternal(a.older_than, a.type, type),
    newer: a.newer_than === null ? null : toInternal(a.newer_than, a.type, type),
    before: a.created_before === null ? null : creationBound(a.created_before, a.type),
    after: a.created_after === null ? null : creationBound(a.created_after, a.type),
  };
  if (bounds.older !== null && bounds.newer !== null && bounds.older < bounds.newer) throw boundsInverted();
  return bounds;
};

export interface SelectedChunk {
  readonly id: number;
  readonly schema: string;
  readonly name: string;
  readonly oid: bigint;
}

/** Chunks wholly inside the bounds, by time and then by id. */
export const selectChunks = (h: Hypertable, b: ChunkBounds): SelectedChunk[] =>
  query<SelectedChunk>(
    `select c.id, c.schema_name as schema, c.table_name as name, c.relid::oid::int8 as oid
     from _tessera_catalog.chunk c
     join _tessera_catalog.chunk_constraint k on k.chunk_id = c.id
     join _tessera_catalog.dimension_slice s on s.id = k.dimension_slice_id and s.dimension_id = $2
     where c.hypertable_id = $1 and not c.dropped
       and ($3::int8 is null or s.range_end <= $3::int8) and ($4::int8 is null or s.range_start >= $4::int8)
       and ($5::text is null or c.creation_time < $5::timestamptz)
       and ($6::text is null or c.creation_time > $6::timestamptz)
     order by s.range_start, c.id`,
    [h.id, timeDimension(h).id, b.older, b.newer, b.before, b.after],
  );

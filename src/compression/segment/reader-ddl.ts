import { ident, literal, qualified, type RelationName } from '../../lib/quote.ts';
import { columnCodec, timeReading } from './column-codec.ts';
import type { TableColumn } from './read-columns.ts';
import type { SegmentsShape } from './segments-ddl.ts';

/** Where the times of a chunk lie, as SQL literals of the time column's type; null where there is no bound. */
export interface ChunkRange {
  readonly lower: string | null;
  readonly upper: string | null;
}

export interface ReaderParts {
  readonly reader: RelationName;
  readonly segments: RelationName;
  readonly residue: RelationName;
  readonly chunkId: number;
  readonly generation: bigint;
}

const ROW = 'generate_series(1, d._ts_meta_count)';
const LIVE = '(c._ts_meta_dead is null or not _tessera_functions.is_done_here(c._ts_meta_dead))';
const BORN = '_tessera_functions.is_done_here(c._ts_meta_born)';

const collated = (c: TableColumn): string => (c.collation === null ? '' : ` collate ${c.collation}`);

/**
 * Volatile, which keeps a subquery from being merged into the one around it: what it decodes is decoded once per segment, and only
 * what is asked for. Conditions pass through it, which OFFSET 0 stops, and so do parallel workers, which LATERAL stops.
 */
const ONCE = 'clock_timestamp() as _ts_once';

/** The rows of segments. */
const segmentRows = (segments: RelationName, s: SegmentsShape, slice: number | null): string => {
  const raw: string[] = ['c._ts_meta_count'];
  const decoded: string[] = ['e._ts_meta_count'];
  const kept: string[] = [];
  const values = s.columns.map((c, n) => {
    const name = ident(c.name);
    raw.push(`c.${name}`);
    if (s.settings.segmentBy.includes(c.name)) {
      decoded.push(`e.${name}`);
      kept.push(`d.${name}`);
      return `s.${name}`;
    }
    const reading = c.name === s.timeColumn ? timeReading(c, `e.${name}`, 'e._ts_steps') : undefined;
    if (reading !== undefined) raw.push(`_tessera_functions.decode_steps(c.${name}) as _ts_steps`);
    const codec = columnCodec(c);
    const parts = (reading?.decode ?? codec.decode(`e.${name}`)).map((sql, part) => {
      const alias = `_ts_${n}_${part}`;
      decoded.push(`${sql} as ${alias}`);
      if (reading === undefined) kept.push(`d.${alias}`);
      return alias;
    });
    if (reading === undefined) {
      const of = parts.map((alias) => `s.${alias}`);
      return `${codec.value(of, 's._ts_row')} as ${name}`;
    }
    // Beside the rows' numbers it is computed once a row, however many conditions there are on it.
    const of = parts.map((alias) => `d.${alias}`);
    kept.push(`${reading.value(of, ROW)} as ${name}`);
    return `s.${name}`;
  });
  const conditions = [...(slice === null ? [] : [`c._ts_meta_slice = ${slice}`]), LIVE];
  return `select ${values.join(', ')}
    from (select ${[...kept, `${ROW} as _ts_row`].join(', ')}
      from (select ${[...decoded, ONCE].join(', ')}
        from (select ${[...raw, ONCE].join(', ')}
          from ${qualified(segments)} c
          where ${conditions.join(' and ')}) e) d) s`;
};

const within = (s: SegmentsShape, lower: string | null, upper: string | null): string =>
  [
    ...(lower === null ? [] : [`r.${ident(s.timeColumn)} >= ${lower}`]),
    ...(upper === null ? [] : [`r.${ident(s.timeColumn)} < ${upper}`]),
  ].join(' and ');

/**
 * PostgreSQL looks for contradictions between what a query asks for and what is known only where something is one of
 * several (constraint_exclusion = partition). So a row that cannot be stands beside each slice.
 */
const sliceRows = (segments: RelationName, s: SegmentsShape, slice: number, range: ChunkRange): string => {
  const lower = s.bounds[slice - 1] ?? null;
  const upper = s.bounds[slice] ?? null;
  const outside = upper ?? s.bounds[slice - 2] ?? range.lower;
  const rows = segmentRows(segments, s, slice);
  const nobody = s.columns.map((c) => (c.name === s.timeColumn ? `${outside}` : `null::${c.type}${collated(c)}`));
  const apart = outside === null ? '' : ` union all select ${nobody.join(', ')}`;
  return `select * from (${rows}${apart}) r where ${within(s, lower, upper)}`;
};

/**
 * The compressed rows of a chunk, decoded by the session that reads them, for whoever may read the hypertable. It is a
 * security barrier, since it is readable for everybody: nothing of the reader's is run before it is known who he is.
 */
export const createReader = (v: ReaderParts, s: SegmentsShape, range: ChunkRange): string => {
  const slices =
    s.bounds.length === 0
      ? [segmentRows(v.segments, s, null)]
      : [...s.bounds, ''].map((_, slice) => sliceRows(v.segments, s, slice, range));
  const residue = `select ${s.columns.map((c) => `c.${ident(c.name)}`).join(', ')}
   from ${qualified(v.residue)} c where ${BORN} and ${LIVE}`;
  const conditions = [
    within(s, range.lower, range.upper),
    `(select _tessera_functions.may_read_chunk(${v.chunkId}, ${v.generation}, current_user))`,
  ].filter((c) => c !== '');
  return `create or replace view ${qualified(v.reader)} with (security_barrier) as
    select * from (${[...slices, residue].join('\n union all ')}) r
    where ${conditions.join(' and ')}`;
};

export const readerDdl = (v: ReaderParts, s: SegmentsShape, range: ChunkRange): string[] => [
  createReader(v, s, range),
  `grant select on ${qualified(v.reader)} to public`,
  `comment on view ${qualified(v.reader)} is ${literal('compressed rows of a chunk, for the views of schema tessera_read')}`,
];

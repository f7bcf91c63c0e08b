import { findHypertableById, type Hypertable } from '../../catalog/hypertable.ts';
import { maybeOne, one, query } from '../../engine/spi.ts';
import { MINUS_INFINITY, PLUS_INFINITY } from '../../lib/internal-time.ts';
import { displayed, qualified, type RelationName } from '../../lib/quote.ts';
import { findRelation, timeDimension, typedLiteral, type Relation } from '../../hypertable/index.ts';
import { notChunk, notEnabled, notOwner, nullChunk } from './failures.ts';
import { readTableColumns } from './read-columns.ts';
import type { ChunkRange } from './reader-ddl.ts';
import type { SegmentsShape } from './segments-ddl.ts';
import type { CompressionSettings } from '../settings/settings-plan.ts';

/** The relations of a compressed chunk; all names are of the associated schema. */
export interface ChunkParts {
  readonly tail: RelationName;
  readonly remote: RelationName;
  readonly segments: RelationName;
  readonly residue: RelationName;
  readonly view: RelationName;
  /** by which schema tessera_read reads the chunk */
  readonly reader: RelationName;
}

/** Function of the trigger that looks for the key of a new row among the compressed ones. */
export const keyFunctionOf = (parts: ChunkParts): RelationName => ({
  schema: parts.tail.schema,
  name: `${parts.tail.name}_key`,
});

/** Function of the trigger that changes compressed rows. */
export const modifyFunctionOf = (parts: ChunkParts): RelationName => ({
  schema: parts.tail.schema,
  name: `${parts.tail.name}_modify`,
});

/** What the catalog knows of a chunk that is compressed. */
export interface Compressed {
  readonly generation: bigint;
  readonly parts: ChunkParts;
  /** An earlier version made none. */
  readonly hasReader: boolean;
  readonly bounds: readonly bigint[];
  readonly settings: CompressionSettings;
}

export interface OpenChunk {
  readonly id: number;
  readonly hypertable: Hypertable;
  readonly root: Relation;
  readonly relation: Relation;
  readonly parent: Relation;
  /** FOR VALUES ... of the chunk in its parent */
  readonly bounds: string;
}

interface SettingsRow {
  readonly segmentby: string[] | null;
  readonly orderby: string[];
  readonly descending: boolean[];
  readonly nullsfirst: boolean[];
}

const toSettings = (row: SettingsRow): CompressionSettings => ({
  segmentBy: row.segmentby ?? [],
  orderBy: row.orderby.map((column, i) => ({
    column,
    descending: row.descending[i] === true,
    nullsFirst: row.nullsfirst[i] === true,
  })),
});

const SETTINGS = `segmentby::text[] as segmentby, orderby::text[] as orderby, orderby_desc as descending, orderby_nullsfirst as nullsfirst`;

/** How the hypertable compresses; undefined while compression is not enabled. */
export const findSettings = (hypertableId: number): CompressionSettings | undefined => {
  const row = maybeOne<SettingsRow>(
    `select ${SETTINGS} from _tessera_catalog.compression_settings where hypertable_id = $1 and chunk_id is null`,
    [hypertableId],
  );
  return row === undefined ? undefined : toSettings(row);
};

export const requireSettings = (h: Hypertable, root: Relation): CompressionSettings => {
  const settings = findSettings(h.id);
  if (settings === undefined) throw notEnabled(displayed(root));
  return settings;
};

export const chunkParts = (h: Hypertable, chunkId: number): ChunkParts => {
  const name = (suffix: string): RelationName => ({
    schema: h.associated_schema_name,
    name: `${h.associated_table_prefix}_${chunkId}_${suffix}`,
  });
  return {
    tail: name('tail'),
    remote: name('remote'),
    segments: name('segments'),
    residue: name('residue'),
    view: name('rows'),
    reader: name('read'),
  };
};

/** Types that were made for columns of the segments. */
export const holdersOf = (segments: RelationName): string[] =>
  query<{ holder: string }>('select h::text as holder from _tessera_functions.segment_holders($1::regclass::oid) h', [
    qualified(segments),
  ]).map((r) => r.holder);

const relationName = (oid: bigint): RelationName => {
  const found = findRelation(oid);
  if (found === undefined) throw notChunk(String(oid));
  return found;
};

export const findCompressed = (chunkId: number): Compressed | undefined => {
  const row = maybeOne<
    SettingsRow & {
      generation: bigint;
      tail: bigint;
      remote: bigint;
      residue: bigint;
      view: bigint;
      reader: bigint | null;
      named: string;
      segments: bigint;
      bounds: bigint[];
    }
  >(
    `select k.generation, k.tail::oid::int8 as tail, k.remote::oid::int8 as remote, k.residue::oid::int8 as residue,
       k.rows_view::oid::int8 as view, k.reader::oid::int8 as reader, s.compress_relid::oid::int8 as segments, k.slice_bounds as bounds,
       (select h.associated_table_prefix || '_' || k.chunk_id || '_read' from _tessera_catalog.chunk c
         join _tessera_catalog.hypertable h on h.id = c.hypertable_id where c.id = k.chunk_id) as named,
       ${SETTINGS.replace(/(^|, )/g, '$1s.')}
     from _tessera_catalog.compressed_chunk k join _tessera_catalog.compression_settings s on s.chunk_id = k.chunk_id
     where k.chunk_id = $1`,
    [chunkId],
  );
  if (row === undefined) return undefined;
  const segments = relationName(row.segments);
  const reader = row.reader === null ? undefined : findRelation(row.reader);
  return {
    generation: row.generation,
    parts: {
      tail: relationName(row.tail),
      remote: relationName(row.remote),
      residue: relationName(row.residue),
      view: relationName(row.view),
      segments,
      reader: reader ?? { schema: segments.schema, name: row.named },
    },
    hasReader: reader !== undefined,
    bounds: row.bounds,
    settings: toSettings(row),
  };
};

const nameOf = (oid: bigint): string =>
  one<{ name: string }>('select $1::int8::oid::regclass::text as name', [oid]).name;

/** The chunk behind an OID given by the user, who must own its hypertable. */
export const openChunk = (oid: bigint | null, argument: string): OpenChunk => {
  if (oid === null) throw nullChunk(argument);
  // Who named the chunk before somebody else compressed it holds the OID of what is its tail now.
  const row = maybeOne<{ id: number; oid: bigint; hypertableId: number; root: bigint; parent: bigint; bounds: string }>(
    `select c.id, c.relid::oid::int8 as oid, c.hypertable_id as "hypertableId", h.relid::oid::int8 as root, i.inhparent::int8 as parent,
       pg_get_expr(r.relpartbound, r.oid) as bounds
     from _tessera_catalog.chunk c join _tessera_catalog.hypertable h on h.id = c.hypertable_id
     join pg_class r on r.oid = c.relid join pg_inherits i on i.inhrelid = c.relid
     where not c.dropped and (c.relid = $1::int8::oid
       or c.id = (select k.chunk_id from _tessera_catalog.compressed_chunk k where k.tail = $1::int8::oid))`,
    [oid],
  );
  if (row === undefined) throw notChunk(nameOf(oid));
  const [relation, root, parent] = [findRelation(row.oid), findRelation(row.root), findRelation(row.parent)];
  const hypertable = findHypertableById(row.hypertableId);
  if (relation === undefined || root === undefined || parent === undefined || hypertable === undefined)
    throw notChunk(nameOf(oid));
  if (!root.owned) throw notOwner(displayed(root));
  return { id: row.id, hypertable, root, relation, parent, bounds: row.bounds };
};

export const shapeOf = (
  chunk: Pick<OpenChunk, 'hypertable' | 'root'>,
  settings: CompressionSettings,
  bounds: readonly bigint[],
  segments: RelationName,
): SegmentsShape => {
  const time = timeDimension(chunk.hypertable);
  return {
    columns: readTableColumns(chunk.root.oid, segments),
    settings,
    timeColumn: time.column_name,
    bounds: bounds.map((b) => typedLiteral(b, time.type)),
  };
};

/** The times of a chunk, as SQL compares them with its rows. */
export const rangeOf = (chunk: Pick<OpenChunk, 'id' | 'hypertable'>): ChunkRange => {
  const time = timeDimension(chunk.hypertable);
  const found = maybeOne<{ lower: bigint; upper: bigint }>(
    `select s.range_start as lower, s.range_end as upper from _tessera_catalog.chunk_constraint k
     join _tessera_catalog.dimension_slice s on s.id = k.dimension_slice_id and s.dimension_id = $2 where k.chunk_id = $1`,
    [chunk.id, time.id],
  );
  const bound = (at: bigint | undefined, none: bigint): string | null =>
    at === undefined || at === none ? null : typedLiteral(at, time.type);
  return { lower: bound(found?.lower, MINUS_INFINITY), upper: bound(found?.upper, PLUS_INFINITY) };
};

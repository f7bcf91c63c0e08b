import type { Slice } from '../../catalog/dimension-slice.ts';
import type { Hypertable } from '../../catalog/hypertable.ts';
import { query } from '../../engine/spi.ts';
import { MINUS_INFINITY, PLUS_INFINITY } from '../../lib/internal-time.ts';
import type { RelationName } from '../../lib/quote.ts';
import { spaceDimension, timeDimension } from '../dimension/dimensions.ts';
import { relationOid } from '../table/relation.ts';

/** A chunk that was dropped while aggregates of its rows live on, and that gets a table again. */
export interface DroppedChunk {
  readonly id: number;
  /** As it was called; undefined where something else is called so by now. */
  readonly name: RelationName | undefined;
  /** Of the hash dimension. */
  readonly start: bigint;
  readonly end: bigint;
}

const isWhole = (parts: readonly Slice[]): boolean =>
  parts.every((p, i) => p.start === (parts[i - 1]?.end ?? MINUS_INFINITY)) && parts.at(-1)?.end === PLUS_INFINITY;

/**
 * The chunks that were dropped from exactly this slice of time, by their hash range; none unless they hold all rows of it
 * together, as they do not when one of them was dropped by name.
 */
export const droppedChunks = (h: Hypertable, slice: Slice): DroppedChunk[] => {
  const found = query<{ id: number; name: string; start: bigint; end: bigint }>(
    `select c.id, c.table_name as name, coalesce(g.range_start, ${MINUS_INFINITY}) as start, coalesce(g.range_end, ${PLUS_INFINITY}) as end
     from _tessera_catalog.dimension_slice s
     join _tessera_catalog.chunk_constraint k on k.dimension_slice_id = s.id
     join _tessera_catalog.chunk c on c.id = k.chunk_id and c.dropped
     left join (_tessera_catalog.chunk_constraint o join _tessera_catalog.dimension_slice g
       on g.id = o.dimension_slice_id and g.dimension_id = $4) on o.chunk_id = c.id
     where s.dimension_id = $1 and s.range_start = $2::int8 and s.range_end = $3::int8
     order by start`,
    [timeDimension(h).id, slice.start, slice.end, spaceDimension(h)?.id ?? 0],
  );
  if (!isWhole(found)) return [];
  const schema = h.associated_schema_name;
  return found.map((c) => ({
    ...c,
    name: relationOid(schema, c.name) === undefined ? { schema, name: c.name } : undefined,
  }));
};

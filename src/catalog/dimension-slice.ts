import { db, rows } from './kysely.ts';
import { query } from '../engine/spi.ts';

export interface Slice {
  readonly start: bigint;
  readonly end: bigint;
}

/** Slices of the dimension that overlap [start, end), by their start; those of dropped chunks as well, which come back the same. */
export const overlappingSlices = (dimensionId: number, start: bigint, end: bigint): Slice[] =>
  rows(
    db
      .selectFrom('dimension_slice')
      .select(['range_start as start', 'range_end as end'])
      .where('dimension_id', '=', dimensionId)
      .where('range_start', '<', end)
      .where('range_end', '>', start)
      .orderBy('range_start'),
  );

/** Those of them that have a chunk with a table. */
export const coveredSlices = (dimensionId: number, start: bigint, end: bigint): Slice[] =>
  query<Slice>(
    `select s.range_start as start, s.range_end as end
     from _tessera_catalog.dimension_slice s
     where s.dimension_id = $1 and s.range_start < $3::int8 and s.range_end > $2::int8 and exists (
       select from _tessera_catalog.chunk_constraint k join _tessera_catalog.chunk c on c.id = k.chunk_id
       where k.dimension_slice_id = s.id and not c.dropped)
     order by s.range_start`,
    [dimensionId, start, end],
  );

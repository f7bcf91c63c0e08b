import { db, rows } from '../engine/kysely-dialect.ts';

export interface Slice {
  readonly start: bigint;
  readonly end: bigint;
}

/** Slices of the dimension that overlap [start, end), by their start. */
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

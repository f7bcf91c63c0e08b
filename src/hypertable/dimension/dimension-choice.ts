import type { DimensionRow } from '../../catalog/database.ts';
import type { Hypertable } from '../../catalog/hypertable.ts';
import { noSuchDimension } from './failures.ts';

/** The dimension of a kind, by name or as the only one of its kind. */
export const chooseDimension = (h: Hypertable, kind: 'range' | 'hash', name: string | null): DimensionRow => {
  const found = h.dimensions.find(
    (d) => (d.interval_length !== null) === (kind === 'range') && (name === null || d.column_name === name),
  );
  if (found === undefined) throw noSuchDimension(name);
  return found;
};

import type { DimensionRow } from '../../catalog/database.ts';
import type { Hypertable } from '../../catalog/hypertable.ts';
import { timeTypeOf, type TimeType } from '../../lib/internal-time.ts';
import { PgError } from '../../lib/pg-error.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';

export const timeDimension = (h: Hypertable): DimensionRow & { readonly interval: bigint; readonly type: TimeType } => {
  const dimension = h.dimensions.find((d) => d.interval_length !== null);
  const type = dimension === undefined ? undefined : timeTypeOf(dimension.column_type);
  if (dimension === undefined || dimension.interval_length === null || type === undefined)
    throw new PgError({ sqlstate: SQLSTATE.internalError, message: `hypertable ${h.id} has no time dimension` });
  return { ...dimension, interval: dimension.interval_length, type };
};

export const spaceDimension = (h: Hypertable): (DimensionRow & { readonly slices: number }) | undefined => {
  const dimension = h.dimensions.find((d) => d.num_slices !== null);
  return dimension?.num_slices == null ? undefined : { ...dimension, slices: dimension.num_slices };
};

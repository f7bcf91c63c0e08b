import { coveredSlices, overlappingSlices } from '../../catalog/dimension-slice.ts';
import { withLockRetry } from '../../engine/lock-retry.ts';
import { inMaintenance } from '../../engine/session.ts';
import { PLUS_INFINITY } from '../../lib/internal-time.ts';
import { planSlice } from '../dimension/chunk-slice-plan.ts';
import { attachSlices, prepareSlice, type PreparedSlice } from './create-chunk.ts';
import { timeDimension } from '../dimension/dimensions.ts';
import type { OpenHypertable } from '../dimension/open-hypertable.ts';
import { lockForAttach, placeRows } from './place-rows.ts';

/** Creates the chunks that [start, end) lacks, in internal time, and returns their OIDs. */
export const createRange = ({ hypertable, root }: OpenHypertable, start: bigint, end: bigint): bigint[] => {
  const time = timeDimension(hypertable);
  return inMaintenance(() =>
    withLockRetry(() => {
      lockForAttach(hypertable, root);
      // Rows that wait for these chunks must move first, or ATTACH would find them in the default partition.
      placeRows(hypertable, root, '50ms');
      const prepared: PreparedSlice[] = [];
      for (let value = start; value < end; ) {
        const known = coveredSlices(time.id, value, value + 1n)[0];
        const slice = known ?? planSlice(value, time.interval, time.type, (a, b) => overlappingSlices(time.id, a, b));
        if (known === undefined) prepared.push(prepareSlice(hypertable, root, slice));
        if (slice.end === PLUS_INFINITY) break;
        value = slice.end;
      }
      attachSlices(hypertable, root, prepared);
      return prepared.flatMap((p) => p.chunks.map((c) => c.oid));
    }),
  );
};

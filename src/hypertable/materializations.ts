/** Continuous aggregates are no business of this folder; what is done to theirs is called by name. */
import { requireReadCommitted } from '../engine/isolation.ts';
import { callAs, currentUser } from '../engine/session.ts';
import { maybeOne, run } from '../engine/spi.ts';
import { isIntegerTime } from '../lib/internal-time.ts';
import { displayed, literal, qualified, type RelationName } from '../lib/quote.ts';
import type { ChunkBounds } from './chunk-bounds.ts';
import { timeDimension } from './dimensions.ts';
import { cascadeNotSet, keepNeedsOlderThan } from './failures.ts';
import type { OpenHypertable } from './open-hypertable.ts';

/** What becomes of the results that continuous aggregates have of chunks that are dropped. */
export type Materializations =
  /** That is for the next refresh to find out: the rows are logged as gone. */
  | { readonly kind: 'stale' }
  | { readonly kind: 'delete' }
  /** They stay for good; changes before this internal time are refreshed first. */
  | { readonly kind: 'keep'; readonly before: bigint };

/** Checks the argument cascade_to_materializations against the hypertable and the bounds. */
export const planMaterializations = (
  { hypertable, root }: OpenHypertable,
  bounds: ChunkBounds,
  cascade: boolean | null,
): Materializations => {
  const aggregated = maybeOne('select from _tessera_catalog.continuous_agg where raw_hypertable_id = $1 limit 1', [
    hypertable.id,
  ]);
  if (aggregated === undefined) return { kind: 'stale' };
  if (cascade === null) throw cascadeNotSet(displayed(root));
  requireReadCommitted('drop chunks of a hypertable with continuous aggregates');
  if (cascade) return { kind: 'delete' };
  if (bounds.older === null || bounds.newer !== null) throw keepNeedsOlderThan();
  requireMaterialized({ hypertable, root }, bounds.older);
  return { kind: 'keep', before: bounds.older };
};

/** What time it is for integers a function of the user says, which must not run with the rights of anybody else. */
const requireMaterialized = ({ hypertable, root }: OpenHypertable, before: bigint): void => {
  const call = `_tessera_functions.require_materialized(${hypertable.id}, ${literal(before.toString())}::int8)`;
  if (!isIntegerTime(timeDimension(hypertable).type) || root.owner === currentUser()) run(`select ${call}`);
  else callAs(root.owner, hypertable.associated_schema_name, call);
};

/** Readers go on while changes are refreshed; writers wait from here on. */
export const refreshBeforeDrop = (open: OpenHypertable, partitions: readonly RelationName[], before: bigint): void => {
  const { hypertable, root } = open;
  run(`lock table only ${qualified(root)} in share row exclusive mode`);
  for (const partition of partitions) run(`lock table ${qualified(partition)} in exclusive mode`);
  // One may have been created, or altered, since it was checked.
  requireMaterialized(open, before);
  run('select _tessera_functions.process_invalidations($1, $2::int8)', [hypertable.id, before]);
};

export const dropMaterialized = ({ hypertable }: OpenHypertable, ranges: string): void =>
  void run('select _tessera_functions.drop_materialized($1, $2::text::int8multirange)', [hypertable.id, ranges]);

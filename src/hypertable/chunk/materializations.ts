/** Continuous aggregates are no business of this folder; what is done to theirs is called by name. */
import { requireReadCommitted } from '../../engine/isolation.ts';
import { callAs, currentUser } from '../../engine/session.ts';
import { maybeOne, query, run } from '../../engine/spi.ts';
import { isIntegerTime } from '../../lib/internal-time.ts';
import { displayed, literal, qualified, type RelationName } from '../../lib/quote.ts';
import { selectChunks, type ChunkBounds, type SelectedChunk } from '../dimension/chunk-bounds.ts';
import { timeDimension } from '../dimension/dimensions.ts';
import { cascadeNotSet, keepNeedsOlderThan } from './failures.ts';
import type { OpenHypertable } from '../dimension/open-hypertable.ts';

/** What becomes of the results that continuous aggregates have of chunks that are dropped. */
export type Materializations =
  /** That is for the next refresh to find out: the rows are logged as gone. */
  | { readonly kind: 'stale' }
  /** The same, and that is logged already: the chunks have no rows. */
  | { readonly kind: 'logged' }
  | { readonly kind: 'delete' }
  /** They stay for good; changes before this internal time are refreshed first. */
  | { readonly kind: 'keep'; readonly before: bigint }
  /** They stay for good, and what of the dropped rows was not materialized is first; `ahead` says whether that may go further than before. */
  | { readonly kind: 'freeze'; readonly ahead: boolean };

/** The argument cascade_to_materializations; undefined: TimescaleDB 2, which does not have it; null: TimescaleDB 1, where that is an error. */
export type Cascade = boolean | null | undefined;

/** Checks the argument against the hypertable and the bounds. */
const planMaterializations = (
  { hypertable, root }: OpenHypertable,
  bounds: ChunkBounds,
  cascade: Cascade,
): Materializations => {
  if (!hasCaggs(hypertable.id)) return { kind: 'stale' };
  if (cascade === null) throw cascadeNotSet(displayed(root));
  requireReadCommitted('drop chunks of a hypertable with continuous aggregates');
  if (cascade === undefined) return { kind: 'freeze', ahead: bounds.older !== null };
  if (cascade) return { kind: 'delete' };
  if (bounds.older === null || bounds.newer !== null) throw keepNeedsOlderThan();
  requireMaterialized({ hypertable, root }, bounds.older);
  return { kind: 'keep', before: bounds.older };
};

const hasCaggs = (hypertable: number): boolean =>
  maybeOne('select from _tessera_catalog.continuous_agg where raw_hypertable_id = $1 limit 1', [hypertable]) !==
  undefined;

/** Of these, the chunks with rows in buckets that reach beyond a time: kept as they are, such buckets would miss rows to come. */
const inOpenBuckets = (hypertable: number, chunks: readonly SelectedChunk[], before: bigint): ReadonlySet<number> =>
  new Set(
    query<{ id: number }>(
      `select c as id from unnest($2::int[]) c, _tessera_functions.chunk_range(c) r
       where _tessera_functions.buckets_reach_beyond($1, _tessera_functions.change_range(r.lowest, r.highest), $3::int8)`,
      [hypertable, chunks.map((c) => c.id), before],
    ).map((c) => c.id),
  );

export interface DropPlan {
  readonly chunks: readonly SelectedChunk[];
  /** Inside the bounds as well, but to stay for now. */
  readonly waiting: readonly SelectedChunk[];
  readonly results: Materializations;
}

/** The chunks inside the bounds and what becomes of their results. */
export const planDrop = (open: OpenHypertable, bounds: ChunkBounds, cascade: Cascade): DropPlan => {
  const results = planMaterializations(open, bounds, cascade);
  const chunks = selectChunks(open.hypertable, bounds);
  if (results.kind !== 'freeze' || bounds.older === null) return { chunks, waiting: [], results };
  const waiting = inOpenBuckets(open.hypertable.id, chunks, bounds.older);
  return {
    chunks: chunks.filter((c) => !waiting.has(c.id)),
    waiting: chunks.filter((c) => waiting.has(c.id)),
    results,
  };
};

/** Refuses a policy that drops what is before `before` now if no run of it can succeed as things are. */
export const requireDroppable = (open: OpenHypertable, before: bigint | null, cascade: Cascade): void => {
  if (cascade === undefined || cascade === true || !hasCaggs(open.hypertable.id)) return;
  if (cascade === null) throw cascadeNotSet(displayed(open.root));
  if (before !== null) askAsOwner(open, 'require_keepable', before);
};

/** What time it is for integers a function of the user says, which must not run with the rights of anybody else. */
const askAsOwner = ({ hypertable, root }: OpenHypertable, name: string, before: bigint): void => {
  const call = `_tessera_functions.${name}(${hypertable.id}, ${literal(before.toString())}::int8)`;
  if (!isIntegerTime(timeDimension(hypertable).type) || root.owner === currentUser()) run(`select ${call}`);
  else callAs(root.owner, hypertable.associated_schema_name, call);
};

const requireMaterialized = (open: OpenHypertable, before: bigint): void =>
  askAsOwner(open, 'require_materialized', before);

/** Readers go on while changes are refreshed; writers wait from here on. */
const lockWriters = ({ root }: OpenHypertable, partitions: readonly RelationName[]): void => {
  run(`lock table only ${qualified(root)} in share row exclusive mode`);
  for (const partition of partitions) run(`lock table ${qualified(partition)} in exclusive mode`);
};

/** `ranges`: times of the chunks that are dropped, as text of an int8multirange. */
export const refreshBeforeDrop = (
  open: OpenHypertable,
  partitions: readonly RelationName[],
  ranges: string,
  results: Materializations,
): void => {
  const { id } = open.hypertable;
  if (results.kind === 'keep') {
    lockWriters(open, partitions);
    // One may have been created, or altered, since it was checked.
    requireMaterialized(open, results.before);
    run('select _tessera_functions.process_invalidations($1, $2::int8)', [id, results.before]);
  }
  if (results.kind === 'freeze') {
    lockWriters(open, partitions);
    run('select _tessera_functions.materialize_dropped($1, $2::text::int8multirange, $3)', [id, ranges, results.ahead]);
  }
};

export const dropMaterialized = ({ hypertable }: OpenHypertable, ranges: string): void =>
  void run('select _tessera_functions.drop_materialized($1, $2::text::int8multirange)', [hypertable.id, ranges]);

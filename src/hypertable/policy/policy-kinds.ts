import { currentUser, withSettings } from '../../engine/session.ts';
import { isSpiError, maybeOne, one, query, subtransaction } from '../../engine/spi.ts';
import { hypertableOid, type Hypertable } from '../../catalog/hypertable.ts';
import { coveredSlices } from '../../catalog/dimension-slice.ts';
import { MICROSECONDS_PER_SECOND, MINUS_INFINITY, PLUS_INFINITY, isIntegerTime } from '../../lib/internal-time.ts';
import { PgError } from '../../lib/pg-error.ts';
import { displayed, ident } from '../../lib/quote.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';
import { registerPolicy, type Job, type PlannedAction } from '../../jobs/index.ts';
import { resolveBounds, type ChunkBounds } from '../dimension/chunk-bounds.ts';
import { timeDimension } from '../dimension/dimensions.ts';
import { badPolicyConfig } from './failures.ts';
import { planDrop, type Cascade, type DropPlan } from '../chunk/materializations.ts';
import { openOwnHypertable, type OpenHypertable } from '../dimension/open-hypertable.ts';
import { partNames } from '../table/partition-ddl.ts';
import { chunksToReorder, planAhead, type AheadPlan, type ReorderCandidate } from './policy-plan.ts';
import { internalNow, lagBound, type Lag } from './policy-time.ts';
import { boundsSql, placeableSql } from '../table/time-sql.ts';

export type Config = Readonly<Record<string, unknown>> | null;

/** The hypertable a configuration names. */
export const hypertableOf = (config: Config): OpenHypertable => {
  const id = config?.hypertable_id;
  if (typeof id !== 'number') throw badPolicyConfig('It has no number under "hypertable_id".');
  const oid = hypertableOid(id);
  if (oid === undefined) throw badPolicyConfig(`There is no hypertable with id ${id}.`);
  return openOwnHypertable(oid);
};

const isLag = (value: unknown): value is Lag => typeof value === 'string' || typeof value === 'number';

export const retentionBounds = (h: Hypertable, config: Config): ChunkBounds => {
  if (isLag(config?.drop_after))
    return { older: lagBound(h, config.drop_after), newer: null, before: null, after: null };
  if (typeof config?.drop_created_before !== 'string')
    throw badPolicyConfig('It has neither "drop_after" nor "drop_created_before".');
  return resolveBounds(h, {
    type: 'interval',
    older_than: null,
    newer_than: null,
    created_before: config.drop_created_before,
    created_after: null,
  });
};

/** What the configuration of a retention policy says of results. */
export const cascadeOf = (config: Config): Cascade => {
  const cascade = config?.cascade_to_materializations;
  if (cascade != null && typeof cascade !== 'boolean')
    throw badPolicyConfig('"cascade_to_materializations" is neither true nor false.');
  return cascade as Cascade;
};

/** The chunks a retention policy would drop now, and what of their results. */
export const retentionPlan = (open: OpenHypertable, config: Config): DropPlan =>
  planDrop(open, retentionBounds(open.hypertable, config), cascadeOf(config));

export interface ReorderChunk extends ReorderCandidate {
  readonly oid: bigint;
  readonly schema: string;
  readonly name: string;
}

/** Chunks a reorder policy has still to do, the next one first. */
export const reorderQueue = (jobId: number, { hypertable }: OpenHypertable): ReorderChunk[] =>
  chunksToReorder(
    query<ReorderChunk>(
      `select c.id, c.relid::oid::int8 as oid, c.schema_name as schema, c.table_name as name, s.range_start as "sliceStart",
         exists (select from _tessera_catalog.bgw_policy_chunk_stats p where p.job_id = $3 and p.chunk_id = c.id) as reordered
       from _tessera_catalog.chunk c
       join _tessera_catalog.chunk_constraint k on k.chunk_id = c.id
       join _tessera_catalog.dimension_slice s on s.id = k.dimension_slice_id and s.dimension_id = $2
       where c.hypertable_id = $1 and not c.dropped and c.compressed_chunk_id is null`,
      [hypertable.id, timeDimension(hypertable).id, jobId],
    ),
  );

const AHEAD = 1;
const ACTIVE_WITHIN = 3;
/** The policy runs every ten minutes; twice that is surely covered. */
const LEAD = 1200n * MICROSECONDS_PER_SECOND;

const positive = (value: unknown, otherwise: number): number =>
  typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : otherwise;

/** Names under "except" are left alone. */
export const isExcepted = (config: Config, { root }: OpenHypertable): boolean =>
  Array.isArray(config?.except) && config.except.includes(displayed(root));

export const aheadPlan = (open: OpenHypertable, config: Config): AheadPlan => {
  if (isExcepted(config, open)) return { kind: 'nothing', reason: 'the configuration excepts it' };
  const time = timeDimension(open.hypertable);
  if (isIntegerTime(time.type)) {
    if (time.integer_now_func === null) return { kind: 'nothing', reason: 'it has no integer_now function' };
    // That is the user's code, which must not run with the rights of anybody else.
    if (open.root.owner !== currentUser())
      return { kind: 'nothing', reason: 'only as its owner the integer_now function is asked' };
  }
  return planAhead(
    internalNow(open.hypertable),
    time.interval,
    time.type,
    coveredSlices(time.id, MINUS_INFINITY, PLUS_INFINITY),
    {
      ahead: positive(config?.ahead, AHEAD),
      activeWithin: positive(config?.active_within, ACTIVE_WITHIN),
      lead: isIntegerTime(time.type) ? 0n : LEAD,
    },
  );
};

/**
 * Whether rows in the default partition have a place in a chunk. The owner of the extension asks this of everybody's
 * tables: it must be that partition itself, and policies of row security, which are code of its owner, must not run.
 */
export const waitingRows = ({ hypertable, root }: OpenHypertable): boolean => {
  const time = timeDimension(hypertable);
  const { name } = one<{ name: string | null }>(
    'select _tessera_functions.default_partition($1::int8::oid::regclass)::text as name',
    [root.oid],
  );
  if (name === null) return false;
  return withSettings(
    { row_security: 'off' },
    () =>
      maybeOne(`select from only ${name} where ${placeableSql(ident(time.column_name), time.type)} limit 1`) !==
      undefined,
  );
};

const nothing = (hypertable: bigint | null, reason: string): PlannedAction => ({
  hypertable,
  action: null,
  object: null,
  reason,
});

const everyHypertable = (): OpenHypertable[] =>
  query<{ oid: bigint }>(
    `select h.relid::oid::int8 as oid from _tessera_catalog.hypertable h join pg_class c on c.oid = h.relid
     where pg_has_role(c.relowner, 'USAGE') order by h.id`,
  ).map((row) => openOwnHypertable(row.oid));

const forHypertable =
  (plan: (open: OpenHypertable, job: Job) => readonly PlannedAction[]) =>
  (job: Job): readonly PlannedAction[] =>
    plan(hypertableOf(job.config), job);

const forEach =
  (plan: (open: OpenHypertable, job: Job) => readonly PlannedAction[]) =>
  (job: Job): readonly PlannedAction[] => {
    const all = everyHypertable();
    return all.length === 0 ? [nothing(null, 'there is no hypertable')] : all.flatMap((open) => plan(open, job));
  };

/** What is wrong with a policy is for its own line of the plan to say. */
const orRefusal = <T>(body: () => T): T | string => {
  try {
    return subtransaction(body);
  } catch (e) {
    const refused = e instanceof PgError ? e.sqlstate : isSpiError(e) ? e.sqlerrcode : undefined;
    if (refused !== SQLSTATE.invalidParameterValue) throw e;
    return (e as Error).message;
  }
};

export const retentionPolicy = registerPolicy({
  proc: 'policy_retention',
  title: 'retention policy',
  plan: forHypertable((open, job) => {
    const plan = orRefusal(() => retentionPlan(open, job.config));
    if (typeof plan === 'string') return [nothing(open.root.oid, `it would fail: ${plan}`)];
    const { chunks, waiting, results } = plan;
    if (chunks.length === 0)
      return [
        nothing(
          open.root.oid,
          waiting.length === 0
            ? 'no chunk is old enough'
            : 'a bucket of a continuous aggregate reaches from the oldest chunk beyond what is old enough',
        ),
      ];
    const kept = '; results of them are kept';
    const fate = { stale: '', logged: '', delete: '; results of them are deleted', keep: kept, freeze: kept };
    return chunks.map((c) => ({
      hypertable: open.root.oid,
      action: 'drop chunk',
      object: displayed(c),
      reason: `all its rows are older than the policy keeps${fate[results.kind]}`,
    }));
  }),
});

export const reorderPolicy = registerPolicy({
  proc: 'policy_reorder',
  title: 'reorder policy',
  plan: forHypertable((open, job) => {
    const [next, ...later] = reorderQueue(job.id, open);
    if (next === undefined) return [nothing(open.root.oid, 'every settled chunk was reordered')];
    return [
      {
        hypertable: open.root.oid,
        action: 'reorder chunk',
        object: displayed(next),
        reason: `the oldest chunk it has not reordered yet, ${later.length} follow`,
      },
    ];
  }),
});

export const precreationPolicy = registerPolicy({
  proc: 'policy_precreate_chunks',
  title: 'chunk pre-creation',
  plan: forEach((open, job) => {
    const plan = aheadPlan(open, job.config);
    if (plan.kind === 'nothing') return [nothing(open.root.oid, plan.reason)];
    const { type } = timeDimension(open.hypertable);
    return plan.slices.map((s) => ({
      hypertable: open.root.oid,
      action: 'create chunk',
      object: boundsSql(s, type),
      reason: 'rows of the near future will need it',
    }));
  }),
});

export const drainPolicy = registerPolicy({
  proc: 'policy_drain',
  title: 'default partition drain',
  plan: forEach((open, job) =>
    isExcepted(job.config, open)
      ? [nothing(open.root.oid, 'the configuration excepts it')]
      : waitingRows(open)
        ? [
            {
              hypertable: open.root.oid,
              action: 'move rows into chunks',
              object: displayed(partNames(open.hypertable).defaultPartition),
              reason: 'rows wait in the default partition',
            },
          ]
        : [nothing(open.root.oid, 'no row waits in the default partition')],
  ),
});

import { hasSqlState, one } from '../../engine/spi.ts';
import {
  addPolicy,
  internalNow,
  lagBound,
  parseLag,
  requireIntegerNow,
  timeDimension,
  type Config,
} from '../../hypertable/index.ts';
import { findHypertableById, type Hypertable } from '../../catalog/hypertable.ts';
import { isIntegerTime, MINUS_INFINITY, PLUS_INFINITY, type Range } from '../../lib/internal-time.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';
import { findCaggById, matHypertable, owned, type Cagg } from '../query/cagg.ts';
import { badPolicyConfig, overlappingOffsets } from './failures.ts';
import { nullArgument } from '../../lib/failures.ts';
import { parseLength } from '../query/lag.ts';

export const PROC = 'policy_refresh_continuous_aggregate';
export const TITLE = 'continuous aggregate policy';
const CHECK = { check_schema: '_tessera_functions', check_name: 'policy_refresh_continuous_aggregate_check' } as const;

/** The hypertable of the user under a stack of continuous aggregates: it knows what now is for integers. */
export const baseOf = (cagg: Cagg): Hypertable => {
  const { id } = one<{ id: number }>(
    `with recursive up(id, depth) as (
       select $1::int, 0
       union all
       select a.raw_hypertable_id, depth + 1 from up join _tessera_catalog.continuous_agg a on a.mat_hypertable_id = up.id)
     select id from up order by depth desc limit 1`,
    [cagg.id],
  );
  const base = findHypertableById(id);
  if (base === undefined) throw new Error(`hypertable ${id} does not exist`);
  return base;
};

export interface PolicyOptions {
  readonly start_offset: string | null;
  readonly end_offset: string | null;
  readonly schedule_interval: string | null;
  readonly type: string;
  readonly if_not_exists?: boolean | null;
  readonly initial_start?: string | null;
  readonly timezone?: string | null;
  readonly buckets_per_batch?: number | null;
  readonly max_batches_per_execution?: number | null;
  readonly refresh_newest_first?: boolean | null;
}

/** A window of less than two buckets holds no whole one at most moments. */
const checkOffsets = (cagg: Cagg, o: PolicyOptions): void => {
  const start = parseLength('start_offset', o.start_offset, o.type, cagg.timeType);
  const end = parseLength('end_offset', o.end_offset, o.type, cagg.timeType);
  if (start !== null && end !== null && start - end < 2n * cagg.period) throw overlappingOffsets();
};

export const addPolicyOf = (cagg: Cagg, o: PolicyOptions): number => {
  if (o.schedule_interval === null) throw nullArgument('schedule_interval');
  const base = baseOf(cagg);
  if (isIntegerTime(cagg.timeType)) requireIntegerNow(base);
  checkOffsets(cagg, o);
  const lag = (name: 'start_offset' | 'end_offset') => {
    const text = o[name];
    return text === null ? null : parseLag(base, name, text, o.type);
  };
  const optional = Object.fromEntries(
    (['buckets_per_batch', 'max_batches_per_execution', 'refresh_newest_first'] as const).flatMap((k) =>
      o[k] == null ? [] : [[k, o[k]]],
    ),
  );
  return addPolicy(matHypertable(cagg), {
    title: TITLE,
    name: 'Refresh Continuous Aggregate Policy',
    job_type: 'continuous_aggregate',
    schedule_interval: o.schedule_interval,
    max_retries: -1,
    retry_period: o.schedule_interval,
    proc_name: PROC,
    ...CHECK,
    initial_start: o.initial_start ?? null,
    timezone: o.timezone ?? null,
    ifNotExists: o.if_not_exists ?? false,
    config: {
      mat_hypertable_id: cagg.id,
      start_offset: lag('start_offset'),
      end_offset: lag('end_offset'),
      ...optional,
    },
  });
};

const twoBuckets = (cagg: Cagg): string =>
  isIntegerTime(cagg.timeType)
    ? '12 hours'
    : one<{ text: string }>(`select (2 * $1::int8 * interval '1 microsecond')::text as text`, [cagg.period]).text;

/** The job that 2019's options ask for: it stays refresh_lag behind now. */
export const addRefreshJob = (cagg: Cagg, refreshInterval: string | null): number => {
  if (isIntegerTime(cagg.timeType)) requireIntegerNow(baseOf(cagg));
  const schedule = refreshInterval ?? twoBuckets(cagg);
  return addPolicy(matHypertable(cagg), {
    title: TITLE,
    name: 'Continuous Aggregate Background Job',
    job_type: 'continuous_aggregate',
    schedule_interval: schedule,
    max_retries: -1,
    retry_period: schedule,
    proc_name: PROC,
    ...CHECK,
    ifNotExists: false,
    config: { mat_hypertable_id: cagg.id },
  });
};

export const caggOfConfig = (config: Config): Cagg => {
  const id = config?.mat_hypertable_id;
  const cagg = typeof id === 'number' ? findCaggById(id) : undefined;
  if (cagg === undefined) throw badPolicyConfig('"mat_hypertable_id" names no continuous aggregate.');
  return owned(cagg);
};

const bounded = (value: bigint): bigint =>
  value < MINUS_INFINITY ? MINUS_INFINITY : value > PLUS_INFINITY ? PLUS_INFINITY : value;

/** The moment that is an offset before now; one before all time is the beginning of it. */
const before = (base: Hypertable, offset: unknown): bigint => {
  if (typeof offset !== 'string' && typeof offset !== 'number')
    throw badPolicyConfig('An offset is neither an interval nor an integer.');
  if (isIntegerTime(timeDimension(base).type)) return bounded(internalNow(base) - BigInt(offset));
  try {
    return lagBound(base, offset);
  } catch (e) {
    if (hasSqlState(e, SQLSTATE.datetimeFieldOverflow, SQLSTATE.intervalFieldOverflow)) return MINUS_INFINITY;
    throw e;
  }
};

/** refresh_lag before now; a job that is ahead of now is asked for by a negative lag. */
const lagging = (cagg: Cagg, base: Hypertable): bigint => {
  return bounded(internalNow(base) - (cagg.refreshLag ?? 2n * cagg.period));
};

/** What a policy is to refresh now, not yet in whole buckets. */
export const policyWindow = (cagg: Cagg, config: Config): Range => {
  const base = baseOf(cagg);
  if (config?.start_offset === undefined && config?.end_offset === undefined)
    return { start: MINUS_INFINITY, end: lagging(cagg, base) };
  return {
    start: config.start_offset == null ? MINUS_INFINITY : before(base, config.start_offset),
    end: config.end_offset == null ? PLUS_INFINITY : before(base, config.end_offset),
  };
};

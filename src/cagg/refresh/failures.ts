import { fail, type PgError } from '../../lib/pg-error.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';

const KEEP_HINT = 'Drop older chunks only, or pass cascade_to_materializations => true to delete the results as well.';
export const windowTooSmall = (): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    'refresh window too small',
    'The window must hold at least one whole bucket.',
    'Align it with the buckets, or make it at least two buckets wide.',
  );
export const badWindowType = (given: string, wanted: string): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    `invalid window of type ${given}`,
    `The time column is of type ${wanted}.`,
    'Give values of that type, or null for an open side.',
  );
export const badOption = (name: string, detail: string): PgError =>
  fail(SQLSTATE.invalidParameterValue, `invalid value of "${name}"`, detail);
export const unknownOption = (name: string): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    `unrecognized option "${name}"`,
    undefined,
    'Options are buckets_per_batch, max_batches_per_execution and refresh_newest_first.',
  );
export const smallInterval = (): PgError =>
  fail(SQLSTATE.invalidParameterValue, '"max_interval_per_job" must not be smaller than a bucket');
export const negativeIgnore = (): PgError =>
  fail(SQLSTATE.invalidParameterValue, '"ignore_invalidation_older_than" must not be negative');
export const badPolicyConfig = (detail: string): PgError =>
  fail(SQLSTATE.invalidParameterValue, 'invalid configuration of a continuous aggregate policy', detail);
export const overlappingOffsets = (): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    'policy refresh window too small',
    'start_offset must be at least two buckets more than end_offset.',
  );
export const wouldCountChanges = (view: string, before: string, cutoff: string | null): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    `results of continuous aggregate "${view}" cannot be kept for chunks before ${before}`,
    cutoff === null
      ? 'Its ignore_invalidation_older_than has no limit, so that changes of rows of any age count.'
      : `Its ignore_invalidation_older_than has changes of rows count that are from ${cutoff} or later.`,
    cutoff === null
      ? 'Set one with alter_continuous_aggregate(), or pass cascade_to_materializations => true to delete the results as well.'
      : KEEP_HINT,
  );
export const tooFarBehind = (view: string, before: string, watermark: string): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    `continuous aggregate "${view}" is too far behind to keep its results of chunks before ${before}`,
    `It was materialized up to ${watermark}.`,
    'Refresh it with refresh_continuous_aggregate(), or drop older chunks only.',
  );
export const noJob = (name: string): PgError =>
  fail(
    SQLSTATE.undefinedObject,
    `continuous aggregate "${name}" has no job`,
    undefined,
    'Add one with add_continuous_aggregate_policy().',
  );

import { PgError } from '../lib/pg-error.ts';
import { SQLSTATE } from '../lib/sqlstate.ts';

const fail = (sqlstate: string, message: string, detail?: string, hint?: string): PgError =>
  new PgError({ sqlstate, message, detail, hint });

export const nullArgument = (name: string): PgError =>
  fail(SQLSTATE.invalidParameterValue, `"${name}" must not be null`);
export const nullCagg = (): PgError => nullArgument('continuous_aggregate');
export const notCagg = (name: string): PgError =>
  fail(SQLSTATE.featureNotSupported, `"${name}" is not a continuous aggregate`);
export const notCaggOwner = (name: string): PgError =>
  fail(SQLSTATE.insufficientPrivilege, `must be owner of continuous aggregate "${name}"`);
export const badName = (name: string): PgError =>
  fail(
    SQLSTATE.invalidName,
    `"${name}" cannot be the name of a continuous aggregate`,
    undefined,
    'Give a name, or a schema and a name.',
  );
export const noSchema = (): PgError =>
  fail(
    SQLSTATE.undefinedObject,
    'no schema has been selected to create in',
    undefined,
    'Give the name with its schema.',
  );
export const nameTaken = (name: string): PgError =>
  fail(
    SQLSTATE.duplicateTable,
    `relation "${name}" already exists`,
    undefined,
    'Drop it, take another name, or pass if_not_exists => true.',
  );
export const severalStatements = (): PgError =>
  fail(SQLSTATE.syntaxError, 'the query of a continuous aggregate must be a single statement');
export const noHypertable = (): PgError =>
  fail(
    SQLSTATE.hypertableNotExist,
    'the query reads no hypertable',
    undefined,
    'FROM must name a hypertable or a continuous aggregate itself, not a view of it.',
  );
export const severalHypertables = (names: readonly string[]): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    'invalid continuous aggregate query',
    `It reads several hypertables or continuous aggregates: ${names.join(', ')}.`,
    'Join one with plain tables.',
  );
export const readsMaterialization = (name: string, view: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    'invalid continuous aggregate query',
    `"${name}" is the materialization of a continuous aggregate.`,
    `Read the continuous aggregate itself: ${view}.`,
  );
export const notRawOwner = (name: string): PgError =>
  fail(SQLSTATE.insufficientPrivilege, `must be owner of hypertable "${name}"`);
export const rowSecurity = (name: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    'invalid continuous aggregate query',
    `Row-level security is enabled on "${name}".`,
    'What is materialized would be the same for everybody.',
  );
export const mutableFunction = (name: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    'only immutable functions are supported in a continuous aggregate',
    `${name} is not immutable: its result differs from one session or moment to another.`,
    'Put it into the queries that read the continuous aggregate; in arguments of time_bucket write a literal.',
  );
export const nullBucketArgument = (what: string): PgError =>
  fail(SQLSTATE.invalidParameterValue, `the ${what} of time_bucket must not be null`);
export const incompatibleBucket = (own: string, parent: string, detail: string): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    'incompatible bucket width',
    `Buckets of ${own} over buckets of ${parent}: ${detail}`,
    'The width must be a multiple of the one that is read, with the same origin, offset and time zone.',
  );
export const cutBucket = (own: string, parent: string, zone: string, day: string, at: string): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    'incompatible bucket width',
    `Buckets of ${own} in ${zone} over buckets of ${parent}: ${day} begins there at ${at} UTC, in the middle of one.`,
    `Give the continuous aggregate that is read the same time zone, or buckets of 15 minutes.`,
  );
export const unrestorable = (detail: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    'invalid continuous aggregate query',
    detail,
    'Write it with plain joins of the hypertable with other tables.',
  );
export const wholeRow = (name: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    'invalid continuous aggregate query',
    `It uses rows of "${name}" as a whole, or system columns.`,
    'Name the columns.',
  );
export const badColumnCount = (given: number, wanted: number): PgError =>
  fail(
    SQLSTATE.syntaxError,
    given > wanted ? 'too many column names were specified' : 'too few column names were specified',
    `The query has ${wanted} columns, ${given} names were given.`,
  );
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
export const lagOutOfRange = (name: string, value: string, type: string): PgError =>
  fail(SQLSTATE.numericValueOutOfRange, `"${name}" is out of range for type ${type}`, `It is ${value}.`);
export const badLagType = (name: string, given: string, wanted: string): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    `invalid value of "${name}"`,
    `It is of type ${given}; the time column needs ${wanted}.`,
    wanted === 'an integer'
      ? 'Give an integer, in the units of the time column.'
      : `Give an interval with its unit, such as interval '7 days'.`,
  );
export const badPolicyConfig = (detail: string): PgError =>
  fail(SQLSTATE.invalidParameterValue, 'invalid configuration of a continuous aggregate policy', detail);
export const overlappingOffsets = (): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    'policy refresh window too small',
    'start_offset must be at least two buckets more than end_offset.',
  );
const KEEP_HINT = 'Drop older chunks only, or pass cascade_to_materializations => true to delete the results as well.';
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

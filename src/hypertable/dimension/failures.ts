import { fail, type PgError } from '../../lib/pg-error.ts';
import { ident, literal } from '../../lib/quote.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';

export const notHypertable = (name: string): PgError =>
  fail(SQLSTATE.hypertableNotExist, `table "${name}" is not a hypertable`);
export const notOwner = (name: string, hint?: string): PgError =>
  fail(SQLSTATE.insufficientPrivilege, `must be owner of hypertable "${name}"`, undefined, hint);
export const badTimeType = (table: string, column: string, type: string): PgError =>
  type === 'uuid'
    ? fail(
        SQLSTATE.featureNotSupported,
        `column "${column}" of type uuid cannot be a time dimension`,
        'Chunks are ranges of timestamptz, timestamp, date, smallint, integer or bigint. Primary keys and unique indexes must contain the column.',
        `Divide by a column for the time: alter table ${table} add column "time" timestamptz not null default now();`,
      )
    : fail(
        SQLSTATE.invalidParameterValue,
        `column "${column}" of type ${type} cannot be a time dimension`,
        undefined,
        'Use a column of type timestamptz, timestamp, date, smallint, integer or bigint.',
      );
export const badInterval = (reason: string, value: string, hint?: string): PgError =>
  fail(SQLSTATE.invalidParameterValue, reason, `The interval given is ${value}.`, hint);
export const badIntervalType = (value: string, type: string | null): PgError =>
  badInterval(
    'a chunk interval is an interval or an integer',
    `${value}, of type ${type}`,
    `Give an interval with its unit, such as interval '7 days', or an integer in microseconds or in the units of an integer column.`,
  );
export const bothOrNeither = (): PgError =>
  fail(SQLSTATE.invalidParameterValue, 'exactly one of number_partitions and chunk_time_interval must be given');
export const badPartitionCount = (count: number | null): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    'number of partitions must be between 1 and 32767',
    `The number given is ${count === null ? 'null' : count}.`,
  );
/** A trigger would come too late: a row has its partition by then. */
export const partitionFunction = (table: string, name: string, call: string, type: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `partitioning function "${name}" cannot be used`,
    'Hypertables divide by range and hash of the column itself, with the functions of its type.',
    `Divide by a column that each INSERT gives the value of the function: alter table ${table} add column divided_by ${type} not null check (divided_by = ${call});`,
  );
export const adaptiveChunking = (): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    'adaptive chunking is not supported',
    undefined,
    'Leave chunk_target_size and chunk_sizing_func out and give chunk_time_interval.',
  );
export const notRange = (): PgError =>
  fail(SQLSTATE.wrongObjectType, 'the first dimension must be a range dimension', undefined, 'Use by_range().');
export const duplicateDimension = (column: string): PgError =>
  fail(SQLSTATE.duplicateDimension, `column "${column}" is already a dimension`);
export const secondRange = (table: string, column: string, hashed: boolean): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    'a hypertable can have one range dimension',
    'Each chunk is one range of time, divided by hash at most.',
    `create index on ${table} (${ident(column)});${
      hashed ? '' : ` -- or: select add_dimension(${literal(table)}, by_hash(${literal(column)}, 4));`
    }`,
  );
export const secondHash = (table: string, column: string, first: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    'a hypertable can have one hash dimension',
    `It is divided by column "${first}".`,
    `create index on ${table} (${ident(column)}); -- for more partitions by the first: select set_number_partitions(${literal(table)}, 4);`,
  );
export const noSuchDimension = (name: string | null): PgError =>
  fail(
    SQLSTATE.dimensionNotExist,
    name === null ? 'hypertable has no such dimension' : `hypertable has no such dimension "${name}"`,
  );
export const dropBoundNeeded = (): PgError =>
  fail(SQLSTATE.invalidParameterValue, 'drop_chunks needs older_than, newer_than, created_before or created_after');
export const boundsInverted = (): PgError =>
  fail(SQLSTATE.invalidParameterValue, 'older_than must not be before newer_than');
export const boundsMixed = (): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    'older_than and newer_than cannot be combined with created_before and created_after',
  );
export const badBoundType = (given: string, wanted: string, hint?: string): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    `a bound of type ${given} does not suit a time column of type ${wanted}`,
    undefined,
    hint,
  );
export const badBoundText = (text: string, wanted: string): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    `"${text}" is neither an interval nor a ${wanted}`,
    undefined,
    `Give an interval with its unit, such as interval '7 days', or a ${wanted}.`,
  );
export const badCreationBound = (given: string): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    `a bound of type ${given} does not say when chunks were made`,
    undefined,
    `Give an interval, such as interval '7 days', or a timestamp with time zone.`,
  );
export const integerNowWrongTime = (column: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `time column "${column}" is not an integer`,
    undefined,
    'now() serves the other types.',
  );
export const integerNowExists = (name: string): PgError =>
  fail(
    SQLSTATE.duplicateObject,
    `integer_now function "${name}" is set already`,
    undefined,
    'Pass replace_if_exists => true to replace it.',
  );
export const integerNowMissing = (name: string): PgError =>
  fail(SQLSTATE.undefinedFunction, `function "${name}" does not exist`);
export const integerNowUnsuitable = (name: string, type: string): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    `function "${name}" cannot be the integer_now function`,
    undefined,
    `It must take no arguments, be STABLE, and return ${type}.`,
  );
export const noExecute = (name: string): PgError =>
  fail(SQLSTATE.insufficientPrivilege, `permission denied for function ${name}`);

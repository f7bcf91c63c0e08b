import { PgError } from '../lib/pg-error.ts';
import { ident } from '../lib/quote.ts';
import { SQLSTATE } from '../lib/sqlstate.ts';

const fail = (sqlstate: string, message: string, detail?: string, hint?: string): PgError =>
  new PgError({ sqlstate, message, detail, hint });

export const nullArgument = (name: string): PgError =>
  fail(SQLSTATE.invalidParameterValue, `"${name}" must not be null`);
export const notHypertable = (name: string): PgError =>
  fail(SQLSTATE.hypertableNotExist, `table "${name}" is not a hypertable`);
export const alreadyHypertable = (name: string): PgError =>
  fail(
    SQLSTATE.hypertableExists,
    `table "${name}" is already a hypertable`,
    undefined,
    'Pass if_not_exists => true to skip it.',
  );
export const notOwner = (name: string, hint?: string): PgError =>
  fail(SQLSTATE.insufficientPrivilege, `must be owner of hypertable "${name}"`, undefined, hint);
export const notTableOwner = (name: string): PgError =>
  fail(SQLSTATE.insufficientPrivilege, `must be owner of table "${name}"`);
export const relationMissing = (oid: bigint): PgError =>
  fail(SQLSTATE.undefinedTable, `relation with OID ${oid} does not exist`);
/** What a table is to become, as its refusal says. */
export type Purpose = 'hypertable' | 'distributed table' | 'reference table' | 'plain table';
export const wrongRelation = (name: string, purpose: Purpose, detail: string, hint?: string): PgError =>
  fail(SQLSTATE.wrongObjectType, `table "${name}" cannot become a ${purpose}`, detail, hint);
export const unsupportedTable = (name: string, purpose: Purpose, detail: string, hint?: string): PgError =>
  fail(SQLSTATE.featureNotSupported, `table "${name}" cannot become a ${purpose}`, detail, hint);
export const unvalidated = (table: string, constraint: string): PgError =>
  fail(
    SQLSTATE.objectNotInPrerequisiteState,
    `constraint "${constraint}" of table "${table}" was never validated`,
    'Chunks have constraints that hold for all their rows.',
    `alter table ${table} validate constraint ${ident(constraint)};`,
  );
export const publishedTable = (name: string, purpose: Purpose, publication: string): PgError =>
  fail(
    SQLSTATE.operationNotSupported,
    `table "${name}" cannot become a ${purpose}`,
    `It is published by publication "${publication}", which names the table that would be replaced.`,
    `Drop it from the publication, create the ${purpose}, and add it again with publish_via_partition_root = true.`,
  );
export const notEmpty = (name: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `table "${name}" is not empty`,
    undefined,
    'Pass migrate_data => true to move its rows into chunks.',
  );
export const columnMissing = (column: string, table: string): PgError =>
  fail(SQLSTATE.undefinedColumn, `column "${column}" of table "${table}" does not exist`);
export const generatedColumn = (column: string): PgError =>
  fail(SQLSTATE.featureNotSupported, `generated column "${column}" cannot be a dimension`);
export const badTimeType = (column: string, type: string): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    `column "${column}" of type ${type} cannot be a time dimension`,
    undefined,
    'Use a column of type timestamptz, timestamp, date, smallint, integer or bigint.',
  );
export const badUniqueIndex = (index: string, column: string): PgError =>
  fail(
    SQLSTATE.badHypertableIndex,
    `unique index "${index}" does not contain column "${column}", which divides the hypertable`,
    undefined,
    `Add "${column}" to the index, or drop it.`,
  );
export const badExclusion = (constraint: string, detail: string): PgError =>
  fail(SQLSTATE.badHypertableIndex, `exclusion constraint "${constraint}" cannot be kept on a hypertable`, detail);
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
export const partitionFunction = (name: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `partitioning function "${name}" cannot be used`,
    'Hypertables divide by range and hash of the column itself, with the functions of its type.',
    'Add a column that holds the value of the function, filled by a trigger.',
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
export const prefixTooLong = (prefix: string): PgError =>
  fail(
    SQLSTATE.nameTooLong,
    `associated_table_prefix "${prefix}" is too long`,
    'Room must be left for "_<number>_chunk" within 63 bytes.',
  );
export const prefixTaken = (schema: string, prefix: string): PgError =>
  fail(SQLSTATE.duplicateObject, `another hypertable already uses the prefix "${prefix}" in schema "${schema}"`);
export const schemaMissing = (schema: string): PgError =>
  fail(
    SQLSTATE.insufficientPrivilege,
    `schema "${schema}" does not exist and cannot be created`,
    'The current role lacks the privilege CREATE on the database.',
  );
export const duplicateDimension = (column: string): PgError =>
  fail(SQLSTATE.duplicateDimension, `column "${column}" is already a dimension`);
export const dependentObjects = (name: string, objects: string): PgError =>
  fail(
    SQLSTATE.dependentObjectsStillExist,
    `table "${name}" cannot become a partitioned table because other objects depend on it`,
    objects,
    'Drop them, call the function again, and create them anew.',
  );
export const notYourForeignKey = (constraint: string, table: string): PgError =>
  fail(
    SQLSTATE.insufficientPrivilege,
    `foreign key "${constraint}" of table "${table}" would have to be created again`,
    'The current role does not own that table.',
  );
export const secondRange = (): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    'a hypertable can have one range dimension',
    undefined,
    'Use by_hash() for the further dimension.',
  );
export const secondHash = (): PgError => fail(SQLSTATE.featureNotSupported, 'a hypertable can have one hash dimension');
export const noSuchDimension = (name: string | null): PgError =>
  fail(
    SQLSTATE.dimensionNotExist,
    name === null ? 'hypertable has no such dimension' : `hypertable has no such dimension "${name}"`,
  );
export const dropBoundNeeded = (): PgError =>
  fail(SQLSTATE.invalidParameterValue, 'drop_chunks needs older_than, newer_than, created_before or created_after');
export const cascadeNotSet = (name: string): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    `cannot drop chunks of "${name}" without saying what becomes of its continuous aggregates`,
    'cascade_to_materializations is null.',
    'Pass cascade_to_materializations => true to delete what was materialized of the chunks, or false to keep it.',
  );
export const keepNeedsOlderThan = (): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    'results of continuous aggregates can be kept only of everything before some time',
    'With cascade_to_materializations => false, older_than must be given, and newer_than must not.',
    'Give older_than alone, or pass cascade_to_materializations => true.',
  );
export const keepNeedsDropAfter = (): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    'a policy that keeps results of continuous aggregates needs drop_after',
    'cascade_to_materializations is false, and drop_created_before says nothing about the times of rows.',
    'Give drop_after, or cascade_to_materializations => true.',
  );
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
export const notChunk = (name: string): PgError => fail(SQLSTATE.invalidParameterValue, `"${name}" is not a chunk`);
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
export const tablespaceMissing = (name: string): PgError =>
  fail(SQLSTATE.undefinedObject, `tablespace "${name}" does not exist`);
export const tablespaceDenied = (name: string, owner: string): PgError =>
  fail(
    SQLSTATE.insufficientPrivilege,
    `permission denied for tablespace "${name}"`,
    `The owner of the hypertable, "${owner}", lacks the privilege CREATE on it.`,
  );
export const tablespaceAttached = (name: string, table: string): PgError =>
  fail(
    SQLSTATE.tablespaceAlreadyAttached,
    `tablespace "${name}" is already attached to hypertable "${table}"`,
    undefined,
    'Pass if_not_attached => true to skip it.',
  );
export const tablespaceNotAttached = (name: string, table: string): PgError =>
  fail(SQLSTATE.tablespaceNotAttached, `tablespace "${name}" is not attached to hypertable "${table}"`);
export const rangeInverted = (): PgError =>
  fail(SQLSTATE.invalidParameterValue, 'range_start must be before range_end');
export const tooManyChunks = (count: bigint): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    `the range would need ${count} chunks`,
    'At most 10000 are created at a time.',
    'Give a shorter range, or a longer chunk interval with set_chunk_time_interval().',
  );
export const noOrderIndex = (chunk: string): PgError =>
  fail(
    SQLSTATE.undefinedObject,
    `there is no index by which to order chunk "${chunk}"`,
    'No index was given and none is marked by CLUSTER.',
    'Name an index of the chunk or of its hypertable.',
  );
export const compressedChunk = (chunk: string): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    `chunk "${chunk}" is compressed`,
    'Its rows have the order of compress_orderby.',
    'Decompress it first.',
  );
export const wrongOrderIndex = (index: string, chunk: string): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    `index "${index}" cannot order chunk "${chunk}"`,
    undefined,
    'Name a valid btree index without a condition.',
  );
export const policyExists = (message: string): PgError =>
  fail(SQLSTATE.duplicateObject, message, undefined, 'Pass if_not_exists => true to skip it.');
export const policyMissing = (message: string): PgError =>
  fail(SQLSTATE.undefinedObject, message, undefined, 'Pass if_exists => true to skip it.');
export const badLag = (argument: string, given: string, wanted: string, hint: string): PgError =>
  fail(SQLSTATE.invalidParameterValue, `"${argument}" must be ${wanted}`, `It is of type ${given}.`, hint);
export const noIntegerNow = (table: string): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    `integer_now function is not set on hypertable "${table}"`,
    'The age of an integer is measured from it.',
    `Call set_integer_now_func('${table}', ...).`,
  );
export const lagOverflow = (lag: string): PgError =>
  fail(SQLSTATE.intervalFieldOverflow, 'the age is out of range for the time column', `It is ${lag}.`);
export const ageNeverReached = (argument: string, age: string): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    `no row can be as old as "${argument}" says, so the policy would never succeed`,
    `It is ${age}.`,
    'Give a shorter age.',
  );
export const oneAgeNeeded = (): PgError =>
  fail(SQLSTATE.invalidParameterValue, 'exactly one of drop_after and drop_created_before is needed');
export const notIndexOf = (index: string, table: string): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    `"${index}" is not an index of hypertable "${table}" to order by`,
    undefined,
    'Name a btree index of the hypertable, without its schema.',
  );
export const badPolicyConfig = (detail: string): PgError =>
  fail(SQLSTATE.invalidParameterValue, 'the configuration of the policy is not usable', detail);

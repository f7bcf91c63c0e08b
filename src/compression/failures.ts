import { PgError } from '../lib/pg-error.ts';
import { ident } from '../lib/quote.ts';
import { SQLSTATE } from '../lib/sqlstate.ts';

const fail = (sqlstate: string, message: string, detail?: string, hint?: string): PgError =>
  new PgError({ sqlstate, message, detail, hint });

export const badClause = (option: string, text: string, detail: string, form: string): PgError =>
  fail(SQLSTATE.syntaxError, `unable to parse ${option} "${text}"`, detail, form);
export const unknownColumn = (option: string, column: string, table: string): PgError =>
  fail(SQLSTATE.syntaxError, `column "${column}" of ${option} does not exist`, `The hypertable is "${table}".`);
export const duplicateColumn = (option: string, column: string): PgError =>
  fail(SQLSTATE.syntaxError, `duplicate column "${column}" in ${option}`);
export const columnInBoth = (column: string): PgError =>
  fail(
    SQLSTATE.syntaxError,
    `column "${column}" cannot be in both compress_segmentby and compress_orderby`,
    undefined,
    'Name it in one of the two.',
  );
export const segmentByTime = (column: string): PgError =>
  fail(
    SQLSTATE.syntaxError,
    `time column "${column}" cannot be in compress_segmentby`,
    'Every segment would hold the rows of one moment.',
    'Put it into compress_orderby, or leave it out.',
  );
export const reservedColumn = (column: string): PgError =>
  fail(SQLSTATE.syntaxError, `column name "${column}" is reserved for compression`, undefined, 'Rename the column.');
export const notOrderable = (column: string, type: string): PgError =>
  fail(
    SQLSTATE.undefinedFunction,
    `column "${column}" of type ${type} cannot be in compress_orderby`,
    'The type has no operator "<".',
  );
export const notGroupable = (column: string, type: string): PgError =>
  fail(
    SQLSTATE.undefinedFunction,
    `column "${column}" of type ${type} cannot be in compress_segmentby`,
    'The type has no operators by which to group and order.',
  );
export const generatedColumn = (column: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `generated column "${column}" cannot be in compress_segmentby or compress_orderby`,
    undefined,
    'Use the columns it is computed from.',
  );
export const tableHas = (table: string, what: string, hint?: string): PgError =>
  fail(SQLSTATE.featureNotSupported, `compression cannot be enabled on hypertable "${table}"`, what, hint);
export const notValidated = (chunk: string, constraint: string, root: string): PgError =>
  fail(
    SQLSTATE.objectNotInPrerequisiteState,
    `chunk "${chunk}" cannot be compressed while constraint "${constraint}" is not validated`,
    'Of compressed rows PostgreSQL takes every constraint for granted.',
    `Run: alter table ${root} validate constraint ${ident(constraint)};`,
  );
export const keyColumnsOutside = (key: string, columns: readonly string[]): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `column "${columns[0]}" of key "${key}" must be in compress_segmentby or compress_orderby`,
    'Otherwise each insert into a compressed chunk would have to read all of it.',
    `Add it to compress_orderby, or drop the key.`,
  );
export const foreignKeyOutside = (key: string, column: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `column "${column}" of foreign key "${key}" must be in compress_segmentby`,
    'Only values that stand by themselves in a segment can be checked and cascaded to.',
    'Add it to compress_segmentby, or drop the foreign key.',
  );
export const notEnabled = (table: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `compression is not enabled on hypertable "${table}"`,
    undefined,
    `Run: select set_compression('${table}', compress_segmentby => '...');`,
  );
export const compressNeeded = (): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    'compression options cannot be combined with compress => false',
    undefined,
    'Leave compress_segmentby and compress_orderby out.',
  );
export const stillCompressed = (table: string, count: number): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `compression cannot be disabled on hypertable "${table}"`,
    `It has ${count} compressed ${count === 1 ? 'chunk' : 'chunks'}.`,
    `Run: select decompress_chunk(c, true) from show_chunks('${table}') c;`,
  );
export const stillScheduled = (table: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `compression cannot be disabled on hypertable "${table}"`,
    'It has a compression policy.',
    `Run: select remove_compression_policy('${table}');`,
  );
export const alreadyCompressed = (chunk: string): PgError =>
  fail(
    SQLSTATE.duplicateObject,
    `chunk "${chunk}" is already compressed`,
    undefined,
    'Pass if_not_compressed => true to skip it.',
  );
export const notCompressed = (chunk: string): PgError =>
  fail(
    SQLSTATE.objectNotInPrerequisiteState,
    `chunk "${chunk}" is not compressed`,
    undefined,
    'Pass if_compressed => true to skip it.',
  );
export const nullChunk = (argument: string): PgError =>
  fail(SQLSTATE.invalidParameterValue, `"${argument}" must not be null`);
export const notChunk = (name: string): PgError =>
  fail(SQLSTATE.objectNotInPrerequisiteState, `"${name}" is not a chunk`);
export const notOwner = (name: string): PgError =>
  fail(SQLSTATE.insufficientPrivilege, `must be owner of hypertable "${name}"`);
export const cannotAlter = (chunk: string, detail: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    'operation not supported on hypertables that have compressed chunks',
    detail,
    `Decompress chunk "${chunk}" and its like first.`,
  );
export const columnNeeded = (column: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `cannot drop column "${column}", by which chunks are compressed`,
    undefined,
    'Decompress the chunks, and change compress_segmentby and compress_orderby with set_compression().',
  );
export const containsNulls = (column: string, chunk: string): PgError =>
  fail(SQLSTATE.notNullViolation, `column "${column}" of relation "${chunk}" contains null values`);
export const checkViolated = (check: string, chunk: string): PgError =>
  fail(SQLSTATE.checkViolation, `check constraint "${check}" of relation "${chunk}" is violated by some row`);
export const rowSecurity = (table: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `row-level security cannot be enabled on hypertable "${table}", which has compression enabled`,
    undefined,
    `Run: select set_compression('${table}', false);`,
  );
export const oneAgeNeeded = (): PgError =>
  fail(SQLSTATE.invalidParameterValue, 'exactly one of compress_after and compress_created_before is needed');
export const badPolicyConfig = (detail: string): PgError =>
  fail(SQLSTATE.invalidParameterValue, 'the configuration of the policy is not usable', detail);
export const goneMeanwhile = (chunk: string): PgError =>
  fail(
    SQLSTATE.serializationFailure,
    `chunk "${chunk}" was dropped or decompressed meanwhile`,
    undefined,
    'Try again.',
  );
export const changedMeanwhile = (chunk: string): PgError =>
  fail(
    SQLSTATE.serializationFailure,
    `could not compress chunk "${chunk}" because its rows were updated or deleted meanwhile`,
    undefined,
    'Try again.',
  );

import { fail, type PgError } from '../../lib/pg-error.ts';
import { literal } from '../../lib/quote.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';

export const lockTableFull = (table: string, partitions: number, said: string): PgError =>
  fail(
    SQLSTATE.outOfMemory,
    `cannot make ${partitions} hash partitions of hypertable "${table}" in this transaction: ${said}`,
    'Each partition needs some nine locks until the transaction ends. Nothing was made.',
    `select set_number_partitions(${literal(table)}, ${Math.max(1, Math.min(16, partitions >> 1))}); -- or let max_locks_per_transaction be greater`,
  );
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
export const notChunk = (name: string): PgError => fail(SQLSTATE.invalidParameterValue, `"${name}" is not a chunk`);
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

import { fail, type PgError } from '../../lib/pg-error.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';

export const tableHas = (table: string, what: string, hint?: string): PgError =>
  fail(SQLSTATE.featureNotSupported, `compression cannot be enabled on hypertable "${table}"`, what, hint);
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

import { fail, type PgError } from '../../lib/pg-error.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';

export const notEnabled = (table: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `compression is not enabled on hypertable "${table}"`,
    undefined,
    `Run: select set_compression('${table}', compress_segmentby => '...');`,
  );
export const nullChunk = (argument: string): PgError =>
  fail(SQLSTATE.invalidParameterValue, `"${argument}" must not be null`);
export const notChunk = (name: string): PgError =>
  fail(SQLSTATE.objectNotInPrerequisiteState, `"${name}" is not a chunk`);
export const notOwner = (name: string): PgError =>
  fail(SQLSTATE.insufficientPrivilege, `must be owner of hypertable "${name}"`);

import { fail, type PgError } from './pg-error.ts';
import { SQLSTATE } from './sqlstate.ts';

export const nullArgument = (name: string): PgError =>
  fail(SQLSTATE.invalidParameterValue, `"${name}" must not be null`);
export const relationMissing = (oid: bigint): PgError =>
  fail(SQLSTATE.undefinedTable, `relation with OID ${oid} does not exist`);
export const notTableOwner = (name: string): PgError =>
  fail(SQLSTATE.insufficientPrivilege, `must be owner of table "${name}"`);
export const columnMissing = (column: string, table: string): PgError =>
  fail(SQLSTATE.undefinedColumn, `column "${column}" of table "${table}" does not exist`);

const unreadable = (what: string, detail: string): PgError =>
  fail(SQLSTATE.internalError, `cannot read the ${what} of a view`, detail);
export const badTree = (at: number): PgError => unreadable('node tree', `Offset ${at}.`);
export const badViewText = (expected: string): PgError => unreadable('definition', `Expected ${expected}.`);

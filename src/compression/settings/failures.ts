import { fail, type PgError } from '../../lib/pg-error.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';

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
export const compressNeeded = (): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    'compression options cannot be combined with compress => false',
    undefined,
    'Leave compress_segmentby and compress_orderby out.',
  );

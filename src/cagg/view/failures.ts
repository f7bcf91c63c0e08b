import { fail, type PgError } from '../../lib/pg-error.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';

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
export const badColumnCount = (given: number, wanted: number): PgError =>
  fail(
    SQLSTATE.syntaxError,
    given > wanted ? 'too many column names were specified' : 'too few column names were specified',
    `The query has ${wanted} columns, ${given} names were given.`,
  );

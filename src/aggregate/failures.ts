import { fail, type PgError } from '../lib/pg-error.ts';
import { SQLSTATE } from '../lib/sqlstate.ts';

const MESSAGE = 'the query cannot be split over the parts of a table';
const BESIDE = 'Put it into the queries that read the view.';

const unsplittable = (detail: string, hint?: string): PgError =>
  fail(SQLSTATE.featureNotSupported, MESSAGE, detail, hint);

export const notSelect = (): PgError => unsplittable('It is no SELECT.');
export const hasClause = (clause: string): PgError => unsplittable(`It has ${clause}.`, BESIDE);
export const noAggregate = (): PgError =>
  unsplittable('It has neither GROUP BY nor an aggregate function.', 'Read the table itself.');
export const notTable = (): PgError => unsplittable('FROM has something that is no table.');
export const sublinkOutside = (): PgError => unsplittable('A subquery stands outside of WHERE.', BESIDE);
export const readsNothing = (): PgError =>
  fail(
    SQLSTATE.wrongObjectType,
    MESSAGE,
    'FROM names neither a hypertable nor a distributed table.',
    'Create an ordinary view.',
  );
export const notDistributed = (name: string): PgError =>
  unsplittable(`It joins "${name}", which is not distributed.`, 'Join it with the view.');
export const notColocated = (a: string, b: string): PgError =>
  unsplittable(`"${a}" and "${b}" are not colocated.`, `Distribute one with colocate_with => '${a}'.`);
export const notByKey = (a: string, b: string): PgError =>
  unsplittable(
    `"${a}" and "${b}" are not joined by their distribution columns.`,
    'Add the equality of these columns to the query.',
  );
export const cannotCombine = (aggregate: string, why: string): PgError =>
  unsplittable(
    `What ${aggregate} gives for parts of the rows cannot be combined: ${why}.`,
    'Group by the distribution column, or read the table itself.',
  );
export const forcedPolicies = (name: string): PgError =>
  unsplittable(`Row-level security is forced on "${name}", and parts are read by themselves.`);
export const notOwner = (name: string): PgError =>
  fail(
    SQLSTATE.insufficientPrivilege,
    `must be owner of table "${name}"`,
    'The view reads its parts, on which nobody else has privileges.',
    `set role to its owner, create the view, and grant select on it.`,
  );
export const badName = (name: string): PgError =>
  fail(SQLSTATE.invalidName, `"${name}" is not the name of a view`, undefined, 'Write name or schema.name.');
export const severalStatements = (): PgError => fail(SQLSTATE.syntaxError, 'the query must be a single statement');

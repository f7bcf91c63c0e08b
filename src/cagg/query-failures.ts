import { PgError } from '../lib/pg-error.ts';
import { SQLSTATE } from '../lib/sqlstate.ts';

const invalid = (detail: string, hint?: string): PgError =>
  new PgError({
    sqlstate: SQLSTATE.featureNotSupported,
    message: 'invalid continuous aggregate query',
    detail,
    hint,
  });

const READING = 'Put it into the queries that read the continuous aggregate.';
const BY_NAME = 'Name the hypertable, and the tables joined to it, in FROM.';

export const notSelect = (): PgError => invalid('The query is not a SELECT.');
export const hasWith = (): PgError => invalid('WITH is not supported.', BY_NAME);
export const hasSetOperation = (): PgError =>
  invalid(
    'UNION, INTERSECT and EXCEPT are not supported.',
    'Create one continuous aggregate for each part, and combine them in a view.',
  );
export const hasWindow = (): PgError => invalid('Window functions are not supported.', READING);
export const hasSubquery = (): PgError => invalid('Subqueries are not supported.', 'Use a join where possible.');
export const hasDistinct = (on: boolean): PgError =>
  invalid(`SELECT DISTINCT${on ? ' ON' : ''} is not supported.`, READING);
export const hasOrder = (): PgError => invalid('ORDER BY is not supported.', READING);
export const hasLimit = (): PgError => invalid('LIMIT and OFFSET are not supported.', READING);
export const hasLocking = (): PgError => invalid('FOR UPDATE and FOR SHARE are not supported.');
export const hasGroupingSets = (): PgError =>
  invalid(
    'GROUPING SETS, ROLLUP and CUBE are not supported.',
    'Create one continuous aggregate for each set of columns.',
  );
export const returnsSet = (): PgError =>
  invalid('Functions that return sets are not supported in the select list.', READING);
export const noGroupBy = (): PgError =>
  invalid('The query has no GROUP BY.', "Group by time_bucket('1 day', <time column>), for example.");
export const notTable = (what: string): PgError => invalid(`${what} in FROM is not supported.`, BY_NAME);
export const hasTableSample = (): PgError => invalid('TABLESAMPLE is not supported.');
export const hasFullJoin = (): PgError => invalid('FULL JOIN is not supported.');
export const hasOnly = (table: string): PgError =>
  invalid(`FROM ONLY is not supported for "${table}".`, 'Leave ONLY out.');
export const notRead = (table: string): PgError => invalid(`The query does not read "${table}".`);
export const readTwice = (table: string): PgError => invalid(`The query reads "${table}" more than once.`);
export const onNullableSide = (table: string): PgError =>
  invalid(
    `"${table}" is on the side of an outer join that is filled up with nulls.`,
    `Put "${table}" on the left side of LEFT JOIN, or use an inner join.`,
  );
export const noBucket = (column: string): PgError =>
  invalid('There is no valid time_bucket call in GROUP BY.', `Group by time_bucket('1 day', ${column}), for example.`);
export const severalBuckets = (): PgError =>
  invalid('GROUP BY has more than one time_bucket call.', 'Group by one time_bucket, and by plain columns.');
export const bucketOfOther = (table: string, column: string): PgError =>
  invalid(
    `The second argument of time_bucket is not the time column of "${table}".`,
    `Pass column ${column} as it is, without a cast or a calculation.`,
  );
export const notConstant = (argument: string): PgError =>
  invalid(`The ${argument} of time_bucket is not a constant.`, 'Write a literal, or a call with literals alone.');

const unreadable = (what: string, detail: string): PgError =>
  new PgError({ sqlstate: SQLSTATE.internalError, message: `cannot read the ${what} of a view`, detail });

export const badTree = (at: number): PgError => unreadable('node tree', `Offset ${at}.`);
export const badViewText = (expected: string): PgError => unreadable('definition', `Expected ${expected}.`);

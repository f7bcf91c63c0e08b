import { nullArgument } from '../../lib/failures.ts';
import { PgError, fail } from '../../lib/pg-error.ts';
import { ident } from '../../lib/quote.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';

export const nullCagg = (): PgError => nullArgument('continuous_aggregate');
export const notCagg = (name: string): PgError =>
  fail(SQLSTATE.featureNotSupported, `"${name}" is not a continuous aggregate`);
export const notCaggOwner = (name: string): PgError =>
  fail(SQLSTATE.insufficientPrivilege, `must be owner of continuous aggregate "${name}"`);
export const noHypertable = (): PgError =>
  fail(
    SQLSTATE.hypertableNotExist,
    'the query reads no hypertable',
    undefined,
    'FROM must name a hypertable or a continuous aggregate itself, not a view of it.',
  );
export const severalHypertables = (names: readonly string[]): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    'invalid continuous aggregate query',
    `It reads several hypertables or continuous aggregates: ${names.join(', ')}.`,
    'Join one with plain tables.',
  );
export const readsMaterialization = (name: string, view: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    'invalid continuous aggregate query',
    `"${name}" is the materialization of a continuous aggregate.`,
    `Read the continuous aggregate itself: ${view}.`,
  );
export const notRawOwner = (name: string): PgError =>
  fail(SQLSTATE.insufficientPrivilege, `must be owner of hypertable "${name}"`);
export const rowSecurity = (name: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    'invalid continuous aggregate query',
    `Row-level security is enabled on "${name}".`,
    'What is materialized would be the same for everybody.',
  );
export const mutableFunction = (name: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    'only immutable functions are supported in a continuous aggregate',
    `${name} is not immutable: its result differs from one session or moment to another.`,
    'Put it into the queries that read the continuous aggregate; in arguments of time_bucket write a literal.',
  );
export const nullBucketArgument = (what: string): PgError =>
  fail(SQLSTATE.invalidParameterValue, `the ${what} of time_bucket must not be null`);
export const incompatibleBucket = (own: string, parent: string, detail: string): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    'incompatible bucket width',
    `Buckets of ${own} over buckets of ${parent}: ${detail}`,
    'The width must be a multiple of the one that is read, with the same origin, offset and time zone.',
  );
export const cutBucket = (own: string, parent: string, zone: string, day: string, at: string): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    'incompatible bucket width',
    `Buckets of ${own} in ${zone} over buckets of ${parent}: ${day} begins there at ${at} UTC, in the middle of one.`,
    `Give the continuous aggregate that is read the same time zone, or buckets of 15 minutes.`,
  );
export const unrestorable = (detail: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    'invalid continuous aggregate query',
    detail,
    'Write it with plain joins of the hypertable with other tables.',
  );
/** Results would be of the type of the table's rows, and PostgreSQL keeps ALTER TABLE from changing one that is used so. */
export const wholeRow = (table: string, columns: readonly string[], time: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    'invalid continuous aggregate query',
    `It uses rows of "${table}" as a whole, whose columns ALTER TABLE could not change any more.`,
    `Name each column that is wanted: ${columns.map((c) => `last(${ident(c)}, ${ident(time)})`).join(', ')}; count(*) counts rows.`,
  );
export const systemColumn = (table: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    'invalid continuous aggregate query',
    `It uses system columns of "${table}", which moves of rows change.`,
    'Use columns of the table.',
  );
export const lagOutOfRange = (name: string, value: string, type: string): PgError =>
  fail(SQLSTATE.numericValueOutOfRange, `"${name}" is out of range for type ${type}`, `It is ${value}.`);
export const badLagType = (name: string, given: string, wanted: string): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    `invalid value of "${name}"`,
    `It is of type ${given}; the time column needs ${wanted}.`,
    wanted === 'an integer'
      ? 'Give an integer, in the units of the time column.'
      : `Give an interval with its unit, such as interval '7 days'.`,
  );
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

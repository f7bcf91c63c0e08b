import { fail, type PgError } from '../../lib/pg-error.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';

export const keepNeedsDropAfter = (): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    'a policy that keeps results of continuous aggregates needs drop_after',
    'cascade_to_materializations is false, and drop_created_before says nothing about the times of rows.',
    'Give drop_after, or cascade_to_materializations => true.',
  );
export const policyExists = (message: string): PgError =>
  fail(SQLSTATE.duplicateObject, message, undefined, 'Pass if_not_exists => true to skip it.');
export const policyMissing = (message: string): PgError =>
  fail(SQLSTATE.undefinedObject, message, undefined, 'Pass if_exists => true to skip it.');
export const badLag = (argument: string, given: string, wanted: string, hint: string): PgError =>
  fail(SQLSTATE.invalidParameterValue, `"${argument}" must be ${wanted}`, `It is of type ${given}.`, hint);
export const noIntegerNow = (table: string): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    `integer_now function is not set on hypertable "${table}"`,
    'The age of an integer is measured from it.',
    `Call set_integer_now_func('${table}', ...).`,
  );
export const lagOverflow = (lag: string): PgError =>
  fail(SQLSTATE.intervalFieldOverflow, 'the age is out of range for the time column', `It is ${lag}.`);
export const ageNeverReached = (argument: string, age: string): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    `no row can be as old as "${argument}" says, so the policy would never succeed`,
    `It is ${age}.`,
    'Give a shorter age.',
  );
export const oneAgeNeeded = (): PgError =>
  fail(SQLSTATE.invalidParameterValue, 'exactly one of drop_after and drop_created_before is needed');
export const notIndexOf = (index: string, table: string): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    `"${index}" is not an index of hypertable "${table}" to order by`,
    undefined,
    'Name a btree index of the hypertable, without its schema.',
  );
export const badPolicyConfig = (detail: string): PgError =>
  fail(SQLSTATE.invalidParameterValue, 'the configuration of the policy is not usable', detail);

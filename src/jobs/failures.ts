import { fail, type PgError } from '../lib/pg-error.ts';
import { SQLSTATE } from '../lib/sqlstate.ts';

export const procedureMissing = (oid: bigint): PgError =>
  fail(SQLSTATE.undefinedObject, `function or procedure with OID ${oid} does not exist`);
export const unsuitableProcedure = (name: string): PgError =>
  fail(
    SQLSTATE.undefinedFunction,
    `"${name}" cannot be the action of a job`,
    'A job calls its function or procedure with two arguments.',
    `Declare it as ${name}(job_id int, config jsonb).`,
  );
export const noExecute = (name: string, role: string): PgError =>
  fail(
    SQLSTATE.insufficientPrivilege,
    `permission denied for function "${name}"`,
    `Role "${role}", which owns the job, may not execute it.`,
    `grant execute on routine ${name} to ${role}`,
  );
export const unsuitableCheck = (name: string): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    `"${name}" cannot check the configuration of a job`,
    undefined,
    'Declare it as a function with one argument of type jsonb.',
  );
export const badInterval = (name: string, value: string): PgError =>
  fail(SQLSTATE.invalidParameterValue, `"${name}" must be greater than 0`, `It is ${value}.`);
export const negative = (name: string, value: string): PgError =>
  fail(SQLSTATE.invalidParameterValue, `"${name}" must not be negative`, `It is ${value}.`);
export const badRetries = (value: number): PgError =>
  fail(SQLSTATE.invalidParameterValue, '"max_retries" must be -1 or more', `It is ${value}; -1 means no limit.`);
export const mixedInterval = (value: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    'months and days or times cannot be mixed in the interval of a fixed schedule',
    `The interval is ${value}.`,
    'Use months alone, days and times alone, or fixed_schedule => false.',
  );
export const badTimezone = (name: string): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    `time zone "${name}" not recognized`,
    undefined,
    'select name from pg_timezone_names lists them.',
  );
export const longName = (name: string): PgError => fail(SQLSTATE.nameTooLong, `job name "${name}" is too long`);
export const jobMissing = (id: number): PgError => fail(SQLSTATE.undefinedObject, `job ${id} not found`);
export const notJobOwner = (id: number, owner: string, verb: string): PgError =>
  fail(
    SQLSTATE.insufficientPrivilege,
    `insufficient permissions to ${verb} job ${id}`,
    `Job ${id} is owned by role ${owner}.`,
  );
export const cannotRunForOwner = (id: number, owner: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `job ${id} cannot be run in a session of another role than its owner`,
    `It is the code of ${owner}, and runs with the rights of that role only.`,
    `select alter_job(${id}, next_start => now());`,
  );
export const twoConfigs = (): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    'config and config_merge cannot be given together',
    undefined,
    'config replaces the configuration, config_merge changes keys of it.',
  );
export const minusInfinity = (): PgError => fail(SQLSTATE.invalidParameterValue, 'cannot set next start to -infinity');

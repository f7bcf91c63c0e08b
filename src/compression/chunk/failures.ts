import { fail, type PgError } from '../../lib/pg-error.ts';
import { ident } from '../../lib/quote.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';

export const notValidated = (chunk: string, constraint: string, root: string): PgError =>
  fail(
    SQLSTATE.objectNotInPrerequisiteState,
    `chunk "${chunk}" cannot be compressed while constraint "${constraint}" is not validated`,
    'Of compressed rows PostgreSQL takes every constraint for granted.',
    `Run: alter table ${root} validate constraint ${ident(constraint)};`,
  );
export const alreadyCompressed = (chunk: string): PgError =>
  fail(
    SQLSTATE.duplicateObject,
    `chunk "${chunk}" is already compressed`,
    undefined,
    'Pass if_not_compressed => true to skip it.',
  );
export const notCompressed = (chunk: string): PgError =>
  fail(
    SQLSTATE.objectNotInPrerequisiteState,
    `chunk "${chunk}" is not compressed`,
    undefined,
    'Pass if_compressed => true to skip it.',
  );
export const oneAgeNeeded = (): PgError =>
  fail(SQLSTATE.invalidParameterValue, 'exactly one of compress_after and compress_created_before is needed');
export const badPolicyConfig = (detail: string): PgError =>
  fail(SQLSTATE.invalidParameterValue, 'the configuration of the policy is not usable', detail);
export const goneMeanwhile = (chunk: string): PgError =>
  fail(
    SQLSTATE.serializationFailure,
    `chunk "${chunk}" was dropped or decompressed meanwhile`,
    undefined,
    'Try again.',
  );
export const changedMeanwhile = (chunk: string): PgError =>
  fail(
    SQLSTATE.serializationFailure,
    `could not compress chunk "${chunk}" because its rows were updated or deleted meanwhile`,
    undefined,
    'Try again.',
  );

import { fail, type PgError } from '../../lib/pg-error.ts';
import { ident } from '../../lib/quote.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';

export const alreadyHypertable = (name: string): PgError =>
  fail(
    SQLSTATE.hypertableExists,
    `table "${name}" is already a hypertable`,
    undefined,
    'Pass if_not_exists => true to skip it.',
  );
/** What a table is to become, as its refusal says. */
export type Purpose = 'hypertable' | 'distributed table' | 'reference table' | 'plain table';
export const wrongRelation = (name: string, purpose: Purpose, detail: string, hint?: string): PgError =>
  fail(SQLSTATE.wrongObjectType, `table "${name}" cannot become a ${purpose}`, detail, hint);
export const unsupportedTable = (name: string, purpose: Purpose, detail: string, hint?: string): PgError =>
  fail(SQLSTATE.featureNotSupported, `table "${name}" cannot become a ${purpose}`, detail, hint);
export const unvalidated = (table: string, constraint: string): PgError =>
  fail(
    SQLSTATE.objectNotInPrerequisiteState,
    `constraint "${constraint}" of table "${table}" was never validated`,
    'Chunks have constraints that hold for all their rows.',
    `alter table ${table} validate constraint ${ident(constraint)};`,
  );
export const publishedTable = (name: string, purpose: Purpose, publication: string): PgError =>
  fail(
    SQLSTATE.operationNotSupported,
    `table "${name}" cannot become a ${purpose}`,
    `It is published by publication "${publication}", which names the table that would be replaced.`,
    `Drop it from the publication, create the ${purpose}, and add it again with publish_via_partition_root = true.`,
  );
export const notEmpty = (name: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `table "${name}" is not empty`,
    undefined,
    'Pass migrate_data => true to move its rows into chunks.',
  );
export const generatedColumn = (column: string): PgError =>
  fail(SQLSTATE.featureNotSupported, `generated column "${column}" cannot be a dimension`);
export const badUniqueIndex = (index: string, column: string): PgError =>
  fail(
    SQLSTATE.badHypertableIndex,
    `unique index "${index}" does not contain column "${column}", which divides the hypertable`,
    undefined,
    `Add "${column}" to the index, or drop it.`,
  );
export const badExclusion = (constraint: string, detail: string): PgError =>
  fail(SQLSTATE.badHypertableIndex, `exclusion constraint "${constraint}" cannot be kept on a hypertable`, detail);
export const prefixTooLong = (prefix: string): PgError =>
  fail(
    SQLSTATE.nameTooLong,
    `associated_table_prefix "${prefix}" is too long`,
    'Room must be left for "_<number>_chunk" within 63 bytes.',
  );
export const prefixTaken = (schema: string, prefix: string): PgError =>
  fail(SQLSTATE.duplicateObject, `another hypertable already uses the prefix "${prefix}" in schema "${schema}"`);
export const schemaMissing = (schema: string): PgError =>
  fail(
    SQLSTATE.insufficientPrivilege,
    `schema "${schema}" does not exist and cannot be created`,
    'The current role lacks the privilege CREATE on the database.',
  );
export const dependentObjects = (name: string, objects: string): PgError =>
  fail(
    SQLSTATE.dependentObjectsStillExist,
    `table "${name}" cannot become a partitioned table because other objects depend on it`,
    objects,
    'Drop them, call the function again, and create them anew.',
  );
export const notYourForeignKey = (constraint: string, table: string): PgError =>
  fail(
    SQLSTATE.insufficientPrivilege,
    `foreign key "${constraint}" of table "${table}" would have to be created again`,
    'The current role does not own that table.',
  );
export const partitionsOfNothing = (count: number): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    `${count} partitions need a column to be divided by`,
    'number_partitions is given, and partitioning_column is not.',
    'Give partitioning_column, or leave number_partitions out.',
  );
export const badStorageOption = (given: string | null): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    given === null ? 'a storage parameter must not be null' : `"${given}" is no storage parameter`,
    undefined,
    "Write them as name=value, such as '{fillfactor=80,autovacuum_enabled=false}', and those to take back as names.",
  );

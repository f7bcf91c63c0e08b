import { fail, type PgError } from '../../lib/pg-error.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';

export const referenceTableKeys = (name: string): PgError =>
  fail(
    SQLSTATE.wrongObjectType,
    `table "${name}" is a reference table, which has its keys itself`,
    undefined,
    'Use ALTER TABLE; its copies follow.',
  );
export const noColumns = (argument: string): PgError =>
  fail(SQLSTATE.invalidParameterValue, `"${argument}" must name at least one column, and no null`);
export const columnTwice = (column: string): PgError =>
  fail(SQLSTATE.duplicateColumn, `column "${column}" appears twice in a key`);
export const secondPrimaryKey = (table: string, name: string): PgError =>
  fail(
    SQLSTATE.invalidTableDefinition,
    `multiple primary keys for table "${table}" are not allowed`,
    `It has "${name}" already.`,
    `To replace it: select drop_distributed_constraint('${table}', '${name}');`,
  );
export const constraintExists = (name: string, table: string): PgError =>
  fail(SQLSTATE.duplicateObject, `constraint "${name}" for table "${table}" already exists`);
export const constraintMissing = (name: string, table: string, isCheck: boolean): PgError =>
  fail(
    SQLSTATE.undefinedObject,
    `table "${table}" has no key "${name}"`,
    undefined,
    isCheck
      ? `It is a check, which the table has itself: alter table ${table} drop constraint "${name}";`
      : `See them: select * from _tessera_catalog.pg_dist_key where logicalrelid = '${table}'::regclass;`,
  );
export const keyNeeded = (name: string, table: string, by: string, byTable: string): PgError =>
  fail(
    SQLSTATE.dependentObjectsStillExist,
    `cannot drop key "${name}" of table "${table}" because other objects depend on it`,
    `Foreign key "${by}" of table "${byTable}" refers to it.`,
    `Run first: select drop_distributed_constraint('${byTable}', '${by}');`,
  );
export const columnCountsDiffer = (key: string): PgError =>
  fail(SQLSTATE.invalidForeignKey, `number of referencing and referenced columns for foreign key "${key}" disagree`);
export const noUniqueKey = (table: string, columns: readonly string[]): PgError =>
  fail(
    SQLSTATE.invalidForeignKey,
    columns.length === 0
      ? `there is no primary key for referenced table "${table}"`
      : `there is no unique constraint matching given keys for referenced table "${table}"`,
    columns.length === 0 ? undefined : `The columns are ${columns.map((c) => `"${c}"`).join(', ')}.`,
    `Make one: select create_distributed_key('${table}', array[...]);`,
  );
export const copiesMissing = (table: string): PgError =>
  fail(
    SQLSTATE.objectNotInPrerequisiteState,
    `reference table "${table}" has no copy on some nodes yet`,
    undefined,
    'Run first: select replicate_reference_tables();',
  );
export const usingNotKnown = (column: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `the type of column "${column}" cannot be changed with USING`,
    'Shards would need the expression, which is not known here.',
  );
export const schemaOfShards = (table: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    'schema cannot be renamed',
    `Distributed table "${table}" uses types or functions in it, which nodes know by its name.`,
  );
export const typeCannotFollow = (type: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `type "${type}" is used by distributed tables and cannot be changed in this way`,
    'On the nodes it has the name and the shape from before.',
    'Enums may get and rename values, composite types rename attributes, domains change constraints.',
  );

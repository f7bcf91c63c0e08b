import { PgError, fail } from '../../lib/pg-error.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';

export const badRegistration = (table: string): PgError =>
  new PgError({
    sqlstate: SQLSTATE.wrongObjectType,
    message: `table "${table}" cannot be recorded as a distributed table`,
  });
export const badDefinition = (name: string): PgError =>
  new PgError({
    sqlstate: SQLSTATE.invalidParameterValue,
    message: `definition of key "${name}" is none that PostgreSQL writes`,
  });
export const alreadyDistributed = (name: string): PgError =>
  fail(SQLSTATE.invalidTableDefinition, `table "${name}" is already distributed`);
export const isHypertable = (name: string): PgError =>
  fail(SQLSTATE.featureNotSupported, `hypertable "${name}" cannot be distributed`);
export const isCatalog = (name: string): PgError =>
  fail(SQLSTATE.featureNotSupported, `system catalog "${name}" cannot be distributed`);
export const collectingTrigger = (table: string, trigger: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `table "${table}" cannot be distributed`,
    `Its trigger "${trigger}" has a transition table, and PostgreSQL collects no rows of foreign tables.`,
    'Make it a trigger FOR EACH ROW, or drop it.',
  );
export const sampled = (table: string, sampler: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `table "${table}" cannot be distributed`,
    `PostgreSQL would leave TABLESAMPLE out of ${sampler}, and take all rows.`,
    `Write in its place: (select * from ${table} where random() < 0.1)`,
  );
export const groupedByKey = (table: string, view: string): PgError =>
  fail(
    SQLSTATE.dependentObjectsStillExist,
    `table "${table}" cannot be distributed`,
    `View "${view}" groups by its key and names other columns; the key goes to the shards.`,
    `Have the view name these columns in GROUP BY: create or replace view ${view} as ...`,
  );
export const onlyHash = (kind: string): PgError =>
  fail(SQLSTATE.featureNotSupported, `distribution by ${kind} is not supported`, undefined, 'Distribute by hash.');
export const badShardCount = (count: number | string): PgError =>
  fail(SQLSTATE.invalidParameterValue, `shard_count must be between 1 and 64000, not ${count}`);
export const countWithTable = (): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    'shard_count cannot be given together with a table to colocate with',
    undefined,
    'The table gets as many shards as the other one has.',
  );
export const countWithoutKey = (): PgError =>
  fail(SQLSTATE.invalidParameterValue, 'shard_count cannot be given without a distribution column');
export const noColumn = (name: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `table "${name}" cannot be distributed`,
    'It has no column that is not generated.',
  );
export const generatedKey = (column: string): PgError =>
  fail(SQLSTATE.featureNotSupported, `generated column "${column}" cannot be the distribution column`);
export const keyOfServer = (column: string, type: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `column "${column}" cannot be the distribution column`,
    `The hash of type ${type} is made of OIDs, which are others on every server and after a restore.`,
    `Distribute by a column of text: alter table ... alter column ${column} type text;`,
  );
export const nondeterministicKey = (column: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `column "${column}" cannot be the distribution column`,
    'Its collation is not deterministic.',
  );
export const mayNotReference = (table: string): PgError =>
  fail(
    SQLSTATE.insufficientPrivilege,
    `permission denied for table "${table}"`,
    'A foreign key needs REFERENCES on it.',
  );
export const rowsBreakKeys = (
  table: string,
  keys: readonly string[],
  violation: { readonly detail?: string | undefined },
  statements: string,
): PgError =>
  fail(
    SQLSTATE.foreignKeyViolation,
    `rows of table "${table}" do not fit foreign key ${keys.map((k) => `"${k}"`).join(' or ')}, which is NOT VALID`,
    violation.detail,
    `Shards ask the rows they get. Delete the rows, or add the key after them, each statement committed: ${statements}`,
  );
export const unknownShard = (id: bigint): PgError =>
  fail(SQLSTATE.undefinedObject, `could not find valid entry for shard ${id}`);
export const shardsMoving = (): PgError =>
  fail(
    SQLSTATE.lockNotAvailable,
    'cannot drop or change a distributed table while its shards are being moved',
    undefined,
    'Try again when the move is over: select * from get_rebalance_progress();',
  );
export const partitionsChanged = (name: string, partition: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `partitions of distributed table "${name}" cannot be attached or detached`,
    `Partition "${partition}" would be.`,
  );
export const uniqueOnTable = (name: string, index: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `distributed table "${name}" cannot have unique index "${index}" itself`,
    'Each shard watches over its own rows.',
    `Run instead: select create_distributed_key('${name}', array[...]);`,
  );
export const generatedBesideRow = (name: string, column: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `generated column "${column}" cannot be added to table "${name}", which has one shard`,
    'Its partition key is the whole row, in which PostgreSQL allows no generated columns.',
    `-- add it between these:\nselect undistribute_table('${name}'); select create_distributed_table('${name}', null);`,
  );
export const ownerChanged = (name: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `the owner of distributed table "${name}" cannot be changed`,
    'Its shards belong to roles made for the owner.',
    `Run undistribute_table('${name}') first, and distribute it again afterwards.`,
  );
export const cannotCopy = (shard: bigint): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `shard ${shard} of a distributed table cannot be copied`,
    'Such a shard is on one node.',
    'Move it: citus_move_shard_placement().',
  );
export const inactiveTarget = (at: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `copying shards to inactive node ${at} is not supported`,
    undefined,
    'Activate it: citus_activate_node().',
  );
export const noPlacement = (shard: bigint, at: string): PgError =>
  fail(SQLSTATE.dataException, `could not find placement of shard ${shard} on node ${at}`);

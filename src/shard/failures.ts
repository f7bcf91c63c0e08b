import { PgError } from '../lib/pg-error.ts';
import { ident } from '../lib/quote.ts';
import { SQLSTATE } from '../lib/sqlstate.ts';

const fail = (sqlstate: string, message: string, detail?: string, hint?: string): PgError =>
  new PgError({ sqlstate, message, detail, hint });

export const nullArgument = (name: string): PgError =>
  fail(SQLSTATE.invalidParameterValue, `"${name}" must not be null`);
export const relationMissing = (oid: bigint): PgError =>
  fail(SQLSTATE.undefinedTable, `relation with OID ${oid} does not exist`);
export const notTableOwner = (name: string): PgError =>
  fail(SQLSTATE.insufficientPrivilege, `must be owner of table "${name}"`);
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
export const notDistributed = (name: string): PgError =>
  fail(SQLSTATE.invalidTableDefinition, `table "${name}" is not distributed`);
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
export const noNodes = (): PgError =>
  fail(
    SQLSTATE.objectNotInPrerequisiteState,
    'there is no node that takes shards',
    undefined,
    `Add one: select citus_add_node('<host>', <port>); or let the coordinator take shards: select citus_set_coordinator_host('<host>'), citus_set_node_property('<host>', <port>, 'shouldhaveshards', true);`,
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
export const keyNotInUnique = (constraint: string, column: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `unique constraint "${constraint}" does not contain the distribution column "${column}"`,
    'Each shard can only watch over its own rows.',
    `Add "${column}" to it, or drop it.`,
  );
export const incomingForeignKey = (name: string, key: string, child: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `table "${name}" cannot be distributed`,
    `Foreign key "${key}" of table "${child}" points at it.`,
    'Drop the foreign key, and add it with create_distributed_foreign_key() after both tables are distributed.',
  );
export const keyTargetGone = (key: string, target: string, drop: string): PgError =>
  fail(
    SQLSTATE.undefinedTable,
    `foreign key "${key}", which was set aside, refers to a table that does not exist`,
    `It was called ${target}.`,
    `To do without the key: ${drop};`,
  );
export const referenceTableKeys = (name: string): PgError =>
  fail(
    SQLSTATE.wrongObjectType,
    `table "${name}" is a reference table, which has its keys itself`,
    undefined,
    'Use ALTER TABLE; its copies follow.',
  );
export const badKeyKind = (kind: string): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    `a key cannot be of kind "${kind}"`,
    undefined,
    `Use 'unique' or 'primary key'.`,
  );
export const noColumns = (argument: string): PgError =>
  fail(SQLSTATE.invalidParameterValue, `"${argument}" must name at least one column, and no null`);
export const columnMissing = (column: string, table: string): PgError =>
  fail(SQLSTATE.undefinedColumn, `column "${column}" of table "${table}" does not exist`);
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
export const badAction = (argument: string, action: string): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    `${argument} cannot be "${action}"`,
    undefined,
    `Use 'no action', 'restrict', 'cascade' or 'set null'.`,
  );
export const mayNotReference = (table: string): PgError =>
  fail(
    SQLSTATE.insufficientPrivilege,
    `permission denied for table "${table}"`,
    'A foreign key needs REFERENCES on it.',
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
export const foreignKeyToLocal = (key: string, target: string, column: string | null = null): PgError =>
  fail(
    SQLSTATE.invalidTableDefinition,
    `foreign key "${key}" points at table "${target}", which is not distributed`,
    'Nodes cannot look at tables of the coordinator.',
    column === null
      ? `Run first: select create_reference_table('${target}');`
      : `Run first: select create_distributed_table('${target}', '${column}'); or, for a copy of it on every node: select create_reference_table('${target}');`,
  );
export const foreignKeyCycle = (table: string, key: string, target: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `table "${table}" cannot be distributed because foreign keys lead from it to table "${target}" and back`,
    'One of the two would have to be distributed before the other.',
    `Run first: alter table ${table} drop constraint ${ident(key)}; and add it with create_distributed_foreign_key() after both tables are distributed.`,
  );
export const foreignKeyNotColocated = (key: string, target: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `foreign key "${key}" to distributed table "${target}" cannot be kept`,
    'The tables must be colocated, and the key must pair the distribution column of one with that of the other.',
  );
export const foreignKeyFromReference = (key: string, target: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `foreign key "${key}" from a reference table to distributed table "${target}" cannot be kept`,
  );
export const noDefaultOnShards = (key: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `foreign key "${key}" cannot be kept`,
    'Its action is SET DEFAULT, and shards have no defaults: those of the table are evaluated on the coordinator.',
  );
export const keyWouldChange = (key: string, action: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `foreign key "${key}" would change the distribution column`,
    `Its action is ${action}, and a row cannot go from one shard to another.`,
  );
export const cannotColocate = (table: string, other: string, detail: string): PgError =>
  fail(SQLSTATE.invalidParameterValue, `cannot colocate tables "${other}" and "${table}"`, detail);
export const groupBusy = (table: string): PgError =>
  fail(
    SQLSTATE.lockNotAvailable,
    `shards that belong together with those of table "${table}" are being moved`,
    'A move or copy, or the creation of a colocated table, is under way.',
    'Try again when it is over: select * from get_rebalance_progress();',
  );
export const extensionTypeMissing = (type: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `base type ${type} cannot be made on nodes`,
    undefined,
    'Install on each node what defines the type.',
  );
export const dependentObjects = (name: string, objects: string): PgError =>
  fail(
    SQLSTATE.dependentObjectsStillExist,
    `table "${name}" cannot be changed because other objects depend on it`,
    objects,
  );
export const unknownShard = (id: bigint): PgError =>
  fail(SQLSTATE.undefinedObject, `could not find valid entry for shard ${id}`);
export const strayTable = (name: string, at: string): PgError =>
  fail(
    SQLSTATE.duplicateTable,
    `relation ${name} already exists on node ${at}`,
    'It does not belong to a shard that this database knows there.',
    'Give every database that distributes tables nodes of its own, or drop the relation there.',
  );
export const tableGone = (shard: bigint): PgError =>
  fail(SQLSTATE.undefinedTable, `the table of shard ${shard} was dropped during the move`);
export const targetGone = (at: string): PgError =>
  fail(SQLSTATE.objectNotInPrerequisiteState, `node ${at} was removed or disabled during the move`);
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
export const ownerChanged = (name: string): PgError =>
  fail(
    SQLSTATE.featureNotSupported,
    `the owner of distributed table "${name}" cannot be changed`,
    'Its shards belong to roles made for the owner.',
    `Run undistribute_table('${name}') first, and distribute it again afterwards.`,
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
export const oldTypeOnNode = (type: string): PgError =>
  fail(
    SQLSTATE.duplicateObject,
    `type ${type} on the node is another one`,
    undefined,
    `If nothing uses it there, drop it: select * from run_command_on_workers('drop type ${type}');`,
  );

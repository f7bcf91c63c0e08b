import { PgError } from '../lib/pg-error.ts';
import { SQLSTATE } from '../lib/sqlstate.ts';

const fail = (sqlstate: string, message: string, detail?: string, hint?: string): PgError =>
  new PgError({ sqlstate, message, detail, hint });

export const nullArgument = (name: string): PgError =>
  fail(SQLSTATE.invalidParameterValue, `"${name}" must not be null`);
export const relationMissing = (oid: bigint): PgError =>
  fail(SQLSTATE.undefinedTable, `relation with OID ${oid} does not exist`);
export const notTableOwner = (name: string): PgError =>
  fail(SQLSTATE.insufficientPrivilege, `must be owner of table "${name}"`);
export const alreadyDistributed = (name: string): PgError =>
  fail(SQLSTATE.invalidTableDefinition, `table "${name}" is already distributed`);
export const notDistributed = (name: string): PgError =>
  fail(SQLSTATE.invalidTableDefinition, `table "${name}" is not distributed`);
export const isHypertable = (name: string): PgError =>
  fail(SQLSTATE.featureNotSupported, `hypertable "${name}" cannot be distributed`);
export const isCatalog = (name: string): PgError =>
  fail(SQLSTATE.featureNotSupported, `system catalog "${name}" cannot be distributed`);
export const noNodes = (): PgError =>
  fail(
    SQLSTATE.objectNotInPrerequisiteState,
    'there is no node that takes shards',
    undefined,
    `Add one: select citus_add_node('<host>', <port>); or let the coordinator take shards: select citus_set_coordinator_host('<host>'), citus_set_node_property('<host>', <port>, 'shouldhaveshards', true);`,
  );
export const onlyHash = (kind: string): PgError =>
  fail(SQLSTATE.featureNotSupported, `distribution by ${kind} is not supported`, undefined, 'Distribute by hash.');
export const badShardCount = (count: number): PgError =>
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
export const generatedKey = (column: string): PgError =>
  fail(SQLSTATE.featureNotSupported, `generated column "${column}" cannot be the distribution column`);
export const keyWithoutHash = (column: string, type: string): PgError =>
  fail(
    SQLSTATE.undefinedFunction,
    `column "${column}" of type ${type} cannot be the distribution column`,
    'The type has no default hash operator class.',
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
    'Drop the foreign key; add it again after both tables are distributed.',
  );
export const foreignKeyToLocal = (key: string, target: string): PgError =>
  fail(
    SQLSTATE.invalidTableDefinition,
    `foreign key "${key}" points at table "${target}", which is not distributed`,
    'Nodes cannot look at tables of the coordinator.',
    `Run first: select create_reference_table('${target}');`,
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

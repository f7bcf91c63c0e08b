import { fail, type PgError } from '../../lib/pg-error.ts';
import { ident } from '../../lib/quote.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';

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
export const badKeyKind = (kind: string): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    `a key cannot be of kind "${kind}"`,
    undefined,
    `Use 'unique' or 'primary key'.`,
  );
export const badAction = (argument: string, action: string): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    `${argument} cannot be "${action}"`,
    undefined,
    `Use 'no action', 'restrict', 'cascade' or 'set null'.`,
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

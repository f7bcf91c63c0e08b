import { fail, type PgError } from '../../lib/pg-error.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';

export const notDistributed = (name: string): PgError =>
  fail(SQLSTATE.invalidTableDefinition, `table "${name}" is not distributed`);
export const noNodes = (): PgError =>
  fail(
    SQLSTATE.objectNotInPrerequisiteState,
    'there is no node that takes shards',
    undefined,
    `Add one: select citus_add_node('<host>', <port>); or let the coordinator take shards: select citus_set_coordinator_host('<host>'), citus_set_node_property('<host>', <port>, 'shouldhaveshards', true);`,
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

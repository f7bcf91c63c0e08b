import { fail, type PgError } from '../lib/pg-error.ts';
import { SQLSTATE } from '../lib/sqlstate.ts';

export const unknownStrategy = (name: string): PgError =>
  fail(
    SQLSTATE.undefinedObject,
    `could not find rebalance strategy with name ${name}`,
    undefined,
    'select name from _tessera_catalog.pg_dist_rebalance_strategy;',
  );
export const noDefaultStrategy = (): PgError =>
  fail(
    SQLSTATE.undefinedObject,
    'there is no default rebalance strategy',
    undefined,
    'select citus_set_default_rebalance_strategy(…);',
  );
export const planningBusy = (table: string, verb: string): PgError =>
  fail(
    SQLSTATE.lockNotAvailable,
    `could not acquire the lock required to ${verb} table "${table}"`,
    'A rebalance of its group is being planned or done, or a table is being added to it.',
    'Try again when it is over.',
  );
export const alreadyRunning = (job: bigint): PgError =>
  fail(
    SQLSTATE.objectNotInPrerequisiteState,
    `a rebalance is already running as job ${job}`,
    undefined,
    'select * from citus_rebalance_status();',
  );
export const nothingToStop = (): PgError =>
  fail(SQLSTATE.objectNotInPrerequisiteState, 'no ongoing rebalance that can be stopped');
export const strangeCost = (what: string, value: unknown): PgError =>
  fail(
    SQLSTATE.invalidParameterValue,
    `${what} is ${String(value)}`,
    undefined,
    'Strategy functions must give finite numbers.',
  );
export const moveFailed = (shard: bigint, message: string, sqlstate: string, done: number, all: number): PgError =>
  fail(
    sqlstate,
    message,
    `Shard ${shard} could not be moved; ${done} of ${all} moves were done before and stay.`,
    'Run it again to go on.',
  );

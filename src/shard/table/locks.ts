import { withSettings } from '../../engine/session.ts';
import { hasSqlState, one, query, run, subtransaction } from '../../engine/spi.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';

/** Classes of advisory locks, by their numbers in the specification; 0x5453 keeps clear of those of applications. */
const CLASS = {
  rebalance: 0x54530007,
  operation: 0x54530009,
  placement: 0x5453000d,
  move: 0x54530010,
  seat: 0x54530014,
} as const;
type LockClass = keyof typeof CLASS;
export const PLACEMENT_CLASS = CLASS.placement;

const key = 'select $1::int4 as c, ($2::int8 & 2147483647)::int4 as k';

const tryLock = (name: LockClass, id: bigint, shared: boolean): boolean =>
  one<{ got: boolean }>(`select pg_try_advisory_xact_lock${shared ? '_shared' : ''}(c, k) as got from (${key}) x`, [
    CLASS[name],
    id,
  ]).got;

/** Held by moves and copies, several at a time; kept out while a table joins the group or changes its shape. */
export const tryShareGroup = (group: number): boolean => tryLock('placement', BigInt(group), true);
/**
 * Waits a moment for another DDL, whose transaction may be about to end, but not for a move. What was read before may be
 * out of date afterwards.
 */
export const lockGroup = (group: number): boolean => {
  if (tryLock('placement', BigInt(group), false)) return true;
  const moved = query(
    `select from pg_locks l where l.locktype = 'advisory' and l.classid = $1::int8::oid and l.objid = ($2::int8 & 2147483647)::oid
       and l.mode = 'ShareLock' and l.granted and l.database = (select oid from pg_database where datname = current_database()) limit 1`,
    [BigInt(CLASS.placement), BigInt(group)],
  );
  if (moved.length > 0) return false;
  try {
    subtransaction(() =>
      withSettings({ lock_timeout: '10s' }, () =>
        run(`select pg_advisory_xact_lock(c, k) from (${key}) x`, [CLASS.placement, BigInt(group)]),
      ),
    );
    return true;
  } catch (e) {
    if (!hasSqlState(e, SQLSTATE.lockNotAvailable)) throw e;
    return false;
  }
};
/** One planner of a group at a time. */
export const tryLockPlanning = (group: number): boolean => tryLock('rebalance', BigInt(group), false);
/** One move of a shard at a time. */
export const tryLockShard = (shard: bigint): boolean => tryLock('move', shard, false);
/** The same for all shards of tables that are about to go. */
export const tryLockShardsOf = (relids: readonly bigint[]): boolean =>
  one<{ got: boolean }>(
    `select coalesce(bool_and(pg_try_advisory_xact_lock($1, (shardid & 2147483647)::int4)), true) as got
     from _tessera_catalog.pg_dist_shard where logicalrelid::oid::int8 = any($2)`,
    [CLASS.move, relids],
  ).got;
/** One of so many moves to a node at a time; false when all are taken. */
export const tryTakeSeat = (node: number, seats: number): boolean => {
  for (let i = 0; i < seats; i++) if (tryLock('seat', BigInt(node) * 1024n + BigInt(i), false)) return true;
  return false;
};
/** Two tables that both need a new group of the same kind: the second finds that of the first. */
export const lockGroupCreation = (): void => {
  run('select pg_advisory_xact_lock($1, 3)', [CLASS.operation]);
};

/** Class of the lock that orders commits of changes of reference tables; the finisher has it after the transaction. */
export const REFERENCE_CLASS = 0x54530011;
export const lockReferences = (): void => {
  run('select pg_advisory_xact_lock($1, 0)', [REFERENCE_CLASS]);
};

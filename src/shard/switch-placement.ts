import { ensureOwnerServer, type Node } from '../cluster/index.ts';
import { inMaintenance, withSettings } from '../engine/session.ts';
import { hasSqlState, run, subtransaction } from '../engine/spi.ts';
import { findRelation, type Relation } from '../hypertable/index.ts';
import { ident, qualified } from '../lib/quote.ts';
import { SQLSTATE } from '../lib/sqlstate.ts';
import type { Shard } from './distributed-table.ts';
import { foreignTableDdl, hashBounds } from './shard-ddl.ts';

const LOCAL_SCHEMA = '_tessera_internal';

const rootOf = (s: Shard): Relation => {
  const root = findRelation(s.relid);
  if (root === undefined) throw new Error(`table of shard ${s.id} is gone`);
  return root;
};

/** Replaces the foreign tables of the shards by such that lead to the target. Their roots are locked. */
const swap = (shards: readonly Shard[], source: Node, target: Node): void => {
  for (const s of shards) {
    const root = rootOf(s);
    const local = { schema: LOCAL_SCHEMA, name: s.name };
    const server = ensureOwnerServer(target, root.owner);
    run(`alter table ${qualified(root)} detach partition ${qualified(local)}`);
    run(`drop foreign table ${qualified(local)}`);
    const bounds = s.modulus === null ? 'default' : hashBounds(s.modulus, s.remainder as number);
    run(foreignTableDdl(local, root, bounds, server, s));
    run(`alter foreign table ${qualified(local)} owner to ${ident(root.owner)}`);
    run(
      `update _tessera_catalog.pg_dist_shard set local_relid = c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where shardid = $1 and n.nspname = $2 and c.relname = $3`,
      [s.id, LOCAL_SCHEMA, s.name],
    );
    run('delete from _tessera_catalog.pg_dist_placement where shardid = $1 and groupid = $2', [s.id, source.group]);
    run('insert into _tessera_catalog.pg_dist_placement (shardid, groupid) values ($1, $2)', [s.id, target.group]);
  }
};

/** Milliseconds to wait for the lock, the first attempts first; writers stand behind such a wait, so it is short. */
const WAITS = [50, 100, 200, 300] as const;

/**
 * Locks the tables for the moment of the switch: ACCESS EXCLUSIVE, because a partition cannot be exchanged under less. A
 * statement that reads for long keeps it waiting, and nobody else: each attempt gives up soon and leaves time between.
 * `ready` is called with the lock held; when it says no the lock is given back.
 */
export const switchPlacements = (shards: readonly Shard[], source: Node, target: Node, ready: () => boolean): void => {
  const roots = [...new Set(shards.map((s) => s.relid))].sort((a, b) => (a < b ? -1 : 1));
  const names = roots.map((oid) => qualified(findRelation(oid) as Relation)).join(', ');
  for (let attempt = 0; ; attempt++) {
    const wait = WAITS[Math.min(attempt, WAITS.length - 1)] as number;
    try {
      const done = subtransaction(() =>
        withSettings({ lock_timeout: `${wait}ms` }, () => {
          run(`lock table only ${names.replaceAll(', ', ', only ')} in access exclusive mode`);
          if (!ready()) throw new NotReady();
          inMaintenance(() => swap(shards, source, target));
          return true;
        }),
      );
      if (done) return;
    } catch (e) {
      if (!(e instanceof NotReady) && !hasSqlState(e, SQLSTATE.lockNotAvailable, SQLSTATE.deadlockDetected)) throw e;
    }
    run('select pg_sleep($1::float8)', [(wait * 2) / 1000]);
  }
};

class NotReady extends Error {}

/**
 * Keeps writers from shards and lets readers go on, to the end of this transaction. LOCK TABLE does not take foreign tables,
 * but a trigger made on one takes SHARE ROW EXCLUSIVE; it never fires and goes with the foreign table.
 */
export const blockWrites = (shards: readonly Shard[]): void => {
  for (let attempt = 0; ; attempt++) {
    const wait = WAITS[Math.min(attempt, WAITS.length - 1)] as number;
    try {
      subtransaction(() =>
        withSettings({ lock_timeout: `${wait}ms` }, () =>
          inMaintenance(() => {
            for (const s of shards)
              run(
                `create trigger tessera_moving before insert on ${qualified({ schema: LOCAL_SCHEMA, name: s.name })}
                 for each statement execute function _tessera_functions.never()`,
              );
          }),
        ),
      );
      return;
    } catch (e) {
      if (!hasSqlState(e, SQLSTATE.lockNotAvailable, SQLSTATE.deadlockDetected)) throw e;
    }
    run('select pg_sleep($1::float8)', [(wait * 2) / 1000]);
  }
};

import { address, ensureOwnerServer, findNodeById, type Node } from '../../cluster/index.ts';
import { inMaintenance, withSettings } from '../../engine/session.ts';
import { hasSqlState, one, run, subtransaction } from '../../engine/spi.ts';
import { findRelation, type Relation } from '../../hypertable/index.ts';
import { ident, qualified } from '../../lib/quote.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';
import { LOCAL_SCHEMA, type Shard } from '../table/distributed-table.ts';
import { withoutViews } from './dependent-views.ts';
import { tableGone, targetGone } from './failures.ts';
import { foreignTableDdl, hashBounds } from '../table/shard-ddl.ts';

const rootOf = (s: Shard): Relation => {
  const root = findRelation(s.relid);
  if (root === undefined) throw tableGone(s.id);
  return root;
};

const localOf = (s: Shard): { readonly schema: string; readonly name: string } => ({
  schema: LOCAL_SCHEMA,
  name: s.name,
});

const detach = (shards: readonly Shard[]): void => {
  for (const s of shards) run(`alter table ${qualified(rootOf(s))} detach partition ${qualified(localOf(s))}`);
};

/** Makes foreign tables that lead to the target the partitions, instead of those that were detached. */
const attach = (shards: readonly Shard[], source: Node, target: Node): void => {
  for (const s of shards) {
    const root = rootOf(s);
    const local = localOf(s);
    run(`drop foreign table ${qualified(local)}`);
    const bounds = s.modulus === null ? 'default' : hashBounds(s.modulus, s.remainder as number);
    run(foreignTableDdl(local, root, bounds, ensureOwnerServer(target, root.owner), s));
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

/** Nodes may not come or go while a placement is made. */
const holdNode = (target: Node): void => {
  run('lock table _tessera_catalog.pg_dist_node in row share mode');
  if (findNodeById(target.id)?.active !== true) throw targetGone(address(target));
};

/** Milliseconds to wait for a lock, the first attempts first; others stand behind such a wait, so it is short. */
const WAITS = [50, 100, 200, 300] as const;
const shortWait = (number: number): number => WAITS[Math.min(number, WAITS.length - 1)] as number;

class NotReady extends Error {}

interface Attempts {
  /** All or nothing; `number` counts from 0. */
  readonly body: (number: number) => void;
  /** Called before another attempt. */
  readonly between?: () => void;
  readonly wait?: (number: number) => number;
  readonly retried?: readonly string[];
}

/** Makes attempts until one gets its locks in time; others have their turn between them. */
const attempt = ({ body, between, wait = shortWait, retried = [] }: Attempts): void => {
  for (let number = 0; ; number++) {
    const limit = wait(number);
    try {
      subtransaction(() => withSettings({ lock_timeout: `${limit}ms` }, () => body(number)));
      return;
    } catch (e) {
      if (!(e instanceof NotReady) && !hasSqlState(e, SQLSTATE.lockNotAvailable, ...retried)) throw e;
    }
    run('select pg_sleep($1::float8)', [(shortWait(number) * 2) / 1000]);
    between?.();
  }
};

const lockRoots = (shards: readonly Shard[], mode: string): void => {
  const roots = [...shards].sort((a, b) => (a.relid < b.relid ? -1 : 1)).map(rootOf);
  run(`lock table ${[...new Set(roots.map((r) => `only ${qualified(r)}`))].join(', ')} in ${mode} mode`);
};

export interface Switch {
  readonly shards: readonly Shard[];
  readonly source: Node;
  readonly target: Node;
}

const exchange = ({ shards, source, target }: Switch, ready: () => boolean): void => {
  lockRoots(shards, 'access exclusive');
  holdNode(target);
  inMaintenance(() => {
    // Their locks keep out who writes to a partition by its own name.
    detach(shards);
    if (!ready()) throw new NotReady();
    withoutViews(
      shards.flatMap((s) => s.local ?? []),
      () => attach(shards, source, target),
    );
  });
};

/** The first attempts cost writers less than a second; where the target keeps falling behind, they have to wait longer. */
const allowance = (number: number): number => Math.min(0.2 * 1.2 ** Math.max(0, number - 3), 30);

/**
 * Exchanges the placements, for which ACCESS EXCLUSIVE is taken on the tables: a partition cannot be exchanged under less.
 * A statement that reads for long keeps this waiting, and nobody else: each attempt gives up soon and leaves time between.
 * `ready` says, with the locks held, whether the target gets everything within so many seconds.
 */
export const switchPlacements = (s: Switch, ready: (seconds: number) => boolean, between: () => void): void =>
  attempt({
    body: (number) => exchange(s, () => ready(allowance(number))),
    between,
    retried: [SQLSTATE.deadlockDetected],
  });

/**
 * Keeps writers from the tables and lets readers go on, to the end of this transaction. Not from the shards alone: a writer
 * who waits for a shard has locked its table, and the switch would wait for him.
 */
export const blockWrites = (shards: readonly Shard[]): void =>
  attempt({ body: () => lockRoots(shards, 'exclusive'), retried: [SQLSTATE.deadlockDetected] });

/**
 * The switch after blockWrites(). Whoever has read the tables and now waits to write them waits for us, and we for him:
 * every fifth attempt waits long enough for PostgreSQL to find that, and the move fails.
 */
export const switchBlocked = (s: Switch): void => {
  const { ms } = one<{ ms: number }>(`select setting::int as ms from pg_settings where name = 'deadlock_timeout'`);
  attempt({
    body: () => exchange(s, () => true),
    wait: (number) => (number % 5 === 4 ? ms + 500 : shortWait(number)),
  });
};

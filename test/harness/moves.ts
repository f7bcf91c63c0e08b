import type pg from 'pg';
import { backendPid } from './sessions.ts';
import { waitUntil } from './wait-until.ts';

/** Tables of one group and a reference table, with everything that has to arrive with a shard; a transaction each. */
export const MOVING_TABLES: readonly string[] = `
create table kinds (id int primary key, name text);
insert into kinds values (1, 'one'), (2, 'two');
select create_reference_table('kinds');
create table parent (k int primary key, v text not null check (v <> ''));
create table child (k int, n int, x numeric, kind int references kinds, twice int generated always as (n * 2) stored, primary key (k, n));
create index child_x on child (x);
create statistics child_n_x on n, x from child;
select create_distributed_table('parent', 'k', shard_count => 4);
select create_distributed_table('child', 'k', colocate_with => 'parent');
insert into parent select i, 'v' || i from generate_series(1, 400) i;
insert into child select i, j, i * j, 1 + i % 2 from generate_series(1, 400) i, generate_series(1, 3) j`
  .trim()
  .split(';\n');

/** What the rows of those tables add up to. */
export const CHECKSUM = `select format('%s %s %s %s', (select count(*) from parent), (select count(distinct v) from parent),
  (select sum(x) from child), (select sum(twice) from child)) as sum`;

/** Where a move takes place: how to reach its three servers. */
export interface Scene {
  readonly coordinator: () => Promise<pg.Client>;
  /** The node of a port. */
  readonly node: (port: number) => Promise<pg.Client>;
}

export const PHASES = [
  'Setting Up',
  'Copying Data',
  'Catching Up',
  'Creating Constraints',
  'Creating Foreign Keys',
  'Final Catchup',
  'Completing',
] as const;
export type Phase = (typeof PHASES)[number];

export interface HeldMove {
  /** Backend of the coordinator that moves. */
  readonly pid: number;
  readonly client: pg.Client;
  /** undefined when it was done, or its error. */
  readonly outcome: Promise<Error | undefined>;
  /** Lets the move go on. */
  readonly release: () => Promise<void>;
}

interface Shards {
  readonly parent: string;
  readonly child: string;
  readonly kinds: string;
}

const value = async (client: pg.Client, sql: string, params: unknown[] = []): Promise<unknown> =>
  Object.values((await client.query(sql, params)).rows[0] ?? {})[0];

const SHARD_NAMES = `
select max(s.shard_name) filter (where o.logicalrelid = 'parent'::regclass) as parent, max(o.shard_name) filter (where o.logicalrelid = 'child'::regclass) as child,
  (select shard_name from _tessera_catalog.pg_dist_shard where logicalrelid = 'kinds'::regclass) as kinds
from _tessera_catalog.pg_dist_shard s join _tessera_catalog.pg_dist_shard o on o.remainder = s.remainder
  and o.logicalrelid in ('parent'::regclass, 'child'::regclass)
where s.shardid = $1`;

/** Blocks what is applied to the parent on the target, but not what is copied, as long as lock 1 is held there. */
const GATE = (shard: string): string => `
create or replace function public.gate() returns trigger language plpgsql security definer as $$
begin
  if not exists (select from pg_subscription_rel where srsubstate <> 'r') then
    perform pg_advisory_xact_lock_shared(1);
  end if;
  return new;
end $$;
create or replace trigger gate before update on ${shard} for each row execute function public.gate();
alter table ${shard} enable always trigger gate;
select pg_advisory_lock(1)`;

/**
 * Starts a move of a shard of `parent` and holds it in a phase: each phase waits for something that another session can
 * have. Nothing is faked, so a cancel or a crash meets the move where it would meet it in earnest.
 */
export const holdMove = async (
  scene: Scene,
  move: { readonly shard: unknown; readonly from: number; readonly to: number; readonly sql: string },
  phase: Phase,
): Promise<HeldMove> => {
  const [client, watcher, writer] = [await scene.coordinator(), await scene.coordinator(), await scene.coordinator()];
  const [source, observer] = [await scene.node(move.from), await scene.node(move.from)];
  const [target, gate] = [await scene.node(move.to), await scene.node(move.to)];
  const release = async (): Promise<void> => {
    for (const session of [source, observer, target, gate, writer, watcher]) await session.end().catch(() => undefined);
  };
  const shards = (await watcher.query(SHARD_NAMES, [move.shard])).rows[0] as Shards;
  const key = await value(
    watcher,
    `select k from generate_series(1, 400) k where satisfies_hash_partition('parent'::regclass, 4, (select remainder from _tessera_catalog.pg_dist_shard where shardid = $1), k) order by k limit 1`,
    [move.shard],
  );
  const pid = await backendPid(client);
  // A slot cannot be made while a transaction writes.
  await source.query('begin');
  await source.query('select pg_current_xact_id()');
  const outcome = client.query(move.sql).then(
    () => undefined,
    (e: Error) => e,
  );
  let over: Error | 'done' | undefined;
  void outcome.then((e) => (over = e ?? 'done'));
  const status = async (): Promise<unknown> => {
    if (over !== undefined) throw new Error(`the move ended before "${phase}": ${over}`);
    return value(watcher, 'select min(status) from _tessera_catalog.shard_transfer where pid = $1', [pid]);
  };
  const reach = (wanted: string): Promise<void> =>
    waitUntil(`the move is in phase "${wanted}"`, async () => (await status()) === wanted, 15_000);
  const update = (): Promise<unknown> => writer.query('update parent set v = v where k = $1', [key]);

  try {
    await waitUntil('the slot waits for a transaction', async () => {
      await status();
      return (
        (await value(
          observer,
          `select count(*)::int from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%create_logical_replication_slot%'`,
        )) === 1
      );
    });
    const begin = async (sql: string): Promise<void> => void (await target.query(`begin; ${sql}`));
    switch (phase) {
      case 'Setting Up':
        break;
      case 'Copying Data':
        await begin(`lock table ${shards.parent} in exclusive mode`);
        await source.query('commit');
        await waitUntil(
          'the copy waits',
          async () =>
            (await value(
              target,
              `select exists (select from pg_locks where relation = '${shards.parent}'::regclass and not granted)`,
            )) as boolean,
        );
        break;
      case 'Catching Up':
        await gate.query(GATE(shards.parent));
        await source.query('commit');
        while ((await status()) !== phase) await update();
        break;
      case 'Creating Constraints':
        await begin(`lock table ${shards.child} in row exclusive mode`);
        await source.query('commit');
        break;
      case 'Creating Foreign Keys':
        await begin(`lock table ${shards.kinds} in row exclusive mode`);
        await source.query('commit');
        break;
      case 'Final Catchup':
        await begin(`lock table ${shards.kinds} in row exclusive mode`);
        await gate.query(GATE(shards.parent));
        await source.query('commit');
        await reach('Creating Foreign Keys');
        await update();
        await target.query('commit');
        break;
      case 'Completing':
        await writer.query('begin; select from parent limit 1');
        await source.query('commit');
        break;
    }
    await reach(phase);
  } catch (e) {
    await watcher.query('select pg_terminate_backend($1)', [pid]);
    await release();
    throw e;
  }
  return { pid, client, outcome, release };
};

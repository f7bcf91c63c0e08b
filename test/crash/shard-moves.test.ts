import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PrivateServer } from '../harness/crash.ts';
import { backendPid } from '../harness/sessions.ts';
import { waitUntil } from '../harness/wait-until.ts';

// Needs to kill processes of its own servers, which a server given by DSN or in a container does not allow.
const embedded = process.env.TESSERA_TEST_DSN === undefined && process.env.TESSERA_TEST_SERVER !== 'docker';

const ROWS = 2000;
const MOVE_AGAIN = 6;
/** Milliseconds after its begin at which a move is hit that nothing holds up; one takes about a second. */
const MOMENTS = [150, 350, 550] as const;

describe.runIf(embedded)('a move of a shard', () => {
  let coordinator: PrivateServer;
  let nodes: [PrivateServer, PrivateServer];

  /** On a connection of its own, so that it works before and after a server went away. */
  const rows = async (server: PrivateServer, sql: string): Promise<Record<string, unknown>[]> => {
    const client = await server.connect();
    try {
      const result = await client.query(sql);
      return (Array.isArray(result) ? result.at(-1) : result).rows;
    } finally {
      await client.end();
    }
  };
  const ask = async (server: PrivateServer, sql: string): Promise<unknown> =>
    Object.values((await rows(server, sql))[0] ?? {})[0];

  beforeAll(async () => {
    const [c, first, second] = await Promise.all([
      PrivateServer.create(`moves${process.pid}`),
      PrivateServer.create(`worker1moves${process.pid}`),
      PrivateServer.create(`worker2moves${process.pid}`),
    ]);
    coordinator = c;
    nodes = [first, second];
    await ask(coordinator, 'create extension tessera cascade');
    for (const n of nodes) await ask(coordinator, `select citus_add_node('127.0.0.1', ${n.node.port})`);
    await ask(coordinator, 'create table a (k int primary key, v int); create table b (k int primary key, w text)');
    await ask(coordinator, `select create_distributed_table('a', 'k', shard_count => 2)`);
    await ask(coordinator, `select create_distributed_table('b', 'k', colocate_with => 'a')`);
    await ask(coordinator, `insert into a select i, i from generate_series(1, ${ROWS}) i`);
    await ask(coordinator, `insert into b select i, i from generate_series(1, ${ROWS}) i`);
  });

  afterAll(() => {
    for (const s of [coordinator, ...(nodes ?? [])]) s?.remove();
  });

  interface Route {
    readonly shard: string;
    readonly name: string;
    readonly from: number;
    readonly to: number;
  }

  const route = async (): Promise<Route> => {
    const [r] = await rows(
      coordinator,
      `select s.shardid::text as shard, s.shard_name as name, p.groupid as "from", 3 - p.groupid as "to"
       from _tessera_catalog.pg_dist_shard s join _tessera_catalog.pg_dist_placement p using (shardid) order by s.shardid limit 1`,
    );
    return r as unknown as Route;
  };

  const move = (r: Route): string =>
    `select citus_move_shard_placement(${r.shard}, ${r.from}, ${r.to}, 'force_logical')`;

  /** Rows are right, nothing is left on any node, and the same shard can be moved. */
  const expectSound = async (): Promise<void> => {
    await waitUntil('nothing is left on the nodes', async () => {
      await ask(coordinator, 'call citus_cleanup_orphaned_resources()');
      return (await ask(coordinator, 'select count(*)::int from _tessera_catalog.pg_dist_cleanup')) === 0;
    });
    const whole = `select count(*) = ${ROWS} and sum(k) = ${(ROWS * (ROWS + 1)) / 2} from`;
    expect(await ask(coordinator, `${whole} a`)).toBe(true);
    expect(await ask(coordinator, `${whole} b`)).toBe(true);
    for (const n of nodes) {
      expect(await ask(n, 'select count(*)::int from pg_replication_slots')).toBe(0);
      expect(await ask(n, 'select count(*)::int from pg_subscription')).toBe(0);
      expect(await ask(n, 'select count(*)::int from pg_publication')).toBe(0);
    }
    const there = await Promise.all(
      nodes.map((n) => ask(n, `select count(*)::int from pg_class where relname ~ '^[ab]_\\d+$' and relkind = 'r'`)),
    );
    expect((there as number[]).reduce((x, y) => x + y, 0)).toBe(4);
    expect(await ask(coordinator, 'select count(*)::int from _tessera_catalog.shard_transfer')).toBe(0);
    const again = await route();
    await ask(coordinator, move(again));
    expect((await route()).from).toBe(again.to);
    expect(await ask(coordinator, `${whole} a`)).toBe(true);
  };

  /** What keeps a move in a phase for as long as it is held. */
  const HOLDS: Readonly<Record<string, (r: Route) => Promise<pg.Client>>> = {
    'Setting Up': async (r) => {
      const client = await (nodes[r.from - 1] as PrivateServer).connect();
      await client.query('begin; select pg_current_xact_id()');
      return client;
    },
    Completing: async () => {
      const client = await coordinator.connect();
      await client.query('begin; select count(*) from a');
      return client;
    },
  };

  const VICTIMS: Readonly<Record<string, (r: Route, pid: number) => Promise<void>>> = {
    'the SIGKILL of its session': async (_, pid) => coordinator.killBackend(pid),
    'an immediate stop of the coordinator': async () => coordinator.restartImmediately(),
    'an immediate stop of the source': async (r) => (nodes[r.from - 1] as PrivateServer).restartImmediately(),
    'an immediate stop of the target': async (r) => (nodes[r.to - 1] as PrivateServer).restartImmediately(),
  };

  interface Running {
    readonly pid: number;
    readonly end: Promise<string>;
  }

  const begin = async (r: Route): Promise<Running> => {
    const client = await coordinator.connect();
    const pid = await backendPid(client);
    const end = client
      .query(move(r))
      .then(() => 'done')
      .catch((e: Error) => e.message)
      .finally(() => void client.end().catch(() => undefined));
    return { pid, end };
  };

  /** The move ended with an error and moved nothing, or was told to be done and is; a lost session is told nothing. */
  const expectDecided = async (r: Route, running: Running): Promise<void> => {
    await coordinator.ready();
    const outcome = await running.end;
    if (outcome === 'done') expect((await route()).from).toBe(r.to);
    await expectSound();
  };

  for (const [phase, hold] of Object.entries(HOLDS))
    for (const [what, kill] of Object.entries(VICTIMS))
      test(`survives ${what} in phase "${phase}"`, async () => {
        const r = await route();
        const holder = await hold(r);
        const running = await begin(r);
        await waitUntil(`the move is in phase ${phase}`, async () => {
          const status = await ask(coordinator, 'select status from _tessera_catalog.shard_transfer limit 1');
          return status === phase;
        });
        await kill(r, running.pid);
        await holder.end().catch(() => undefined);
        await expectDecided(r, running);
      });

  for (const [what, kill] of Object.entries(VICTIMS))
    test(`survives ${what} at any moment`, async () => {
      for (const ms of MOMENTS) {
        const r = await route();
        const running = await begin(r);
        await new Promise((resolve) => setTimeout(resolve, ms));
        await kill(r, running.pid).catch(() => undefined);
        await expectDecided(r, running);
      }
    });

  test('that was cancelled leaves nothing', async () => {
    const r = await route();
    const holder = await (HOLDS.Completing as (r: Route) => Promise<pg.Client>)(r);
    const client = await coordinator.connect();
    const pid = await backendPid(client);
    const end = client.query(move(r)).catch((e: pg.DatabaseError) => e.code);
    await waitUntil('the move waits for the reader', async () => {
      return (await ask(coordinator, 'select status from _tessera_catalog.shard_transfer limit 1')) === 'Completing';
    });
    await ask(coordinator, `select pg_cancel_backend(${pid})`);
    expect(await end).toBe('57014');
    await client.end();
    await holder.end();
    await expectSound();
  });

  test(`can be repeated ${MOVE_AGAIN} times without leaving anything`, async () => {
    for (let i = 0; i < MOVE_AGAIN; i++) {
      const r = await route();
      await ask(coordinator, i % 3 === 0 ? move(r).replace('force_logical', 'block_writes') : move(r));
      await ask(coordinator, 'call citus_cleanup_orphaned_resources()');
    }
    await expectSound();
  });
});

import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PrivateServer } from '../harness/crash.ts';
import { CHECKSUM, holdMove, MOVING_TABLES, PHASES, type HeldMove, type Phase, type Scene } from '../harness/moves.ts';
import { waitUntil } from '../harness/wait-until.ts';

// Needs to kill processes of its own servers, which a server given by DSN or in a container does not allow.
const embedded = process.env.TESSERA_TEST_DSN === undefined && process.env.TESSERA_TEST_SERVER !== 'docker';

describe.runIf(embedded)('a move of a shard', () => {
  let coordinator: PrivateServer;
  let nodes: [PrivateServer, PrivateServer];
  let sum: unknown;

  /** On a connection of its own, so that it works before and after a server went away. */
  const rows = async (server: PrivateServer, sql: string): Promise<Record<string, unknown>[]> => {
    const client = await server.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  };
  const ask = async (server: PrivateServer, sql: string): Promise<unknown> =>
    Object.values((await rows(server, sql))[0] ?? {})[0];
  const nodeOf = (port: number): PrivateServer => nodes.find((n) => n.node.port === port) as PrivateServer;
  const scene: Scene = { coordinator: () => coordinator.connect(), node: (port) => nodeOf(port).connect() };

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
    for (const sql of MOVING_TABLES) await ask(coordinator, sql);
    sum = await ask(coordinator, CHECKSUM);
  });

  afterAll(() => {
    for (const s of [coordinator, ...(nodes ?? [])]) s?.remove();
  });

  interface Route {
    readonly shard: string;
    readonly from: number;
    readonly to: number;
    readonly sql: string;
  }

  const route = async (): Promise<Route> =>
    (
      await rows(
        coordinator,
        `select c.shardid::text as shard, c.nodeport as "from", o.nodeport as "to",
           format('select citus_move_shard_placement(%s, %L, %s, %L, %s)', c.shardid, c.nodename, c.nodeport, o.nodename, o.nodeport) as sql
         from citus_shards c join _tessera_catalog.pg_dist_node o on o.nodeport <> c.nodeport
         where c.table_name = 'parent'::regclass order by c.shardid limit 1`,
      )
    )[0] as unknown as Route;

  /** Rows are right and can be written, and nothing is on the nodes that no placement accounts for. */
  const expectSound = async (): Promise<void> => {
    await waitUntil('nothing is left on the nodes', async () => {
      await ask(coordinator, 'call citus_cleanup_orphaned_resources()');
      return (await ask(coordinator, 'select count(*)::int from _tessera_catalog.pg_dist_cleanup')) === 0;
    });
    expect(await ask(coordinator, 'select count(*)::int from _tessera_catalog.shard_transfer')).toBe(0);
    const expected = await rows(
      coordinator,
      `select n.nodeport || ' ' || s.shard_name as name from _tessera_catalog.pg_dist_shard s
       join _tessera_catalog.pg_dist_placement p using (shardid) join _tessera_catalog.pg_dist_node n using (groupid)`,
    );
    const found = await Promise.all(
      nodes.map(async (n) =>
        rows(
          n,
          `select ${n.node.port} || ' ' || x.name as name from (
             select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'
             union all select slot_name from pg_replication_slots union all select subname from pg_subscription
             union all select pubname from pg_publication) x`,
        ),
      ),
    );
    const sorted = (all: Record<string, unknown>[]): unknown[] => all.map((r) => r.name).sort();
    expect(sorted(found.flat())).toEqual(sorted(expected));
    await ask(coordinator, 'update parent set v = v');
    expect(await ask(coordinator, CHECKSUM)).toBe(sum);
  };

  type Kill = (r: Route, held: HeldMove) => Promise<void>;
  const session: Kill = (_, held) => coordinator.killBackend(held.pid);
  const server: Kill = async () => coordinator.restartImmediately();
  const source: Kill = async (r) => nodeOf(r.from).restartImmediately();
  const target: Kill = async (r) => nodeOf(r.to).restartImmediately();
  /** Who is killed when; a phase that does nothing on a node is as good as the one before it there. */
  const KILLS: Readonly<Record<Phase, readonly Kill[]>> = {
    'Setting Up': [session, source],
    'Copying Data': [server, source, target],
    'Catching Up': [session, target],
    'Creating Constraints': [server, target],
    'Creating Foreign Keys': [session, target],
    'Final Catchup': [server, source],
    Completing: [session, source, target],
  };

  const crash = async (phase: Phase, kill: Kill): Promise<void> => {
    const r = await route();
    const held = await holdMove(scene, r, phase);
    try {
      await kill(r, held);
    } finally {
      await held.release();
    }
    await coordinator.ready();
    // A server that nobody asks anything at that moment may come back unnoticed.
    const done = (await held.outcome) === undefined;
    expect((await route()).from).toBe(done ? r.to : r.from);
    await expectSound();
  };

  for (const phase of PHASES)
    test(`that loses a server in phase "${phase}" is done or undone, and can be repeated`, async () => {
      for (const kill of KILLS[phase]) await crash(phase, kill);
      const r = await route();
      await ask(coordinator, r.sql);
      expect((await route()).from).toBe(r.to);
      await expectSound();
    });

  test('whose target crashes right after the commit has lost nothing of what was written until then', async () => {
    const r = await route();
    const held = await holdMove(scene, r, 'Completing');
    await ask(coordinator, `insert into parent select i, 'late' from generate_series(1001, 1400) i`);
    await held.release();
    expect(await held.outcome).toBeUndefined();
    nodeOf(r.to).restartImmediately();
    expect((await route()).from).toBe(r.to);
    expect(await ask(coordinator, `select count(*)::int from parent where v = 'late'`)).toBe(400);
    await ask(coordinator, `delete from parent where v = 'late'`);
    await expectSound();
  });

  test('whose coordinator crashes right after the commit is done, and what it leaves goes', async () => {
    const r = await route();
    const session = await coordinator.connect();
    await session.query(r.sql);
    coordinator.restartImmediately();
    await session.end().catch(() => undefined);
    expect((await route()).from).toBe(r.to);
    await expectSound();
  });

  test('whose coordinator crashes before the commit is undone', async () => {
    const r = await route();
    const session: pg.Client = await coordinator.connect();
    await session.query('begin');
    await session.query(r.sql);
    coordinator.restartImmediately();
    await session.end().catch(() => undefined);
    expect((await route()).from).toBe(r.from);
    await expectSound();
  });
});

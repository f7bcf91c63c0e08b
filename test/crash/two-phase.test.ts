import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startWorker } from '../../src/cli/worker.ts';
import { PrivateServer } from '../harness/crash.ts';
import { backendPid } from '../harness/sessions.ts';
import { waitUntil } from '../harness/wait-until.ts';
import { hasCron } from '../harness/workers.ts';

// Needs to kill processes of its own servers, which a server given by DSN or in a container does not allow.
const embedded = process.env.TESSERA_TEST_DSN === undefined && process.env.TESSERA_TEST_SERVER !== 'docker';

/** Any of the advisory locks of the test; the trigger that waits for it fires after the preparation on the nodes. */
const GATE = 4711;
const SETUP = `
create extension tessera cascade;
create table t (k int primary key, v int);
create table gate (n int);
create function wait_at_gate() returns trigger language plpgsql as $$
begin
  perform pg_advisory_xact_lock_shared(${GATE});
  return null;
end $$;
create constraint trigger wait_at_gate after insert on gate deferrable initially deferred for each row execute function wait_at_gate();
`;

describe.runIf(embedded)('a change of shards on two nodes', () => {
  let coordinator: PrivateServer;
  let nodes: [PrivateServer, PrivateServer];
  let round = 0;

  /** A query on a connection of its own, so that it works before and after a server went away. */
  const ask = async (server: PrivateServer, sql: string, params: unknown[] = []): Promise<unknown> => {
    const client = await server.connect();
    try {
      const result = await client.query(sql, params);
      return Object.values((Array.isArray(result) ? result.at(-1) : result).rows[0] ?? {})[0];
    } finally {
      await client.end();
    }
  };

  beforeAll(async () => {
    const [c, first, second] = await Promise.all([
      PrivateServer.create(`twophase${process.pid}`),
      PrivateServer.create(`workertwophasea${process.pid}`),
      PrivateServer.create(`workertwophaseb${process.pid}`),
    ]);
    coordinator = c;
    nodes = [first, second];
    await ask(coordinator, SETUP);
    for (const n of nodes) await ask(coordinator, `select citus_add_node('127.0.0.1', ${n.node.port})`);
    await ask(coordinator, `select create_distributed_table('t', 'k', shard_count => 2)`);
  });

  afterAll(() => {
    for (const s of [coordinator, ...(nodes ?? [])]) s?.remove();
  });

  const PREPARED = 'select count(*)::int from pg_prepared_xacts';
  const SHARD = `select relname from pg_class where relname ~ '^t_\\d+$' and relkind = 'r'`;
  const hasColumn = async (server: PrivateServer, table: string, column: string): Promise<boolean> =>
    (await ask(server, 'select count(*) > 0 from pg_attribute where attrelid = $1::regclass and attname = $2', [
      table,
      column,
    ])) as boolean;

  /** Heals until nothing is left, and says whether the change was made: everywhere or nowhere. */
  const outcome = async (column: string): Promise<boolean> => {
    await waitUntil('nothing is left to heal', async () => {
      await ask(coordinator, 'select tessera.heal_nodes()');
      const left = await Promise.all(nodes.map((n) => ask(n, PREPARED)));
      return (
        left.every((n) => n === 0) &&
        (await ask(coordinator, 'select count(*)::int from _tessera_catalog.remote_txn')) === 0
      );
    });
    const made = await hasColumn(coordinator, 't', column);
    for (const n of nodes) expect(await hasColumn(n, (await ask(n, SHARD)) as string, column)).toBe(made);
    // The next one is not in the way of anything.
    await ask(coordinator, `alter table t drop column if exists ${column}`);
    await ask(coordinator, `insert into t (k, v) select i, ${round} from generate_series(1, 20) i`);
    expect(await ask(coordinator, 'select count(*)::int from t where v = $1', [round])).toBe(20);
    await ask(coordinator, 'delete from t');
    return made;
  };

  interface Stopped {
    readonly column: string;
    /** The session that makes the change, and what becomes of it. */
    readonly pid: number;
    readonly end: Promise<Error | 'committed'>;
    /** Lets it go on, if it still can. */
    readonly release: () => Promise<void>;
  }

  const begin = async (
    extra: string,
  ): Promise<{ column: string; client: pg.Client; pid: number; end: Promise<Error | 'committed'> }> => {
    const column = `c${++round}`;
    const client = await coordinator.connect();
    const pid = await backendPid(client);
    const end = client
      .query(`begin; alter table t add column ${column} int; ${extra}; commit`)
      .then(() => 'committed' as const)
      .catch((e: Error) => e)
      .finally(() => void client.end().catch(() => undefined));
    return { column, client, pid, end };
  };

  const heldBy = async (node: PrivateServer, preparedOnFirst: number): Promise<Stopped> => {
    const holder = await node.connect();
    await holder.query(`begin; lock table ${await ask(node, SHARD)} in access exclusive mode`);
    const work = await begin('');
    await waitUntil(
      'the node makes it wait',
      async () => (await ask(node, `select count(*) > 0 from pg_locks where not granted`)) as boolean,
    );
    expect(await ask(nodes[0], PREPARED)).toBe(preparedOnFirst);
    return { ...work, release: () => holder.end().catch(() => undefined) };
  };

  const atGate = async (): Promise<Stopped> => {
    const keeper = await coordinator.connect();
    await keeper.query('select pg_advisory_lock($1)', [GATE]);
    const work = await begin('insert into gate values (1)');
    await waitUntil(
      'it waits at the gate',
      async () =>
        (await ask(
          coordinator,
          `select count(*) > 0 from pg_locks where not granted and locktype = 'advisory' and objid = ${GATE}`,
        )) as boolean,
    );
    for (const n of nodes) expect(await ask(n, PREPARED)).toBe(1);
    return { ...work, release: () => keeper.end().catch(() => undefined) };
  };

  const committed = async (): Promise<Stopped> => {
    await ask(
      coordinator,
      `do $$ begin execute format('alter role tessera_loopback_%s_0 nologin', (select oid from pg_database where datname = current_database())); end $$`,
    );
    const work = await begin('');
    expect(await work.end).toBe('committed');
    await ask(
      coordinator,
      `do $$ begin execute format('alter role tessera_loopback_%s_0 login', (select oid from pg_database where datname = current_database())); end $$`,
    );
    for (const n of nodes) expect(await ask(n, PREPARED)).toBe(1);
    return { ...work, release: async () => undefined };
  };

  const killCoordinator = async (s: Stopped): Promise<void> => {
    // A session that has ended leaves another one to be killed.
    const bystander = await coordinator.connect();
    const pid = (await ask(coordinator, 'select count(*) > 0 from pg_stat_activity where pid = $1', [s.pid]))
      ? s.pid
      : await backendPid(bystander);
    await coordinator.killBackend(pid);
    await bystander.end().catch(() => undefined);
  };
  const stopCoordinator = async (): Promise<void> => {
    coordinator.restartImmediately();
    await coordinator.ready();
  };

  const points = [
    ['before the first is prepared', () => heldBy(nodes[0], 0), false],
    ['between the two', () => heldBy(nodes[1], 1), false],
    ['when both are prepared', atGate, false],
    ['when it is committed and nobody has told them', committed, true],
  ] as const;

  for (const [point, reach, made] of points) {
    for (const [failure, strike] of [
      ['a SIGKILL on the coordinator', killCoordinator],
      ['an immediate stop of the coordinator', stopCoordinator],
    ] as const)
      test(`${made ? 'is made' : 'is undone'} on both by healing after ${failure} ${point}`, async () => {
        const stopped = await reach();
        await strike(stopped);
        await stopped.release();
        if (!made) expect(await stopped.end).toBeInstanceOf(Error);
        expect(await outcome(stopped.column)).toBe(made);
      });
  }

  // Once a node has prepared, it is not needed until it is told.
  for (const which of [0, 1] as const) {
    const name = which === 0 ? 'first' : 'second';
    for (const [point, reach] of points.slice(0, which === 0 ? 1 : 2))
      test(`fails, and is undone on both, when the ${name} node goes ${point}`, async () => {
        const stopped = await reach();
        nodes[which].stop('immediate');
        await stopped.release();
        const error = await stopped.end;
        nodes[which].start();
        expect(error).toMatchObject({
          code: expect.stringMatching(/^(08|57P)/),
          message: expect.stringContaining('node 127.0.0.1'),
        });
        expect(await outcome(stopped.column)).toBe(false);
      });

    for (const [point, reach] of points.slice(which === 0 ? 1 : 2))
      test(`is made on both when the ${name} node goes ${point}`, async () => {
        const stopped = await reach();
        nodes[which].stop('immediate');
        await stopped.release();
        expect(await stopped.end).toBe('committed');
        // The other one need not wait for it.
        await ask(coordinator, 'select tessera.heal_nodes()');
        expect(await ask(nodes[1 - which] as PrivateServer, PREPARED)).toBe(0);
        nodes[which].start();
        expect(await ask(nodes[which], PREPARED)).toBe(1);
        expect(await outcome(stopped.column)).toBe(true);
      });
  }

  test('is undone on both by the finisher when its session is terminated in the middle', async () => {
    const stopped = await heldBy(nodes[1], 1);
    await ask(coordinator, 'select pg_terminate_backend($1)', [stopped.pid]);
    await stopped.end;
    await waitUntil('the finisher has undone it', async () => (await ask(nodes[0], PREPARED)) === 0);
    await stopped.release();
    expect(await outcome(stopped.column)).toBe(false);
  });

  test('is made by the job after a crash', async () => {
    const stopped = await committed();
    await stopCoordinator();
    await ask(coordinator, `select tessera.set_setting('background_workers', 'on'), start_background_workers()`);
    // Where pg_cron starts none.
    const connection = { host: '127.0.0.1', port: coordinator.node.port, user: 'postgres', database: 'postgres' };
    const command = hasCron ? undefined : startWorker({ connection, database: 'postgres', lookEvery: 300 });
    await waitUntil('the job has made it', async () =>
      (await Promise.all(nodes.map((n) => ask(n, PREPARED)))).every((n) => n === 0),
    );
    await command?.stop();
    await ask(coordinator, 'select stop_background_workers()');
    expect(await outcome(stopped.column)).toBe(true);
  });

  test('that makes shards leaves none of them when it is killed', async () => {
    const last = Number(await ask(coordinator, 'select last_value from _tessera_catalog.pg_dist_shardid_seq'));
    const [early, late] = [...nodes].sort((x, y) => x.node.port - y.node.port) as [PrivateServer, PrivateServer];
    const blocker = await late.connect();
    await blocker.query('begin');
    for (let id = last; id <= last + 4; id++) await blocker.query(`create table lost_${id} ()`);
    const client = await coordinator.connect();
    const pid = await backendPid(client);
    await client.query('create table lost (k int primary key)');
    const work = client
      .query(`select create_distributed_table('lost', 'k', shard_count => 4, colocate_with => 'none')`)
      .catch((e: Error) => e);
    const waits = async (): Promise<boolean> =>
      (await ask(late, 'select count(*) > 0 from pg_locks where not granted')) as boolean;
    await waitUntil('the second node makes it wait', waits);
    expect(await ask(early, `select count(*)::int from pg_class where relname ~ '^lost_\\d+$'`)).toBe(2);
    await coordinator.killBackend(pid);
    expect(await work).toBeInstanceOf(Error);
    await waitUntil('the node does not go on without us', async () => !(await waits()));
    await blocker.end();
    await ask(coordinator, 'call citus_cleanup_orphaned_resources()');
    for (const n of nodes)
      expect(await ask(n, `select count(*)::int from pg_class where relname ~ '^lost_\\d+$'`)).toBe(0);
    expect(await ask(coordinator, 'select count(*)::int from _tessera_catalog.pg_dist_cleanup')).toBe(0);
  });

  test('is decided as before when 2^32 transactions have passed', async () => {
    const stopped = await committed();
    const origin = await ask(coordinator, 'select _tessera_functions.cluster_origin()');
    await ask(nodes[0], `begin`);
    const orphan = await nodes[0].connect();
    await orphan.query(`begin; create table orphan (); prepare transaction 'tessera-1-${origin}-800-1-1'`);
    await orphan.end();
    coordinator.advanceEpoch(1);
    expect(await ask(coordinator, `select pg_current_xact_id() > '4294967296'::xid8`)).toBe(true);
    expect(await outcome(stopped.column)).toBe(true);
    expect(await ask(nodes[0], `select to_regclass('orphan')`)).toBeNull();
    const later = await committed();
    await stopCoordinator();
    expect(await outcome(later.column)).toBe(true);
    const undone = await atGate();
    await killCoordinator(undone);
    await undone.release();
    expect(await outcome(undone.column)).toBe(false);
  });
});

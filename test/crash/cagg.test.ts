import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { materializedDifferences, viewDifferences } from '../harness/cagg-views.ts';
import { PrivateServer } from '../harness/crash.ts';
import { Steps } from '../harness/refresh-steps.ts';
import { backendPid } from '../harness/sessions.ts';
import { waitUntil } from '../harness/wait-until.ts';

let server: PrivateServer;

const embedded = process.env.TESSERA_TEST_DSN === undefined && process.env.TESSERA_TEST_SERVER !== 'docker';

const VIEWS = [
  {
    name: 'tens',
    direct:
      'select time_bucket(10, t) as bucket, count(*) as n, sum(v) as total from numbers where passes(v) group by 1',
  },
  {
    name: 'hundreds',
    direct: 'select time_bucket(100, bucket) as bucket, sum(n) as n, max(total) as most from tens group by 1',
  },
];

beforeAll(async () => {
  if (!embedded) return;
  server = await PrivateServer.create(`cagg${process.pid}`);
  const client = await server.connect();
  await client.query('set client_min_messages = warning');
  await client.query('create extension tessera cascade');
  await client.query('create table numbers (t int not null, v int)');
  await client.query(`select create_hypertable('numbers', 't', chunk_time_interval => 100)`);
  await client.query('create function thousand() returns int language sql stable as $$select 1000$$');
  await client.query(`select set_integer_now_func('numbers', 'thousand')`);
  // Whoever is called "held" waits where it reads the row that is -1.
  await client.query(
    `create function passes(v int) returns boolean language plpgsql immutable as $$
     begin
       if v = -1 and current_setting('application_name') = 'held' then
         perform pg_advisory_xact_lock_shared(4711);
       end if;
       return true;
     end $$`,
  );
  await client.query('insert into numbers select i, i from generate_series(0, 990, 5) i');
  for (const { name, direct } of VIEWS)
    await client.query('select create_continuous_aggregate($1, $2, with_data => false, chunk_interval => 100)', [
      name,
      direct,
    ]);
  await client.query(`call refresh_continuous_aggregate('tens', 0, 300)`);
  await client.query(`call refresh_continuous_aggregate('hundreds', 0, 200)`);
  await client.end();
});

afterAll(() => server?.remove());

/** Views answer right, a refresh completes, and what it leaves is what the queries give. */
const verify = async (): Promise<void> => {
  const client = await server.connect();
  await client.query('set client_min_messages = warning');
  for (const v of VIEWS) expect(await viewDifferences(client, v), v.name).toEqual([]);
  expect((await client.query('select * from tessera_information.continuous_aggregate_refreshes')).rows).toEqual([]);
  await client.query(`call refresh_continuous_aggregate('tens', 200, 400)`);
  for (const v of VIEWS) expect(await viewDifferences(client, v), v.name).toEqual([]);
  for (const { name } of VIEWS) await client.query(`call refresh_continuous_aggregate('${name}', null::int, null)`);
  for (const v of VIEWS) expect(await materializedDifferences(client, v), v.name).toEqual([]);
  expect((await client.query(`select * from tessera.doctor() where status = 'error'`)).rows).toEqual([]);
  await client.end();
};

const change = (client: pg.Client): Promise<unknown> =>
  client.query('update numbers set v = v + 1 where t between 100 and 700 and t % 3 = 0');

/** Holds a lock that others come to wait for. */
const holder = async (sql: string): Promise<pg.Client> => {
  const client = await server.connect();
  await client.query('begin');
  await client.query(sql);
  return client;
};

const waiting = async (client: pg.Client, event = 'Lock'): Promise<void> => {
  const { processID } = client as pg.Client & { readonly processID: number };
  const witness = await server.connect();
  await waitUntil(`backend ${processID} waits`, async () => {
    const { rows } = await witness.query('select wait_event_type, wait_event from pg_stat_activity where pid = $1', [
      processID,
    ]);
    return Object.values(rows[0] ?? {}).includes(event);
  });
  await witness.end();
};

interface Phase {
  readonly title: string;
  /** Brings the session to where it is killed; work it leaves undone goes to the list. */
  readonly reach: (client: pg.Client, undone: Promise<unknown>[]) => Promise<unknown>;
}

const planned = async (client: pg.Client, view = 'tens'): Promise<Steps> =>
  (await new Steps(client, view).moveThreshold(0, 900, { buckets_per_batch: 10 })).planBatches();

const PHASES: readonly Phase[] = [
  {
    title: 'a refresh that waits to move the threshold',
    reach: async (client, undone) => {
      await new Steps(await holder('select')).moveThreshold(0, 1100);
      const work = client.query(`call refresh_continuous_aggregate('tens', 0, 1150)`).catch((e: Error) => e);
      await waiting(client);
      undone.push(work);
    },
  },
  {
    title: 'a refresh that gives older writers time to end',
    reach: async (client, undone) => {
      await holder('insert into numbers values (151, 1)');
      // Only a threshold that moves has writers to ask after.
      const { rows } = await client.query(
        'insert into numbers select max(t) + 10, 1 from numbers returning t + 100 as end',
      );
      const work = client.query(`call refresh_continuous_aggregate('tens', 0, ${rows[0].end})`).catch((e: Error) => e);
      await waiting(client, 'PgSleep');
      undone.push(work);
    },
  },
  {
    title: 'a refresh that has moved the threshold and not committed it',
    reach: async (client) => {
      await client.query('begin');
      await new Steps(client).moveThreshold(0, 1200);
    },
  },
  {
    title: 'a refresh between the threshold and the plan',
    reach: (client) => new Steps(client).moveThreshold(0, 1300),
  },
  {
    title: 'a refresh that plans',
    reach: async (client) => {
      const steps = await new Steps(client).moveThreshold(0, 900);
      await client.query('begin');
      await steps.planBatches();
    },
  },
  { title: 'a refresh between the plan and the first batch', reach: (client) => planned(client) },
  {
    title: 'a refresh inside a batch',
    reach: async (client, undone) => {
      await client.query('update numbers set v = -1 where t = 505');
      await client.query(`set application_name = 'held'`);
      await holder('select pg_advisory_xact_lock(4711)');
      const work = client.query(`call refresh_continuous_aggregate('tens', 0, 900)`).catch((e: Error) => e);
      await waiting(client);
      undone.push(work);
    },
  },
  {
    title: 'a refresh at the end of a batch that is not committed',
    reach: async (client) => {
      const steps = await planned(client);
      await client.query('begin');
      await steps.runBatches(2);
    },
  },
  {
    title: 'a refresh between two batches',
    reach: async (client) => (await planned(client)).runBatches(2),
  },
  {
    title: 'a refresh of an aggregate of another one between two batches',
    reach: async (client) => (await planned(client, 'hundreds')).runBatches(1),
  },
  {
    title: 'a writer between its rows and its commit',
    reach: async (client) => {
      await client.query('begin');
      await change(client);
    },
  },
  {
    title: 'a writer that has logged its changes and not committed them',
    reach: async (client) => {
      await client.query('begin');
      await change(client);
      await client.query('set constraints all immediate');
    },
  },
  {
    title: 'a writer that began before the threshold was moved',
    reach: async (client) => {
      await client.query('begin');
      await change(client);
      const refresher = await server.connect();
      await refresher.query(`call refresh_continuous_aggregate('tens', 0, 900)`);
      await refresher.end();
    },
  },
];

// Needs to kill processes of its own server, which a server given by DSN or in a container does not allow.
for (const { title, reach } of PHASES)
  test.runIf(embedded)(
    `${title} leaves the views right when it is killed, and when the server is stopped`,
    async () => {
      for (const end of ['kill', 'stop'] as const) {
        const before = await server.connect();
        await change(before);
        await before.end();
        const client = await server.connect();
        await client.query('set client_min_messages = warning');
        const undone: Promise<unknown>[] = [];
        await reach(client, undone);
        if (end === 'kill') await server.killBackend(await pidOf(client));
        else {
          server.restartImmediately();
          await server.ready();
        }
        await Promise.all(undone);
        await client.end().catch(() => undefined);
        await verify();
      }
    },
  );

const pidOf = async (client: pg.Client): Promise<number> =>
  (client as pg.Client & { readonly processID?: number }).processID ?? backendPid(client);

test.runIf(embedded)(
  'a prepared transaction that outlives the server has its rows shown when it is committed',
  async () => {
    const before = await server.connect();
    const { rows } = await before.query(
      'insert into numbers select max(t) / 100 * 100 + 190, 1 from numbers returning t - 90 as start',
    );
    const { start } = rows[0];
    const writer = await holder(
      `update numbers set v = v + 1 where t < 500; insert into numbers values (705, 1), (${start + 5}, 1)`,
    );
    await writer.query(`prepare transaction 'outlives'`);
    await before.query(`call refresh_continuous_aggregate('tens', 0, ${start + 50})`);
    await before.end();
    server.restartImmediately();
    await server.ready();
    const client = await server.connect();
    for (const v of VIEWS) expect(await viewDifferences(client, v), v.name).toEqual([]);
    // Another writer, so that there is somebody to wait for; the prepared transaction has another name by now, and the
    // number of this one must not be that which it had.
    const other = await server.connect();
    for (let i = 0; i < 100; i++) await other.query('select 1');
    await other.query(`begin; insert into numbers values (${start + 95}, 1)`);
    await client.query(`call refresh_continuous_aggregate('tens', 0, ${start + 100})`);
    await client.query(`commit prepared 'outlives'`);
    for (const v of VIEWS) expect(await viewDifferences(client, v), v.name).toEqual([]);
    await client.end();
    await verify();
  },
);

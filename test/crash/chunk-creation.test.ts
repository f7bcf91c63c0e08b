import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PrivateServer } from '../harness/crash.ts';
import { backendPid } from '../harness/sessions.ts';

let server: PrivateServer;

const embedded = process.env.TESSERA_TEST_DSN === undefined && process.env.TESSERA_TEST_SERVER !== 'docker';
const ROWS = 60_000;

beforeAll(async () => {
  if (!embedded) return;
  server = await PrivateServer.create(`crash${process.pid}`);
  const client = await server.connect();
  await client.query('create extension tessera cascade');
  await client.query('create table metrics (time timestamptz not null, value int, primary key (time, value))');
  await client.query(`select create_hypertable('metrics', 'time', chunk_time_interval => interval '1 day')`);
  await client.end();
});

afterAll(() => server?.remove());

const one = async (client: pg.Client, sql: string): Promise<unknown> =>
  Object.values((await client.query(sql)).rows[0])[0];

const counted = async (): Promise<number> => {
  const client = await server.connect();
  const count = Number(await one(client, 'select count(*) from metrics'));
  await client.end();
  return count;
};

/** Every partition is a chunk or the default partition, every chunk is a partition, and no table was left behind. */
const verify = async (): Promise<void> => {
  const client = await server.connect();
  expect((await client.query(`select * from tessera.doctor() where status = 'error'`)).rows).toEqual([]);
  expect(
    await one(
      client,
      `select count(*)::int from pg_class c where c.relnamespace = '_tessera_internal'::regnamespace and c.relkind = 'r'
       and c.relname !~ '_(default|pending)$' and not exists (select from _tessera_catalog.chunk k where k.relid = c.oid)`,
    ),
  ).toBe(0);
  expect(
    await one(
      client,
      `select count(*)::int from _tessera_catalog.chunk k where pg_partition_root(k.relid) is distinct from 'metrics'::regclass`,
    ),
  ).toBe(0);
  await client.end();
};

const insert = (day: number): string =>
  `insert into metrics select '2024-01-01'::timestamptz + interval '${day} days' + i * interval '5 s', i from generate_series(1, ${ROWS}) i`;

// Needs to kill processes of its own server, which a server given by DSN or in a container does not allow.
test.runIf(embedded)('SIGKILL at any moment of an insert that creates chunks leaves all of it or nothing', async () => {
  let before = await counted();
  // From the middle of the insert to after its commit: the insert takes some 300 ms here.
  for (const [round, delay] of [20, 80, 140, 200, 260, 320, 400].entries()) {
    const client = await server.connect();
    const pid = await backendPid(client);
    const work = client.query(insert(round * 10)).catch((e: Error) => e);
    await new Promise((resolve) => setTimeout(resolve, delay));
    await server.killBackend(pid);
    await work;
    await client.end().catch(() => undefined);
    const after = await counted();
    expect([before, before + ROWS]).toContain(after);
    before = after;
    await verify();
  }
});

test.runIf(embedded)('an immediate stop during such an insert loses nothing that was committed', async () => {
  const before = await counted();
  const client = await server.connect();
  const work = client.query(insert(1000)).catch((e: Error) => e);
  await new Promise((resolve) => setTimeout(resolve, 150));
  server.restartImmediately();
  await work;
  await client.end().catch(() => undefined);
  await server.ready();
  expect([before, before + ROWS]).toContain(await counted());
  await verify();
  const again = await server.connect();
  await again.query(insert(2000));
  await again.end();
  await verify();
});

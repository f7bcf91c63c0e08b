import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PrivateServer } from '../harness/crash.ts';
import { backendPid } from '../harness/sessions.ts';

let server: PrivateServer;

const embedded = process.env.TESSERA_TEST_DSN === undefined && process.env.TESSERA_TEST_SERVER !== 'docker';
const ROWS = 60_000;
const CHUNK = '_tessera_internal._hyper_1_1_chunk';
const CONTENT = `select format('%s %s %s', count(*), sum(v), sum(hashtext(note)::bigint)) from m`;

beforeAll(async () => {
  if (!embedded) return;
  server = await PrivateServer.create(`compress${process.pid}`);
  const client = await server.connect();
  await client.query('create extension tessera cascade');
  await client.query(
    'create table m (time timestamptz not null, device int, v int, note text, primary key (device, time))',
  );
  await client.query(`select create_hypertable('m', 'time', chunk_time_interval => interval '1 day')`);
  await client.query(
    `insert into m select '2024-01-01'::timestamptz + i * interval '1 s', i % 5, i, 'note ' || i % 100 from generate_series(1, ${ROWS}) i`,
  );
  await client.query(`select set_compression('m', compress_segmentby => 'device')`);
  // A first time loads everything, so that the moments of the kills fall where the work is.
  await client.query(`select compress_chunk('${CHUNK}')`);
  await client.query(`select decompress_chunk('${CHUNK}')`);
  await client.end();
});

afterAll(() => server?.remove());

const one = async (sql: string): Promise<unknown> => {
  const client = await server.connect();
  const value = Object.values((await client.query(sql)).rows[0] ?? {})[0];
  await client.end();
  return value;
};

/** Every relation beside root, default partition and helpers is a chunk or what the catalog says a chunk is made of. */
const verify = async (): Promise<void> => {
  const client = await server.connect();
  expect((await client.query(`select * from tessera.doctor() where status = 'error'`)).rows).toEqual([]);
  const stray = await client.query(
    `select c.relname from pg_class c where c.relnamespace = '_tessera_internal'::regnamespace and c.relkind in ('r', 'p', 'f', 'v')
     and c.relname !~ '_(default|pending|places)$'
     and not exists (select from _tessera_catalog.chunk k where k.relid = c.oid)
     and not exists (select from _tessera_catalog.compressed_chunk k where c.oid in (k.tail, k.remote, k.residue, k.rows_view, k.reader))
     and not exists (select from _tessera_catalog.compression_settings s where s.compress_relid = c.oid)`,
  );
  expect(stray.rows).toEqual([]);
  const half = await client.query(
    `select c.id from _tessera_catalog.chunk c left join _tessera_catalog.compressed_chunk k on k.chunk_id = c.id
     where (k.chunk_id is not null) <> (c.status & 1 = 1) or pg_partition_root(c.relid) is distinct from 'm'::regclass
       or (k.chunk_id is not null) <> exists (select from _tessera_catalog.compression_chunk_size z where z.chunk_id = c.id)`,
  );
  expect(half.rows).toEqual([]);
  await client.end();
};

const took = async (client: pg.Client, sql: string): Promise<number> => {
  const start = performance.now();
  await client.query(sql);
  return performance.now() - start;
};

interface Act {
  readonly title: string;
  readonly prepare: readonly string[];
  readonly sql: string;
  /** What the content may be afterwards: as before, or as after. */
  readonly changes: boolean;
}

const ACTS: readonly Act[] = [
  {
    title: 'compress_chunk',
    prepare: [`select decompress_chunk('${CHUNK}')`],
    sql: `select compress_chunk('${CHUNK}')`,
    changes: false,
  },
  {
    title: 'decompress_chunk',
    prepare: [`select compress_chunk('${CHUNK}')`],
    sql: `select decompress_chunk('${CHUNK}')`,
    changes: false,
  },
  {
    title: 'recompression',
    prepare: [
      `select compress_chunk('${CHUNK}')`,
      `insert into m select t, d, 1, 'late' from generate_series('2024-01-01 18:00'::timestamptz, '2024-01-01 18:03', '1 s') t, generate_series(0, 4) d on conflict do nothing`,
    ],
    sql: `select compress_chunk('${CHUNK}')`,
    changes: false,
  },
  {
    title: 'an update of compressed rows',
    prepare: [`select compress_chunk('${CHUNK}')`],
    sql: 'update m set v = v + 1 where device = 1',
    changes: true,
  },
  {
    title: 'a delete of compressed rows',
    prepare: [`select compress_chunk('${CHUNK}')`],
    sql: `delete from m where device = 2 and v % 7 = (select min(v) % 7 from m where device = 2)`,
    changes: true,
  },
];

// Needs to kill processes of its own server, which a server given by DSN or in a container does not allow.
for (const act of ACTS)
  test.runIf(embedded)(`SIGKILL at any moment of ${act.title} leaves all of it or nothing`, async () => {
    const first = await server.connect();
    for (const sql of act.prepare) await first.query(sql);
    // Reading once tells how long it takes, and what it does, without doing it.
    await first.query('begin');
    const duration = await took(first, act.sql);
    const after = act.changes ? Object.values((await first.query(CONTENT)).rows[0])[0] : undefined;
    await first.query('rollback');
    await first.end();
    let before = await one(CONTENT);
    let expected = after;
    for (const part of [0.05, 0.3, 0.55, 0.8, 0.97, 1.05]) {
      const client = await server.connect();
      for (const sql of act.prepare) await client.query(sql);
      const pid = await backendPid(client);
      const work = client.query(act.sql).catch((e: Error) => e);
      await new Promise((resolve) => setTimeout(resolve, duration * part));
      await server.killBackend(pid);
      await work;
      await client.end().catch(() => undefined);
      const now = await one(CONTENT);
      if (act.changes) expect([before, expected]).toContain(now);
      else expect(now).toBe(before);
      await verify();
      if (act.changes && now !== before) {
        before = now;
        const again = await server.connect();
        await again.query('begin');
        await again.query(act.sql);
        expected = Object.values((await again.query(CONTENT)).rows[0])[0];
        await again.query('rollback');
        await again.end();
      }
    }
  });

test.runIf(embedded)('an immediate stop of the server during each of them loses nothing', async () => {
  for (const act of ACTS.filter((a) => !a.changes)) {
    const client = await server.connect();
    for (const sql of act.prepare) await client.query(sql);
    const before = await one(CONTENT);
    const work = client.query(act.sql).catch((e: Error) => e);
    await new Promise((resolve) => setTimeout(resolve, 80));
    server.restartImmediately();
    await work;
    await client.end().catch(() => undefined);
    await server.ready();
    expect(await one(CONTENT)).toBe(before);
    await verify();
  }
});

test.runIf(embedded)('a loopback connection that is killed fails the statement and changes nothing', async () => {
  const client = await server.connect();
  await client.query(`select compress_chunk('${CHUNK}')`);
  const before = await one(CONTENT);
  await client.query('begin');
  await client.query('update m set v = 0 where device = 3');
  await one(
    `select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name like 'tessera loopback %' and datname = current_database()`,
  );
  await expect(client.query('commit')).rejects.toThrow();
  await client.end();
  expect(await one(CONTENT)).toBe(before);
  await verify();
});

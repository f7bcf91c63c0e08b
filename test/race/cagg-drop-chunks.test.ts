import type pg from 'pg';
import { beforeEach, expect, test } from 'vitest';
import { useDatabase } from '../harness/database.ts';
import { backendPid } from '../harness/sessions.ts';
import { waitUntil } from '../harness/wait-until.ts';

const db = useDatabase();

const waiting = (pid: number): Promise<void> =>
  waitUntil(
    'the session waits for a lock',
    async () => (await db.value(`select count(*)::int from pg_locks where pid = ${pid} and not granted`)) > 0,
  );

const total = (view: string, where = 'true'): Promise<number> =>
  db.value(`select coalesce(sum(n), 0)::int from ${view} where ${where}`);
const setNow = (now: number): Promise<unknown> =>
  db.query(`create or replace function now_is() returns int language sql stable as 'select ${now}'`);
const DROP = (cascade: boolean | null): string =>
  `select drop_chunks('numbers', 100, cascade_to_materializations => ${cascade})`;

beforeEach(async () => {
  await db.query('rollback; set client_min_messages = warning');
  await db.query('drop table if exists numbers cascade');
  await db.query('create table numbers (t int not null, v int)');
  await db.query(`select create_hypertable('numbers', 't', chunk_time_interval => 50)`);
  await setNow(100);
  await db.query(`select set_integer_now_func('numbers', 'now_is')`);
  await db.query('insert into numbers select i, i from generate_series(0, 199) i');
  await db.query(
    `select create_continuous_aggregate('tens', 'select time_bucket(10, t) as bucket, count(*) as n from numbers group by 1',
       with_data => false, ignore_invalidation_older_than => 100)`,
  );
  await db.query(`call refresh_continuous_aggregate('tens', null, null)`);
});

test.each([false, null])(
  'what a writer commits while drop_chunks waits for it is in the results that are kept, %s',
  async (cascade) => {
    const writer = await db.connect();
    const dropper = await db.connect();
    await writer.query('begin; insert into numbers values (7), (57)');
    await setNow(200);
    const dropperPid = await backendPid(dropper);
    const dropping = dropper.query(DROP(cascade));
    await waiting(dropperPid);
    await writer.query('commit');
    expect((await dropping).rows).toHaveLength(2);
    expect(await total('tens', 'bucket < 100')).toBe(102);
    expect(await db.value('select count(*)::int from numbers')).toBe(100);
  },
);

test('a writer that waits for drop_chunks has the chunk come back, and changes no results', async () => {
  await setNow(200);
  const dropper = await db.connect();
  const writer = await db.connect();
  await dropper.query('begin');
  await dropper.query(DROP(false));
  const pid = await backendPid(writer);
  const writing = writer.query('insert into numbers values (7), (57)');
  await waiting(pid);
  await dropper.query('commit');
  await writing;
  expect(await db.value('select count(*)::int from numbers where t < 100')).toBe(2);
  expect(await db.value('select count(*)::int from _tessera_catalog.chunk where dropped')).toBe(0);
  expect(await total('tens', 'bucket < 100')).toBe(100);
});

test.each([true, false])(
  'drop_chunks (%s) and a refresh of the same buckets wait for each other and do not fail',
  async (cascade) => {
    await db.query('insert into numbers select i, i from generate_series(0, 99) i');
    await setNow(200);
    const holder = await db.connect();
    const refresher = await db.connect();
    const dropper = await db.connect();
    const mat = await db.value(
      `select format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name)
     from tessera_information.continuous_aggregates where view_name = 'tens'`,
    );
    // The refresh has its locks, and comes to a stop where it would write.
    await holder.query(`begin; lock table ${mat} in share mode`);
    const pid = await backendPid(refresher);
    const refreshing = refresher.query(`call refresh_continuous_aggregate('tens', 0, 100)`);
    await waiting(pid);
    // In the order of drop_chunks(): the hypertable first, then the results.
    expect(
      await db.value(
        `select count(*)::int from pg_locks where pid = ${pid} and granted and relation = 'numbers'::regclass and mode = 'AccessShareLock'`,
      ),
    ).toBe(1);
    const dropperPid = await backendPid(dropper);
    const dropping = dropper.query(DROP(cascade));
    await waiting(dropperPid);
    await holder.query('commit');
    await refreshing;
    expect((await dropping).rows).toHaveLength(2);
    expect(await total('tens', 'bucket < 100')).toBe(cascade ? 0 : 200);
    expect(await total('tens')).toBe(cascade ? 100 : 300);
  },
);

test('a refresh that fails while drop_chunks waits for it leaves nothing undone', async () => {
  await db.query('insert into numbers select i, i from generate_series(0, 99) i');
  await setNow(200);
  const holder = await db.connect();
  const refresher = await db.connect();
  const dropper = await db.connect();
  const mat = await db.value(
    `select format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name)
     from tessera_information.continuous_aggregates where view_name = 'tens'`,
  );
  await holder.query(`begin; lock table ${mat} in share mode`);
  const pid = await backendPid(refresher);
  const refreshing = refresher.query(`call refresh_continuous_aggregate('tens', 0, 100)`).catch((e: unknown) => e);
  await waiting(pid);
  const dropperPid = await backendPid(dropper);
  const dropping = dropper.query(DROP(false));
  await waiting(dropperPid);
  await db.query(`select pg_cancel_backend(${pid})`);
  expect(await refreshing).toMatchObject({ code: '57014' });
  await holder.query('commit');
  expect((await dropping).rows).toHaveLength(2);
  expect(await total('tens', 'bucket < 100')).toBe(200);
});

test.each([false, null])(
  'writers, refreshes and drops at once: nothing fails, nothing is counted twice or lost, %s',
  async (cascade) => {
    const rounds = 25;
    const sessions = await Promise.all([db.connect(), db.connect(), db.connect()]);
    const [writer, refresher, dropper] = sessions as [pg.Client, pg.Client, pg.Client];
    await db.query(`select alter_continuous_aggregate('tens', ignore_invalidation_older_than => 150)`);
    let written = 200;
    const retried = async (client: pg.Client, sql: string): Promise<number> => {
      for (;;) {
        try {
          return (await client.query(sql)).rows.length;
        } catch (e) {
          // What a policy would try again: no lock, or the refresh has not come so far.
          if (!['55P03', '40P01', '22023'].includes((e as pg.DatabaseError).code ?? '')) throw e;
          if ((e as pg.DatabaseError).code === '22023') return 0;
        }
      }
    };
    let dropped = 0;
    let finished = false;
    const drop = `select drop_chunks('numbers', now_is() - 150, cascade_to_materializations => ${cascade})`;
    await Promise.all([
      (async () => {
        for (let i = 0; i < rounds; i++) {
          const start = 200 + i * 20;
          await retried(writer, `insert into numbers select j, j from generate_series(${start}, ${start + 19}) j`);
          // Late, but not too late to count.
          await retried(writer, `insert into numbers values (${start - 60})`);
          written += 21;
          await retried(
            writer,
            `create or replace function now_is() returns int language sql stable as 'select ${start}'`,
          );
        }
        finished = true;
      })(),
      (async () => {
        while (!finished) await retried(refresher, `call refresh_continuous_aggregate('tens', null, null)`);
      })(),
      (async () => {
        while (!finished) dropped += await retried(dropper, drop);
      })(),
    ]);
    await db.query(`call refresh_continuous_aggregate('tens', null, null)`);
    expect(await total('tens')).toBe(written);
    dropped += await retried(dropper, drop);
    expect(dropped).toBeGreaterThan(5);
    expect(await total('tens')).toBe(written);
    expect(dropped).toBe(await db.value('select count(*)::int from _tessera_catalog.chunk where dropped'));
  },
);

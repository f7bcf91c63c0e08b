import pg from 'pg';
import { hasCron } from '../../harness/workers.ts';
import { expect, test } from 'vitest';
import { failure, useDatabase } from '../../harness/database.ts';
import { serverAddress } from '../../harness/server.ts';
import { waitUntil } from '../../harness/wait-until.ts';

const db = useDatabase({ template: 'empty' });

/** How the server reaches itself: its own port, which need not be the one we see. */
const loopback = async (): Promise<string> =>
  `host=127.0.0.1 port=${await db.value('show port')} user=${serverAddress().user} dbname=${db.name}`;

test('a prepared transaction outlives its session and is committed from another', async () => {
  const gid = `gid_${db.name}`;
  await db.query('create table kept (n int)');
  const first = await db.connect();
  await first.query('begin');
  await first.query('insert into kept values (1)');
  await first.query(`prepare transaction '${gid}'`);
  await first.end();
  expect(await db.value('select count(*) from kept')).toBe(0n);
  await db.query(`commit prepared '${gid}'`);
  expect(await db.value('select count(*) from kept')).toBe(1n);
});

test('dblink reaches the server itself, in a transaction of its own', async () => {
  await db.query('create extension dblink; create table noted (n int)');
  const session = await db.connect();
  await session.query('begin');
  await session.query(`select dblink_exec($1, 'insert into noted values (7)')`, [await loopback()]);
  await session.query('rollback');
  expect(await db.column('select n from noted')).toEqual([7]);
});

test('postgres_fdw reads a table of the server itself as a partition', async () => {
  await db.query(`
    create extension postgres_fdw;
    create server self foreign data wrapper postgres_fdw
      options (host '127.0.0.1', port '${await db.value('show port')}', dbname '${db.name}');
    create user mapping for current_user server self options (user '${serverAddress().user}');
    create table far (n int);
    insert into far select generate_series(1, 10);
    create table near (n int) partition by range (n);
    create foreign table near_far partition of near for values from (0) to (100) server self options (table_name 'far');
  `);
  expect(await db.value('select sum(n) from near where n > 5')).toBe(40n);
});

test('logical decoding hands out the changes of a table', async () => {
  const slot = `slot_${db.name}`;
  await db.query('create table changed (n int primary key)');
  await db.query(`select pg_create_logical_replication_slot($1, 'test_decoding')`, [slot]);
  try {
    await db.query('insert into changed values (42)');
    const changes = await db.column('select data from pg_logical_slot_get_changes($1, null, null)', [slot]);
    expect(changes.join('\n')).toContain('table public.changed: INSERT: n[integer]:42');
  } finally {
    await db.query('select pg_drop_replication_slot($1)', [slot]);
  }
}, 180_000);

test.runIf(hasCron)('pg_cron runs a job in the background and records that it did', async () => {
  const { bin: _, ...address } = serverAddress();
  const cron = new pg.Client({ ...address, database: 'postgres' });
  await cron.connect();
  const name = `job_${db.name}`;
  try {
    await cron.query('create extension if not exists pg_cron');
    await cron.query('select cron.schedule($1, $2, $3)', [name, '1 second', 'select 1']);
    await waitUntil('a run of the job has succeeded', async () => {
      const runs = await cron.query(
        `select from cron.job_run_details d join cron.job j using (jobid) where j.jobname = $1 and d.status = 'succeeded'`,
        [name],
      );
      return runs.rows.length > 0;
    });
    await cron.query('select cron.unschedule($1)', [name]);
    expect((await failure(cron, 'select cron.unschedule($1)', [name])).message).toContain('could not find');
  } finally {
    await cron.query('delete from cron.job where jobname = $1', [name]);
    await cron.end();
  }
});

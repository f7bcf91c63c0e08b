import type pg from 'pg';
import { readFileSync } from 'node:fs';
import type { Measurement } from './measurement.ts';

const quantile = (values: readonly number[], q: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? 0;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const until = async (client: pg.Client, sql: string): Promise<void> => {
  while (Object.values((await client.query(sql)).rows[0] ?? {})[0] !== true) await sleep(20);
};

/** Clock ticks (10 ms) of CPU time the processes used so far; in a chroot they are ordinary processes of this machine. */
const ticks = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return sum + Number(fields[11]) + Number(fields[12]);
  }, 0);

const workers = `select pid from pg_stat_activity where application_name like 'tessera %' and datname = current_database()`;

const idleCost = async (client: pg.Client): Promise<Measurement> => {
  const pids = (await client.query<{ pid: number }>(workers)).rows.map((r) => r.pid);
  const seconds = 20;
  const before = ticks(pids);
  await sleep(seconds * 1000);
  return {
    name: `idle scheduler and ${pids.length - 1} workers, ms of CPU a second`,
    anchor: 1000,
    ours: ((ticks(pids) - before) * 10) / seconds,
    goal: 0.01,
  };
};

/** From the commit that makes a job due to the first statement of the job. */
const dispatchLatency = async (client: pg.Client, name: string): Promise<Measurement[]> => {
  const { rows } = await client.query(`select add_job('bench_note', '1 day', scheduled => false) as id`);
  const waits: number[] = [];
  for (let i = 0; i < 100; i++) {
    await client.query('truncate bench_ran');
    const { next } = (
      await client.query(
        `select extract(epoch from clock_timestamp()) * 1000 as next from alter_job($1, scheduled => true, next_start => now())`,
        [rows[0].id],
      )
    ).rows[0];
    await until(client, 'select count(*) > 0 from bench_ran');
    const { at } = (await client.query('select extract(epoch from at) * 1000 as at from bench_ran')).rows[0];
    waits.push(Number(at) - Number(next));
    await sleep(Math.random() * 200);
  }
  await client.query('select delete_job($1)', [rows[0].id]);
  return [
    { name: `dispatch ${name}, median (anchor: 250 ms)`, anchor: 250, ours: quantile(waits, 0.5) },
    { name: `dispatch ${name}, 95% (anchor: 250 ms)`, anchor: 250, ours: quantile(waits, 0.95), goal: 1 },
  ];
};

export const measureBackground = async (client: pg.Client): Promise<Measurement[]> => {
  await client.query(`
    create table bench_ran (at timestamptz default clock_timestamp());
    create procedure bench_note(job_id int, config jsonb) language sql as $$ insert into bench_ran default values $$`);
  await client.query('select start_background_workers()');
  await client.query(`select add_job('bench_note', '10 years', initial_start => '2100-01-01')`);
  await until(client, 'select workers = worker_slots and running from tessera_information.scheduler');
  await sleep(1000);
  const results = [await idleCost(client), ...(await dispatchLatency(client, 'of a job'))];
  await client.query(
    `select add_job('bench_note', '10 years', initial_start => '2100-01-01') from generate_series(1, 999)`,
  );
  results.push(...(await dispatchLatency(client, 'among 1000 jobs')), {
    ...(await idleCost(client)),
    name: 'the same with 1000 jobs',
  });
  // All of them at once: a burst, against the same inserts by one client.
  const begin = performance.now();
  for (let i = 0; i < 1000; i++) await client.query('insert into bench_ran default values');
  const anchor = performance.now() - begin;
  await client.query('truncate bench_ran');
  const start = performance.now();
  await client.query(`update _tessera_catalog.bgw_job_stat set next_start = now() where job_id >= 1000`);
  await until(client, 'select count(*) >= 1000 from bench_ran');
  results.push({ name: '1000 jobs due at once (anchor: 1000 inserts)', anchor, ours: performance.now() - start });
  await client.query('select stop_background_workers()');
  return results;
};

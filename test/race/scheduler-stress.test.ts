import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useDatabase } from '../harness/database.ts';
import { waitUntil } from '../harness/wait-until.ts';
import { DRIVERS, Workers } from '../harness/workers.ts';

const JOBS = 40;
const SECONDS = 6;

describe.each(DRIVERS)('%s', (driver) => {
  const db = useDatabase();
  let workers: Workers;

  beforeAll(async () => {
    await db.query(`
      create table runs (job int, began timestamptz default clock_timestamp(), ended timestamptz);
      create procedure act(job_id int, config jsonb) language plpgsql as $$
      declare start timestamptz := clock_timestamp();
      begin
        perform pg_sleep(random() * 0.02);
        if random() < 0.1 then raise exception 'bad luck'; end if;
        insert into runs values (job_id, start, clock_timestamp());
      end $$;
      create procedure act_and_commit(job_id int, config jsonb) language plpgsql as $$
      declare start timestamptz := clock_timestamp();
      begin
        perform pg_sleep(random() * 0.02);
        commit;
        insert into runs values (job_id, start, clock_timestamp());
      end $$`);
    await db.query(`select tessera.set_setting('poll_interval', '10'), tessera.set_setting('crash_restart_wait', '0')`);
    workers = new Workers(db, driver);
    await workers.start();
  });
  afterAll(() => workers.stop());

  const add = async (client: pg.Client): Promise<void> => {
    const proc = Math.random() < 0.3 ? 'act_and_commit' : 'act';
    await client.query(
      `select from alter_job(add_job($1, interval '50 ms', fixed_schedule => random() < 0.5), retry_period => '20 ms')`,
      [proc],
    );
  };

  /** What operators do all day, in a hurry. */
  const meddle = async (until: number): Promise<void> => {
    const client = await db.connect();
    while (Date.now() < until) {
      const dice = Math.random();
      const any = `(select id from _tessera_catalog.bgw_job where id >= 1000 order by random() limit 1)`;
      try {
        if (dice < 0.3)
          await client.query(
            `select from alter_job(${any}, schedule_interval => random() * interval '100 ms' + interval '1 ms')`,
          );
        else if (dice < 0.5) await client.query(`select from alter_job(${any}, next_start => now())`);
        else if (dice < 0.6) await client.query(`select from alter_job(${any}, scheduled => random() < 0.8)`);
        else if (dice < 0.75) await client.query(`select delete_job(${any})`);
        else if (dice < 0.995) await add(client);
        else
          await client.query(
            `select pg_terminate_backend(pid) from tessera_information.workers where pid is not null order by random() limit 1`,
          );
      } catch (e) {
        // Somebody else deleted it first.
        if (!['42704', '22023'].includes((e as pg.DatabaseError).code ?? '')) throw e;
      }
    }
  };

  test('jobs that are added, altered, deleted and killed at random are counted right and never overlap', async () => {
    for (let i = 0; i < JOBS; i++) await add(db.client);
    // Workers take seconds to start where others keep the machine busy.
    await waitUntil('workers are at work', () => db.value('select count(*) > 0 from runs'), 40_000);
    const until = Date.now() + SECONDS * 1000;
    await Promise.all([meddle(until), meddle(until), meddle(until)]);
    await db.query(
      `select j.id from _tessera_catalog.bgw_job j, alter_job(j.id, scheduled => false) where j.id >= 1000`,
    );
    await waitUntil(
      'nothing runs any more',
      () =>
        db.value(`select count(*) = 0 from tessera_information.job_states where state = 'running' and job_id >= 1000`),
      40_000,
    );
    expect(
      await db.value(`
        select count(*)::int from runs a join runs b on a.job = b.job and a.ctid <> b.ctid
        where a.began < b.began and b.began < a.ended`),
    ).toBe(0);
    // A run is a success, a failure or a crash, and what succeeded left its row; after a crash or failure it may have.
    expect(
      await db.query(`
        select s.* from _tessera_catalog.bgw_job_stat s
        where s.job_id >= 1000 and (s.total_runs <> s.total_successes + s.total_failures + s.total_crashes
          or s.pid is not null and s.flags & 1 = 0
          or s.total_successes > (select count(*) from runs r where r.job = s.job_id))`),
    ).toEqual([]);
    expect(await db.value('select count(*)::int from runs')).toBeGreaterThan(50);
    expect(await db.value(`select running from tessera_information.scheduler`)).toBe(true);
  });
});

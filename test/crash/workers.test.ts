import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWorker, type RunningWorker } from '../../src/cli/worker.ts';
import { PrivateServer } from '../harness/crash.ts';
import { waitUntil } from '../harness/wait-until.ts';
import { hasCron } from '../harness/workers.ts';

const embedded = process.env.TESSERA_TEST_DSN === undefined && process.env.TESSERA_TEST_SERVER !== 'docker';
// Needs to kill processes of its own server, which a server given by DSN or in a container does not allow.
const testHere = test.runIf(embedded);
/** Of what pg_cron does; the others are about any workers, and where pg_cron starts none the command does. */
const testCron = test.runIf(embedded && hasCron);
let server: PrivateServer;
let command: RunningWorker | undefined;

const SETUP = `
create extension tessera cascade;
create table ran (at timestamptz default clock_timestamp(), job int, note text);
create procedure note(job_id int, config jsonb) language sql as $$ insert into ran (job, note) values (job_id, 'ran') $$;
create procedure sleeps(job_id int, config jsonb) language plpgsql as $$
begin
  insert into ran (job, note) values (job_id, 'begun');
  commit;
  perform pg_sleep((config ->> 's')::float8);
  insert into ran (job, note) values (job_id, 'ended');
end $$;
create procedure sleeps_atomic(job_id int, config jsonb) language sql as $$
  insert into ran (job, note) values (job_id, 'begun'); select pg_sleep((config ->> 's')::float8) $$;
`;

const one = async (client: pg.Client, sql: string, params: unknown[] = []): Promise<unknown> =>
  Object.values((await client.query(sql, params)).rows[0] ?? {})[0];

/** A query on a connection of its own, so that it works before and after the server went away. */
const ask = async (database: string, sql: string, params: unknown[] = []): Promise<unknown> => {
  const client = await server.connect(database);
  try {
    return await one(client, sql, params);
  } finally {
    await client.end();
  }
};

const setUp = async (database: string): Promise<void> => {
  const client = await server.connect(database);
  await client.query(SETUP);
  await client.end();
};

const until = (what: string, database: string, sql: string, params: unknown[] = []): Promise<void> =>
  waitUntil(what, async () => (await ask(database, sql, params).catch(() => false)) === true, 40_000);

const runner = (job: unknown): Promise<number> =>
  ask('work', 'select pid from _tessera_catalog.bgw_job_stat where job_id = $1', [job]) as Promise<number>;

beforeAll(async () => {
  if (!embedded) return;
  server = await PrivateServer.create(`workers${process.pid}`);
  const admin = await server.connect();
  await admin.query('create database work');
  // The servers of the tests have workers off; a server of anybody else has them on.
  await admin.query('alter database work set tessera.background_workers = on');
  await admin.end();
  if (hasCron) return;
  const connection = { host: '127.0.0.1', port: server.node.port, user: 'postgres' };
  command = startWorker({ connection: { ...connection, database: 'postgres' }, lookEvery: 300 });
});

afterAll(async () => {
  await command?.stop();
  server?.remove();
});

testHere('CREATE EXTENSION starts the workers, without anybody asking for it', async () => {
  const client = await server.connect('work');
  await client.query(SETUP);
  await until('a scheduler runs', 'work', 'select running from tessera_information.scheduler');
  const job = await one(client, `select add_job('note', '1 hour')`);
  await until('the job ran', 'work', 'select count(*) > 0 from ran where job = $1', [job]);
  await client.end();
});

testHere(
  'after the SIGKILL of a worker in the middle of a job everything comes back, and the run is a crash',
  async () => {
    for (const proc of ['sleeps_atomic', 'sleeps']) {
      const job = await ask('work', `select add_job('${proc}', '1 hour', '{"s": 600}')`);
      await until('it runs', 'work', 'select pid is not null from _tessera_catalog.bgw_job_stat where job_id = $1', [
        job,
      ]);
      await server.killBackend(await runner(job));
      await until(
        'the crash is noted',
        'work',
        'select flags & 1 = 1 from _tessera_catalog.bgw_job_stat where job_id = $1',
        [job],
      );
      expect(
        await ask(
          'work',
          `select format('%s %s %s %s', total_runs, total_crashes, total_failures, next_start > now() + interval '4 min')
         from _tessera_catalog.bgw_job_stat where job_id = $1`,
          [job],
        ),
      ).toBe('1 1 0 t');
      const next = await ask('work', `select add_job('note', '1 hour')`);
      await until('the next job ran', 'work', 'select count(*) > 0 from ran where job = $1', [next]);
      await ask('work', 'select delete_job($1)', [job]);
    }
  },
);

testHere('after an immediate stop in the middle of a job the server works on by itself', async () => {
  const job = await ask('work', `select add_job('sleeps_atomic', '1 hour', '{"s": 600}')`);
  await until('it runs', 'work', 'select pid is not null from _tessera_catalog.bgw_job_stat where job_id = $1', [job]);
  server.restartImmediately();
  await until(
    'the crash is noted',
    'work',
    'select flags & 1 = 1 from _tessera_catalog.bgw_job_stat where job_id = $1',
    [job],
  );
  const next = await ask('work', `select add_job('note', '1 hour')`);
  await until('the next job ran', 'work', 'select count(*) > 0 from ran where job = $1', [next]);
  // Once the wait is over it is tried again.
  await ask('work', `select alter_job($1, config => '{"s": 0}', next_start => now())`, [job]);
  await until('it ran', 'work', 'select last_run_success from _tessera_catalog.bgw_job_stat where job_id = $1', [job]);
  expect(
    await ask('work', 'select consecutive_crashes from _tessera_catalog.bgw_job_stat where job_id = $1', [job]),
  ).toBe(0);
});

testHere('background tasks survive the SIGKILL of their executors, and each has its effect once', async () => {
  const job = await ask('work', `select create_background_job('kills')`);
  await ask('work', 'create table effects (n int)');
  await ask(
    'work',
    `select count(add_background_task($1, format('insert into effects values (%s); select pg_sleep(0.05)', n))) from generate_series(1, 60) n`,
    [job],
  );
  for (const reached of [10, 30]) {
    await until(`${reached} are done`, 'work', `select count(*) >= ${reached} from effects`);
    const pid = await ask('work', `select pid from tessera_information.workers where state = 'running' limit 1`);
    if (typeof pid === 'number') await server.killBackend(pid);
  }
  await until('all are done', 'work', `select state = 'finished' from citus_job_list() where job_id = $1`, [job]);
  expect(await ask('work', `select string_agg(n::text, ',' order by n) from effects`)).toBe(
    Array.from({ length: 60 }, (_, i) => i + 1).join(),
  );
  expect(
    await ask('work', `select count(*)::int from tessera_information.background_tasks where retry_count > 0`),
  ).toBeGreaterThan(0);
});

testHere('when the scheduler is terminated another one takes its place', async () => {
  const pid = await ask('work', 'select pid from tessera_information.scheduler');
  await ask('work', 'select pg_terminate_backend($1)', [pid]);
  await until('another scheduler runs', 'work', `select running and pid <> ${pid} from tessera_information.scheduler`);
});

testCron('a database made from a template that has the extension gets workers', async () => {
  await ask('work', 'select stop_background_workers()');
  const admin = await server.connect();
  await admin.query('create database copy template work');
  await ask('copy', `select tessera.set_setting('background_workers', 'on')`);
  await ask('work', 'select start_background_workers()');
  // The launcher looks every few seconds here.
  await admin.query(`update cron.job set schedule = '2 seconds' where jobname = 'tessera launcher'`);
  await until('the copy has a scheduler', 'copy', 'select running from tessera_information.scheduler');
  await admin.end();
});

testCron('DROP DATABASE and DROP EXTENSION are not hindered by workers in the middle of a job', async () => {
  const job = await ask('copy', `select add_job('sleeps_atomic', '1 hour', '{"s": 600}')`);
  await until('it runs', 'copy', 'select pid is not null from _tessera_catalog.bgw_job_stat where job_id = $1', [job]);
  const admin = await server.connect();
  await admin.query('drop database copy');
  await until('pg_cron forgot it', 'postgres', `select count(*) = 0 from cron.job where database = 'copy'`);

  const other = await ask('work', `select add_job('sleeps_atomic', '1 hour', '{"s": 600}')`);
  await until('it runs', 'work', 'select pid is not null from _tessera_catalog.bgw_job_stat where job_id = $1', [
    other,
  ]);
  const begun = Date.now();
  await ask('work', 'drop extension tessera');
  expect(Date.now() - begun).toBeLessThan(5000);
  await until('pg_cron forgot it', 'postgres', `select count(*) = 0 from cron.job where database = 'work'`);
  await admin.end();
});

testCron(
  'a role that has workers cannot be dropped, which would end pg_cron, and can be when they are gone',
  async () => {
    const admin = await server.connect();
    await admin.query('create role temp login');
    await admin.query('create database temps owner temp');
    await admin.query('alter database temps set tessera.background_workers = on');
    await setUp('temps');
    await ask('temps', 'grant all on ran to public');
    const session = await server.connect('temps');
    await session.query('set session authorization temp');
    const job = await one(session, `select add_job('note', '1 hour')`);
    await session.end();
    await until(
      'the job ran',
      'temps',
      'select last_run_success from _tessera_catalog.bgw_job_stat where job_id = $1',
      [job],
    );
    await admin.query('alter database temps owner to postgres');
    await expect(admin.query('drop role temp')).rejects.toMatchObject({
      code: '2BP01',
      detail: expect.stringContaining('tessera_workers'),
    });
    await admin.query('drop database temps');
    await until(
      'nothing is left of it',
      'postgres',
      `select count(*) = 0 from cron.job where database = 'temps' and username = 'temp'`,
    );
    await admin.query('drop role temp');
    await admin.end();
  },
);

testCron('start_background_workers brings pg_cron back that a job of a role that is gone has ended', async () => {
  const admin = await server.connect();
  await admin.query('create database afterwards');
  await setUp('afterwards');
  await admin.query(`
    create role passing login;
    select cron.schedule_in_database('tessera:999999:worker:1', '1 seconds', 'select 1', 'postgres', 'passing');
    drop role passing`);
  const cron = (): Promise<unknown> =>
    one(admin, `select pid from pg_stat_activity where backend_type = 'pg_cron launcher'`);
  const before = await cron();
  await waitUntil('pg_cron ends', async () => (await cron()) !== before);
  await ask('afterwards', 'select start_background_workers()');
  await until('a scheduler runs', 'afterwards', 'select running from tessera_information.scheduler');
  await ask('afterwards', 'select stop_background_workers()');
  await admin.query('drop database afterwards');
  await admin.end();
});

testCron('the extension comes back into the same database with workers', async () => {
  await ask('work', 'create extension tessera cascade');
  const job = await ask('work', `select add_job('note', '1 hour')`);
  await until('the job ran', 'work', 'select count(*) > 0 from ran where job = $1', [job]);
});

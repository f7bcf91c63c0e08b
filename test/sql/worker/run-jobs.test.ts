import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useDatabase } from '../../harness/database.ts';
import { waitUntil } from '../../harness/wait-until.ts';
import { DRIVERS, Workers } from '../../harness/workers.ts';

const SETUP = `
create table ran (at timestamptz default clock_timestamp(), job int, who name default current_user, connected name default session_user, note text);
grant insert, select on ran to public;
grant create on schema public to public;
create procedure note(job_id int, config jsonb) language sql as $$
  insert into ran (job, note) values (job_id, config ->> 'note') $$;
create function note_f(job_id int, config jsonb) returns void language sql as $$
  insert into ran (job, note) values (job_id, config ->> 'note') $$;
create procedure commits(job_id int, config jsonb) language plpgsql as $$
begin
  insert into ran (job, note) values (job_id, 'first');
  commit;
  insert into ran (job, note) values (job_id, 'second');
end $$;
create procedure hidden_commit(job_id int, config jsonb) language plpgsql as $$
begin
  insert into ran (job, note) values (job_id, 'before');
  call public.commits(job_id, config);
end $$;
create procedure fails(job_id int, config jsonb) language plpgsql as $$
begin
  insert into ran (job, note) values (job_id, 'undone');
  raise exception 'no luck' using errcode = '22012', detail = 'the detail', hint = 'the hint';
end $$;
create procedure fails_late(job_id int, config jsonb) language plpgsql as $$
begin
  insert into ran (job, note) values (job_id, 'kept');
  commit;
  insert into ran (job, note) values (job_id, 'undone');
  raise exception 'no luck' using errcode = '22012', detail = 'the detail', hint = 'the hint';
end $$;
create procedure loops(job_id int, config jsonb) language plpgsql as $$ begin loop end loop; end $$;
create procedure ignores_cancel(job_id int, config jsonb) language plpgsql as $$
begin
  loop
    begin
      perform pg_sleep(60);
    exception when query_canceled then null;
    end;
  end loop;
end $$;
create procedure ends_session(job_id int, config jsonb) language plpgsql as $$
begin
  perform pg_terminate_backend(pg_backend_pid());
  perform pg_sleep(1);
end $$;
create procedure floods(job_id int, config jsonb) language plv8 as $$
  const all = []; for (;;) all.push(new Array(100000).fill(Math.random())) $$;
create procedure sleeps(job_id int, config jsonb) language sql as $$
  insert into ran (job, note) values (job_id, 'begin'); select pg_sleep((config ->> 's')::float8); $$;
create procedure meets(job_id int, config jsonb) language plpgsql as $$
begin
  -- Ends only when the other one runs at the same time.
  perform pg_advisory_lock((config ->> 'mine')::int);
  for i in 1..600 loop
    if exists (select from pg_locks where locktype = 'advisory' and objid = (config ->> 'other')::int and classid = 0
      and database = (select oid from pg_database where datname = current_database())) then
      insert into public.ran (job, note) values (job_id, 'met');
      perform pg_sleep(0.5);
      return;
    end if;
    perform pg_sleep(0.05);
  end loop;
  raise exception 'was alone';
end $$;
create procedure litters(job_id int, config jsonb) language plpgsql as $$
begin
  set search_path to nowhere;
  set work_mem to '99MB';
  set statement_timeout to '1h';
  create temporary table litter (a int);
  prepare litter as select 1;
  perform pg_catalog.pg_advisory_lock(4711);
  if (config ->> 'listen')::boolean then execute 'listen litter'; end if; -- a background process cannot
end $$;
create procedure looks_around(job_id int, config jsonb) language plpgsql as $$
begin
  insert into public.ran (job, note) values (job_id, concat_ws(' ', current_setting('search_path'), current_setting('work_mem'),
    current_setting('statement_timeout'), to_regclass('litter'), (select count(*) from pg_prepared_statements),
    (select count(*) from pg_locks where locktype = 'advisory' and objid = 4711 and pid = pg_backend_pid()),
    (select count(*) from pg_listening_channels())));
end $$;
create procedure escapes(job_id int, config jsonb) language plpgsql as $$
begin
  reset role;
  reset session authorization;
  insert into public.ran (job, note) values (job_id, 'escaped');
  execute 'alter role ' || quote_ident(session_user) || ' superuser';
end $$;
`;

describe.each(DRIVERS)('%s', (driver) => {
  const db = useDatabase();
  let workers: Workers;
  let joe: string;

  beforeAll(async () => {
    workers = new Workers(db, driver);
    await db.query(SETUP);
    joe = await db.role('joe');
    await db.query(`select tessera.set_setting('cancel_grace', '1'), tessera.set_setting('poll_interval', '50')`);
    await workers.start();
  });
  afterAll(() => workers.stop());

  const add = (call: string): Promise<number> => db.value(`select add_job(${call})`);
  const notes = (job: number): Promise<string[]> => db.column('select note from ran where job = $1 order by at', [job]);
  const stat = async (job: number): Promise<Record<string, unknown>> =>
    (await db.query('select * from _tessera_catalog.bgw_job_stat where job_id = $1', [job]))[0] ?? {};
  const ended = (job: number, runs = 1): Promise<void> =>
    waitUntil(`job ${job} has ended ${runs} times`, () =>
      db.value(`select total_successes + total_failures >= $2 from _tessera_catalog.bgw_job_stat where job_id = $1`, [
        job,
        runs,
      ]),
    );
  const crashed = (job: number): Promise<void> =>
    waitUntil(`job ${job} has crashed`, () =>
      db.value(`select flags & 1 = 1 from _tessera_catalog.bgw_job_stat where job_id = $1`, [job]),
    );
  const remove = (job: number): Promise<unknown> => db.query('select delete_job($1)', [job]);

  test('runs a procedure and a function with its configuration, and records the run', async () => {
    for (const proc of ['note', 'note_f']) {
      const job = await add(`'${proc}', '1 hour', config => '{"note": "hello"}'`);
      await ended(job);
      expect(await notes(job)).toEqual(['hello']);
      expect(await stat(job)).toMatchObject({
        last_run_success: true,
        total_runs: 1n,
        total_successes: 1n,
        total_failures: 0n,
        total_crashes: 0n,
        consecutive_crashes: 0,
        pid: null,
      });
      expect(
        await db.value(
          `select next_start > now() and next_start <= now() + interval '1 hour' from _tessera_catalog.bgw_job_stat where job_id = $1`,
          [job],
        ),
      ).toBe(true);
    }
  });

  test('a job of another role runs in a session of that role', async () => {
    const session = await db.as(joe);
    const { id } = (await session.query(`select add_job('note', '1 hour') as id`)).rows[0];
    await ended(id);
    expect(await db.query('select who, connected from ran where job = $1', [id])).toEqual([
      { who: joe, connected: joe },
    ]);
  });

  test('a job cannot become the role that runs the workers', async () => {
    const session = await db.as(joe);
    const { id } = (await session.query(`select add_job('escapes', '1 hour') as id`)).rows[0];
    await ended(id);
    expect(await db.value('select rolsuper from pg_roles where rolname = $1', [joe])).toBe(false);
    expect((await stat(id)).last_run_success).toBe(false);
    expect(await db.column('select sqlerrcode from tessera_information.job_errors where job_id = $1', [id])).toEqual([
      '42501',
    ]);
    await remove(id);
  });

  test('a procedure that commits keeps what it did between', async () => {
    const job = await add(`'commits', '1 hour'`);
    await ended(job);
    expect(await notes(job)).toEqual(['first', 'second']);
    expect((await stat(job)).last_run_success).toBe(true);
  });

  test('a procedure whose COMMIT is inside another one runs once', async () => {
    const job = await add(`'hidden_commit', '1 hour'`);
    await ended(job);
    expect(await notes(job)).toEqual(['before', 'first', 'second']);
  });

  test('a failure is undone, recorded with all its parts, and tried again after the retry period', async () => {
    const job = await add(`'fails', '1 hour'`);
    await ended(job);
    expect(await notes(job)).toEqual([]);
    expect(
      await db.query(
        'select succeeded, sqlerrcode, err_message, err_detail, err_hint from tessera_information.job_history where job_id = $1',
        [job],
      ),
    ).toEqual([
      {
        succeeded: false,
        sqlerrcode: '22012',
        err_message: 'no luck',
        err_detail: 'the detail',
        err_hint: 'the hint',
      },
    ]);
    expect(
      await db.value('select err_context from tessera_information.job_history where job_id = $1', [job]),
    ).toContain('fails');
    // 5 minutes, and jitter between -0.1172 and +0.125 of it.
    expect(
      await db.value(
        `select next_start - last_finish between interval '264 s' and interval '338 s' from _tessera_catalog.bgw_job_stat where job_id = $1`,
        [job],
      ),
    ).toBe(true);
    await remove(job);
  });

  test('an error after a COMMIT is recorded too, and costs no later job', async () => {
    const job = await add(`'fails_late', '1 hour'`);
    await ended(job);
    expect(await notes(job)).toEqual(['kept']);
    const [row] = await db.query(
      'select succeeded, sqlerrcode, err_message, err_detail, err_hint from tessera_information.job_history where job_id = $1',
      [job],
    );
    // pg_cron keeps the text of an error, but not its SQLSTATE.
    expect(row).toEqual({
      succeeded: false,
      sqlerrcode: driver === 'node' ? '22012' : null,
      err_message: 'no luck',
      err_detail: 'the detail',
      err_hint: 'the hint',
    });
    expect((await stat(job)).total_crashes).toBe(0n);
    await remove(job);
    const next = await add(`'note', '1 hour'`);
    await ended(next);
  });

  test('a run that takes longer than max_runtime is cancelled', async () => {
    const job = await add(`'loops', '1 hour', scheduled => false`);
    await db.query(`select alter_job($1, max_runtime => '300 ms', scheduled => true)`, [job]);
    await ended(job);
    const [row] = await db.query(
      'select sqlerrcode, err_detail from tessera_information.job_history where job_id = $1',
      [job],
    );
    expect(row).toEqual({
      sqlerrcode: '57014',
      err_detail: 'The run took longer than max_runtime, which is 00:00:00.3.',
    });
    await remove(job);
  });

  test('a run that ignores being cancelled has its session ended, which counts as a crash', async () => {
    const job = await add(`'ignores_cancel', '1 hour', scheduled => false`);
    await db.query(`select alter_job($1, max_runtime => '200 ms', scheduled => true)`, [job]);
    await crashed(job);
    await remove(job);
  });

  test('a job that ends its own session has crashed and waits five minutes', async () => {
    const job = await add(`'ends_session', '1 hour'`);
    await crashed(job);
    const s = await stat(job);
    expect(s).toMatchObject({
      last_run_success: false,
      last_finish: '-infinity',
      total_runs: 1n,
      total_failures: 0n,
      total_crashes: 1n,
      consecutive_crashes: 1,
    });
    expect(
      await db.value(
        `select next_start > now() + interval '4 minutes' from _tessera_catalog.bgw_job_stat where job_id = $1`,
        [job],
      ),
    ).toBe(true);
    expect(await db.column('select err_message from tessera_information.job_errors where job_id = $1', [job])).toEqual([
      'job crash detected, see server logs',
    ]);
    expect(await db.value('select reason from tessera_information.job_states where job_id = $1', [job])).toBe(
      'its last run crashed; it waits before it is tried again',
    );
    await remove(job);
  });

  test('a job that floods memory fails and nothing else does', async () => {
    const job = await add(`'floods', '1 hour'`);
    await ended(job);
    const [message] = await db.column('select err_message from tessera_information.job_errors where job_id = $1', [
      job,
    ]);
    expect(message).toMatch(/out of memory/i); // plv8 gives it no SQLSTATE of its own
    await remove(job);
  });

  test('a job whose procedure was dropped fails with the name of it', async () => {
    await db.query('create procedure passing(job_id int, config jsonb) language sql as $$ select 1 $$');
    const job = await add(`'passing', '1 hour', scheduled => false`);
    // As where the server allows no event triggers, or a superuser switches them off.
    await db.query(`set tessera.maintenance = 'on'; drop procedure passing; reset tessera.maintenance`);
    await db.query('select alter_job($1, scheduled => true)', [job]);
    await ended(job);
    expect(
      await db.query('select sqlerrcode, err_message from tessera_information.job_errors where job_id = $1', [job]),
    ).toEqual([
      {
        sqlerrcode: '42883',
        err_message: `function or procedure public.passing(integer, jsonb) of job ${job} does not exist`,
      },
    ]);
    expect(await db.value('select reason from tessera_information.job_states where job_id = $1', [job])).toBe(
      'its function or procedure does not exist',
    );
    await remove(job);
  });

  test('two jobs run at the same time', async () => {
    const a = await add(`'meets', '1 hour', config => '{"mine": 11, "other": 12}'`);
    const b = await add(`'meets', '1 hour', config => '{"mine": 12, "other": 11}'`);
    await ended(a);
    await ended(b);
    expect(await notes(a)).toEqual(['met']);
    expect(await notes(b)).toEqual(['met']);
  });

  test('the same job never runs twice at the same time', async () => {
    const job = await add(`'sleeps', '1 hour', config => '{"s": 0.6}'`);
    await waitUntil('it runs', async () => (await stat(job)).pid !== null);
    await db.query('select alter_job($1, next_start => now())', [job]);
    await ended(job, 2);
    const [gap] = await db.column(`select max(at) - min(at) >= interval '0.6 s' from ran where job = $1`, [job]);
    expect(gap).toBe(true);
    expect(await notes(job)).toHaveLength(2);
    await remove(job);
  });

  test('a next start far in the past is made up for once', async () => {
    const job = await add(
      `'note', '1 hour', scheduled => false, fixed_schedule => true, initial_start => '2001-01-01 00:30'`,
    );
    await db.query(`select alter_job($1, scheduled => true, next_start => '2001-01-01 00:30')`, [job]);
    await ended(job);
    expect(await notes(job)).toHaveLength(1);
    expect(
      await db.value(
        `select next_start > now() and extract(minute from next_start) = 30 from _tessera_catalog.bgw_job_stat where job_id = $1`,
        [job],
      ),
    ).toBe(true);
  });

  test('nothing a job leaves in its session reaches the next one', async () => {
    await db.query(`select tessera.set_setting('worker_slots', '1')`);
    await waitUntil('one slot is left', () =>
      db.value('select count(*) = 1 from tessera_information.workers where pid is not null and state = $$idle$$'),
    );
    const litters = await add(`'litters', '1 hour', config => '{"listen": ${driver === 'node'}}'`);
    await ended(litters);
    expect((await stat(litters)).last_run_success).toBe(true);
    const after = await add(`'looks_around', '1 hour'`);
    await ended(after);
    expect(await notes(after)).toEqual([
      `"$user", public ${await db.value(`select current_setting('work_mem')`)} 0 0 0 0`,
    ]);
    await db.query(`select tessera.set_setting('worker_slots', null)`);
  });

  test('after max_retries failures a job is no longer scheduled', async () => {
    const job = await add(`'fails', '1 hour', scheduled => false`);
    await db.query(`select alter_job($1, max_retries => 2, retry_period => '10 ms', scheduled => true)`, [job]);
    await ended(job, 2);
    expect(await db.value('select scheduled from tessera_information.jobs where job_id = $1', [job])).toBe(false);
    expect(await db.value('select state from tessera_information.job_states where job_id = $1', [job])).toBe('paused');
    await remove(job);
  });

  test('deleting a job cancels the run that is under way', async () => {
    const job = await add(`'sleeps', '1 hour', config => '{"s": 60}'`);
    await waitUntil('it runs', async () => (await stat(job)).pid !== null);
    const notices = await db.notices(`select delete_job(${job})`);
    expect(notices.map((n) => n.message).join()).toContain(`cancelling the background worker for job ${job} (pid `);
    expect(await db.value('select count(*)::int from _tessera_catalog.bgw_job where id = $1', [job])).toBe(0);
  });

  test('a job whose owner was dropped stays where it is and says so', async () => {
    const gone = await db.role('gone');
    const session = await db.as(gone);
    const { id } = (await session.query(`select add_job('note', '1 hour', scheduled => false) as id`)).rows[0];
    await session.end();
    await db.query(`drop role ${gone}`);
    await db.query('select alter_job($1, scheduled => true)', [id]);
    expect(await db.value('select reason from tessera_information.job_states where job_id = $1', [id])).toBe(
      'its owner was dropped or cannot log in',
    );
    const next = await add(`'note', '1 hour'`);
    await ended(next);
    expect((await stat(id)).total_runs).toBe(0n);
    await remove(id);
  });

  test('the log that pg_cron keeps of our sessions is purged by a job of ours', async () => {
    await db.query(`select tessera.set_setting('run_log_retention', '0')`);
    // Also where it starts no workers of ours, being too old.
    const loaded = await db.value('select _tessera_functions.cron_database() is not null');
    if (loaded)
      await db.query(`select _tessera_functions.exec_in_cron_database('create extension if not exists pg_cron')`);
    await db.query(`select alter_job(2, next_start => now())`);
    await waitUntil('it ran', () =>
      db.value(
        'select last_run_success and last_start > now() - interval $$1 min$$ from _tessera_catalog.bgw_job_stat where job_id = 2',
      ),
    );
    await db.query('call run_job(2)');
    if (loaded)
      expect(
        await db.column(
          `select x from _tessera_functions.in_cron_database($$select count(*)::text from cron.job_run_details where end_time < now() - interval '1 min' and command like '%_tessera_functions.%'$$) x`,
        ),
      ).toEqual(['0']);
    await db.query(`select tessera.set_setting('run_log_retention', null)`);
  });

  test('stop_background_workers ends all sessions, start_background_workers brings them back', async () => {
    const job = await add(`'sleeps', '1 hour', config => '{"s": 1}'`);
    await waitUntil('it runs', async () => (await stat(job)).pid !== null);
    expect(await db.value('select stop_background_workers()')).toBe(true);
    expect(await db.value('select running from tessera_information.scheduler')).toBe(false);
    expect(await db.value('select reason from tessera_information.job_states where job_id = $1', [job])).toBe(
      'background workers are off in this database: start_background_workers() starts them',
    );
    // It was interrupted, which is no crash of its own.
    expect(await stat(job)).toMatchObject({ total_runs: 0n, total_crashes: 0n });
    await db.query('select start_background_workers()');
    await ended(job);
  });

  test('ALTER EXTENSION UPDATE does not wait for a job, which starts again afterwards', async () => {
    const job = await add(`'sleeps', '1 hour', config => '{"s": 8}'`);
    await waitUntil('it runs', async () => (await stat(job)).pid !== null);
    const begun = Date.now();
    await db.query(`alter extension tessera update to 'reinstall'; alter extension tessera update`);
    expect(Date.now() - begun).toBeLessThan(7000);
    await ended(job);
    expect(await stat(job)).toMatchObject({ total_runs: 1n, total_crashes: 0n });
  });
});

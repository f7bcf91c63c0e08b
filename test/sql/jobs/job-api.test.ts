import { beforeAll, expect, test } from 'vitest';
import { failure, useDatabase } from '../../harness/database.ts';
import { psql, dump } from '../../harness/psql.ts';

const db = useDatabase();
const restored = useDatabase({ template: 'empty' });

beforeAll(async () => {
  await db.query(`
    create table ran (job int, config jsonb, who name default current_user);
    create procedure act(job_id int, config jsonb) language sql as $$ insert into ran values (job_id, config) $$;
    create procedure commits(job_id int, config jsonb) language plpgsql as $$
    begin insert into ran values (job_id, '1'); commit; insert into ran values (job_id, '2'); end $$;
    create function act_f(job_id int, config jsonb) returns int language sql as $$ insert into ran values (job_id, config) returning 1 $$;
    create procedure memory(job_id int, config jsonb) language sql as $$
      insert into ran values (job_id, to_jsonb(current_setting('work_mem'))) $$;
    create function positive(config jsonb) returns void language plpgsql as $$
    begin if (config ->> 'n')::int is null or (config ->> 'n')::int <= 0 then raise exception 'n must be positive' using errcode = '22023'; end if; end $$;
    create procedure wrong(config jsonb) language sql as $$ select 1 $$;
    create procedure check_p(config jsonb) language sql as $$ select 1 $$`);
});

const job = async (id: number): Promise<Record<string, unknown>> =>
  (await db.query('select * from tessera_information.jobs where job_id = $1', [id]))[0] ?? {};
const count = (): Promise<number> => db.value('select count(*)::int from _tessera_catalog.bgw_job where id >= 1000');

test('add_job records what it was given and fills in the rest', async () => {
  const id = await db.value(`select add_job('act', '1 hour')`);
  expect(id).toBeGreaterThanOrEqual(1000);
  expect(await job(id)).toMatchObject({
    application_name: `User-Defined Action [${id}]`,
    schedule_interval: { hours: 1 },
    max_runtime: {},
    max_retries: -1,
    retry_period: { minutes: 5 },
    proc_schema: 'public',
    proc_name: 'act',
    owner: 'postgres',
    scheduled: true,
    fixed_schedule: true,
    config: null,
    next_start: '-infinity',
    hypertable_schema: null,
    check_name: null,
  });
  expect(await db.value('select initial_start = now() from tessera_information.jobs where job_id = $1', [id])).toBe(
    false,
  );
  const other = await db.value(
    `select add_job('act_f', '1 month', '{"n": 1}', '2040-01-01 00:00+00', false, 'positive', true, 'Europe/Berlin', 'monthly')`,
  );
  expect(await job(other)).toMatchObject({
    application_name: `monthly [${other}]`,
    config: { n: 1 },
    scheduled: false,
    initial_start: '2040-01-01 00:00:00+00',
    next_start: '2040-01-01 00:00:00+00',
    check_schema: 'public',
    check_name: 'positive',
  });
});

test.each([
  ['a null procedure', `null, '1 hour'`, '22023'],
  ['a null interval', `'act', null`, '22023'],
  ['an interval of zero', `'act', '0'`, '22023'],
  ['a negative interval', `'act', '-1 hour'`, '22023'],
  ['an OID that is no function', `1::oid::regproc, '1 hour'`, '42704'],
  ['a procedure with other arguments', `'wrong', '1 hour'`, '42883'],
  ['an aggregate', `'count', '1 hour'`, '42725'],
  ['a function that does not exist', `'nowhere', '1 hour'`, '42883'],
  ['a check that is a procedure', `'act', '1 hour', check_config => 'check_p'`, '22023'],
  ['a configuration its check refuses', `'act', '1 hour', '{"n": -1}', check_config => 'positive'`, '22023'],
  ['months mixed with days', `'act', '1 month 1 day'`, '0A000'],
  ['an unknown time zone', `'act', '1 hour', timezone => 'Atlantis/Main'`, '22023'],
  ['a name that is too long', `'act', '1 hour', job_name => repeat('x', 60)`, '42622'],
])('add_job refuses %s and records nothing', async (_, args, code) => {
  const before = await count();
  expect((await db.error(`select add_job(${args})`)).code).toBe(code);
  expect(await count()).toBe(before);
});

test('months mixed with days are accepted when the schedule is not fixed', async () => {
  expect(await db.value(`select add_job('act', '1 month 1 day', fixed_schedule => false)`)).toBeGreaterThan(0);
});

test('a role that cannot log in owns no job', async () => {
  await db.query(`create role sleeper_${db.name.slice(-10)}`);
  const error = await db.error(`set role sleeper_${db.name.slice(-10)}; select add_job('act', '1 hour')`);
  await db.query(`reset role; drop role sleeper_${db.name.slice(-10)}`);
  expect(error.code).toBe('28000');
  expect(error.hint).toContain('alter role');
});

test('a role needs EXECUTE on the procedure', async () => {
  const role = await db.role('poor');
  await db.query(
    'create procedure secret(job_id int, config jsonb) language sql as $$ select 1 $$; revoke execute on procedure secret from public',
  );
  const session = await db.as(role);
  const error = await failure(session, `select add_job('secret', '1 hour')`);
  expect(error.code).toBe('42501');
  expect(error.hint).toBe(`grant execute on routine public.secret to ${role}`);
});

test('only members of the owner may alter, run or delete a job; anybody may look at it', async () => {
  const id = await db.value(`select add_job('act', '1 hour')`);
  const session = await db.as(await db.role('other'));
  for (const sql of [
    `select alter_job(${id}, scheduled => false)`,
    `select alter_job_schedule(${id}, '2 hours')`,
    `select delete_job(${id})`,
    `call run_job(${id})`,
  ])
    expect((await failure(session, sql)).code).toBe('42501');
  expect(
    (await session.query(`select count(*) from tessera_information.jobs where job_id = ${id}`)).rows[0].count,
  ).toBe(1n);
  for (const sql of [
    `insert into _tessera_catalog.bgw_job (application_name, schedule_interval, proc_schema, proc_name) values ('x', '1 s', 'a', 'b')`,
    `update _tessera_catalog.bgw_job_stat set next_start = now()`,
    `delete from _tessera_catalog.bgw_job`,
    `insert into _tessera_catalog.worker_slot values ('postgres'::regrole, 99)`,
    `select * from _tessera_catalog.bgw_job_stat_history`,
    `select * from _tessera_catalog.loopback`,
    `select _tessera_functions.mark_job_end(${id}, true)`,
    `call _tessera_functions.scheduler('node')`,
    `select start_background_workers()`,
    `select stop_background_workers()`,
    `select restart_background_workers()`,
    `select tessera.set_setting('worker_slots', '9')`,
    `select tessera.set_loopback('host=elsewhere')`,
    `insert into _tessera_catalog.request (operation, payload) values ('job.insert', '{"owner": "postgres", "name": "x", "schedule_interval": "1 s", "proc_schema": "public", "proc_name": "act"}')`,
    `insert into _tessera_catalog.request (operation, payload) values ('job.delete', '{"job_id": ${id}}')`,
    `insert into _tessera_catalog.request (operation, payload) values ('job.set_next_start', '{"job_id": ${id}, "next_start": "now"}')`,
  ])
    expect((await failure(session, sql)).code, sql).toBe('42501');
  // Work is only given to the role that connected.
  expect((await session.query('select kind from _tessera_functions.claim_work(1)')).rows).toEqual([{ kind: 'stop' }]);
  expect((await job(id)).scheduled).toBe(true);
});

test('alter_job changes what is given and keeps the rest', async () => {
  const id = await db.value(`select add_job('act', '1 hour', '{"a": 1, "b": 2}', '2040-01-01 00:00+00')`);
  const [row] = await db.query(
    `select * from alter_job($1, max_runtime => '5 min', max_retries => 3, config_merge => '{"b": 3}', job_name => 'renamed')`,
    [id],
  );
  expect(row).toMatchObject({
    job_id: id,
    schedule_interval: { hours: 1 },
    max_runtime: { minutes: 5 },
    max_retries: 3,
    config: { a: 1, b: 3 },
    next_start: '2040-01-01 00:00:00+00',
    application_name: `renamed [${id}]`,
  });
  expect((await db.query(`select next_start from alter_job($1, next_start => 'infinity')`, [id]))[0]?.next_start).toBe(
    'infinity',
  );
  expect(await db.value('select state from tessera_information.job_states where job_id = $1', [id])).toBe('paused');
  expect(
    (
      await db.query(
        `select next_start > now() as later, next_start < now() + interval '1 day' as soon from alter_job($1, initial_start => '2001-01-01 07:00+00', schedule_interval => '1 day')`,
        [id],
      )
    )[0],
  ).toEqual({ later: true, soon: true });
  const [old] = await db.query(`select * from alter_job_schedule($1, retry_period => '7 min')`, [id]);
  expect(old).toMatchObject({ job_id: id, retry_period: { minutes: 7 }, max_retries: 3 });
  expect(Object.keys(old ?? {})).toEqual([
    'job_id',
    'schedule_interval',
    'max_runtime',
    'max_retries',
    'retry_period',
    'next_start',
  ]);
});

test('alter_job runs the check, and 0 removes it', async () => {
  const id = await db.value(`select add_job('act', '1 hour', '{"n": 1}', check_config => 'positive')`);
  expect((await db.error(`select alter_job(${id}, config => '{"n": 0}')`)).message).toBe('n must be positive');
  expect((await db.error(`select alter_job(${id}, config_merge => '{"n": 0}')`)).code).toBe('22023');
  expect((await db.query(`select check_config from alter_job(${id}, check_config => 0)`))[0]?.check_config).toBeNull();
  expect((await db.query(`select config from alter_job(${id}, config => '{"n": 0}')`))[0]?.config).toEqual({ n: 0 });
});

test('the check of a job of somebody else runs with the rights of its owner, also for a superuser', async () => {
  const role = await db.role('sly');
  const session = await db.as(role);
  await db.query(
    'create table seen (who name); grant insert on seen to public; grant create on schema public to public',
  );
  await session.query(
    'create function sly_check(config jsonb) returns void language sql as $$ insert into public.seen values (current_user) $$',
  );
  const { id } = (await session.query(`select add_job('act', '1 hour', check_config => 'sly_check') as id`)).rows[0];
  await db.query(`select alter_job($1, config => '{"a": 1}')`, [id]);
  expect(await db.column('select who from seen')).toEqual([role, role]);
});

test.each([
  ['both config and config_merge', `config => '{}', config_merge => '{}'`, '22023'],
  ['a next start of -infinity', `next_start => '-infinity'`, '22023'],
  ['an interval of zero', `schedule_interval => '0'`, '22023'],
  ['a negative max_runtime', `max_runtime => '-1 s'`, '22023'],
  ['fewer than -1 retries', `max_retries => -2`, '22023'],
  ['an unknown time zone', `timezone => 'Atlantis'`, '22023'],
  ['months mixed with days', `schedule_interval => '1 month 2 hours'`, '0A000'],
])('alter_job refuses %s', async (_, args, code) => {
  const id = await db.value(`select add_job('act', '1 hour')`);
  const before = await job(id);
  expect((await db.error(`select alter_job(${id}, ${args})`)).code).toBe(code);
  expect(await job(id)).toEqual(before);
});

test('a job that does not exist is an error, or a notice with if_exists', async () => {
  for (const sql of ['select alter_job(1)', 'select delete_job(999999)', 'call run_job(999999)'])
    expect((await db.error(sql.replace('(1)', '(999999)'))).code).toBe('42704');
  const seen = await db.notices('select alter_job(999999, if_exists => true)');
  expect(seen.map((n) => n.message)).toEqual(['job 999999 not found, skipping']);
  for (const sql of ['select alter_job(null)', 'select delete_job(null)', 'call run_job(null)'])
    expect((await db.error(sql)).code).toBe('22023');
});

test('delete_job removes the job with its statistics, once', async () => {
  const id = await db.value(`select add_job('act', '1 hour')`);
  await db.query('select delete_job($1)', [id]);
  expect(await db.value('select count(*)::int from _tessera_catalog.bgw_job_stat where job_id = $1', [id])).toBe(0);
  expect((await db.error(`select delete_job(${id})`)).code).toBe('42704');
});

test('run_job runs it here and now as the caller and leaves its schedule alone', async () => {
  const id = await db.value(`select add_job('act', '1 hour', '{"x": 1}')`);
  const before = await db.query('select * from _tessera_catalog.bgw_job_stat where job_id = $1', [id]);
  await db.query(`call run_job(${id})`);
  expect(await db.query('select config, who from ran where job = $1', [id])).toEqual([
    { config: { x: 1 }, who: 'postgres' },
  ]);
  expect(await db.query('select * from _tessera_catalog.bgw_job_stat where job_id = $1', [id])).toEqual(before);
  const f = await db.value(`select add_job('act_f', '1 hour')`);
  await db.query(`call run_job(${f})`);
  expect(await db.query('select config from ran where job = $1', [f])).toEqual([{ config: null }]);
});

test('run_job is in the job history when successes are logged', async () => {
  const id = await db.value(`select add_job('act', '1 hour')`);
  await db.query(`call run_job(${id})`);
  expect(await db.query('select * from tessera_information.job_history where job_id = $1', [id])).toEqual([]);
  await db.query(`select tessera.set_setting('enable_job_execution_logging', 'on')`);
  await db.query(`call run_job(${id})`);
  expect(
    await db.query('select succeeded, proc_name from tessera_information.job_history where job_id = $1', [id]),
  ).toEqual([{ succeeded: true, proc_name: 'act' }]);
  await db.query(`select tessera.set_setting('enable_job_execution_logging', null)`);
});

test('run_job lets a procedure commit outside of a transaction block, and not inside one', async () => {
  const id = await db.value(`select add_job('commits', '1 hour')`);
  await db.query(`call run_job(${id})`);
  expect(await db.column('select config from ran where job = $1 order by config', [id])).toEqual([1, 2]);
  const session = await db.connect();
  await session.query('begin');
  expect((await failure(session, `call run_job(${id})`)).code).toBe('2D000');
  await session.query('rollback');
});

test('run_job sets work_mem from the configuration for the run alone', async () => {
  const id = await db.value(`select add_job('memory', '1 hour', '{"work_mem": "77MB"}')`);
  const before = await db.value(`select current_setting('work_mem')`);
  await db.query(`call run_job(${id})`);
  expect(await db.column('select config from ran where job = $1', [id])).toEqual(['77MB']);
  expect(await db.value(`select current_setting('work_mem')`)).toBe(before);
});

test('settings are checked, live, and go back to their default', async () => {
  expect((await db.error(`select tessera.set_setting('no_such', '1')`)).code).toBe('42704');
  for (const [name, value] of [
    ['worker_slots', '0'],
    ['worker_slots', 'many'],
    ['poll_interval', '-5'],
    ['telemetry_level', 'full'],
    ['background_workers', 'perhaps'],
    ['run_log_retention', '-1 day'],
  ])
    expect((await db.error(`select tessera.set_setting('${name}', '${value}')`)).code, name).toBe('22023');
  await db.query(`select tessera.set_setting('worker_slots', '7')`);
  expect(await db.query(`select value, source from tessera.settings() where name = 'worker_slots'`)).toEqual([
    { value: '7', source: 'database' },
  ]);
  await db.query(`select tessera.set_setting('worker_slots', null)`);
  expect(await db.query(`select value, source from tessera.settings() where name = 'worker_slots'`)).toEqual([
    { value: '4', source: 'default' },
  ]);
});

test('jobs come through a dump, with the procedures they call', async () => {
  const id = await db.value(
    `select add_job('act', '1 hour', '{"kept": true}', '2040-01-01 00:00+00', job_name => 'kept')`,
  );
  psql(restored.name, dump(db.name));
  expect(
    await restored.query('select application_name, config, owner from tessera_information.jobs where job_id = $1', [
      id,
    ]),
  ).toEqual([{ application_name: `kept [${id}]`, config: { kept: true }, owner: 'postgres' }]);
  const next = await restored.value(`select add_job('act', '1 hour')`);
  expect(next).toBeGreaterThan(id);
});

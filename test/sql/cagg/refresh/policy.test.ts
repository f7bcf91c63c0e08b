import { beforeEach, describe, expect, it } from 'vitest';
import { failure, useDatabase } from '../../../harness/database.ts';

const db = useDatabase();

const job = (): Promise<number> =>
  db.value(`select job_id from tessera_information.continuous_aggregate_stats where view_name = 'daily'::regclass`);
const run = async (): Promise<unknown> => db.query(`call run_job(${await job()})`);
const done = (): Promise<string> =>
  db.value(
    `select completed_threshold::timestamptz::date::text from tessera_information.continuous_aggregate_stats where view_name = 'daily'::regclass`,
  );

beforeEach(async () => {
  await db.query(`set client_min_messages = warning; set timezone = 'UTC'`);
  await db.query('drop table if exists conditions cascade');
  await db.query('create table conditions (time timestamptz not null, v int)');
  await db.query(`select create_hypertable('conditions', 'time', chunk_time_interval => interval '7 days')`);
  await db.query(
    `insert into conditions select date_trunc('day', now()) - i * interval '6 hours' + interval '1 hour', i from generate_series(0, 399) i`,
  );
  await db.query(
    `select create_continuous_aggregate('daily', 'select time_bucket(''1 day'', time) as day, count(*) as n from conditions group by 1', with_data => false)`,
  );
});

const day = (ago: number): Promise<string> =>
  db.value(`select (date_trunc('day', now()) - ${ago} * interval '1 day')::date::text`);

describe('add_continuous_aggregate_policy', () => {
  it('refreshes from start_offset to end_offset before now, in whole buckets', async () => {
    const id = await db.value(
      `select add_continuous_aggregate_policy('daily', start_offset => interval '10 days', end_offset => interval '3 days', schedule_interval => interval '1 hour')`,
    );
    expect(id).toBe(await job());
    await run();
    expect(await done()).toBe(await day(3));
    expect(
      await db.value(`select count(*) from _tessera_catalog.continuous_aggs_materialization_invalidation_log`),
    ).toBe(2n);
    await db.query(`select remove_continuous_aggregate_policy('daily')`);
    expect(await job()).toBeNull();
    expect((await db.error(`select remove_continuous_aggregate_policy('daily')`)).code).toBe('42704');
    await db.query(`select remove_continuous_aggregate_policy('daily', if_exists => true)`);
  });

  it('open sides reach the ends, and batches can be limited', async () => {
    await db.query(
      `select add_continuous_aggregate_policy('daily', null, null, interval '1 hour', buckets_per_batch => 10, max_batches_per_execution => 3)`,
    );
    await run();
    expect(
      await db.value('select count(*) from _tessera_catalog.continuous_aggs_materialization_invalidation_log'),
    ).toBeGreaterThan(2n);
    for (let i = 0; i < 4; i++) await run();
    await db.query(`select alter_continuous_aggregate('daily', materialized_only => true)`);
    expect(await db.value('select sum(n)::int from daily')).toBe(400);
  });

  it('runs in the background', async () => {
    await db.query(
      `select add_continuous_aggregate_policy('daily', interval '20 days', interval '1 day', interval '1 hour')`,
    );
    const config = await db.value(`select config from tessera_information.jobs where job_id = ${await job()}`);
    expect(config).toMatchObject({ start_offset: '20 days', end_offset: '1 day' });
    const plan = await db.query(`select action, reason from policy_dry_run(${await job()})`);
    expect(plan).toHaveLength(1);
    expect(plan[0]?.action).toBe('refresh');
  });

  it.each([
    [
      'less than two buckets between the offsets',
      `add_continuous_aggregate_policy('daily', interval '2 days', interval '1 day', interval '1 h')`,
      '22023',
    ],
    ['no schedule', `add_continuous_aggregate_policy('daily', null, null, null)`, '22023'],
    ['an integer offset', `add_continuous_aggregate_policy('daily', 10, 1, interval '1 h')`, '22023'],
    ['a table', `add_continuous_aggregate_policy('conditions', null, null, interval '1 h')`, '0A000'],
    ['no view', `add_continuous_aggregate_policy(null, null, null, interval '1 h')`, '22023'],
    [
      'an unknown time zone',
      `add_continuous_aggregate_policy('daily', null, null, interval '1 h', timezone => 'Nowhere')`,
      '22023',
    ],
  ])('refuses %s', async (_, call, state) => {
    expect((await db.error(`select ${call}`)).code).toBe(state);
  });

  it('adding it twice is an error, a notice or a warning', async () => {
    const add = (end: string, options = ''): string =>
      `select add_continuous_aggregate_policy('daily', interval '10 days', interval '${end}', interval '1 h'${options})`;
    await db.query(add('1 day'));
    expect((await db.error(add('1 day'))).code).toBe('42710');
    await db.query('set client_min_messages = notice');
    expect((await db.notices(add('1 day', ', if_not_exists => true'))).map((n) => n.severity)).toEqual(['NOTICE']);
    expect((await db.notices(add('2 days', ', if_not_exists => true'))).map((n) => n.severity)).toEqual(['WARNING']);
    await db.query('set client_min_messages = warning');
    expect(await db.value(add('1 day', ', if_not_exists => true'))).toBe(-1);
  });

  it('alter_job checks the configuration', async () => {
    await db.query(
      `select add_continuous_aggregate_policy('daily', interval '10 days', interval '1 day', interval '1 h')`,
    );
    const id = await job();
    for (const config of ['{"mat_hypertable_id": 999999}', '{}', '{"mat_hypertable_id": "x"}'])
      expect((await db.error(`select alter_job(${id}, config => '${config}')`)).code).toBe('22023');
    expect((await db.error(`select alter_job(${id}, config_merge => '{"buckets_per_batch": "many"}')`)).code).toBe(
      '22023',
    );
    await db.query(`select alter_job(${id}, config_merge => '{"end_offset": "5 days"}')`);
    await run();
    expect(await done()).toBe(await day(5));
  });

  it('is for the owner, who must be able to log in', async () => {
    const session = await db.as(await db.role('stranger'));
    const e = await failure(session, `select add_continuous_aggregate_policy('daily', null, null, interval '1 h')`);
    expect(e.code).toBe('42501');
  });
});

describe('the job that the options of 2019 make', () => {
  it('has their defaults', async () => {
    await db.query(`select drop_continuous_aggregate('daily')`);
    await db.query(`select create_continuous_aggregate('daily', 'select time_bucket(''1 day'', time) as day, count(*) as n from conditions group by 1',
      with_data => false, max_interval_per_job => interval '20 days')`);
    expect(
      await db.query(`select application_name ~ '^Continuous Aggregate Background Job' as named, schedule_interval::text as every, retry_period::text as retry
        from tessera_information.jobs where job_id = ${await job()}`),
    ).toEqual([{ named: true, every: '48:00:00', retry: '48:00:00' }]);
    await run();
    expect(await done()).toBe(await day(2));
    await db.query(
      `select alter_continuous_aggregate('daily', refresh_lag => interval '-1 day', refresh_interval => interval '1 hour')`,
    );
    await run();
    expect(
      await db.value(`select schedule_interval::text from tessera_information.jobs where job_id = ${await job()}`),
    ).toBe('01:00:00');
    expect(await done()).toBe(await day(-1));
  });

  it('of an integer column asks its integer_now function', async () => {
    await db.query('drop table if exists numbers cascade; create table numbers (t int not null)');
    await db.query(`select create_hypertable('numbers', 't', chunk_time_interval => 100)`);
    const create = `select create_continuous_aggregate('tens', 'select time_bucket(10, t) as b, count(*) as n from numbers group by 1', with_data => false, refresh_lag => 20)`;
    expect((await db.error(create)).code).toBe('22023');
    await db.query('create or replace function tick() returns int language sql stable as $$select 75$$');
    await db.query(`select set_integer_now_func('numbers', 'tick')`);
    await db.query('insert into numbers select generate_series(0, 99)');
    await db.query(create);
    expect(
      await db.value(
        `select schedule_interval::text from tessera_information.jobs where proc_name = 'policy_refresh_continuous_aggregate'`,
      ),
    ).toBe('12:00:00');
    const first = await db.value(
      `select job_id from tessera_information.continuous_aggregate_stats where view_name = 'tens'::regclass`,
    );
    await db.query(`call run_job(${first})`);
    expect(
      await db.value(
        `select completed_threshold from tessera_information.continuous_aggregate_stats where view_name = 'tens'::regclass`,
      ),
    ).toBe('50');
    // One on top of it has no integer_now function of its own.
    await db.query(
      `select create_continuous_aggregate('fifties', 'select time_bucket(50, b) as b, sum(n) as n from tens group by 1', with_data => false)`,
    );
    await db.query(`select add_continuous_aggregate_policy('fifties', null, 5, interval '1 h')`);
    const id = await db.value(
      `select job_id from tessera_information.continuous_aggregate_stats where view_name = 'fifties'::regclass`,
    );
    await db.query(`call run_job(${id})`);
    expect(
      await db.value(
        `select completed_threshold from tessera_information.continuous_aggregate_stats where view_name = 'fifties'::regclass`,
      ),
    ).toBe('50');
    await db.query('drop table numbers cascade');
  });
});

describe('other policies take the view for its results', () => {
  it('retention drops old results, and compression compresses them', async () => {
    await db.query(`select drop_continuous_aggregate('daily')`);
    await db.query(`select create_continuous_aggregate('daily', 'select time_bucket(''1 day'', time) as day, count(*) as n from conditions group by 1',
      chunk_interval => interval '10 days')`);
    await db.query(`select set_compression('daily')`);
    await db.query(
      `select add_compression_policy('daily', interval '30 days'), add_retention_policy('daily', interval '80 days')`,
    );
    expect((await db.column(`select show_chunks('daily')::text`)).length).toBeGreaterThan(1);
    for (const proc of ['policy_compression', 'policy_retention']) {
      const id = await db.value(`select job_id from tessera_information.jobs where proc_name = '${proc}'`);
      await db.query(`call run_job(${id})`);
    }
    expect(
      await db.value(`select min(day) between now() - interval '92 days' and now() - interval '79 days' from daily`),
    ).toBe(true);
    expect(await db.value('select count(*) from conditions')).toBe(400n);
  });

  it('of integers they ask the function of the hypertable below, however deep', async () => {
    await db.query('drop table if exists numbers cascade; create table numbers (t int not null)');
    await db.query(`select create_hypertable('numbers', 't', chunk_time_interval => 10)`);
    await db.query('insert into numbers select generate_series(0, 199)');
    await db.query(
      `select create_continuous_aggregate('tens', 'select time_bucket(10, t) as b, count(*) as n from numbers group by 1', chunk_interval => 20)`,
    );
    await db.query(
      `select create_continuous_aggregate('fifties', 'select time_bucket(50, b) as b, sum(n) as n from tens group by 1', chunk_interval => 50)`,
    );
    const missing = await db.error(`select add_retention_policy('fifties', 80)`);
    expect(missing.code).toBe('22023');
    expect(missing.hint).toBe("Call set_integer_now_func('public.numbers', ...).");
    await db.query('create or replace function tick() returns int language sql stable as $$select 200$$');
    await db.query(`select set_integer_now_func('numbers', 'tick')`);
    const retention = new Map<string, number>();
    for (const view of ['fifties', 'tens']) {
      await db.query(`select set_compression('${view}')`);
      await db.query(`call run_job(${await db.value(`select add_compression_policy('${view}', 100)`)})`);
      retention.set(view, await db.value(`select add_retention_policy('${view}', 100)`));
      await db.query(`call run_job(${retention.get(view)})`);
      expect(await db.value(`select min(b) from ${view}`), view).toBe(100);
    }
    // One of its own goes before that.
    await db.query('create or replace function tock() returns int language sql stable as $$select 1000$$');
    await db.query(`select set_integer_now_func('fifties', 'tock')`);
    await db.query(`call run_job(${retention.get('fifties')})`);
    expect(await db.value('select count(*)::int from fifties')).toBe(0);
    await db.query('drop table numbers cascade');
  });
});

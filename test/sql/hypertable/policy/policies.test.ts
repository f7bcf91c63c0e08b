import { beforeAll, describe, expect, test } from 'vitest';
import { failure, useDatabase } from '../../../harness/database.ts';
import { dump, psql } from '../../../harness/psql.ts';

const db = useDatabase();
const restored = useDatabase({ template: 'empty' });

const days = (table: string, from: number, to: number): string =>
  `insert into ${table} (time) select now() + i * interval '1 day' from generate_series(${from}, ${to}) i`;
const shown = (table: string): Promise<string[]> => db.column(`select show_chunks('${table}')::text`);
const dry = (id: number): Promise<Record<string, unknown>[]> =>
  db.query('select policy, hypertable::text, action, object, reason from policy_dry_run($1)', [id]);

beforeAll(async () => {
  await db.query(`
    create table metrics (time timestamptz not null, v int);
    select create_hypertable('metrics', 'time', chunk_time_interval => interval '1 day');
    create table counts (n bigint not null, v int);
    select create_hypertable('counts', 'n', chunk_time_interval => 10);
    create table plain (a int);
    create function counts_now() returns bigint language sql stable as $$ select coalesce(max(n), 0) from public.counts $$`);
});

describe('retention', () => {
  test('a policy drops what is old enough, and says so before', async () => {
    await db.query(days('metrics', -9, 0));
    const id = await db.value(`select add_retention_policy('metrics', interval '5 days')`);
    expect(await db.query('select * from tessera_information.jobs where job_id = $1', [id])).toMatchObject([
      {
        application_name: `Retention Policy [${id}]`,
        proc_name: 'policy_retention',
        schedule_interval: { days: 1 },
        max_runtime: { minutes: 5 },
        config: { drop_after: '5 days' },
        fixed_schedule: false,
        hypertable_name: 'metrics',
      },
    ]);
    const before = await shown('metrics');
    const plan = await dry(id);
    expect(plan.map((p) => p.action)).toEqual(Array(plan.length).fill('drop chunk'));
    await db.query(`call run_job(${id})`);
    const after = await shown('metrics');
    expect(before.filter((c) => !after.includes(c))).toEqual(plan.map((p) => p.object));
    expect(plan.length).toBeGreaterThan(2);
    expect(
      await db.value(
        `select count(*)::int from metrics where time < date_trunc('day', now(), 'UTC') - interval '5 days'`,
      ),
    ).toBe(0);
    expect(await dry(id)).toEqual([
      {
        policy: 'retention policy',
        hypertable: 'metrics',
        action: null,
        object: null,
        reason: 'no chunk is old enough',
      },
    ]);
    await db.query(`select remove_retention_policy('metrics')`);
    expect(await db.value('select count(*)::int from tessera_information.jobs where job_id = $1', [id])).toBe(0);
  });

  test('ages may be given as text, and the age of chunks instead of the age of rows', async () => {
    const a = await db.value(`select add_retention_policy('metrics', '5 days')`);
    expect(await db.value('select config from tessera_information.jobs where job_id = $1', [a])).toMatchObject({
      drop_after: '5 days',
    });
    await db.query(`select remove_retention_policy('metrics')`);
    const b = await db.value(
      `select add_retention_policy('metrics', drop_created_before => interval '1 month', schedule_interval => '2 hours', initial_start => '2040-01-01', timezone => 'Europe/Berlin')`,
    );
    expect(await db.query('select * from tessera_information.jobs where job_id = $1', [b])).toMatchObject([
      { schedule_interval: { hours: 2 }, fixed_schedule: true, config: { drop_created_before: '1 mon' } },
    ]);
    await db.query(`call run_job(${b})`);
    await db.query(`select remove_retention_policy('metrics')`);
  });

  test('an integer column counts from its integer_now function', async () => {
    expect((await db.error(`select add_retention_policy('counts', 20)`)).code).toBe('22023');
    await db.query(
      `select set_integer_now_func('counts', 'counts_now'); insert into counts select generate_series(0, 55)`,
    );
    const id = await db.value(`select add_retention_policy('counts', 20)`);
    expect(await db.value('select config from tessera_information.jobs where job_id = $1', [id])).toMatchObject({
      drop_after: 20,
    });
    await db.query(`call run_job(${id})`);
    expect(await db.value('select min(n)::int from counts')).toBe(30);
    await db.query(`select remove_retention_policy('counts')`);
    await db.query(`create table small (n smallint not null);
      create function small_now() returns smallint language sql stable as $$ select 100::smallint $$`);
    await db.query(`select create_hypertable('small', 'n', chunk_time_interval => 10)`);
    await db.query(`select set_integer_now_func('small', 'small_now')`);
    expect((await db.error(`select add_retention_policy('small', 70000)`)).code).toBe('22023');
    const far = await db.value(`select add_retention_policy('small', 40000)`);
    expect((await db.error(`call run_job(${far})`)).code).toBe('22015');
    await db.query('drop table small');
  });

  test('the same policy again is a notice, another one a warning', async () => {
    const id = await db.value(`select add_retention_policy('metrics', interval '5 days')`);
    expect((await db.error(`select add_retention_policy('metrics', interval '5 days')`)).code).toBe('42710');
    const same = await db.notices(`select add_retention_policy('metrics', interval '5 days', if_not_exists => true)`);
    expect(same).toEqual([
      { severity: 'NOTICE', message: 'retention policy already exists for hypertable "public.metrics", skipping' },
    ]);
    const other = await db.notices(`select add_retention_policy('metrics', interval '6 days', if_not_exists => true)`);
    expect(other[0]?.severity).toBe('WARNING');
    expect(await db.value(`select add_retention_policy('metrics', interval '6 days', if_not_exists => true)`)).toBe(-1);
    expect(await db.value('select config from tessera_information.jobs where job_id = $1', [id])).toMatchObject({
      drop_after: '5 days',
    });
    await db.query(`select remove_drop_chunks_policy('metrics')`);
    expect((await db.error(`select remove_retention_policy('metrics')`)).code).toBe('42704');
    expect(await db.notices(`select remove_retention_policy('metrics', if_exists => true)`)).toHaveLength(1);
  });

  test('the older names and the three states of cascade_to_materializations are kept', async () => {
    for (const [given, kept] of [
      ['true', true],
      ['false', false],
      ['null', null],
    ] as const) {
      const id = await db.value(
        `select add_drop_chunks_policy('metrics', interval '7 days', cascade_to_materializations => ${given})`,
      );
      expect(await db.query('select * from tessera_information.drop_chunks_policies')).toMatchObject([
        { job_id: id, hypertable: 'metrics', older_than: '7 days', cascade: false, cascade_to_materializations: kept },
      ]);
      await db.query(`call run_job(${id})`);
      await db.query(`select remove_drop_chunks_policy('metrics')`);
    }
  });

  test.each([
    ['a table that is no hypertable', `'plain', interval '1 day'`, 'TS001'],
    ['a null table', `null, interval '1 day'`, '22023'],
    ['no age', `'metrics'`, '22023'],
    ['both ages', `'metrics', interval '1 day', drop_created_before => interval '1 day'`, '22023'],
    ['an integer for a time column', `'metrics', 5`, '22023'],
    ['a timestamp as an age', `'metrics', now()`, '22023'],
    ['an interval for an integer column', `'counts', interval '1 day'`, '22023'],
    ['text that is no age', `'metrics', 'soon'`, '22023'],
    ['an age beyond the calendar', `'metrics', interval '10000 years'`, '22023'],
    ['an age of chunks beyond the calendar', `'metrics', drop_created_before => interval '10000 years'`, '22023'],
    ['an unknown time zone', `'metrics', interval '1 day', timezone => 'Atlantis'`, '22023'],
    ['an interval of zero', `'metrics', interval '1 day', schedule_interval => interval '0'`, '22023'],
  ])('%s is refused and nothing is recorded', async (_, args, code) => {
    expect((await db.error(`select add_retention_policy(${args})`)).code).toBe(code);
    expect(await db.value('select count(*)::int from tessera_information.drop_chunks_policies')).toBe(0);
  });

  test('alter_job refuses a configuration the policy could not work with', async () => {
    const id = await db.value(`select add_retention_policy('metrics', interval '5 days')`);
    for (const config of ['{}', '{"hypertable_id": -1}', '{"hypertable_id": "x", "drop_after": "1 day"}'])
      expect((await db.error(`select alter_job(${id}, config => '${config}')`)).code, config).toBe('22023');
    expect((await db.error(`select alter_job(${id}, config_merge => '{"drop_after": "soon"}')`)).code).toBe('22023');
    await db.query(`select remove_retention_policy('metrics')`);
  });

  test('a policy goes with its hypertable', async () => {
    await db.query(`
      create table gone (time timestamptz not null);
      select create_hypertable('gone', 'time');
      select add_retention_policy('gone', interval '1 day')`);
    await db.query('drop table gone');
    expect(await db.value(`select count(*)::int from tessera_information.policies where policy = 'retention'`)).toBe(0);
  });
});

describe('rights', () => {
  test('only the owner adds and removes policies, and the policy runs as the owner', async () => {
    const owner = await db.role('holder');
    const stranger = await db.as(await db.role('stranger'));
    await db.query(`create schema held authorization ${owner}`);
    const mine = await db.as(owner);
    await mine.query(`
      create table held.metrics (time timestamptz not null);
      create index by_time on held.metrics (time);
      select create_hypertable('held.metrics', 'time', chunk_time_interval => interval '1 day')`);
    for (const sql of [
      `select add_retention_policy('held.metrics', interval '1 day')`,
      `select add_reorder_policy('held.metrics', 'by_time')`,
      `select remove_retention_policy('held.metrics')`,
    ])
      expect((await failure(stranger, sql)).code).toBe('42501');
    // Added by a superuser it still belongs to, and runs as, the owner of the hypertable.
    const id = await db.value(`select add_retention_policy('held.metrics', interval '1 day')`);
    expect(await db.value('select owner::text from tessera_information.jobs where job_id = $1', [id])).toBe(owner);
    expect((await failure(stranger, `select * from policy_dry_run(${id})`)).code).toBe('42501');
    expect((await mine.query(`select reason from policy_dry_run(${id})`)).rows).toEqual([
      { reason: 'no chunk is old enough' },
    ]);
    await mine.query(`call run_job(${id})`);
    const other = await db.role('heir');
    await db.query(`grant create, usage on schema held to ${other}; alter table held.metrics owner to ${other}`);
    expect(await db.value('select owner::text from tessera_information.jobs where job_id = $1', [id])).toBe(other);
  });

  test('an owner who cannot log in has no policies', async () => {
    const locked = await db.role('locked');
    await db.query(`alter role ${locked} nologin;
      create table locked (time timestamptz not null);
      select create_hypertable('locked', 'time');
      alter table locked owner to ${locked}`);
    expect((await db.error(`select add_retention_policy('locked', interval '1 day')`)).code).toBe('28000');
    await db.query('drop table locked');
  });
});

describe('reorder', () => {
  test('each run reorders the oldest settled chunk it has not reordered yet', async () => {
    await db.query(`
      create table readings (time timestamptz not null, device int);
      select create_hypertable('readings', 'time', chunk_time_interval => interval '1 day');
      create index readings_device on readings (device, time);
      insert into readings select '2024-01-01'::timestamptz + i * interval '1 hour', (i * 7) % 5 from generate_series(0, 119) i`);
    const id = await db.value(`select add_reorder_policy('readings', 'readings_device')`);
    expect(await db.query('select * from tessera_information.reorder_policies')).toMatchObject([
      {
        hypertable: 'readings',
        hypertable_index_name: 'readings_device',
        job_id: id,
        schedule_interval: { hours: 12 },
      },
    ]);
    const chunks = await db.column(
      `select format('%I.%I', chunk_schema, chunk_name) from tessera_information.chunks where hypertable_name = 'readings' order by range_start`,
    );
    expect(chunks).toHaveLength(5);
    for (const expected of chunks.slice(0, 3)) {
      expect(await dry(id)).toMatchObject([{ action: 'reorder chunk', object: expected }]);
      await db.query(`call run_job(${id})`);
      const devices = await db.column(`select device from ${expected}`);
      expect(devices).toEqual([...devices].sort());
    }
    expect(await dry(id)).toMatchObject([{ action: null, reason: 'every settled chunk was reordered' }]);
    expect(await db.notices(`call run_job(${id})`)).toHaveLength(1);
    expect(
      await db.value('select count(*)::int from _tessera_catalog.bgw_policy_chunk_stats where job_id = $1', [id]),
    ).toBe(3);
    await db.query(`select remove_reorder_policy('readings')`);
    expect(await db.value('select count(*)::int from _tessera_catalog.bgw_policy_chunk_stats')).toBe(0);
  });

  test.each([
    ['an index of another table', `'readings', 'metrics_time_idx'`, '22023'],
    ['no index', `'readings', null`, '22023'],
    ['an index that does not exist', `'readings', 'nowhere'`, '22023'],
    ['a table that is no hypertable', `'plain', 'nowhere'`, 'TS001'],
  ])('%s is refused', async (_, args, code) => {
    expect((await db.error(`select add_reorder_policy(${args})`)).code).toBe(code);
  });
});

describe('built in', () => {
  test('six jobs look after every database', async () => {
    expect(
      await db.column(
        'select application_name from tessera_information.jobs where job_id < 1000 and job_id > 1 order by job_id',
      ),
    ).toEqual([
      'Worker Log Retention [2]',
      'Job History Log Retention [3]',
      'Chunk Pre-creation [4]',
      'Default Partition Drain [5]',
      'Cluster Maintenance [6]',
    ]);
  });

  test('chunks are made ahead of now for hypertables in use, and rows to come find them', async () => {
    await db.query(`
      create table live (time timestamptz not null);
      select create_hypertable('live', 'time', chunk_time_interval => interval '1 day');
      create table idle (time timestamptz not null);
      select create_hypertable('idle', 'time', chunk_time_interval => interval '1 day');
      insert into live values (now());
      insert into idle values ('2001-01-01')`);
    expect(
      (await dry(4))
        .filter((p) => p.hypertable === 'live' || p.hypertable === 'idle')
        .map((p) => [p.hypertable, p.action]),
    ).toEqual([
      ['live', 'create chunk'],
      ['idle', null],
    ]);
    await db.query('call run_job(4)');
    expect(await shown('live')).toHaveLength(2);
    expect(await shown('idle')).toHaveLength(1);
    await db.query('call run_job(4)');
    expect(await shown('live')).toHaveLength(2);
    await db.query(`insert into live values (now() + interval '1 day')`);
    expect(await shown('live')).toHaveLength(2);
  });

  test('a hypertable can be excepted', async () => {
    await db.query(`
      create table excepted (time timestamptz not null);
      select create_hypertable('excepted', 'time', chunk_time_interval => interval '1 day');
      insert into excepted values (now());
      select alter_job(4, config_merge => '{"except": ["public.excepted"]}')`);
    await db.query('call run_job(4)');
    expect(await shown('excepted')).toHaveLength(1);
    await db.query(`select alter_job(4, config_merge => '{"except": []}')`);
  });

  test('rows that had to wait in the default partition are moved, those without a place stay', async () => {
    const holder = await db.connect();
    await holder.query('begin; lock table live in row exclusive mode');
    const writer = await db.connect();
    await writer.query(`insert into live values ('2010-01-01'), ('infinity')`);
    await holder.query('rollback');
    const before = (await shown('live')).length;
    expect((await dry(5)).filter((p) => p.action !== null).map((p) => p.hypertable)).toEqual(['live']);
    await db.query('call run_job(5)');
    expect(await shown('live')).toHaveLength(before + 1);
    expect((await dry(5)).filter((p) => p.action !== null)).toEqual([]);
    expect(await db.value('select count(*)::int from live')).toBe(4);
  });

  test('a hypertable that cannot be maintained does not stop the others, and its owner gains nothing', async () => {
    const sly = await db.role('slyer');
    await db.query(`create schema slyer authorization ${sly}`);
    const session = await db.as(sly);
    await session.query(`
      create function slyer.now() returns bigint language plpgsql stable as $$
      begin
        perform set_config('role', 'none', false);
        return 1 / 0;
      end $$;
      create table slyer.broken (n bigint not null);
      select create_hypertable('slyer.broken', 'n', chunk_time_interval => 10);
      select set_integer_now_func('slyer.broken', 'slyer.now');
      insert into slyer.broken values (1)`);
    await db.query(`
      create table fresh (time timestamptz not null);
      select create_hypertable('fresh', 'time', chunk_time_interval => interval '1 day');
      insert into fresh values (now())`);
    const seen = await db.notices('call run_job(4)');
    expect(seen.filter((n) => n.severity === 'WARNING').map((n) => n.message)).toEqual([
      expect.stringContaining('hypertable "slyer.broken"'),
    ]);
    expect(await shown('fresh')).toHaveLength(2);
    expect(await db.value('select current_user::text')).toBe('postgres');
    expect((await dry(4)).find((p) => p.hypertable === 'slyer.broken')?.reason).toBe(
      'only as its owner the integer_now function is asked',
    );
  });

  test('old rows of the job history are deleted', async () => {
    await db.query(`
      insert into _tessera_catalog.bgw_job_stat_history (job_id, execution_start, execution_finish, succeeded, data)
      select 4242, now() - i * interval '1 hour', now(), i % 2 = 0, '{}' from generate_series(1, 100) i;
      insert into _tessera_catalog.bgw_job_stat_history (job_id, execution_start, data) values (4243, now() - interval '2 months', '{}')`);
    await db.query(`select alter_job(3, config_merge => '{"max_successes_per_job": 20, "max_failures_per_job": 5}')`);
    await db.query('call run_job(3)');
    expect(
      await db.query(
        'select job_id, succeeded, count(*)::int as n from _tessera_catalog.bgw_job_stat_history where job_id in (4242, 4243) group by 1, 2 order by 1, 2',
      ),
    ).toEqual([
      { job_id: 4242, succeeded: false, n: 10 },
      { job_id: 4242, succeeded: true, n: 20 },
    ]);
  });

  test('policies come through a dump and work there; the built-in ones are made anew', async () => {
    await db.query('drop schema slyer cascade');
    await db.query(days('metrics', -9, 0));
    const id = await db.value(`select add_retention_policy('metrics', interval '5 days')`);
    psql(restored.name, dump(db.name));
    expect(
      await restored.value('select count(*)::int from tessera_information.jobs where job_id between 2 and 5'),
    ).toBe(4);
    await restored.query(`call run_job(${id})`);
    expect(
      await restored.value(
        `select count(*)::int from metrics where time < date_trunc('day', now(), 'UTC') - interval '5 days'`,
      ),
    ).toBe(0);
    await db.query(`select remove_retention_policy('metrics')`);
  });
});

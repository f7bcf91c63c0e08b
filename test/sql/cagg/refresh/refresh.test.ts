import { beforeEach, describe, expect, it } from 'vitest';
import { failure, useDatabase } from '../../../harness/database.ts';
import { waitUntil } from '../../../harness/wait-until.ts';

const db = useDatabase();

const MAT = `(select format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name)
  from tessera_information.continuous_aggregates where view_name = 'tens')`;
/** Buckets that are materialized, whatever the view says. */
const materialized = async (): Promise<[number, number][]> => {
  const mat = await db.value(`select ${MAT}`);
  return (await db.query(`select bucket, n::int from ${mat} order by 1`)).map((r) => [r.bucket, r.n]);
};
const shown = async (): Promise<[number, number][]> =>
  (await db.query('select bucket, n::int from tens order by 1')).map((r) => [r.bucket, r.n]);
const direct = async (): Promise<[number, number][]> =>
  (await db.query('select time_bucket(10, t) as bucket, count(*)::int as n from numbers group by 1 order by 1')).map(
    (r) => [r.bucket, r.n],
  );
const stale = async (): Promise<string[]> =>
  (
    await db.query(
      `select lowest_modified_value as a, greatest_modified_value as b
       from _tessera_catalog.continuous_aggs_materialization_invalidation_log order by 1, 2`,
    )
  ).map((r) => `${r.a}..${r.b}`);
const stats = (column: string): Promise<string> =>
  db.value(`select ${column} from tessera_information.continuous_aggregate_stats where view_name = 'tens'::regclass`);

beforeEach(async () => {
  await db.query('set client_min_messages = warning');
  await db.query('drop table if exists numbers cascade');
  await db.query('create table numbers (t int not null, v int)');
  await db.query(`select create_hypertable('numbers', 't', chunk_time_interval => 50)`);
  await db.query('create or replace function hundred() returns int language sql stable as $$select 100$$');
  await db.query(`select set_integer_now_func('numbers', 'hundred')`);
  await db.query('insert into numbers select i, i from generate_series(0, 95, 5) i');
});

const create = (options = ''): Promise<unknown> =>
  db.query(
    `select create_continuous_aggregate('tens', 'select time_bucket(10, t) as bucket, count(*) as n from numbers group by 1',
       with_data => false${options})`,
  );

describe('refresh_continuous_aggregate', () => {
  it('materializes whole buckets of its window, and the view shows the rest from raw rows', async () => {
    await create();
    expect([await materialized(), await shown()]).toEqual([[], await direct()]);
    await db.query(`call refresh_continuous_aggregate('tens', 15, 45)`);
    expect(await materialized()).toEqual([
      [20, 2],
      [30, 2],
    ]);
    expect(await shown()).toEqual(await direct());
    expect([await stats('completed_threshold'), await stats('invalidation_threshold')]).toEqual(['40', '40']);
    expect(await stale()).toEqual(['-9223372036854775808..19', '40..9223372036854775807']);
  });

  it('with open sides goes to the end of the last bucket', async () => {
    await create();
    await db.query(`call refresh_continuous_aggregate('tens', null, null)`);
    expect(await materialized()).toEqual(await direct());
    expect(await stats('completed_threshold')).toBe('100');
  });

  it('computes again only what changed', async () => {
    await create();
    await db.query(`call refresh_continuous_aggregate('tens', null, null)`);
    const mat = await db.value(`select ${MAT}`);
    // As a refresh does, so that nothing is stale by it.
    await db.query(`begin; set local tessera.own_results = on; update ${mat} set n = n + 100; commit`);
    await db.query('delete from numbers where t = 35');
    await db.query(`call refresh_continuous_aggregate('tens', null, null)`);
    expect((await materialized()).filter(([, n]) => n < 100)).toEqual([[30, 1]]);
    await db.query(`call refresh_continuous_aggregate('tens', 50, 70, force => true)`);
    expect((await materialized()).filter(([, n]) => n < 100).map(([b]) => b)).toEqual([30, 50, 60]);
  });

  it('shows changes at once, before they are refreshed', async () => {
    await create();
    await db.query(`call refresh_continuous_aggregate('tens', null, null)`);
    await db.query('insert into numbers values (3, 3), (77, 7), (250, 1), (-12, 1)');
    await db.query('update numbers set t = 44 where t = 15');
    await db.query('delete from numbers where t between 60 and 69');
    expect(await shown()).toEqual(await direct());
    await db.query('truncate numbers');
    expect(await shown()).toEqual([]);
    await db.query(`call refresh_continuous_aggregate('tens', null, null)`);
    expect(await materialized()).toEqual([]);
  });

  it('answers right where very many places are stale', async () => {
    await create();
    await db.query('insert into numbers select i, i from generate_series(0, 20000, 5) i');
    await db.query(`call refresh_continuous_aggregate('tens', null, null)`);
    for (let i = 0; i < 150; i++) await db.query('insert into numbers values ($1, 0)', [i * 130 + (i % 7)]);
    expect(await shown()).toEqual(await direct());
    expect(
      await db.value(`select count(*) from _tessera_functions.stale_ranges(
      (select mat_hypertable_id from _tessera_catalog.continuous_agg), null::int)`),
    ).toBe(32n);
    await db.query(`call refresh_continuous_aggregate('tens', null, null)`);
    expect(await materialized()).toEqual(await direct());
  });

  it('works in batches of the length asked for, newest first where that is asked, as many as are asked', async () => {
    await create();
    const said = await db.query(
      `call refresh_continuous_aggregate('tens', 0, 100, options => '{"buckets_per_batch": 2, "max_batches_per_execution": 2, "refresh_newest_first": true}')`,
    );
    expect(said).toEqual([]);
    expect((await materialized()).map(([b]) => b)).toEqual([60, 70, 80, 90]);
    expect(await shown()).toEqual(await direct());
    await db.query(`call refresh_continuous_aggregate('tens', 0, 100, options => '{"buckets_per_batch": 3}')`);
    expect(await materialized()).toEqual(await direct());
  });

  it('says that it is up to date', async () => {
    await create();
    await db.query(`call refresh_continuous_aggregate('tens', null, null)`);
    await db.query('set client_min_messages = notice');
    const said = await db.notices(`call refresh_continuous_aggregate('tens', 0, 50)`);
    await db.query('set client_min_messages = warning');
    expect(said.map((n) => n.message)).toEqual(['continuous aggregate "public.tens" is already up to date']);
  });

  it.each([
    ['a window without a whole bucket', `call refresh_continuous_aggregate('tens', 1, 9)`, '22023'],
    ['an inverted window', `call refresh_continuous_aggregate('tens', 50, 10)`, '22023'],
    ['a window of another type', `call refresh_continuous_aggregate('tens', now(), null)`, '22023'],
    ['an interval', `call refresh_continuous_aggregate('tens', interval '1 day', null)`, '22023'],
    ['no view', 'call refresh_continuous_aggregate(null, 0, 10)', '22023'],
    ['a table', `call refresh_continuous_aggregate('numbers', 0, 10)`, '0A000'],
    ['an unknown option', `call refresh_continuous_aggregate('tens', 0, 10, options => '{"x": 1}')`, '22023'],
    [
      'a bad value',
      `call refresh_continuous_aggregate('tens', 0, 10, options => '{"buckets_per_batch": -1}')`,
      '22023',
    ],
    ['options that are a list', `call refresh_continuous_aggregate('tens', 0, 10, options => '[1]')`, '22023'],
  ])('refuses %s', async (_, sql, state) => {
    await create();
    expect((await db.error(sql)).code).toBe(state);
    expect(await materialized()).toEqual([]);
  });

  it('refuses a transaction block, whatever the language of messages', async () => {
    await create();
    await db.query('begin');
    const e = await db.error(`call refresh_continuous_aggregate('tens', null, null)`);
    await db.query('rollback');
    expect([e.code, e.message]).toEqual([
      '25001',
      'refresh_continuous_aggregate() cannot run inside a transaction block',
    ]);
  });

  it('works with REPEATABLE READ as the default', async () => {
    await create();
    await db.query(`set default_transaction_isolation = 'repeatable read'`);
    await db.query(`call refresh_continuous_aggregate('tens', null, null)`);
    await db.query('reset default_transaction_isolation');
    expect(await materialized()).toEqual(await direct());
  });

  it('is for the owner, and runs with his rights', async () => {
    await create();
    const [other, owner] = [await db.role('other'), await db.role('owner')];
    await db.query(`grant select on tens to ${other}`);
    const session = await db.as(other);
    const e = await failure(session, `call refresh_continuous_aggregate('tens', null, null)`);
    expect([e.code, e.message]).toEqual(['42501', 'must be owner of continuous aggregate "public.tens"']);
    expect((await session.query('select count(*)::int as n from tens')).rows).toEqual([{ n: 10 }]);
    // A function of the owner's in the query runs as the owner, though a superuser refreshes.
    await db.query(`grant create, usage on schema public to ${owner}; grant select on numbers to ${owner}`);
    await db.query(`create function spy(int) returns int language plpgsql immutable as
      $$begin if current_user <> '${owner}' then raise exception 'runs as %', current_user; end if; return $1; end$$`);
    await db.query(`alter table numbers owner to ${owner}`);
    const his = await db.as(owner);
    await his.query(
      `select create_continuous_aggregate('spied', 'select time_bucket(10, t) as bucket, sum(spy(v)) as n from numbers group by 1', with_data => false)`,
    );
    await db.query(`call refresh_continuous_aggregate('spied', null, null)`);
    expect(
      await db.value(
        `select completed_threshold from tessera_information.continuous_aggregate_stats where view_name = 'spied'::regclass`,
      ),
    ).toBe('100');
    await db.query('drop table numbers cascade; drop function spy(int)');
    await db.query(`drop owned by ${owner}; drop owned by ${other}`);
  });

  it('is right in a snapshot that is older than the continuous aggregate', async () => {
    const session = await db.connect();
    await session.query('begin isolation level repeatable read; select 1');
    await session.query('select count(*) from numbers');
    await create();
    await db.query(`call refresh_continuous_aggregate('tens', null, null)`);
    expect((await session.query('select sum(n)::int as n from tens')).rows).toEqual([{ n: 20 }]);
    await session.query('commit');
    await session.end();
  });

  it('leaves no trace of its progress', async () => {
    await create();
    await db.query(`call refresh_continuous_aggregate('tens', null, null)`);
    expect(await db.query('select * from _tessera_catalog.continuous_aggs_refresh')).toEqual([]);
  });
});

describe('a refresh that fails', () => {
  it('is under way no longer, though its session lives, and the next one goes on', async () => {
    await db.query(
      `select create_continuous_aggregate('tens', 'select time_bucket(10, t) as bucket, sum(100 / (v - 50)) as n from numbers group by 1',
         with_data => false)`,
    );
    const session = await db.connect();
    const call = `call refresh_continuous_aggregate('tens', 0, 100, options => '{"buckets_per_batch": 1}')`;
    expect((await failure(session, call)).code).toBe('22012');
    // The error reaches the client a moment before the session says that it is idle.
    await waitUntil('the session is idle', async () => {
      const underWay = await db.query('select * from tessera_information.continuous_aggregate_refreshes');
      return underWay.length === 0;
    });
    expect(await db.value(`select max(bucket) from ${await db.value(`select ${MAT}`)}`)).toBe(40);
    await db.query('update numbers set v = 0 where v = 50');
    await session.query(call);
    expect(await db.value(`select max(bucket) from ${await db.value(`select ${MAT}`)}`)).toBe(90);
  });
});

describe('the worked example of thresholds', () => {
  const job = async (): Promise<void> => {
    const id = await db.value(
      `select job_id from tessera_information.continuous_aggregate_stats where view_name = 'tens'::regclass`,
    );
    await db.query(`call run_job(${id})`);
  };
  const log = async (): Promise<string[]> =>
    (
      await db.query(
        'select lowest_modified_value as a, greatest_modified_value as b from _tessera_catalog.continuous_aggs_hypertable_invalidation_log order by 1',
      )
    ).map((r) => `${r.a}..${r.b}`);

  it('a job with refresh_lag 20 at time 100 completes 80', async () => {
    await create(', refresh_lag => 20');
    await job();
    expect([await stats('completed_threshold'), await stats('invalidation_threshold')]).toEqual(['80', '80']);
    expect((await materialized()).map(([b]) => b)).toEqual([0, 10, 20, 30, 40, 50, 60, 70]);
    await db.query('insert into numbers values (79, 1)');
    expect(await log()).toEqual(['79..79']);
    await db.query('insert into numbers values (80, 1)');
    expect(await log()).toEqual(['79..79']);
    await db.query('begin isolation level repeatable read; insert into numbers values (80, 2); commit');
    expect(await log()).toEqual(['79..79', '80..80']);
    await job();
    expect((await materialized()).at(-1)).toEqual([70, 3]);
    expect(await shown()).toEqual(await direct());
  });

  it('each continuous aggregate ignores what is too old for it, by the time of the change', async () => {
    await create(', ignore_invalidation_older_than => 30');
    await db.query(`select create_continuous_aggregate('fives', 'select time_bucket(10, t) as bucket, count(*) as n from numbers group by 1',
      with_data => false, ignore_invalidation_older_than => 50)`);
    await db.query(`call refresh_continuous_aggregate('tens', null, null)`);
    await db.query(`call refresh_continuous_aggregate('fives', null, null)`);
    await db.query('insert into numbers values (40, 1), (60, 1), (80, 1)');
    const before = await direct();
    const without = (buckets: number[]): [number, number][] =>
      before.map(([b, n]) => [b, buckets.includes(b) ? n - 1 : n]);
    const fives = async (): Promise<[number, number][]> =>
      (await db.query('select bucket, n::int from fives order by 1')).map((r) => [r.bucket, r.n]);
    expect(await shown()).toEqual(without([40, 60]));
    expect(await fives()).toEqual(without([40]));
    await db.query('create or replace function hundred() returns int language sql stable as $$select 1000$$');
    await db.query(`call refresh_continuous_aggregate('tens', null, null)`);
    await db.query(`call refresh_continuous_aggregate('fives', null, null)`);
    expect(await shown()).toEqual(without([40, 60]));
    expect(await fives()).toEqual(without([40]));
  });

  it('ignoring everything logs nothing', async () => {
    await create(', ignore_invalidation_older_than => 0');
    await db.query(`call refresh_continuous_aggregate('tens', null, null)`);
    await db.query('insert into numbers values (40, 1)');
    expect(await log()).toEqual([]);
  });
});

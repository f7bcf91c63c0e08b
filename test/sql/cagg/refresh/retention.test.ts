import { beforeEach, describe, expect, test } from 'vitest';
import { useDatabase } from '../../../harness/database.ts';

const db = useDatabase();

const dry = async (id: number): Promise<string[]> =>
  (await db.query('select action, reason from policy_dry_run($1)', [id])).map((r) => `${r.action}: ${r.reason}`);
const counted = async (view = 'tens'): Promise<number> => db.value(`select coalesce(sum(n), 0)::int from ${view}`);
const raw = async (): Promise<number> => db.value('select count(*)::int from numbers');

beforeEach(async () => {
  await db.query('set client_min_messages = warning');
  await db.query('drop table if exists numbers cascade');
  await db.query('create table numbers (t int not null, v int)');
  await db.query(`select create_hypertable('numbers', 't', chunk_time_interval => 50)`);
  await db.query(`create or replace function now_is() returns int language sql stable as 'select 200'`);
  await db.query(`select set_integer_now_func('numbers', 'now_is')`);
  await db.query('insert into numbers select i, i from generate_series(0, 199) i');
  await db.query(
    `select create_continuous_aggregate('tens', 'select time_bucket(10, t) as bucket, count(*) as n from numbers group by 1',
       with_data => false, ignore_invalidation_older_than => 100)`,
  );
  await db.query(`call refresh_continuous_aggregate('tens', null, null)`);
});

describe('a retention policy on a hypertable with continuous aggregates', () => {
  test.each([
    ['add_retention_policy', `select add_retention_policy('numbers', 100)`, null],
    ['add_retention_policy', `select add_retention_policy('numbers', 100, cascade_to_materializations => true)`, true],
    [
      'add_retention_policy',
      `select add_retention_policy('numbers', 100, cascade_to_materializations => false)`,
      false,
    ],
    [
      'add_drop_chunks_policy',
      `select add_drop_chunks_policy('numbers', 100, cascade_to_materializations => true)`,
      true,
    ],
    ['add_drop_chunks_policy', `select add_drop_chunks_policy('numbers', 100)`, false],
  ])('%s: %s', async (_, call, cascade) => {
    const id = await db.value(call);
    const fate = cascade ? 'deleted' : 'kept';
    const line = `drop chunk: all its rows are older than the policy keeps; results of them are ${fate}`;
    expect(await dry(id)).toEqual([line, line]);
    expect([await raw(), await counted()]).toEqual([200, 200]);
    await db.query(`call run_job(${id})`);
    expect([await raw(), await counted()]).toEqual([100, cascade ? 100 : 200]);
    expect(await dry(id)).toEqual(['null: no chunk is old enough']);
    await db.query(`call run_job(${id})`);
    expect([await raw(), await counted()]).toEqual([100, cascade ? 100 : 200]);
  });

  test('is refused where it could never succeed', async () => {
    const never = async (call: string, hint: string): Promise<void> => {
      const e = await db.error(call);
      expect([e.code, e.hint]).toEqual(['22023', expect.stringContaining(hint)]);
    };
    await never(
      `select add_drop_chunks_policy('numbers', 100, cascade_to_materializations => null)`,
      'cascade_to_materializations => true',
    );
    await never(
      `select add_retention_policy('numbers', 50, cascade_to_materializations => false)`,
      'Drop older chunks only',
    );
    await never(`select add_drop_chunks_policy('numbers', 50)`, 'Drop older chunks only');
    const id = await db.value(`select add_drop_chunks_policy('numbers', 100)`);
    await never(`select alter_job(${id}, config_merge => '{"drop_after": 50}')`, 'Drop older chunks only');
    await never(
      `select alter_job(${id}, config_merge => '{"cascade_to_materializations": null}')`,
      'cascade_to_materializations => true',
    );
    await db.query(`call run_job(${id})`);
    expect([await raw(), await counted()]).toEqual([100, 200]);
    await db.query(
      `select create_continuous_aggregate('all_time', 'select time_bucket(10, t) as bucket, count(*) as n from numbers group by 1',
         with_data => false)`,
    );
    await db.query(`select remove_retention_policy('numbers')`);
    await never(`select add_drop_chunks_policy('numbers', 100)`, 'alter_continuous_aggregate()');
    expect(await db.value('select count(*)::int from tessera_information.drop_chunks_policies')).toBe(0);
  });

  test('fails once it cannot succeed any more, and its dry run says so', async () => {
    const id = await db.value(`select add_drop_chunks_policy('numbers', 100)`);
    await db.query(`select alter_continuous_aggregate('tens', ignore_invalidation_older_than => 150)`);
    expect(await dry(id)).toEqual([expect.stringMatching(/^null: it would fail: results of .*"public.tens"/)]);
    expect((await db.error(`call run_job(${id})`)).code).toBe('22023');
    expect(await raw()).toBe(200);
  });

  test('made before there was one keeps results from then on', async () => {
    await db.query('drop view tens');
    const id = await db.value(`select add_retention_policy('numbers', 100)`);
    await db.query(
      `select create_continuous_aggregate('hundreds', 'select time_bucket(100, t) as bucket, count(*) as n from numbers group by 1')`,
    );
    await db.query(`create or replace function now_is() returns int language sql stable as 'select 250'`);
    await db.query(`call run_job(${id})`);
    expect([await raw(), await counted('hundreds')]).toEqual([100, 200]);
    await db.query(`create or replace function now_is() returns int language sql stable as 'select 280'`);
    expect(await dry(id)).toEqual([
      'null: a bucket of a continuous aggregate reaches from the oldest chunk beyond what is old enough',
    ]);
  });

  test('false needs drop_after, and what is neither true nor false is refused', async () => {
    const call = `select add_retention_policy('numbers', drop_created_before => interval '1 day', cascade_to_materializations =>`;
    expect((await db.error(`${call} false)`)).code).toBe('22023');
    const id = await db.value(`${call} true)`);
    for (const value of ['"yes"', 'false'])
      expect(
        (await db.error(`select alter_job(${id}, config_merge => '{"cascade_to_materializations": ${value}}')`)).code,
      ).toBe('22023');
    await db.query(`call run_job(${id})`);
    expect(await raw()).toBe(200);
  });

  test('runs as the owner of the hypertable, who owns the continuous aggregate', async () => {
    const owner = await db.role('retainer');
    await db.query(`alter table numbers owner to ${owner}; alter view tens owner to ${owner}`);
    const id = await db.value(`select add_retention_policy('numbers', 100, cascade_to_materializations => false)`);
    await db.query(`call run_job(${id})`);
    expect([await raw(), await counted()]).toEqual([100, 200]);
    await db.query(`drop table numbers cascade`);
  });
});

test('a policy on the continuous aggregate drops results, which are neither shown nor computed again', async () => {
  await db.query(`create or replace function now_is() returns int language sql stable as 'select 2000'`);
  await db.query('insert into numbers select i, i from generate_series(200, 1999) i');
  await db.query(`call refresh_continuous_aggregate('tens', null, null)`);
  const id = await db.value(`select add_retention_policy('tens', 1000)`);
  await db.query(`call run_job(${id})`);
  expect([await raw(), await counted()]).toEqual([2000, 1000]);
  await db.query(`call refresh_continuous_aggregate('tens', null, null)`);
  expect(await counted()).toBe(1000);
});

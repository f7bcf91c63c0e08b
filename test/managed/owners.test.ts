import { beforeAll, describe, expect, test } from 'vitest';
import { useDatabase } from '../harness/database.ts';

describe('what changes hands, under an administrator who is no superuser', () => {
  const db = useDatabase();
  let first: string;
  let second: string;

  const sum = (of: string): Promise<unknown> => db.value(`select sum(v)::int from ${of}`);
  const check = async (): Promise<unknown> =>
    db.query(`select status, hint from tessera.doctor() where check_name = 'owners of parts' group by 1, 2`);
  const expectWhole = async (owner: string): Promise<void> => {
    expect(await check()).toEqual([{ status: 'ok', hint: null }]);
    const session = await db.as(owner);
    expect((await session.query('select sum(v)::int as s from m')).rows).toEqual([{ s: 1128 }]);
    await session.query(`update m set v = v + 1 where device = 1 and time < '2024-01-01 12:00'`);
    await session.query(`update m set v = v - 1 where device = 1 and time < '2024-01-01 12:00'`);
    await session.query(`insert into m values ('2030-01-01', 1, 1)`);
    expect((await session.query(`select count(*)::int as n from show_chunks('m')`)).rows).toEqual([{ n: 3 }]);
    await session.query(`select compress_chunk(c) from show_chunks('m', older_than => '2024-01-02'::timestamptz) c`);
    expect(await sum('daily')).toBe(1129);
    await session.query(`delete from m where time = '2030-01-01'`);
    await session.query('call refresh_continuous_aggregate($$daily$$, null, null)');
    expect(await sum('daily')).toBe(1128);
    await session.end();
  };

  beforeAll(async () => {
    [first, second] = [await db.role('first'), await db.role('second')];
    await db.query(`grant create on schema public to ${first}, ${second}; grant ${first}, ${second} to current_user`);
    const session = await db.as(first);
    for (const sql of [
      'create table m (time timestamptz not null, device int, v int)',
      `select create_hypertable('m', 'time', chunk_time_interval => interval '1 day')`,
      `insert into m select '2024-01-01'::timestamptz + i * interval '1 hour', i % 2, i from generate_series(0, 47) i`,
      `select set_compression('m', compress_segmentby => 'device')`,
      `select compress_chunk(c) from show_chunks('m', older_than => '2024-01-02'::timestamptz) c`,
      `select create_continuous_aggregate('daily', $q$select time_bucket('1 day', time) as day, sum(v) as v from m group by 1$q$)`,
      `grant select on daily, m to current_user`,
    ])
      await session.query(sql);
    await session.end();
  });

  test('is read on after REASSIGN OWNED, and brought in line by sync_catalog()', async () => {
    // PostgreSQL itself asks that of new owners where no superuser gives things away.
    expect(await db.error(`reassign owned by ${first} to ${second}`)).toMatchObject({ code: '42501' });
    await db.query(`grant create on schema _tessera_internal to ${second}`);
    await db.query(`reassign owned by ${first} to ${second}`);
    expect(await sum('m')).toBe(1128);
    expect(await check()).toEqual([{ status: 'warning', hint: 'select tessera.sync_catalog();' }]);
    await db.query('select tessera.sync_catalog()');
    await expectWhole(second);
  });

  test('is brought in line by sync_catalog() after ALTER TABLE OWNER and ALTER VIEW OWNER', async () => {
    await db.query(`alter table m owner to ${first}; alter view daily owner to ${first}`);
    expect(await sum('m')).toBe(1128);
    expect(await check()).toEqual([{ status: 'warning', hint: 'select tessera.sync_catalog();' }]);
    await db.query('select tessera.sync_catalog()');
    await expectWhole(first);
  });

  test('lets a role be dropped that owned it, and one whose tables are dropped', async () => {
    await db.query(`revoke create on schema public from ${second}; drop role ${second}`);
    await db.query('drop table m cascade');
    await db.query('select tessera.sync_catalog()');
    await db.query(`revoke create on schema public from ${first}; drop role ${first}`);
    expect(
      await db.value(`select count(*)::int from pg_roles where rolname like 'tessera\\_loopback\\_'
        || (select oid from pg_database where datname = current_database()) || '\\_%'`),
    ).toBe(0);
  });
});

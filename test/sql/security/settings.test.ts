import type pg from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import { failure, useDatabase } from '../../harness/database.ts';

const db = useDatabase();

const fill = (session: pg.Client, name: string): Promise<unknown> =>
  session.query(`create table ${name} (time timestamptz not null, device text, v int, primary key (device, time));
    select create_hypertable('${name}', 'time');
    insert into ${name} select '2024-01-01'::timestamptz + i * interval '1 hour', 'a''b' || chr(92) || i % 3, i from generate_series(0, 500) i`);

describe('a session where backslashes escape in every string', () => {
  let session: pg.Client;
  beforeAll(async () => {
    session = await db.connect();
    await session.query('set escape_string_warning = off; set standard_conforming_strings = off');
  });

  test('creates, compresses, changes and reads', async () => {
    await fill(session, 'm');
    await session.query(
      `select set_compression('m', compress_segmentby => 'device', compress_orderby => 'time'); select compress_chunk(c) from show_chunks('m') c`,
    );
    const before = await db.value('select count(*) from m');
    expect(before).toBe(501n);
    await session.query(
      `update m set v = -1 where device = E'a''b\\\\1'; delete from m where device = E'a''b\\\\2'; insert into m values ('2024-01-01 00:30', E'\\\\', 1)`,
    );
    expect(await db.value(`select count(*) from m where v = -1`)).toBe(167n);
    expect(await db.value('select count(*) from m')).toBe(501n - 167n + 1n);
    await session.query(`select decompress_chunk(c) from show_chunks('m') c`);
    expect(await db.value('select count(*) from m')).toBe(335n);
  });

  test('aggregates, schedules and looks after', async () => {
    await session.query(
      `select create_continuous_aggregate('c', 'select time_bucket(''1 day'', time) as day, device, count(*) from m group by 1, 2')`,
    );
    await session.query(`call refresh_continuous_aggregate('c', null::timestamptz, null)`);
    expect(await db.value('select sum(count) from c')).toBe('335');
    await session.query(`create procedure act(job_id int, config jsonb) language sql as 'select 1'`);
    const { rows } = await session.query<{ id: number }>(
      `select add_job('act', '1 day', config => '{"path": "c:/x"}') as id`,
    );
    await session.query(`call run_job(${rows[0]?.id})`);
    expect((await session.query(`select * from tessera.doctor() where status = 'error'`)).rows).toEqual([]);
    await session.query(
      `select drop_continuous_aggregate('c'); select drop_chunks('m', older_than => '2024-01-08'::timestamptz)`,
    );
  });
});

describe('a session whose transactions are above read committed', () => {
  test('is told the statement that lets chunks be rewritten, and it does', async () => {
    const session = await db.connect();
    await fill(session, 'r');
    await session.query('create index r_v on r (v)');
    await session.query(`select set_compression('r', compress_segmentby => 'device')`);
    await session.query(`set default_transaction_isolation = 'repeatable read'`);
    for (const call of [
      `select compress_chunk(c) from show_chunks('r') c`,
      `select reorder_chunk(c, 'r_v') from show_chunks('r') c limit 1`,
      `select create_continuous_aggregate('cr', 'select time_bucket(''1 day'', time) as day, count(*) from r group by 1')`,
    ]) {
      const error = await failure(session, call);
      expect(error, call).toMatchObject({
        code: '25001',
        hint: `set default_transaction_isolation = 'read committed';`,
      });
    }
    await session.query(
      `set default_transaction_isolation = 'read committed'; begin transaction isolation level serializable`,
    );
    const error = await failure(session, `select compress_chunk(c) from show_chunks('r') c`);
    expect(error).toMatchObject({ code: '25001', hint: 'begin transaction isolation level read committed;' });
    await session.query('rollback');
    await session.query(error.hint ?? '');
    await session.query(`select compress_chunk(c) from show_chunks('r') c`);
    await session.query('commit');
  });

  test('refreshes by procedures, which see to it themselves', async () => {
    const session = await db.connect();
    await session.query(
      `select create_continuous_aggregate('cr', 'select time_bucket(''1 day'', time) as day, count(*) from r group by 1')`,
    );
    await session.query(`set default_transaction_isolation = 'serializable'`);
    await session.query(`call refresh_continuous_aggregate('cr', null::timestamptz, null)`);
    expect(await db.value('select sum(count) from cr')).toBe('501');
  });
});

describe('a session in which triggers are off', () => {
  test('is refused what would have to write the catalog, with the statement that helps', async () => {
    const session = await db.connect();
    await session.query('create table off (time timestamptz not null); set session_replication_role = replica');
    const hint = 'set session_replication_role = origin;';
    for (const call of [`create_hypertable('off', 'time')`, `create_background_job('x')`, `add_job('act', '1 day')`])
      expect(await failure(session, `select ${call}`), call).toMatchObject({ code: '55000', hint });
    await session.query(hint);
    await session.query(`select create_hypertable('off', 'time')`);
  });
});

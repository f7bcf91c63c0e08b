import { beforeEach, describe, expect, test } from 'vitest';
import { failure, useDatabase } from '../../../harness/database.ts';

const db = useDatabase();

const chunks = (): Promise<number> => db.value(`select count(*)::int from show_chunks('days')`);
const rows = (): Promise<number> => db.value('select count(*)::int from days');
const partitions = (): Promise<number> =>
  db.value(`select count(*)::int from pg_partition_tree('days') where isleaf and level > 0`);
const sound = async (): Promise<void> => {
  expect(await db.value(`select status from tessera.doctor() where check_name = 'catalog'`)).toBe('ok');
  expect(await db.value('select count(*)::int from _tessera_catalog.dimension_slice')).toBe(
    await db.value('select count(distinct dimension_slice_id)::int from _tessera_catalog.chunk_constraint'),
  );
};

beforeEach(async () => {
  await db.query('rollback; set client_min_messages = warning');
  await db.query('drop table if exists days, place, log cascade');
  await db.query(`create table days (time timestamptz not null, device int, v int);
    select create_hypertable('days', 'time', chunk_time_interval => interval '1 day');
    insert into days select '2024-01-01'::timestamptz + i * interval '1 hour', i % 3, i from generate_series(0, 95) i`);
  expect(await chunks()).toBe(4);
});

describe('TRUNCATE', () => {
  test.each(['truncate days', 'truncate days restart identity cascade', 'begin; truncate days; commit'])(
    'drops the chunks: %s',
    async (sql) => {
      await db.query(sql);
      expect([await chunks(), await rows(), await partitions()]).toEqual([0, 0, 1]);
      await sound();
      await db.query(`insert into days values ('2024-01-02', 1, 1), ('2030-01-01', 1, 1)`);
      expect([await chunks(), await rows()]).toEqual([2, 2]);
    },
  );

  test('keeps chunks with rows that the same transaction writes afterwards, and chunks it creates', async () => {
    await db.query(`begin; truncate days; insert into days values ('2024-01-02 05:00', 1, 1), ('2025-01-01', 1, 1);
      select create_chunks('days', '2026-01-01'::timestamptz, '2026-01-03'::timestamptz); commit`);
    expect(await db.column(`select range_start::date::text from tessera_information.chunks order by 1`)).toEqual([
      '2024-01-02',
      '2025-01-01',
      '2026-01-01',
      '2026-01-02',
    ]);
    expect(await rows()).toBe(2);
    await sound();
  });

  test('that is rolled back, also to a savepoint, changes nothing', async () => {
    await db.query('begin; truncate days; rollback');
    expect([await chunks(), await rows()]).toEqual([4, 96]);
    await db.query('begin; savepoint a; truncate days; rollback to a; insert into days select now(), 1, 1; commit');
    expect([await chunks(), await rows()]).toEqual([5, 97]);
    await sound();
  });

  test('twice, and after rows were written in the same transaction', async () => {
    await db.query(`begin; insert into days values ('2024-01-02 05:00', 1, 1), ('2025-01-01', 1, 1); truncate days;
      insert into days values ('2025-01-01', 1, 1); truncate days; commit`);
    expect([await chunks(), await rows(), await partitions()]).toEqual([0, 0, 1]);
    await sound();
  });

  test('of several tables, and of one it references', async () => {
    await db.query(`create table place (id int primary key); create table log (x int); insert into place values (0), (1), (2);
      alter table days add foreign key (device) references place`);
    expect((await db.error('truncate place')).code).toBe('0A000');
    await db.query('truncate log, days');
    expect([await chunks(), await rows()]).toEqual([0, 0]);
    await db.query(`insert into days values ('2024-01-02', 1, 1)`);
    await db.query('truncate place cascade');
    expect([await chunks(), await rows()]).toEqual([0, 0]);
    await sound();
  });

  test('where a foreign key points at the hypertable', async () => {
    await db.query(`alter table days add primary key (time, device);
      create table log (time timestamptz, device int, foreign key (time, device) references days);
      insert into log select time, device from days`);
    await db.query('truncate days cascade');
    expect([await chunks(), await rows(), await db.value('select count(*)::int from log')]).toEqual([0, 0, 0]);
    await sound();
  });

  test('ONLY, and of a single chunk, as before', async () => {
    expect((await db.error('truncate only days')).code).toBe('42809');
    const [first] = await db.column(`select show_chunks('days')::text`);
    await db.query(`truncate ${first}`);
    expect([await chunks(), await rows()]).toEqual([4, 72]);
  });

  test('by who may truncate and nothing else, with all checks of the owner', async () => {
    const [owner, role] = [await db.role('owner'), await db.role('cleaner')];
    await db.query(`alter table days owner to ${owner}; grant truncate on days to ${role}`);
    const cleaner = await db.as(role);
    expect((await failure(await db.as(await db.role('other')), 'truncate days')).code).toBe('42501');
    await cleaner.query('truncate days');
    expect([await chunks(), await rows()]).toEqual([0, 0]);
    await sound();
    await db.query('drop table days');
  });

  test('leaves chunks that a view depends on, without rows', async () => {
    const [first] = await db.column(`select show_chunks('days')::text`);
    await db.query(`create view onto as select * from ${first}`);
    const said = await db.notices('truncate days');
    expect(said).toMatchObject([{ severity: 'WARNING', message: expect.stringMatching(/^truncated chunks stay/) }]);
    expect([await chunks(), await rows()]).toEqual([4, 0]);
    await db.query('drop view onto; truncate days');
    expect(await chunks()).toBe(0);
  });

  test('by hash partitions: a slice goes when none of its chunks has rows', async () => {
    await db.query(`drop table days; create table days (time timestamptz not null, device int);
      select create_hypertable('days', 'time', 'device', 3, chunk_time_interval => interval '1 day');
      insert into days select '2024-01-01'::timestamptz + i * interval '1 day', d from generate_series(0, 2) i, generate_series(0, 30) d`);
    expect(await chunks()).toBe(9);
    await db.query(`begin; truncate days; insert into days values ('2024-01-02', 1); commit`);
    expect([await chunks(), await rows()]).toEqual([3, 1]);
    await sound();
  });

  test('waits for writers, and writers that waited have their chunks made anew', async () => {
    const writer = await db.connect();
    await writer.query(`begin; insert into days values ('2024-01-01 12:34', 1, 1)`);
    const truncating = db.query('truncate days');
    await writer.query('commit');
    await truncating;
    expect([await chunks(), await rows()]).toEqual([0, 0]);
    await db.query('begin; truncate days');
    const writing = writer.query(`insert into days values ('2024-01-01 12:34', 1, 1)`);
    await db.query('commit');
    await writing;
    expect([await chunks(), await rows()]).toEqual([1, 1]);
    await sound();
  });

  test('at REPEATABLE READ', async () => {
    await db.query('begin isolation level repeatable read; select 1; truncate days; commit');
    expect([await chunks(), await rows()]).toEqual([0, 0]);
    await sound();
  });
});

describe('with continuous aggregates', () => {
  beforeEach(async () => {
    await db.query(
      `select create_continuous_aggregate('daily', 'select time_bucket(''1 day'', time) as day, count(*) as n from days group by 1')`,
    );
  });

  test('results are gone from the view at once, and from the table at the next refresh', async () => {
    await db.query('truncate days');
    expect([await chunks(), await db.value('select count(*)::int from daily')]).toEqual([0, 0]);
    await db.query(`insert into days values ('2024-01-02', 1, 1)`);
    expect(await db.value('select n::int from daily')).toBe(1);
    await db.query(`call refresh_continuous_aggregate('daily', null, null)`);
    expect(await db.value('select sum(n)::int from daily')).toBe(1);
    await sound();
  });
});

describe('with compressed chunks', () => {
  beforeEach(async () => {
    await db.query(`select set_compression('days', compress_segmentby => 'device');
      select compress_chunk(c) from show_chunks('days', older_than => '2024-01-03'::timestamptz) c`);
  });

  test('it is refused, and truncate_hypertable drops all chunks', async () => {
    const e = await db.error('truncate days');
    expect([e.code, e.hint]).toEqual(['0A000', "Run: select truncate_hypertable('public.days');"]);
    expect([await chunks(), await rows()]).toEqual([4, 96]);
    await db.query(String(e.hint).replace('Run: ', ''));
    expect([await chunks(), await rows(), await partitions()]).toEqual([0, 0, 1]);
    await sound();
  });
});

test('a hypertable of an earlier version gets there with its next chunk', async () => {
  await db.query(`set tessera.maintenance = 'on'; drop trigger tessera_truncated on days; reset tessera.maintenance`);
  await db.query('truncate days');
  expect(await chunks()).toBe(4);
  await db.query(`insert into days values ('2030-01-01', 1, 1)`);
  await db.query('truncate days');
  expect([await chunks(), await rows()]).toEqual([0, 0]);
});

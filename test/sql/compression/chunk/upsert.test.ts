import { beforeAll, expect, test } from 'vitest';
import { useDatabase } from '../../../harness/database.ts';

const db = useDatabase();

beforeAll(async () => {
  await db.query(
    'create table m (time timestamptz not null, device int, v int, note text, primary key (device, time))',
  );
  await db.query(`select create_hypertable('m', 'time', chunk_time_interval => interval '1 day')`);
  await db.query(
    `insert into m select '2024-01-01'::timestamptz + i * interval '1 hour', 1, i, 'old' from generate_series(0, 47) i`,
  );
  await db.query(`select set_compression('m', compress_segmentby => 'device')`);
  await db.query(`select compress_chunk(c) from show_chunks('m', older_than => '2024-01-02'::timestamptz) c`);
});

const SOURCE = `select '2024-01-01'::timestamptz + i * interval '30 min' as time, 1 as device, -i as v from generate_series(0, 95) i`;

test('updates what is there and inserts the rest, in compressed chunks and others', async () => {
  expect(await db.query('select * from upsert($1, $2)', ['m', SOURCE])).toEqual([{ inserted: 48n, updated: 48n }]);
  expect(await db.value('select count(*)::int from m')).toBe(96);
  expect(await db.value(`select count(*)::int from m where v > 0`)).toBe(0);
  expect(await db.value(`select count(*)::int from m where note = 'old'`)).toBe(48);
});

test('does nothing to rows that are there when no column is to be set', async () => {
  const more = `select '2024-01-01'::timestamptz + i * interval '15 min' as time, 1 as device, 5 as v from generate_series(0, 3) i`;
  expect(await db.query(`select * from upsert('m', $1, '{device,time}', '{}')`, [more])).toEqual([
    { inserted: 2n, updated: 0n },
  ]);
  expect(await db.value('select count(*)::int from m where v = 5')).toBe(2);
});

test('says what is wrong, and changes nothing', async () => {
  const before = await db.value('select sum(v)::int from m');
  expect((await db.error(`select upsert('m', $1, '{device}')`, [SOURCE])).code).toBe('42P10');
  expect((await db.error(`select upsert('m', 'select 1 as device')`)).code).toBe('42703');
  expect((await db.error(`select upsert('m', $1)`, [`${SOURCE} union all ${SOURCE}`])).code).toBe('21000');
  expect((await db.error(`select upsert('m', 'nonsense')`)).code).toBe('42601');
  await db.query('create table plain (a int)');
  expect((await db.error(`select upsert('plain', 'select 1 as a')`)).code).toBe('TS001');
  expect((await db.error(`select upsert('m', null)`)).code).toBe('22023');
  expect(await db.value('select sum(v)::int from m')).toBe(before);
});

test('needs the privileges of what it does', async () => {
  const session = await db.as(await db.role('reader'));
  await db.query(`grant select on m to public`);
  await expect(session.query(`select upsert('m', $1)`, [SOURCE])).rejects.toMatchObject({ code: '42501' });
});

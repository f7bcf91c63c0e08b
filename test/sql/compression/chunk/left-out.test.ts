import { beforeAll, expect, test } from 'vitest';
import { useDatabase } from '../../../harness/database.ts';

const db = useDatabase();
const guards = (): Promise<string[]> =>
  db.column(`select format('%s %s', stxname, stxowner::regrole) from pg_statistic_ext where stxrelid = 'h'::regclass`);

beforeAll(async () => {
  await db.query(`create table h (time timestamptz not null, d int, v int); create table plain (v int)`);
  await db.query(`select create_hypertable('h', 'time', chunk_time_interval => interval '1 day')`);
  await db.query(
    `insert into h select '2024-01-01'::timestamptz + i * interval '1 hour', i % 3, i from generate_series(0, 71) i`,
  );
});

test('compression cannot be enabled on a table that views sample', async () => {
  await db.query('create view sampled as select * from h tablesample bernoulli (0)');
  expect(await db.error(`select set_compression('h', compress_segmentby => 'd')`)).toMatchObject({
    code: '0A000',
    hint: 'Write in its place: (select * from public.h where random() < 0.1)',
  });
  await db.query('drop view sampled');
});

test('compression cannot be enabled on a table by whose key views group', async () => {
  await db.query('alter table h add column id int default 0, add primary key (time, id)');
  await db.query('create view grouped as select time, id, v from h group by time, id');
  expect(await db.error(`select set_compression('h', compress_segmentby => 'id')`)).toMatchObject({
    code: '0A000',
    hint: 'Have the view name these columns in GROUP BY: create or replace view public.grouped as ...',
  });
  await db.query('drop view grouped; alter table h drop constraint h_pkey, drop column id');
});

test('TABLESAMPLE is refused once there are compressed chunks, which would be read whole', async () => {
  await db.query(`select set_compression('h', compress_segmentby => 'd')`);
  expect(await db.value('select count(*)::int from h tablesample system (0)')).toBe(0);
  await db.query(`select compress_chunk(c) from show_chunks('h', older_than => '2024-01-03'::timestamptz) c`);
  for (const sql of [
    'select count(*) from h tablesample system (0)',
    'insert into plain select v from h x tablesample bernoulli (0)',
    'delete from h using h x tablesample bernoulli (0) where h.v = x.v',
    'create table copied as select * from h tablesample bernoulli (0)',
  ])
    expect([sql, await db.error(sql)]).toEqual([
      sql,
      expect.objectContaining({ code: '0A000', hint: 'Write in its place: (select * from h where random() < 0.1)' }),
    ]);
  expect((await db.error('create view sampled as select * from h tablesample bernoulli (0)')).code).toBe('0A000');
  expect(await db.value('select count(*)::int from (select * from h where random() < 2) s')).toBe(72);
  expect(await db.value('select count(*)::int from only h')).toBe(0);
});

test('what refuses it follows the owner of the table, and goes when compression is turned off', async () => {
  const owner = await db.role('owner');
  await db.query(`grant create on schema public, _tessera_internal to ${owner}`);
  await db.query(`alter table h owner to ${owner}`);
  expect(await guards()).toEqual([`_hyper_1_reads ${owner}`]);
  await db.query(`select decompress_chunk(c, true) from show_chunks('h') c`);
  expect(await db.value('select count(*)::int from h tablesample system (0)')).toBe(0);
  await db.query(`select set_compression('h', false)`);
  expect(await guards()).toEqual([]);
});

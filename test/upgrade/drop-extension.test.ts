import { expect, test } from 'vitest';
import { useDatabase } from '../harness/database.ts';

const db = useDatabase();

test('drop extension leaves ordinary partitioned tables that keep every row and take new ones', async () => {
  await db.query('create table metrics (time timestamptz not null, value int, primary key (time, value))');
  await db.query(`select create_hypertable('metrics', 'time', chunk_time_interval => interval '1 day')`);
  await db.query(
    `insert into metrics select '2024-01-01'::timestamptz + i * interval '1 hour', i from generate_series(0, 99) i`,
  );
  await db.query('drop extension tessera');
  expect(await db.value('select count(*)::int from metrics')).toBe(100);
  expect(await db.value(`select relkind::text from pg_class where oid = 'metrics'::regclass`)).toBe('p');
  await db.query(`insert into metrics values ('2030-01-01', 1), ('2030-01-01', 2)`);
  expect(await db.value('select count(*)::int from metrics')).toBe(102);
  await db.query('alter table metrics add column note text');
  await db.query('drop table metrics');
});

test('the extension can be created again', async () => {
  await db.query('create extension tessera');
  await db.query('create table again (time timestamptz not null)');
  await db.query(`select create_hypertable('again', 'time')`);
  await db.query(`insert into again values (now())`);
  expect(await db.column(`select show_chunks('again')::text`)).toHaveLength(1);
});

test('compressed chunks can be read after drop extension', async () => {
  await db.query(`select set_compression('again'), compress_chunk(c) from show_chunks('again') c`);
  await db.query('drop extension tessera');
  await db.reconnect();
  expect(await db.value('select count(*)::int from again')).toBe(1);
  await db.query('create extension tessera');
  expect(await db.column('select tessera.adopt_tables()::text')).toContain('again');
  await db.query(`select decompress_chunk(c) from show_chunks('again') c`);
  expect(await db.value('select count(*)::int from again')).toBe(1);
});

test('nothing of a user depends on a plv8 function', async () => {
  const dependents = await db.query(
    `select pg_describe_object(d.classid, d.objid, d.objsubid) as object
     from pg_depend d join pg_proc p on d.refclassid = 'pg_proc'::regclass and p.oid = d.refobjid
     join pg_language l on l.oid = p.prolang and l.lanname = 'plv8'`,
  );
  expect(dependents).toEqual([]);
});

import { expect, test } from 'vitest';
import { useDatabase } from '../harness/database.ts';
import { dump, psql } from '../harness/psql.ts';

const source = useDatabase();
const target = useDatabase({ template: 'empty' });
const target2 = useDatabase({ template: 'empty' });

const check = async (db: typeof source): Promise<void> => {
  expect(await db.value('select count(*)::int from app.metrics')).toBe(101);
  expect(await db.column(`select show_chunks('app.metrics')::text`)).toHaveLength(5);
  // It is a working hypertable: chunks are created, the key holds, sequences go on, chunks are dropped.
  await db.query(`insert into app.metrics (time, device) values ('2025-01-01', 1)`);
  expect(await db.column(`select show_chunks('app.metrics')::text`)).toHaveLength(6);
  expect((await db.error(`insert into app.metrics (id, time, device) values (1, '2024-01-01', 0)`)).code).toBe('23505');
  expect(await db.value('select max(id) from app.metrics')).toBe(101);
  expect(await db.column(`select drop_chunks('app.metrics', older_than => '2024-01-03')`)).toHaveLength(2);
  expect(await db.query(`select * from tessera.doctor() where status = 'error'`)).toEqual([]);
};

test('pg_dump and psql move a database with hypertables', async () => {
  await source.query('create schema app');
  await source.query(
    'create table app.metrics (id serial, time timestamptz not null, device int, primary key (id, time))',
  );
  await source.query(`select create_hypertable('app.metrics', 'time', chunk_time_interval => interval '1 day')`);
  await source.query(
    `insert into app.metrics (time, device) select '2024-01-01'::timestamptz + i * interval '1 hour', i % 3 from generate_series(0, 99) i`,
  );
  await source.query(`insert into app.metrics (id, time, device) values (0, 'infinity', 1)`);
  psql(target.name, dump(source.name));
  expect(await target.value(`select count(*)::int from app.metrics where time = 'infinity'`)).toBe(1);
  await check(target);
});

test('a database owner who is no superuser can dump', async () => {
  const owner = await source.role('owner');
  await source.query(`alter schema app owner to ${owner}`);
  await source.query(`alter table app.metrics owner to ${owner}`);
  const text = dump(source.name, ['--no-owner', '--no-privileges'], owner);
  psql(target2.name, text);
  await check(target2);
});

import { expect, test } from 'vitest';
import { useDatabase } from '../harness/database.ts';

const db = useDatabase({ template: 'empty' });

test('hypertables of 0.1.0 go on working after the update', async () => {
  await db.query(`create extension tessera version '0.1.0' cascade`);
  await db.query('create table metrics (time timestamptz not null, value int)');
  await db.query(`select create_hypertable('metrics', 'time', chunk_time_interval => interval '1 day')`);
  await db.query(
    `insert into metrics select '2024-01-01'::timestamptz + i * interval '1 hour', i from generate_series(0, 71) i`,
  );
  await db.query('alter extension tessera update');
  expect(await db.column(`select show_chunks('metrics')::text`)).toHaveLength(3);
  await db.query(`insert into metrics values ('2024-02-01', 1)`);
  expect(await db.column(`select show_chunks('metrics')::text`)).toHaveLength(4);
  await db.query(`select drop_chunks('metrics', older_than => '2024-01-02')`);
  expect(await db.value('select count(*)::int from metrics')).toBe(49);
  expect(await db.query(`select * from tessera.doctor() where status = 'error'`)).toEqual([]);
});

test('a function that was lost comes back with reinstall, as a member of the extension', async () => {
  await db.query('alter extension tessera drop function set_number_partitions(regclass, integer, name)');
  await db.query('drop function set_number_partitions(regclass, integer, name)');
  const [lost] = await db.query(`select * from tessera.doctor() where check_name = 'functions'`);
  expect(lost?.status).toBe('error');
  expect(lost?.hint).toContain('reinstall');
  await db.query(`alter extension tessera update to 'reinstall'`);
  await db.query('alter extension tessera update');
  expect(await db.value(`select status from tessera.doctor() where check_name = 'functions'`)).toBe('ok');
  expect(await db.value('select count(*)::int from metrics')).toBe(49);
  const member = await db.value(
    `select exists (select from pg_depend where deptype = 'e' and objid = 'set_number_partitions(regclass,integer,name)'::regprocedure)`,
  );
  expect(member).toBe(true);
});

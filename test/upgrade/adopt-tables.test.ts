import { beforeEach, describe, expect, test } from 'vitest';
import { failure, useDatabase } from '../harness/database.ts';

const db = useDatabase();

const digest = (): Promise<string> =>
  db.value(`select md5(string_agg(m::text, e'\\n' order by m.time, m.device)) from metrics m`);
/** The extension as it is anew, without the tables of the last test. */
const fresh = async (): Promise<void> => {
  await db.query('rollback; set client_min_messages = warning');
  await db.query('create extension if not exists tessera');
  await db.query('drop table if exists metrics, plain cascade; drop schema if exists tessera_kept cascade');
};

beforeEach(async () => {
  await fresh();
  await db.query(`create table metrics (time timestamptz not null, device int not null, value float8, note text, primary key (device, time));
    select create_hypertable('metrics', 'time', chunk_time_interval => interval '1 day');
    insert into metrics select '2024-01-01'::timestamptz + i * interval '1 minute', i % 5, sin(i), case when i % 3 = 0 then 'n' || i end
      from generate_series(0, 5000) i`);
});

const compress = async (): Promise<void> => {
  await db.query(`select set_compression('metrics', compress_segmentby => 'device')`);
  await db.query(`select compress_chunk(c) from show_chunks('metrics', older_than => '2024-01-03'::timestamptz) c`);
  await db.query(`delete from metrics where time = '2024-01-01 00:10'`);
  await db.query(`update metrics set value = 7 where time = '2024-01-01 00:11'`);
  await db.query(`insert into metrics values ('2024-01-01 00:00:30', 1, 1, 'late')`);
};
const catalog = async (): Promise<unknown> => [
  await db.query('select * from _tessera_catalog.hypertable order by 1'),
  await db.query('select * from _tessera_catalog.chunk order by 1'),
  await db.query('select * from _tessera_catalog.dimension order by 1'),
  await db.query('select * from _tessera_catalog.dimension_slice order by 1'),
  await db.query('select * from _tessera_catalog.chunk_constraint order by 1, 2'),
  await db.query('select * from _tessera_catalog.compressed_chunk order by 1'),
  await db.query('select * from _tessera_catalog.compression_settings order by 1'),
  await db.query('select * from _tessera_catalog.chunk_key order by 1, 2'),
  await db.query('select id, proc_name, config, owner::text from _tessera_catalog.bgw_job where id >= 1000 order by 1'),
];

describe.each(['drop extension tessera', 'drop extension if exists tessera cascade'])('%s', (drop) => {
  test('leaves compressed chunks that can be read, and a new extension adopts them', async () => {
    await compress();
    await db.query(`select add_retention_policy('metrics', interval '100 years')`);
    const [rows, before] = [await digest(), await catalog()];
    await db.query(drop);
    expect(await db.value(`select to_regnamespace('_tessera_functions') is null`)).toBe(true);
    await db.reconnect();
    expect(await digest()).toBe(rows);
    await db.query(`insert into metrics values ('2024-01-04 01:00:30', 1, 1, 'new')`);
    expect(await db.value(`select count(*)::int from metrics where device = 1 and time < '2024-01-02'`)).toBe(289);
    await db.query(`delete from metrics where note = 'new'`);
    await db.query('set client_min_messages = warning; create extension tessera');
    expect(await digest()).toBe(rows);
    expect(await db.column('select tessera.adopt_tables()::text')).toEqual(['metrics']);
    expect(await catalog()).toEqual(before);
    expect(await db.value(`select to_regnamespace('tessera_kept') is null`)).toBe(true);
    expect(await digest()).toBe(rows);
    await db.query(`update metrics set value = 8 where time = '2024-01-01 00:12'`);
    await db.query(`insert into metrics values ('2024-01-02 00:00:30', 1, 1, 'late'), ('2030-01-01', 1, 1, 'new')`);
    await db.query(`select compress_chunk(c) from show_chunks('metrics') c`);
    await db.query(`select decompress_chunk(c) from show_chunks('metrics') c`);
    expect(await db.value('select count(*)::int from metrics')).toBe(5003);
    expect(await db.value(`select count(*)::int from show_chunks('metrics')`)).toBe(5);
    expect(await db.value(`select status from tessera.doctor() where check_name = 'catalog'`)).toBe('ok');
  });
});

test('a drop that is rolled back, or of something else, leaves everything as it was', async () => {
  await compress();
  const [rows, before] = [await digest(), await catalog()];
  await db.query('begin; drop extension tessera cascade; rollback');
  await db.query(`create extension if not exists pg_trgm; drop extension pg_trgm -- tessera`).catch(() => undefined);
  expect(await db.value(`select to_regnamespace('tessera_kept') is null`)).toBe(true);
  expect([await digest(), await catalog()]).toEqual([rows, before]);
});

test('tables that were dropped, and chunks that were, are not adopted', async () => {
  await compress();
  await db.query(
    `create table plain (time timestamptz not null); select create_hypertable('plain', 'time'); insert into plain values (now())`,
  );
  const [first] = await db.column(`select show_chunks('metrics')::text`);
  await db.query('drop extension tessera cascade');
  await db.query(
    `drop table plain; create table plain (time timestamptz not null) partition by range (time); drop table ${first}`,
  );
  await db.query('create extension tessera');
  expect(await db.column('select tessera.adopt_tables()::text')).toEqual(['metrics']);
  expect(await db.value(`select count(*)::int from show_chunks('metrics')`)).toBe(3);
  expect(await db.value(`select status from tessera.doctor() where check_name = 'catalog'`)).toBe('ok');
});

test('dropping the extension twice before adopting loses nothing', async () => {
  await compress();
  const rows = await digest();
  for (const _ of [1, 2]) await db.query('drop extension tessera cascade; create extension tessera');
  expect(await db.column('select tessera.adopt_tables()::text')).toEqual(['metrics']);
  expect(await digest()).toBe(rows);
  await db.query('set client_min_messages = notice');
  const said = await db.notices('select tessera.adopt_tables()');
  await db.query('set client_min_messages = warning');
  expect(said).toMatchObject([{ message: 'there are no tables to adopt' }]);
});

test('a hypertable with a continuous aggregate is adopted without it', async () => {
  await db.query(
    `select create_continuous_aggregate('daily', 'select time_bucket(''1 day'', time) as day, count(*) as n from metrics group by 1')`,
  );
  expect((await db.error('drop extension tessera')).code).toBe('2BP01');
  await db.query('drop extension tessera cascade; create extension tessera');
  expect(await db.column('select tessera.adopt_tables()::text')).toContain('metrics');
  await db.query(`insert into metrics values ('2024-01-01 00:00:30', 1, 1, 'late'), ('2030-01-01', 1, 1, 'new')`);
  await db.query(
    `select create_continuous_aggregate('daily', 'select time_bucket(''1 day'', time) as day, count(*) as n from metrics group by 1')`,
  );
  expect(await db.value('select sum(n)::int from daily')).toBe(5003);
  expect(await db.query(`select check_name from tessera.doctor() where status = 'error'`)).toEqual([]);
});

test('by hand, where event triggers are not allowed', async () => {
  await compress();
  const rows = await digest();
  await db.query(`do $$ begin
    if exists (select from pg_event_trigger where evtname = 'tessera_keep_tables') then
      execute 'alter event trigger tessera_keep_tables disable';
    end if;
  end $$`);
  expect((await db.error('drop extension tessera')).code).toBe('2BP01');
  const stranger = await db.as(await db.role('stranger'));
  expect((await failure(stranger, 'select tessera.keep_tables()')).code).toBe('42501');
  await db.query('begin; select tessera.keep_tables(); drop extension tessera; commit');
  await db.reconnect();
  expect(await digest()).toBe(rows);
  await db.query('set client_min_messages = warning; create extension tessera');
  expect(await db.column('select tessera.adopt_tables()::text')).toContain('metrics');
  await db.query(`select decompress_chunk(c, true) from show_chunks('metrics') c`);
  expect(await digest()).toBe(rows);
});

test('what a dump brought from another database is not adopted', async () => {
  await db.query('drop extension tessera cascade');
  await db.query('create table copied as table tessera_kept.catalog; drop table tessera_kept.catalog');
  await db.query(
    'alter table copied rename to catalog; alter table catalog set schema tessera_kept; create extension tessera',
  );
  expect(await db.column('select tessera.adopt_tables()::text')).toEqual([]);
});

describe('errors', () => {
  test('there are other hypertables already', async () => {
    await db.query('drop extension tessera cascade; create extension tessera');
    await db.query(`create table plain (time timestamptz not null); select create_hypertable('plain', 'time')`);
    const e = await db.error('select tessera.adopt_tables()');
    expect([e.code, e.hint]).toEqual(['55000', expect.stringContaining('adopt_tables()')]);
  });

  test('what was kept belongs to somebody else', async () => {
    const role = await db.role('smuggler');
    await db.query(
      `drop table metrics; grant create on database ${await db.value('select quote_ident(current_database())')} to ${role}`,
    );
    const smuggler = await db.as(role);
    await smuggler.query(`create schema tessera_kept; create table tessera_kept.catalog
      (kept_at timestamptz not null, origin oid not null, place int not null, relation name not null, content jsonb not null);
      insert into tessera_kept.catalog values (now(), 'tessera_kept.catalog'::regclass, 1, 'hypertable', '{"id": 1}')`);
    expect((await failure(smuggler, 'select tessera.adopt_tables()')).code).toBe('42501');
    expect((await db.error('select tessera.adopt_tables()')).code).toBe('42501');
    expect(await db.value('select count(*)::int from _tessera_catalog.hypertable')).toBe(0);
    await db.query(`create table plain (time timestamptz not null); select create_hypertable('plain', 'time')`);
    const e = await db.error('drop extension tessera cascade');
    expect(e.code).toBe('42501');
    await db.query(`${e.hint} drop schema tessera_kept_of_another cascade`);
    await db.query('drop extension tessera cascade');
  });
});

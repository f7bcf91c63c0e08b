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

const compressed = useDatabase();
const restored = useDatabase({ template: 'empty' });

test('compressed chunks, their keys, policies and settings come through pg_dump', async () => {
  const db = compressed;
  await db.query('create table m (time timestamptz, device int, v float8, note text, primary key (device, time))');
  await db.query(`select create_hypertable('m', 'time', chunk_time_interval => interval '1 day')`);
  await db.query(
    `insert into m select '2024-01-01'::timestamptz + i * interval '1 min', i % 3, i, 'n' || i % 5 from generate_series(0, 4319) i`,
  );
  await db.query(`select set_compression('m', compress_segmentby => 'device')`);
  await db.query(`select compress_chunk(c) from show_chunks('m', older_than => '2024-01-03'::timestamptz) c`);
  await db.query(`select add_compression_policy('m', interval '7 days')`);
  await db.query(`insert into m values ('2024-01-01 00:00:30', 1, -1, 'tail')`);
  await db.query(`update m set v = -2 where device = 2 and time < '2024-01-01 01:00'`);
  await db.query(`alter table m add column added text default 'x'`);
  const content = `select count(*)::int as n, sum(v)::int as v, md5(string_agg(m::text, ' ' order by device, time)) as all from m`;
  const before = await db.query(content);
  psql(restored.name, dump(db.name));
  // The event triggers turned the loopback server to this database while the dump was read.
  expect(await restored.query(content)).toEqual(before);
  expect(await restored.value('select tessera.repair_loopback()')).toBe(1);
  expect(await restored.query(content)).toEqual(before);
  expect((await restored.error(`insert into m values ('2024-01-01 00:01', 1)`)).code).toBe('23505');
  await restored.query(`delete from m where device = 0 and time < '2024-01-02'`);
  await db.query(`delete from m where device = 0 and time < '2024-01-02'`);
  for (const step of [
    `select compress_chunk(c) from show_chunks('m') c`,
    `insert into m (time, device) values ('2025-01-01', 1)`,
    `select decompress_chunk(c) from show_chunks('m') c`,
    `select count(*) from m`,
  ]) {
    await db.query(step);
    await restored.query(step);
    expect(await restored.query(content)).toEqual(await db.query(content));
  }
  expect(
    await restored.query(
      `select policy, hypertable::text, config from tessera_information.policies where policy = 'compression'`,
    ),
  ).toEqual(
    await db.query(
      `select policy, hypertable::text, config from tessera_information.policies where policy = 'compression'`,
    ),
  );
  expect(await restored.query(`select * from tessera.doctor() where status = 'error'`)).toEqual([]);
});

const aggregated = useDatabase();
const revived = useDatabase({ template: 'empty' });

test('continuous aggregates, materialized and not, their logs and policies come through pg_dump', async () => {
  const db = aggregated;
  await db.query('create table readings (time timestamptz not null, device int, v float8)');
  await db.query(`select create_hypertable('readings', 'time', chunk_time_interval => interval '1 day')`);
  await db.query(
    `insert into readings select '2024-01-01'::timestamptz + i * interval '10 min', i % 3, i from generate_series(0, 999) i`,
  );
  const query = `select time_bucket('6 hours', time) as bucket, device, sum(v) as v, count(*) as n from readings group by 1, 2`;
  await db.query(
    `select create_continuous_aggregate('done', $$${query}$$, refresh_lag => interval '1 day', refresh_interval => interval '1 hour')`,
  );
  await db.query(`select create_continuous_aggregate('to_do', $$${query}$$, with_data => false)`);
  await db.query(
    `select create_continuous_aggregate('on_top', $$select time_bucket('1 day', bucket) as day, sum(n)::int8 as n from done group by 1$$, materialized_only => true)`,
  );
  await db.query(`select add_continuous_aggregate_policy('to_do', null, interval '1 day', interval '1 hour')`);
  await db.query(`insert into readings values ('2024-01-02 03:04', 1, 1000)`);
  psql(revived.name, dump(db.name));
  const same = async (view: string): Promise<unknown> =>
    revived.value(
      `select not exists (select * from ${view} except all (${query})) and not exists ((${query}) except all select * from ${view})`,
    );
  const materialized = (d: typeof db, view: string): Promise<string> =>
    d.value(
      `select format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name) from tessera_information.continuous_aggregates where view_name = $1`,
      [view],
    );
  for (const view of ['done', 'to_do']) {
    expect(await same(view)).toBe(true);
    const mat = await materialized(db, view);
    expect(await materialized(revived, view)).toBe(mat);
    expect(await revived.value(`select count(*) from ${mat}`)).toBe(await db.value(`select count(*) from ${mat}`));
  }
  const logs = `select * from _tessera_catalog.continuous_aggs_hypertable_invalidation_log`;
  expect(await revived.query(logs)).toEqual(await db.query(logs));
  const policies = `select hypertable::text, config from tessera_information.policies where policy = 'continuous aggregate' order by 1`;
  expect(await db.query(policies)).toHaveLength(2);
  expect(await revived.query(policies)).toEqual(await db.query(policies));
  // Refreshing goes on where it was, and later changes are noticed.
  await revived.query(`insert into readings values ('2024-01-03 03:04', 2, 5000), ('2025-01-01', 0, 1)`);
  expect(await same('done')).toBe(true);
  for (const view of ['done', 'to_do', 'on_top'])
    await revived.query(`call refresh_continuous_aggregate('${view}', null, null)`);
  expect([await same('done'), await same('to_do')]).toEqual([true, true]);
  expect(await revived.value('select sum(n)::int from on_top')).toBe(1003);
  await revived.query(`update readings set v = 0 where time < '2024-01-02'`);
  await revived.query(`call refresh_continuous_aggregate('done', null, null)`);
  await revived.query(`select alter_continuous_aggregate('done', materialized_only => true)`);
  expect(await same('done')).toBe(true);
  expect(await revived.query(`select * from tessera.doctor() where status = 'error'`)).toEqual([]);
  await revived.query(`select drop_continuous_aggregate('to_do'); drop table readings cascade`);
  expect(await revived.value('select count(*) from _tessera_catalog.continuous_agg')).toBe(0n);
});

const thinned = useDatabase();
const thinnedAgain = useDatabase({ template: 'empty' });

test('chunks that were dropped while their results are kept come through pg_dump', async () => {
  await thinned.query('create table readings (t int not null)');
  await thinned.query(`select create_hypertable('readings', 't', chunk_time_interval => 50)`);
  await thinned.query(`create function two_hundred() returns int language sql stable as 'select 200'`);
  await thinned.query(`select set_integer_now_func('readings', 'two_hundred')`);
  await thinned.query('insert into readings select generate_series(0, 199)');
  await thinned.query(
    `select create_continuous_aggregate('tens', 'select time_bucket(10, t) as bucket, count(*) as n from readings group by 1',
       ignore_invalidation_older_than => 100)`,
  );
  await thinned.query(`call refresh_continuous_aggregate('tens', null, null)`);
  await thinned.query(`select drop_chunks('readings', 100, cascade_to_materializations => false)`);
  const chunks = 'select id, table_name, dropped from _tessera_catalog.chunk order by id';
  const before = await thinned.query(chunks);
  psql(thinnedAgain.name, dump(thinned.name));
  expect(await thinnedAgain.query(chunks)).toEqual(before);
  await thinnedAgain.query(`call refresh_continuous_aggregate('tens', null, null, force => true)`);
  expect(await thinnedAgain.value('select sum(n)::int from tens')).toBe(200);
  await thinnedAgain.query('insert into readings values (7)');
  expect((await thinnedAgain.query(chunks))[0]).toEqual({ ...before[0], dropped: false });
  expect(await thinnedAgain.query(`select * from tessera.doctor() where status = 'error'`)).toEqual([]);
});

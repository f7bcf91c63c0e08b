import { beforeEach, describe, expect, test } from 'vitest';
import { failure, useDatabase } from '../../harness/database.ts';

const db = useDatabase();

/** The statements in the hint of an error. */
const written = async (sql: string): Promise<string> => {
  const { code, message, hint } = await db.error(sql);
  expect([code, message]).toEqual(['0A000', expect.stringMatching(/^options of TimescaleDB cannot be given to /)]);
  return String(hint).replace(/^Write(?: \([^)]*\))?: /, '');
};
const left = (name: string): Promise<boolean> => db.value(`select to_regclass('${name}') is not null`);

beforeEach(async () => {
  await db.query('rollback; set client_min_messages = warning');
  await db.query('drop table if exists conditions, "Odd ""Name", plain cascade; drop schema if exists metrics cascade');
  await db.query(`create table conditions (time timestamptz not null, device int, temperature float8);
    select create_hypertable('conditions', 'time', chunk_time_interval => interval '1 day');
    insert into conditions select '2024-01-01'::timestamptz + i * interval '1 hour', i % 3, i from generate_series(0, 99) i`);
});

describe('ALTER TABLE', () => {
  const settings = (): Promise<unknown> =>
    db.query(
      `select hypertable::text, segmentby, orderby from tessera_information.hypertable_compression_settings
       where hypertable = 'conditions'::regclass`,
    );

  test.each([
    [`alter table conditions set (timescaledb.compress)`, `select set_compression('conditions');`],
    [
      `ALTER TABLE IF EXISTS ONLY public.conditions SET (timescaledb.compress = true, timescaledb.compress_segmentby = 'device', timescaledb.compress_orderby = 'time DESC, temperature')`,
      `select set_compression('public.conditions', compress_segmentby => 'device', compress_orderby => 'time DESC, temperature');`,
    ],
    [
      `alter table "conditions" set (timescaledb.enable_columnstore, tsdb.segmentby = 'device', tsdb.orderby = 'time')`,
      `select set_compression('"conditions"', compress_segmentby => 'device', compress_orderby => 'time');`,
    ],
    [`alter table conditions set (timescaledb.compress = off)`, `select set_compression('conditions', false);`],
    [
      `alter table conditions set (tsdb.chunk_interval = '2 days')`,
      `select set_chunk_time_interval('conditions', interval '2 days');`,
    ],
    [
      `/* ; timescaledb */ alter table conditions add column b int, set (fillfactor = 70, timescaledb.compress), alter column b set (n_distinct = 5) -- end`,
      `alter table conditions add column b int, set (fillfactor = 70), alter column b set (n_distinct = 5); select set_compression('conditions');`,
    ],
  ])('%s', async (sql, hint) => {
    expect(await written(sql)).toBe(hint);
    await db.query(hint.replaceAll('fillfactor = 70', 'fillfactor = 100').replace(', set (fillfactor = 100)', ''));
  });

  test('what has no equivalent is named', async () => {
    const { hint } = await db.error(
      `alter table conditions set (timescaledb.compress, timescaledb.compress_chunk_time_interval = '1 week')`,
    );
    expect(hint).toBe(
      `Write (without compress_chunk_time_interval, of which there is none): select set_compression('conditions');`,
    );
    expect((await db.error('alter table conditions reset (timescaledb.compress_segmentby)')).hint).toBe(
      'Call set_compression() or set_chunk_time_interval().',
    );
  });

  test('the statements do what was asked for', async () => {
    await db.query(
      await written(
        `alter table conditions set (timescaledb.compress, timescaledb.compress_segmentby = 'device', timescaledb.compress_orderby = 'temperature')`,
      ),
    );
    expect(await settings()).toMatchObject([{ segmentby: 'device', orderby: expect.stringContaining('temperature') }]);
  });
});

describe('CREATE TABLE', () => {
  test.each([
    [
      `create table metrics.m (at timestamptz not null, v int) with (tsdb.hypertable, tsdb.partition_column = 'at')`,
      `create table metrics.m (at timestamptz not null, v int); select create_hypertable('metrics.m', by_range('at'));`,
    ],
    [
      `CREATE UNLOGGED TABLE IF NOT EXISTS metrics.m (v int, "At" timestamp NOT NULL) WITH (fillfactor = 80, timescaledb.hypertable, timescaledb.chunk_interval = '1 day', timescaledb.create_default_indexes = false) TABLESPACE pg_default`,
      `CREATE UNLOGGED TABLE IF NOT EXISTS metrics.m (v int, "At" timestamp NOT NULL) with (fillfactor = 80) TABLESPACE pg_default; select create_hypertable('metrics.m', by_range('At', interval '1 day'), create_default_indexes => false, if_not_exists => true);`,
    ],
    [
      `create table metrics.m (t int not null, d int) with (tsdb.hypertable = true, tsdb.partition_column = t, tsdb.chunk_interval = 1000, tsdb.segmentby = 'd', tsdb.orderby = 't desc')`,
      `create table metrics.m (t int not null, d int); select create_hypertable('metrics.m', by_range('t', 1000)); select set_compression('metrics.m', compress_segmentby => 'd', compress_orderby => 't desc');`,
    ],
    [
      `create table metrics.m (day date not null) with (tsdb.hypertable, tsdb.associated_schema = 'metrics', tsdb.associated_table_prefix = 'it''s', tsdb.columnstore = false)`,
      `create table metrics.m (day date not null); select create_hypertable('metrics.m', 'day', associated_schema_name => 'metrics', associated_table_prefix => 'it''s'); select set_compression('metrics.m', false);`,
    ],
  ])('%s', async (sql, hint) => {
    await db.query('create schema metrics');
    expect(await written(sql)).toBe(hint);
    expect(await left('metrics.m')).toBe(false);
    await db.query(hint.replace('UNLOGGED ', '').replace('with (fillfactor = 80) ', ''));
    expect(
      await db.value(
        `select count(*)::int from tessera_information.hypertables where hypertable_schema = 'metrics' and hypertable_name = 'm'`,
      ),
    ).toBe(1);
  });

  test('without a time column, or a hypertable, it names the functions', async () => {
    for (const options of ['tsdb.hypertable', 'tsdb.hypertable = false', 'timescaledb.segmentby = x'])
      expect((await db.error(`create table plain (x int) with (${options})`)).hint).toContain('create_hypertable()');
  });
});

describe('continuous aggregates', () => {
  const QUERY = `select time_bucket('1 day', time) as day, avg(temperature) from conditions where temperature::text <> 'as $$' group by 1`;
  const fits = QUERY.replace("temperature::text <> 'as $$'", 'device <> 7');

  test.each([
    [
      `create materialized view daily with (timescaledb.continuous) as ${fits}`,
      `select create_continuous_aggregate('daily', $$${fits}$$);`,
    ],
    [
      `CREATE MATERIALIZED VIEW IF NOT EXISTS public."daily" (a, "B") WITH (timescaledb.continuous, timescaledb.materialized_only = true, timescaledb.create_group_indexes = false, timescaledb.finalized, tsdb.chunk_interval = '30 days') AS ${fits} WITH NO DATA;`,
      `select create_continuous_aggregate('public."daily"', $$${fits}$$, with_data => false, materialized_only => true, create_group_indexes => false, if_not_exists => true, column_names => array['a', 'B'], chunk_interval => interval '30 days');`,
    ],
    [
      `create view daily with (timescaledb.continuous, timescaledb.refresh_lag = '-1 day', timescaledb.refresh_interval = '1 hour', timescaledb.ignore_invalidation_older_than = '30 days') as ${fits}`,
      `select create_continuous_aggregate('daily', $$${fits}$$, with_data => false, refresh_lag => interval '-1 day', refresh_interval => interval '1 hour', ignore_invalidation_older_than => interval '30 days');`,
    ],
  ])('%s', async (sql, hint) => {
    expect(await written(sql)).toBe(hint);
    await db.query(hint);
    expect(await db.value('select count(*)::int from daily')).toBe(hint.includes('materialized_only') ? 0 : 5);
  });

  test('a query with dollars in it', async () => {
    expect(await written(`create materialized view daily with (timescaledb.continuous) as ${QUERY} with data`)).toBe(
      `select create_continuous_aggregate('daily', $query$${QUERY}$query$);`,
    );
  });

  test('ALTER MATERIALIZED VIEW and ALTER VIEW', async () => {
    await db.query(`select create_continuous_aggregate('daily', $$${fits}$$)`);
    for (const [sql, hint] of [
      [
        `alter materialized view daily set (timescaledb.materialized_only = true)`,
        `select alter_continuous_aggregate('daily', materialized_only => true);`,
      ],
      [
        `alter view if exists daily set (timescaledb.refresh_lag = '2 days', timescaledb.materialized_only = false)`,
        `select alter_continuous_aggregate('daily', materialized_only => false, refresh_lag => interval '2 days');`,
      ],
      [
        `alter materialized view daily set (timescaledb.enable_columnstore = true, timescaledb.segmentby = '')`,
        `select set_compression('daily', compress_segmentby => '');`,
      ],
    ] as const) {
      expect(await written(sql)).toBe(hint);
      await db.query(hint);
    }
  });
});

test('CREATE INDEX', async () => {
  expect(
    await written(
      `create index by_device on conditions (device) with (timescaledb.transaction_per_chunk, fillfactor = 90) where device > 1`,
    ),
  ).toBe(
    `select format('create index on %s (device) with (fillfactor = 90) where device > 1', c) from show_chunks('conditions') c join pg_class k on k.oid = c and k.relkind = 'r' \\gexec
 create index by_device on conditions (device) with (fillfactor = 90) where device > 1;`,
  );
  expect(await written(`create index on conditions (device) with (timescaledb.transaction_per_chunk = false)`)).toBe(
    'create index on conditions (device);',
  );
});

describe('nothing else is touched', () => {
  test.each([
    `create table plain (x int); comment on table plain is 'with (timescaledb.compress)'`,
    `create table plain (x int) -- with (tsdb.hypertable)`,
    `create table plain (timescaledb int, tsdb int) with (fillfactor = 50)`,
    `do $$ begin create table plain (x text default 'alter table plain set (timescaledb.compress)'); end $$`,
    `create table plain (x int); create view v as select timescaledb.x from plain timescaledb; create index tsdb on plain (x)`,
    `begin; create table plain (x int); alter table plain add y int; commit; select 'alter table t set (tsdb.compress)'`,
  ])('%s', async (sql) => {
    await db.query(sql);
    expect(await left('plain')).toBe(true);
  });

  test('in a string of statements the error comes with all of them undone', async () => {
    const sql = `create table plain (x int); alter table conditions set (timescaledb.compress)`;
    expect(await written(sql)).toBe(`select set_compression('conditions');`);
    expect(await left('plain')).toBe(false);
  });

  test('what was committed before in the same string stays', async () => {
    const e = await db.error(
      `create table plain (x int); commit; create table conditions2 (x timestamptz) with (tsdb.hypertable)`,
    );
    expect([e.code, e.message]).toEqual(['22023', 'unrecognized parameter namespace "tsdb"']);
    expect(await left('plain')).toBe(true);
  });

  test('a statement that a function runs ends in the error of PostgreSQL', async () => {
    const e = await db.error(`do $$ begin execute 'alter table conditions set (timescaledb.compress)'; end $$`);
    expect(e.code).toBe('22023');
  });

  test('who may do nothing gets the hint too, and so does a prepared statement', async () => {
    const stranger = await db.as(await db.role('stranger'));
    const e = await failure(stranger, 'alter table conditions set (timescaledb.compress)');
    expect([e.code, e.hint]).toEqual(['0A000', `Write: select set_compression('conditions');`]);
    const { rows } = await stranger.query(
      `select _tessera_functions.dialect_hint('alter table (', 'ALTER TABLE') as h`,
    );
    expect(rows).toEqual([{ h: null }]);
  });

  test.each([
    'alter table set (tsdb.',
    'create table "x',
    "alter table x set (tsdb.a = 'x",
    'create with (tsdb.x)',
    ';;(',
    '',
  ])('text that is no statement: %s', async (sql) => {
    for (const tag of ['ALTER TABLE', 'CREATE TABLE', 'CREATE VIEW'])
      await db.query('select _tessera_functions.dialect_hint($1, $2)', [sql, tag]);
  });
});

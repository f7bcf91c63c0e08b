import { beforeAll, describe, expect, test } from 'vitest';
import { useDatabase } from '../../../harness/database.ts';

const db = useDatabase();
const shown = (args: string): Promise<string[]> =>
  db.column(`select k.range_start::text from show_chunks(${args}) s join tessera_information.chunks k
             on s = format('%I.%I', k.chunk_schema, k.chunk_name)::regclass`);

describe('geometry', () => {
  test('integer slices follow the check vectors', async () => {
    await db.query('create table ints (t int not null)');
    await db.query(`select create_hypertable('ints', 't', chunk_time_interval => 10)`);
    await db.query('insert into ints values (0), (9), (10), (-1), (-10), (-11)');
    expect(
      await db.query(
        `select range_start_integer as lo, range_end_integer as hi, count(*)::int as rows
         from tessera_information.chunks k join ints i on i.tableoid = format('%I.%I', k.chunk_schema, k.chunk_name)::regclass
         group by 1, 2 order by 1`,
      ),
    ).toEqual([
      { lo: -20n, hi: -10n, rows: 1 },
      { lo: -10n, hi: 0n, rows: 2 },
      { lo: 0n, hi: 10n, rows: 2 },
      { lo: 10n, hi: 20n, rows: 1 },
    ]);
  });

  for (const [type, low, high] of [
    ['smallint', '-32768', '32767'],
    ['integer', '-2147483648', '2147483647'],
    ['bigint', '-9223372036854775808', '9223372036854775807'],
    ['timestamp', '4714-11-24 00:00:00 BC', '294246-12-31 23:59:59.999999'],
    ['timestamptz', '4714-11-24 00:00:00+00 BC', '294246-12-31 23:59:59.999999+00'],
    ['date', '4714-11-24 BC', '294246-12-31'],
  ] as const)
    test(`the ends of ${type} get chunks`, async () => {
      await db.query(`create table ends_${type} (t ${type} not null)`);
      await db.query(`select create_hypertable('ends_${type}', 't')`);
      await db.query(`insert into ends_${type} values ('${low}'), ('${high}')`);
      expect(await db.column(`select show_chunks('ends_${type}')::text`)).toHaveLength(2);
    });

  test('a new interval changes new chunks only, and they give way to the old ones', async () => {
    await db.query('create table cut (t int not null)');
    await db.query(`select create_hypertable('cut', 't', chunk_time_interval => 10)`);
    await db.query('insert into cut values (25)');
    await db.query(`select set_chunk_time_interval('cut', 100)`);
    await db.query('insert into cut values (5), (55), (150)');
    expect(
      await db.query(
        `select range_start_integer as lo, range_end_integer as hi from tessera_information.chunks where hypertable_name = 'cut' order by 1`,
      ),
    ).toEqual([
      { lo: 0n, hi: 20n },
      { lo: 20n, hi: 30n },
      { lo: 30n, hi: 100n },
      { lo: 100n, hi: 200n },
    ]);
  });
});

describe('show_chunks and drop_chunks', () => {
  beforeAll(async () => {
    await db.query('create table days (time timestamptz not null, v int)');
    await db.query(`select create_hypertable('days', 'time', chunk_time_interval => interval '1 day')`);
    await db.query(
      `insert into days select '2024-01-01'::timestamptz + i * interval '1 day', i from generate_series(0, 4) i`,
    );
  });

  test('a chunk that ends at older_than is in, one that ends a moment later is not', async () => {
    expect(await shown(`'days', older_than => '2024-01-03'::timestamptz`)).toHaveLength(2);
    expect(await shown(`'days', older_than => '2024-01-02 23:59:59.999999'::timestamptz`)).toHaveLength(1);
  });

  test('a chunk that begins at newer_than is in, one that begins before is not', async () => {
    expect(await shown(`'days', newer_than => '2024-01-04'::timestamptz`)).toHaveLength(2);
    expect(await shown(`'days', newer_than => '2024-01-04 00:00:00.000001'::timestamptz`)).toHaveLength(1);
  });

  test('bounds may be intervals, dates, timestamps or text, and come in the order of time', async () => {
    expect(await shown(`'days', interval '1 day'`)).toHaveLength(5);
    expect(await shown(`'days', older_than => '1 day'`)).toHaveLength(5);
    expect(await shown(`'days', older_than => date '2024-01-03'`)).toHaveLength(2);
    const inOrder = await shown(`'days', older_than => '2024-01-05', newer_than => '2024-01-02'`);
    expect(inOrder).toEqual(['2024-01-02 00:00:00+00', '2024-01-03 00:00:00+00', '2024-01-04 00:00:00+00']);
    expect(await shown(`'days', created_before => now() + interval '1 hour'`)).toHaveLength(5);
    expect(await shown(`'days', created_after => interval '1 hour'`)).toHaveLength(5);
  });

  for (const [what, call, code] of [
    ['an integer bound', `show_chunks('days', older_than => 5)`, '22023'],
    ['inverted bounds', `show_chunks('days', older_than => '2024-01-01', newer_than => '2024-02-01')`, '22023'],
    [
      'both kinds of bounds',
      `show_chunks('days', older_than => '2024-01-01', created_before => '2024-01-01')`,
      '22023',
    ],
    ['text that is no time', `show_chunks('days', older_than => 'soon')`, '22023'],
    ['dropping without a bound', `drop_chunks('days')`, '22023'],
    ['a plain table', `show_chunks('pg_class')`, 'TS001'],
    ['null', `show_chunks(null)`, '22023'],
  ] as const)
    test(`refuses ${what}`, async () => {
      expect((await db.error(`select ${call}`)).code).toBe(code);
    });

  test('drop_chunks drops whole chunks only and says which', async () => {
    const gone = await db.column(`select drop_chunks('days', older_than => '2024-01-02 12:00')`);
    expect(gone).toHaveLength(1);
    expect(await db.value(`select to_regclass($1) is null`, [gone[0]])).toBe(true);
    expect(await db.value('select count(*)::int from days')).toBe(4);
    expect(await db.column(`select drop_chunks('days', older_than => '2024-01-02 12:00')`)).toEqual([]);
    expect(
      await db.value(
        'select count(*)::int from _tessera_catalog.dimension_slice s where not exists (select from _tessera_catalog.chunk_constraint c where c.dimension_slice_id = s.id)',
      ),
    ).toBe(0);
  });

  test('drop_chunks keeps everything when a view depends on one of the chunks', async () => {
    const [chunk] = await shown(`'days', older_than => '2024-01-04'`);
    expect(chunk).toBeDefined();
    const name = await db.value(`select show_chunks('days', older_than => '2024-01-03')::text`);
    await db.query(`create view watching as select * from ${name}`);
    expect((await db.error(`select drop_chunks('days', older_than => '2024-01-05')`)).code).toBe('2BP01');
    expect(await db.value('select count(*)::int from days')).toBe(4);
    await db.query('drop view watching');
  });

  test('drop_chunks drops what depends on a chunk when asked to, and takes the arguments of old', async () => {
    await db.query('begin');
    const name = await db.value(`select show_chunks('days', older_than => '2024-01-03')::text`);
    await db.query(`create view watching as select * from ${name}`);
    for (const cascade of ['null', 'false'])
      expect(
        await db.column(
          `select drop_chunks('days', older_than => '1999-01-01', cascade_to_materializations => ${cascade})`,
        ),
      ).toEqual([]);
    expect(
      await db.column(
        `select drop_chunks('days', older_than => '2024-01-03', cascade_to_materializations => true, cascade => true)`,
      ),
    ).toContain(name);
    expect(await db.value(`select to_regclass('watching')`)).toBeNull();
    await db.query('rollback');
  });

  test('a chunk can be dropped and detached by hand', async () => {
    const [a, b] = await db.column(`select show_chunks('days')::text`);
    await db.query(`drop table ${a}`);
    await db.query(`alter table days detach partition ${b}`);
    expect(await db.column(`select show_chunks('days')::text`)).toHaveLength(2);
  });
});

describe('a hash dimension', () => {
  test('divides new time slices into chunks that show their ranges', async () => {
    await db.query('create table spaced (time timestamptz not null, k int not null, v int, primary key (time, k))');
    await db.query(`select create_hypertable('spaced', 'time', 'k', 4)`);
    await db.query(`insert into spaced select '2024-01-01', i, i from generate_series(1, 100) i`);
    expect(await db.column(`select show_chunks('spaced')::text`)).toHaveLength(4);
    expect(
      await db.column(
        `select s.range_start::text from _tessera_catalog.dimension_slice s join _tessera_catalog.dimension d on d.id = s.dimension_id
         where d.column_name = 'k' order by s.range_start`,
      ),
    ).toEqual(['-9223372036854775808', '536870911', '1073741822', '1610612733']);
    await db.query(`select set_number_partitions('spaced', 2)`);
    await db.query(`insert into spaced values ('2025-01-01', 1, 1)`);
    expect(await db.column(`select show_chunks('spaced')::text`)).toHaveLength(6);
    expect(await db.column(`select drop_chunks('spaced', older_than => '2024-06-01')`)).toHaveLength(4);
    expect(await db.value(`select count(*)::int from pg_class where relname like '%\\_slice' and relkind = 'p'`)).toBe(
      1,
    );
  });

  test('can be added to a hypertable with chunks, which stay whole', async () => {
    await db.query('create table later (time timestamptz not null, k int)');
    await db.query(`select create_hypertable('later', 'time')`);
    await db.query(`insert into later values ('2024-01-01', 1)`);
    expect(await db.value(`select created from add_dimension('later', 'k', number_partitions => 3)`)).toBe(true);
    expect(await db.value(`select created from add_dimension('later', by_hash('k', 3), if_not_exists => true)`)).toBe(
      false,
    );
    await db.query(`insert into later values ('2024-01-01', 2), ('2025-01-01', 2)`);
    expect(await db.column(`select show_chunks('later')::text`)).toHaveLength(4);
    for (const [call, code] of [
      [`add_dimension('later', 'k', 3)`, 'TS160'],
      [`add_dimension('later', 'nope', 3)`, '42703'],
      [`add_dimension('later', 'time2', 3, interval '1 day')`, '22023'],
      [`add_dimension('later', 'nope')`, '22023'],
      [`add_dimension('later', by_range('k'))`, 'TS160'],
      [`set_number_partitions('later', 40000)`, '22023'],
      [`set_chunk_time_interval('later', null::interval)`, '22023'],
      [`set_chunk_time_interval('later', interval '1 day', 'k')`, 'TS002'],
    ])
      expect((await db.error(`select ${call}`)).code, call).toBe(code);
  });
});

describe('integer_now', () => {
  test('is checked when it is set', async () => {
    await db.query(`create function now_ok() returns int language sql stable as 'select 100'`);
    await db.query(`create function now_volatile() returns int language sql volatile as 'select 100'`);
    await db.query(`create function now_wide() returns bigint language sql stable as 'select 100::bigint'`);
    for (const [f, code] of [
      ['now_volatile', '22023'],
      ['now_wide', '22023'],
      ['now_missing', '42883'],
    ])
      expect((await db.error(`select set_integer_now_func('ints', '${f}')`)).code, f).toBe(code);
    await db.query(`select set_integer_now_func('ints', 'now_ok')`);
    expect((await db.error(`select set_integer_now_func('ints', 'now_ok')`)).code).toBe('42710');
    await db.query(`select set_integer_now_func('ints', 'now_ok', replace_if_exists => true)`);
    expect((await db.error(`select set_integer_now_func('cut_days', 'now_ok')`)).code).toBe('42P01');
    expect((await db.error(`select set_integer_now_func('spaced', 'now_ok')`)).code).toBe('0A000');
    expect(
      await db.value(`select integer_now_func from tessera_information.dimensions where hypertable_name = 'ints'`),
    ).toBe('now_ok');
  });
});

describe('sizes', () => {
  test('add up over chunks, and are empty for anything else', async () => {
    await db.query('analyze spaced');
    const [h] = await db.query(`select * from hypertable_detailed_size('spaced')`);
    expect(h?.table_bytes + h?.index_bytes + h?.toast_bytes).toBeLessThanOrEqual(h?.total_bytes);
    expect(await db.value(`select hypertable_size('spaced')`)).toBe(h?.total_bytes);
    expect(
      await db.value(`select sum(total_bytes)::int8 <= hypertable_size('spaced') from chunks_detailed_size('spaced')`),
    ).toBe(true);
    expect(await db.value(`select hypertable_index_size('spaced_pkey') > 0`)).toBe(true);
    expect(await db.value(`select approximate_row_count('spaced')`)).toBe(1n);
    expect(await db.value(`select hypertable_size('pg_class')`)).toBe(null);
    expect(await db.query(`select * from hypertable_detailed_size('pg_class')`)).toEqual([]);
    expect(await db.value('select hypertable_size(null)')).toBe(null);
  });

  test('are the same by their older names', async () => {
    const [now] = await db.query(
      `select table_bytes, index_bytes, toast_bytes, total_bytes from hypertable_detailed_size('spaced')`,
    );
    expect(await db.query(`select * from hypertable_relation_size('spaced')`)).toEqual([now]);
    expect(
      await db.value(
        `select total_size = pg_size_pretty(hypertable_size('spaced')) from hypertable_relation_size_pretty('spaced')`,
      ),
    ).toBe(true);
    expect(await db.query(`select index_name, total_bytes from indexes_relation_size('spaced')`)).toContainEqual({
      index_name: 'public.spaced_pkey',
      total_bytes: await db.value(`select hypertable_index_size('spaced_pkey')`),
    });
    expect((await db.query(`select * from indexes_relation_size_pretty('spaced')`)).length).toBeGreaterThan(0);
    const chunks = await db.query(
      `select chunk_table, partitioning_columns::text as columns, ranges::text, total_bytes from chunk_relation_size('spaced')`,
    );
    expect(chunks).toHaveLength(2);
    expect(chunks[0]?.columns).toBe('{time,k}');
    expect(await db.column(`select total_size from chunk_relation_size_pretty('spaced')`)).toHaveLength(2);
    expect(await db.query(`select * from chunk_relation_size('pg_class')`)).toEqual([]);
    expect(await db.query(`select * from hypertable_relation_size(null)`)).toEqual([]);
  });
});

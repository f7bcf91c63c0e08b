import { beforeAll, describe, expect, it } from 'vitest';
import { failure, useDatabase } from '../../harness/database.ts';

const db = useDatabase();

beforeAll(async () => {
  await db.query(`
    set timezone = 'UTC';
    create table metric (time timestamptz, device int, temp float8, hits int);
    insert into metric values
      ('2020-01-01 00:10+00', 1, 10, 10), ('2020-01-01 03:10+00', 1, 16, 15),
      ('2020-01-01 01:30+00', 2, 5, null), ('2020-01-01 02:00+00', null, 7, 7)`);
});

const HOURLY = `select time_bucket('1 hour', time) as bucket, device, avg(temp) as temp, max(hits) as hits from metric group by 1, 2`;

const filled = async (
  args: string,
  columns = 'b timestamptz, device int, temp float8, hits int',
): Promise<unknown[][]> =>
  (await db.query(`select * from gapfill($1, ${args}) as t(${columns}) order by 2, 1`, [HOURLY])).map((row) =>
    Object.values(row).map((v) => (typeof v === 'string' ? v.slice(11, 16) : v)),
  );

/** Integer buckets 5 apart: points as "bucket:value", answer in the same form with "-" for NULL. */
const series = async (points: string, args: string, type = 'int'): Promise<string> => {
  const rows = points.split(' ').map((p) => p.split(':').map((v) => (v === '-' ? 'null' : v)));
  const values = rows.map(([b, v]) => `(${b}, ${v}::${type})`).join(', ');
  const got = await db.query(`select * from gapfill_integer($1, 5, ${args}) as t(b int, v ${type}) order by b`, [
    `select * from (values ${values}) as p(bucket, v)`,
  ]);
  return got.map((row) => `${row.b}:${row.v ?? '-'}`).join(' ');
};

describe('gapfill', () => {
  it('adds the missing buckets of every group there is, and of no other', async () => {
    expect(await filled(`'1 hour', '2020-01-01 00:20+00', '2020-01-01 03:00+00', group_columns => '{device}'`)).toEqual(
      [
        ['00:00', 1, 10, 10],
        ['01:00', 1, null, null],
        ['02:00', 1, null, null],
        ['03:00', 1, 16, 15],
        ['00:00', 2, null, null],
        ['01:00', 2, 5, null],
        ['02:00', 2, null, null],
        ['00:00', null, null, null],
        ['01:00', null, null, null],
        ['02:00', null, 7, 7],
      ],
    );
  });

  it('starts at the bucket of start and ends before finish, keeping rows outside', async () => {
    expect(await series('-20:1 7:2 30:3', '3, 11')).toBe('-20:1 0:- 5:- 7:2 10:- 30:3');
    expect(await series('0:1', '-7, 10')).toBe('-10:- -5:- 0:1 5:-');
    expect(await series('0:1', '10, 10')).toBe('0:1');
    expect(await series('0:1', '10, 5')).toBe('0:1');
  });

  it('gives the whole range for no rows without groups, and nothing with groups', async () => {
    const none = 'select 0 as bucket, 1 as g, 2 as v where false';
    const rows = (args: string): Promise<unknown[]> =>
      db.query(`select b, v from gapfill_integer($1, 5, 0, 15${args}) as t(b int, g int, v int) order by b`, [none]);
    expect(await rows('')).toEqual([
      { b: 0, v: null },
      { b: 5, v: null },
      { b: 10, v: null },
    ]);
    expect(await rows(`, group_columns => '{g}'`)).toEqual([]);
  });

  it('carries the last value into gaps; a NULL that is there overwrites it', async () => {
    const locf = `, locf => '{v}'`;
    expect(await series('0:1 10:- 20:4', `0, 30${locf}`)).toBe('0:1 5:1 10:- 15:- 20:4 25:4');
    expect(await series('10:3', `0, 20${locf}`)).toBe('0:- 5:- 10:3 15:3');
    expect(await series('0:1 10:- 20:4 25:-', `0, 35${locf}, treat_null_as_missing => true`)).toBe(
      '0:1 5:1 10:1 15:1 20:4 25:4 30:4',
    );
    expect(await series('5:-', `0, 15${locf}, treat_null_as_missing => true`)).toBe('0:- 5:- 10:-');
  });

  it('draws a line between neighbours; an unknown side gives NULL', async () => {
    const line = `, interpolate => '{v}'`;
    expect(await series('0:0 20:10', `0, 25${line}`)).toBe('0:0 5:3 10:5 15:8 20:10');
    expect(await series('0:0 20:10', `0, 25${line}`, 'float8')).toBe('0:0 5:2.5 10:5 15:7.5 20:10');
    expect(await series('0:0 15:1', `0, 20${line}`, 'numeric')).toMatch(/^0:0 5:0\.33333\d* 10:0\.66666\d* 15:1$/);
    expect(await series('0:-3 20:-13', `0, 25${line}`, 'bigint')).toBe('0:-3 5:-6 10:-8 15:-11 20:-13');
    expect(await series('5:2 10:- 20:9 30:11', `0, 40${line}`)).toBe('0:- 5:2 10:- 15:- 20:9 25:10 30:11 35:-');
    expect(await series('0:9223372036854775807 10:9223372036854775805', `0, 15${line}`, 'bigint')).toBe(
      '0:9223372036854775807 5:9223372036854775806 10:9223372036854775805',
    );
    expect(await series('0:0.1 20:0.1', `0, 25${line}`, 'float8')).toBe('0:0.1 5:0.1 10:0.1 15:0.1 20:0.1');
  });

  it('uses rows of before and after as neighbours and does not return them', async () => {
    const edges = `before => 'select -10, 1', after => 'values (100, 300);'`;
    expect(await series('5:3', `0, 20, interpolate => '{v}', ${edges}`)).toBe('0:2 5:3 10:19 15:34');
    expect(await series('5:3', `0, 15, locf => '{v}', ${edges}`)).toBe('0:1 5:3 10:3');
    expect(await series('5:-', `0, 15, locf => '{v}', treat_null_as_missing => true, ${edges}`)).toBe('0:1 5:1 10:1');
    expect(await series('5:-', `0, 15, interpolate => '{v}', ${edges}`)).toBe('0:- 5:- 10:-');
    expect(
      await db.column(
        `select v from gapfill_integer($1, 5, 0, 15, group_columns => '{g}', locf => '{v}',
           before => 'values (-5, 1, 11), (-10, 1, 99), (-5, 2, 22), (-5, 3, 33)') as t(b int, g int, v int) order by g, b`,
        ['values (5, 1, 7), (10, 2, 8)'].map((values) => `select * from (${values}) as p(bucket, g, v)`),
      ),
    ).toEqual([11, 7, 7, 22, 22, 8]);
  });

  it('fills columns of several groups apart, NULL groups too', async () => {
    expect(
      await filled(
        `'1 hour', '2020-01-01 00:20+00', '2020-01-01 05:00+00', group_columns => '{device}', locf => '{temp}', interpolate => '{hits}'`,
      ),
    ).toEqual([
      ['00:00', 1, 10, 10],
      ['01:00', 1, 10, 12],
      ['02:00', 1, 10, 13],
      ['03:00', 1, 16, 15],
      ['04:00', 1, 16, null],
      ['00:00', 2, null, null],
      ['01:00', 2, 5, null],
      ['02:00', 2, 5, null],
      ['03:00', 2, 5, null],
      ['04:00', 2, 5, null],
      ['00:00', null, null, null],
      ['01:00', null, null, null],
      ['02:00', null, 7, 7],
      ['03:00', null, 7, null],
      ['04:00', null, 7, null],
    ]);
  });

  it('fills dates, timestamps and months', async () => {
    expect(
      await db.column(
        `select b::text from gapfill('select null::date as bucket where false', interval '1 month', date '2020-01-15', date '2020-04-01') as t(b date) order by 1`,
      ),
    ).toEqual(['2020-01-01', '2020-02-01', '2020-03-01']);
    expect(
      await db.column(
        `select b::text from gapfill('select null::timestamp as "at" where false', interval '12 hours', timestamp '2020-01-01 13:00', timestamp '2020-01-02 12:00', bucket_column => 'at') as t(b timestamp) order by 1`,
      ),
    ).toEqual(['2020-01-01 12:00:00', '2020-01-02 00:00:00']);
    expect(
      await db.column(
        `select b from gapfill_integer('select 5::smallint as bucket', 5, 0, 15) as t(b smallint) order by 1`,
      ),
    ).toEqual([0, 5, 10]);
    expect(
      (
        await db.column(
          `select b from gapfill_integer('select 5::bigint as bucket', 5, 9223372036854775790, 9223372036854775807) as t(b bigint) order by 1`,
        )
      ).map(String),
    ).toEqual(['5', '9223372036854775790', '9223372036854775795', '9223372036854775800', '9223372036854775805']);
  });

  it.each([
    ['Europe/Berlin', '1 hour', '2021-10-30 22:00+00', '2021-10-31 04:00+00', 6],
    ['Europe/Berlin', '1 hour', '2021-03-27 23:00+00', '2021-03-28 04:00+00', 5],
    ['Europe/Berlin', '1 day', '2021-10-25 12:00+00', '2021-11-02 12:00+00', 9],
    ['America/New_York', '1 day', '2021-03-10 12:00+00', '2021-03-20 12:00+00', 11],
    ['America/New_York', '1 month', '2021-01-15 00:00+00', '2021-12-15 00:00+00', 12],
    ['Australia/Lord_Howe', '1 hour', '2021-04-03 00:00+00', '2021-04-04 12:00+00', null],
  ])('gives just the buckets of the clock of %s by %s', async (zone, width, start, finish, count) => {
    const slots = await db.column(
      `select b::text from gapfill('select null::timestamptz as bucket where false', $2::interval, $3::timestamptz, $4::timestamptz, timezone => $1) as t(b timestamptz) order by b`,
      [zone, width, start, finish],
    );
    const byMinutes = await db.column(
      `select distinct time_bucket($2::interval, at, $1)::text from generate_series($3::timestamptz, $4::timestamptz - interval '1 minute', '1 minute') as at order by 1`,
      [zone, width, start, finish],
    );
    expect(slots).toEqual(byMinutes);
    if (count !== null) expect(slots).toHaveLength(count);
  });

  it('keeps names of the query apart from its own and quotes them', async () => {
    expect(
      await db.query(
        `select * from gapfill_integer($1, 5, 0, 10, bucket_column => 'the "Bucket"', group_columns => '{edge}', locf => '{is_row, "a b"}')
           as t(b int, g int, v int, w int) order by b`,
        ['select 0 as "the ""Bucket""", 1 as edge, 2 as is_row, 3 as "a b"'],
      ),
    ).toEqual([
      { b: 0, g: 1, v: 2, w: 3 },
      { b: 5, g: 1, v: 2, w: 3 },
    ]);
  });

  it('takes comments and a closing semicolon, and works in a read-only transaction', async () => {
    await db.query('begin read only');
    expect(
      await db.column(
        `select v from gapfill_integer('select 0 as bucket, 1 as v; ', 5, 0, 10, locf => '{v}') as t(b int, v int) order by b`,
      ),
    ).toEqual([1, 1]);
    expect(
      await db.column(
        `select v from gapfill_integer('/* ; */ with a as (select 0 as bucket, 1 as v) table a -- end', 5, 0, 10) as t(b int, v int) order by b`,
      ),
    ).toEqual([1, null]);
    await db.query('commit');
  });
});

describe('gapfill refuses', () => {
  const call = (query: string, rest: string, columns = 'b int, v int'): string =>
    `select * from gapfill_integer('${query}', ${rest}) as t(${columns})`;
  const ok = 'select 1 as bucket, 2 as v';

  it.each([
    [call(ok, '0, 0, 10'), '22023'],
    [call(ok, '-5, 0, 10'), '22023'],
    [call(ok, '5'), '22023'],
    [call(ok, '5, 0, null'), '22023'],
    [call(ok, 'null, 0, 10'), '22023'],
    [`select * from gapfill('select now() as bucket', '1 day', '-infinity', now()) as t(b timestamptz)`, '22023'],
    [`select * from gapfill('select now() as bucket', '1 day', start => now()) as t(b timestamptz)`, '22023'],
    [`select * from gapfill('select now() as bucket', '1 month 1 day', now(), now()) as t(b timestamptz)`, '0A000'],
    [`select * from gapfill('select current_date as bucket', '1 day', now(), now()) as t(b date)`, '42804'],
    [call(ok, `5, 0, 10, bucket_column => 'nope'`), '42703'],
    [call(ok, `5, 0, 10, locf => '{nope}'`), '42703'],
    [call(ok, `5, 0, 10, group_columns => '{NULL}'`), '42703'],
    [call(ok, `5, 0, 10, locf => '{v}', interpolate => '{v}'`), '0A000'],
    [call(ok, `5, 0, 10, locf => '{bucket}'`), '22023'],
    [call(ok, `5, 0, 10, group_columns => '{v}', interpolate => '{v}'`), '22023'],
    [call('select 1 as bucket, 1 as bucket', '5, 0, 10'), '42702'],
    [call('select 1 as bucket; drop table metric', '5, 0, 10'), '22023'],
    [call('select 1 as bucket, 2) as q); drop table metric; select * from (select 1', '5, 0, 10'), '42601'],
    [call('delete from metric returning device as bucket, hits', '5, 0, 10'), '42601'],
    [call('with d as (delete from metric returning *) select device as bucket, hits from d', '5, 0, 10'), '0A000'],
    [call('drop table metric', '5, 0, 10'), '22023'],
    [call('', '5, 0, 10'), '22023'],
    [call(ok, `5, 0, 10, before => 'delete from metric returning device, hits'`), '42601'],
    [call(ok, '5, 0, 10', 'b int, v text'), '42804'],
    [call(ok, '5, 0, 10', 'b int'), '42804'],
    [
      call(
        `select 1 as bucket, ''a''::text as v union select 20, ''b''`,
        `5, 0, 10, interpolate => '{v}'`,
        'b int, v text',
      ),
      '0A000',
    ],
  ])('%s with %s', async (sql, code) => {
    expect(await db.error(sql)).toMatchObject({ code });
    expect(await db.value('select count(*)::int from metric')).toBe(4);
  });

  it('a NULL query, with 22023', async () => {
    expect(await db.error('select * from gapfill_integer(null, 5, 0, 10) as t(b int)')).toMatchObject({
      code: '22023',
    });
  });

  it('what the caller may not read', async () => {
    const reader = await db.connect(await db.role('reader'));
    expect(await failure(reader, call('select device as bucket, hits from metric', '5, 0, 10'))).toMatchObject({
      code: '42501',
    });
    const { rows } = await reader.query(call(ok, `5, 0, 10, interpolate => '{v}'`));
    expect(rows).toHaveLength(3);
  });
});

describe('forms that need a planner hook', () => {
  it.each([
    `select time_bucket_gapfill('1 hour', time), avg(temp) from metric group by 1`,
    `select time_bucket_gapfill('1 hour', time, '2020-01-01', '2020-01-02'), avg(temp) from metric group by 1`,
    `select time_bucket_gapfill('1 day', time::date) from metric group by 1`,
    `select time_bucket_gapfill('1 day', time::timestamp) from metric group by 1`,
    `select time_bucket_gapfill('1 day', time, 'Europe/Berlin') from metric group by 1`,
    `select time_bucket_gapfill(5, hits, 0, 10) from metric group by 1`,
    `select time_bucket_gapfill(5::smallint, hits::smallint) from metric group by 1`,
    `select time_bucket_gapfill(5::bigint, hits::bigint) from metric group by 1`,
    `select time_bucket('1 hour', time), interpolate(avg(temp)) from metric group by 1`,
    `select interpolate(1, (select (now(), 1)))`,
  ])('raise 0A000 with the form to use: %s', async (sql) => {
    const error = await db.error(sql);
    expect(error).toMatchObject({ code: '0A000' });
    expect(error.hint).toMatch(/gapfill(_integer)?\(/);
  });
});

describe('the hint is the statement rewritten, which works', () => {
  const written = async (sql: string): Promise<string> => {
    const { code, hint } = await db.error(sql);
    expect(code).toBe('0A000');
    expect(hint).toMatch(/^Write: select \* from gapfill/);
    return String(hint).slice('Write: '.length);
  };

  it('bounds from WHERE, names and positions, order and limit', async () => {
    const form = await written(`-- per hour
      SELECT time_bucket_gapfill('1 hour', m.time) AS "The hour", m.device, avg(m.temp), interpolate(max(hits)) as line
      FROM metric AS m /* all */ WHERE device is not null and time > '1999-01-01' and m.time >= '2020-01-01 00:00+00' AND m.time < '2020-01-01 04:00+00'
      GROUP BY "The hour", m.device ORDER BY 2, "The hour" desc LIMIT 5;`);
    expect(form).toBe(
      `select * from gapfill($$select time_bucket('1 hour', m.time) AS "The hour", m.device, avg(m.temp), max(hits) as line
      FROM metric AS m /* all */ WHERE device is not null and time > '1999-01-01' and m.time >= '2020-01-01 00:00+00' AND m.time < '2020-01-01 04:00+00'
      GROUP BY "The hour", m.device$$, '1 hour', '2020-01-01 00:00+00', '2020-01-01 04:00+00', bucket_column => 'The hour', group_columns => '{device}', interpolate => '{line}') as t("The hour" timestamp with time zone, device integer, avg double precision, line integer) ORDER BY 2, "The hour" desc LIMIT 5;`,
    );
    expect(await db.query(form)).toMatchObject([
      { device: 1, avg: 16, line: 15 },
      { device: 1, avg: null, line: 13 },
      { device: 1, avg: null, line: 12 },
      { device: 1, avg: 10, line: 10 },
      { device: 2, avg: null, line: null },
    ]);
  });

  it.each([
    [
      `select time_bucket_gapfill('1 hour', time, '2020-01-01 00:00+00', '2020-01-01 04:00+00'), count(*) from metric group by 1`,
      4,
    ],
    [
      `select count(*), time_bucket_gapfill('1 day', time, start => '2020-01-01', timezone => 'Europe/Berlin', finish => '2020-01-03') as day from metric group by day order by day`,
      3,
    ],
    [
      `select time_bucket_gapfill('1 day', time::date) as bucket from metric where time::date between date '2020-01-01' and date '2020-01-03' group by 1`,
      2,
    ],
    [
      `select time_bucket_gapfill('12 hours', time::timestamp, '2020-01-01', now()::timestamp - (now()::timestamp - '2020-01-02')) as bucket, device d from metric group by 1, d`,
      6,
    ],
    [
      `select time_bucket_gapfill(5, hits, 0, 20) as b, count(*) from metric group by time_bucket_gapfill(5, hits, 0, 20)`,
      5,
    ],
    [
      `select public.time_bucket_gapfill(5::smallint, hits::smallint, 0::smallint, 20::smallint) as b from metric group by b having count(*) > 0 order by b`,
      5,
    ],
    [`select time_bucket_gapfill(5, hits, 0, 20) as b, '$$' as a from metric group by 1, 2`, 5],
  ])('%s', async (sql, rows) => {
    expect(await db.query(await written(sql))).toHaveLength(rows);
  });

  it('also of one among several statements, for no row at all, and for EXPLAIN', async () => {
    const sql = `select time_bucket_gapfill(5, hits, 0, 20) as b from metric where false group by 1`;
    expect(await db.query(await written(`select 1; ${sql}; select 2`))).toHaveLength(4);
    expect((await db.error(`explain ${sql}`)).code).toBe('0A000');
  });

  it.each([
    ['a parameter', `select time_bucket_gapfill(5, hits, 0, $1) as b from metric group by 1`, [20]],
    ['no bounds', `select time_bucket_gapfill(5, hits) as b from metric group by 1`, []],
    ['bounds under OR', `select time_bucket_gapfill(5, hits) from metric where hits > 0 or hits < 9 group by 1`, []],
    ['a subquery', `select * from (select time_bucket_gapfill(5, hits, 0, 20) as b from metric group by 1) x`, []],
    ['no GROUP BY', `select time_bucket_gapfill(5, hits, 0, 20) from metric`, []],
    [
      'two names that are the same',
      `select time_bucket_gapfill(5, hits, 0, 20) as a, 1 as a from metric group by 1`,
      [],
    ],
    [
      'an order by an expression',
      `select time_bucket_gapfill(5, hits, 0, 20) from metric group by 1 order by count(*)`,
      [],
    ],
    ['a statement that hides it', `do $$ begin perform time_bucket_gapfill(5, 5); end $$`, []],
    ['a union', `select time_bucket_gapfill(5, hits, 0, 20) from metric group by 1 union select 1`, []],
  ])('but for %s it shows the form alone', async (_, sql, params) => {
    const { code, hint } = await db.error(sql, params);
    expect([code, hint]).toEqual(['0A000', expect.stringMatching(/^Pass the query as text: .*gapfill_integer\(/)]);
  });

  it('and nothing of what was sent is planned with the rights of somebody else', async () => {
    const owner = await db.role('definer');
    const sender = await db.connect(await db.role('sender'));
    await db.query(`create schema held authorization ${owner}; grant usage on schema held to public;
      create function held.fails() returns int language sql security definer as 'select time_bucket_gapfill(5, 5)';
      alter function held.fails() owner to ${owner};
      create function held.who() returns int language plpgsql immutable as $$begin raise notice 'planned by %', current_user; return 20; end$$`);
    const said: (string | undefined)[] = [];
    sender.on('notice', (n) => said.push(n.message));
    const e = await failure(
      sender,
      `select held.fails(); select time_bucket_gapfill(5, 5, 0, held.who()) as b from generate_series(1, 1) group by 1`,
    );
    expect([e.code, e.hint]).toEqual(['0A000', expect.stringMatching(/^Pass the query as text/)]);
    expect(said.filter((m) => m?.includes(owner))).toEqual([]);
  });
});

describe('locf over a window', () => {
  it('carries the last value that was not NULL, from prev on', async () => {
    expect(
      await db.query(`
        select g, locf(v) over w as a, locf(v, 9) over w as b
        from (values (1, 1, null), (1, 2, 3), (1, 3, null), (2, 1, null)) as s(g, t, v)
        window w as (partition by g order by t) order by g, t`),
    ).toEqual([
      { g: 1, a: null, b: 9 },
      { g: 1, a: 3, b: 3 },
      { g: 1, a: 3, b: 3 },
      { g: 2, a: null, b: 9 },
    ]);
    expect(
      await db.column(`select locf(v) over (order by t) from (values (1, array[1]), (2, null)) as s(t, v)`),
    ).toEqual([[1], [1]]);
  });

  it('is refused around another aggregate', async () => {
    expect(await db.error('select locf(avg(temp)) from metric')).toMatchObject({ code: '42803' });
  });
});

import { beforeAll, describe, expect, it } from 'vitest';
import { failure, useDatabase } from '../../../harness/database.ts';

const db = useDatabase();

const create = (name: string, query: string, options = ''): string =>
  `select create_continuous_aggregate('${name}', $q$${query}$q$${options === '' ? '' : `, ${options}`})`;

/** Rows that one query gives and the other does not. */
const difference = async (a: string, b: string): Promise<number> =>
  Number(
    await db.value(
      `select (select count(*) from (${a} except all ${b}) x) + (select count(*) from (${b} except all ${a}) y)`,
    ),
  );

beforeAll(async () => {
  await db.query('set client_min_messages = warning');
  await db.query('create table conditions (time timestamptz not null, device int, temp float8, "Odd ""name" text)');
  await db.query(`select create_hypertable('conditions', 'time', chunk_time_interval => interval '1 day')`);
  await db.query(`insert into conditions select '2024-01-01'::timestamptz + i * interval '10 min', i % 3, i % 17, 'x' || i % 2
    from generate_series(0, 2000) i`);
  await db.query('create table devices (id int primary key, name text, factor numeric)');
  await db.query(`insert into devices select i, 'device ' || i, 1.5 from generate_series(0, 2) i`);
});

/** Queries that can be aggregated continuously. */
const ACCEPTED: readonly (readonly [title: string, query: string])[] = [
  ['a bucket and an average', `select time_bucket('1 hour', time) as b, avg(temp) from conditions group by 1`],
  [
    'several columns, FILTER, DISTINCT and ORDER BY in aggregates',
    `select device, time_bucket('1 day', time) as b, sum(temp) filter (where temp > 3) as s, count(distinct device) as d,
       string_agg("Odd ""name", ',' order by time) as t, percentile_cont(0.5) within group (order by temp) as p
     from conditions group by b, device`,
  ],
  [
    'HAVING with an aggregate that is not selected',
    `select time_bucket('6 hours', time) b, device from conditions group by 1, 2 having avg(temp) > 7`,
  ],
  [
    'expressions of columns in GROUP BY',
    `select time_bucket('1 day', time) b, device % 2 as odd, case when temp > 5 then 'hot' else 'FROM cold' end as c, max(temp)
     from conditions where temp is distinct from 4 group by 1, 2, 3`,
  ],
  [
    'a join with a table',
    `select d.name, time_bucket('1 day', c.time) b, sum(c.temp * d.factor::float8) from devices d join conditions c on c.device = d.id
     where d.name <> 'device 1' group by 1, 2`,
  ],
  [
    'a left join that keeps its rows',
    `select time_bucket('1 day', time) b, count(d.id), count(*) as n from conditions left join devices d on d.id = device and d.id > 0 group by 1`,
  ],
  ['a bucket alone', `select time_bucket('1 day', time) as b from conditions group by 1`],
  ['groups without an aggregate', `select time_bucket('6 hours', time) as b, device from conditions group by 1, 2`],
  [
    'functions whose results settings decide',
    `select time_bucket('1 day', time) as b, extract(hour from time) as h, max(time + interval '1 hour') as m, jsonb_agg(temp order by time) as j,
       max(time::text) as t from conditions where date_trunc('hour', time) > '2024-01-02' group by 1, 2`,
  ],
  [
    'a bucket that is not selected',
    `select count(*) as n, min(time) as first from conditions group by time_bucket('1 day', time)`,
  ],
  [
    'an alias like a keyword',
    `select time_bucket('1 day', "order".time) b, count(*) from conditions as "order" group by 1`,
  ],
  [
    'an offset',
    `select time_bucket('1 day', time, "offset" => interval '6 hours') b, count(*) from conditions group by 1`,
  ],
  [
    'an origin',
    `select time_bucket('5 days', time, timestamptz '2024-01-02 00:00+00') b, count(*) from conditions group by 1`,
  ],
  ['weeks', `select time_bucket('1 week', time) b, count(*) from conditions group by 1`],
  ['months', `select time_bucket('1 month', time) b, count(*) from conditions group by 1`],
  [
    'months of a time zone',
    `select time_bucket('1 month', time, 'America/New_York') b, count(*) from conditions group by 1`,
  ],
  [
    'days of a time zone',
    `select time_bucket('1 day', time, 'Europe/Berlin') b, first(temp, time), last(temp, time) from conditions group by 1`,
  ],
  [
    'years of a time zone with an offset',
    `select time_bucket('1 year', time, 'Asia/Tokyo', "offset" => interval '10 days') b, histogram(temp, 0, 20, 4) from conditions group by 1`,
  ],
];

describe('a continuous aggregate answers like its query', () => {
  it.each(ACCEPTED.map(([title, query], i) => ({ title, query, name: `accepted_${i}` })))(
    '$title: empty, materialized, and with changes since',
    async ({ query, name }) => {
      await db.query(create(name, query, 'with_data => false'));
      expect(await difference(`select * from ${name}`, query)).toBe(0);
      await db.query(`call refresh_continuous_aggregate('${name}', null, null)`);
      expect(await difference(`select * from ${name}`, query)).toBe(0);
      expect(
        await db.value(`select count(*) from tessera_information.continuous_aggregates where view_name = $1`, [name]),
      ).toBe(1n);
      await db.query('begin');
      await db.query(
        `insert into conditions values ('2024-01-03 04:05', 1, 11, 'late'), ('2024-01-20 04:05', 2, 12, 'new')`,
      );
      await db.query(
        `update conditions set temp = temp + 20 where time between '2024-01-05 03:00' and '2024-01-05 03:30'`,
      );
      await db.query(`delete from conditions where time = '2024-01-07 00:00'`);
      await db.query('commit');
      expect(await difference(`select * from ${name}`, query)).toBe(0);
      await db.query(`call refresh_continuous_aggregate('${name}', null, null)`);
      await db.query(`select alter_continuous_aggregate('${name}', materialized_only => true)`);
      expect(await difference(`select * from ${name}`, query)).toBe(0);
      await db.query(`select drop_continuous_aggregate('${name}')`);
      expect(await db.value('select count(*) from _tessera_catalog.continuous_agg')).toBe(0n);
    },
  );

  it('with_data materializes at once, in a transaction block too', async () => {
    await db.query('begin');
    await db.query(
      create(
        'at_once',
        `select time_bucket('1 day', time) b, count(*) n from conditions group by 1`,
        'materialized_only => true',
      ),
    );
    expect(
      await difference(
        'select * from at_once',
        `select time_bucket('1 day', time), count(*) from conditions group by 1`,
      ),
    ).toBe(0);
    await db.query('rollback');
    expect(await db.value(`select to_regclass('at_once')`)).toBeNull();
    expect(await db.value('select count(*) from pg_trigger where tgname like $1', ['tessera_capture%'])).toBe(0n);
  });

  it('column_names name the columns of the view', async () => {
    await db.query(
      create(
        'named',
        `select time_bucket('1 day', time), count(*) from conditions group by 1`,
        `column_names => '{day,"how many"}'`,
      ),
    );
    expect(await db.value('select sum("how many")::int8 from named where day >= $1', ['2024-01-01'])).toBe(
      await db.value('select count(*) from conditions'),
    );
    await db.query(`select drop_continuous_aggregate('named')`);
  });

  it('column_names tell columns apart that have one name in the query', async () => {
    const query = `select time_bucket('1 day', time), sum(temp), sum(device), count(*) from conditions group by 1`;
    await db.query(create('apart', query, `column_names => '{day,x,y,count}'`));
    expect(await db.value('select (sum(x), sum(y), sum(count))::text from apart')).toBe(
      await db.value('select (sum(temp), sum(device), count(*)::numeric)::text from conditions'),
    );
    await db.query(
      `alter view apart rename column x to z; insert into conditions values ('2024-01-02 01:01', 1, 1, 'z')`,
    );
    expect(await db.value('select sum(z)::float8 from apart')).toBe(await db.value('select sum(temp) from conditions'));
    await db.query(`select drop_continuous_aggregate('apart'); delete from conditions where "Odd ""name" = 'z'`);
    expect((await db.error(create('x', query, `column_names => '{a,a}'`))).code).toBe('42701');
  });

  it.each([
    ['', `select time_bucket('1 day', time) b, count(*) from conditions group by 1 order by 1`],
    [
      ' by what is not selected, with a comment and a semicolon',
      `select time_bucket('1 day', time) b, device, count(*) from conditions group by 1, 2 having count(*) > 3
       order by avg(temp) desc nulls last, device -- limit 3;
       ;`,
    ],
  ])('ORDER BY at the end is left out with a notice%s', async (_, query) => {
    await db.query('set client_min_messages = notice');
    const said = await db.notices(create('ordered', query));
    await db.query('set client_min_messages = warning');
    expect(said.map((n) => n.message)).toContain(
      'ORDER BY of the query of a continuous aggregate is left out: put it into the queries that read it',
    );
    expect(
      await db.value(
        `select not exists (select * from ordered except all (${query.replaceAll(/;| *--.*/g, '')})) and count(*) > 0 from ordered`,
      ),
    ).toBe(true);
    expect(
      await db.value(
        `select view_definition from tessera_information.continuous_aggregates where view_name = 'ordered'`,
      ),
    ).not.toMatch(/ORDER BY/);
    await db.query(`select drop_continuous_aggregate('ordered')`);
  });

  it('functions whose results settings decide are named in a warning', async () => {
    const said = await db.notices(
      create(
        'hours',
        `select time_bucket('1 day', time) b, extract(hour from time) h, count(*) from conditions group by 1, 2`,
      ),
    );
    expect(said).toEqual([
      {
        severity: 'WARNING',
        message:
          'results of "extract"(text,timestamp with time zone) may depend on settings, such as TimeZone: what refreshes materialize may differ from what other sessions compute',
      },
    ]);
    await db.query(`select drop_continuous_aggregate('hours')`);
  });

  it('if_not_exists skips with a notice and returns null', async () => {
    const query = `select time_bucket('1 day', time) b, count(*) from conditions group by 1`;
    await db.query(create('once', query));
    await db.query('set client_min_messages = notice');
    const said = await db.notices(create('once', query, 'if_not_exists => true'));
    expect(said.map((n) => n.message)).toContain('relation "public.once" already exists, skipping');
    await db.query('set client_min_messages = warning');
    await db.query(`select drop_continuous_aggregate('once')`);
  });

  it('the view goes where the name or the search path of the caller says', async () => {
    await db.query('create schema "My Schema"');
    await db.query(
      create(
        '"My Schema"."Daily ""view"""',
        `select time_bucket('1 day', time) b, count(*) from conditions group by 1`,
      ),
    );
    expect(
      await db.value(`select view_name from tessera_information.continuous_aggregates where view_schema = 'My Schema'`),
    ).toBe('Daily "view"');
    await db.query(`set search_path to "My Schema", public`);
    await db.query(create('plain', `select time_bucket('1 day', time) b, count(*) from conditions group by 1`));
    await db.query('reset search_path');
    expect(await db.value(`select count(*) from "My Schema".plain`)).toBeGreaterThan(0n);
    await db.query(
      `select drop_continuous_aggregate('"My Schema".plain'), drop_continuous_aggregate('"My Schema"."Daily ""view"""')`,
    );
  });

  it('the original definition is kept for display', async () => {
    await db.query(create('shown', `select time_bucket('1 day', time) b, count(*) from conditions group by 1`));
    const text = String(
      await db.value(`select view_definition from tessera_information.continuous_aggregates where view_name = 'shown'`),
    );
    expect(text).toContain('FROM conditions');
    expect(text).not.toContain('stale');
    await db.query(`select drop_continuous_aggregate('shown')`);
  });

  it('reads only chunks that hold stale rows', async () => {
    await db.query(create('pruned', `select time_bucket('1 hour', time) b, count(*) n from conditions group by 1`));
    await db.query(`insert into conditions values ('2024-01-04 12:34', 0, 1, 'late')`);
    const plan = (await db.column('explain (analyze, costs off, timing off, summary off) select * from pruned')).join(
      '\n',
    );
    const scans = plan.split('\n').filter((l) => /on _hyper_\d+_\d+_chunk conditions/.test(l));
    expect(scans.length).toBeGreaterThan(10);
    expect(scans.filter((l) => !l.includes('never executed')).length).toBeLessThanOrEqual(3);
    await db.query(`select drop_continuous_aggregate('pruned')`);
  });
});

/** Queries that cannot, with the SQLSTATE and what the message or its detail says. */
const REFUSED: readonly (readonly [query: string, state: string, says: RegExp])[] = [
  ['select count(*) from conditions', '0A000', /no GROUP BY/],
  [`select date_trunc('day', time, 'UTC'), count(*) from conditions group by 1`, '0A000', /time_bucket|immutable/],
  [`select device, count(*) from conditions group by 1`, '0A000', /time_bucket/],
  [
    `select time_bucket('1 day', time), time_bucket('1 hour', time) as h, count(*) from conditions group by 1, 2`,
    '0A000',
    /time_bucket/,
  ],
  [`select time_bucket('1 day', time + interval '1 h'), count(*) from conditions group by 1`, '0A000', /time/],
  [`select time_bucket(temp * interval '1 day', time), count(*) from conditions group by 1`, '0A000', /constant/],
  [
    `select time_bucket('1 day', time), count(*) from conditions where time > now() group by 1`,
    '0A000',
    /not immutable/,
  ],
  [
    `select time_bucket('1 day', time), count(*) from conditions where age(time) > '1 day' group by 1`,
    '0A000',
    /not immutable/,
  ],
  [
    `select time_bucket('1 day', time, origin => '2000-01-01'::timestamptz + interval '1 day'), count(*) from conditions group by 1`,
    '0A000',
    /not immutable/,
  ],
  [`select time_bucket('1 day', time), count(*), random() from conditions group by 1`, '0A000', /not immutable/],
  [`select time_bucket('1 day', time), count(*), current_user from conditions group by 1`, '0A000', /not immutable/],
  [
    `select time_bucket('1 day', time), row_number() over (), count(*) from conditions group by 1`,
    '0A000',
    /[Ww]indow/,
  ],
  [`select distinct time_bucket('1 day', time), count(*) from conditions group by 1`, '0A000', /DISTINCT/],
  [`select time_bucket('1 day', time), count(*) from conditions group by 1 order by 1 limit 1`, '0A000', /LIMIT/],
  [
    `select distinct on (1) time_bucket('1 day', time), count(*) from conditions group by 1 order by 1`,
    '0A000',
    /DISTINCT/,
  ],
  [`select time_bucket('1 day', time), sum(temp), sum(device) from conditions group by 1`, '42701', /more than once/],
  [`select time_bucket('1 day', time), count(*) from conditions group by 1 limit 1`, '0A000', /LIMIT/],
  [`select time_bucket('1 day', time), count(*) from conditions group by rollup (1)`, '0A000', /ROLLUP/],
  [`select time_bucket('1 day', time), count(*), (select 1) from conditions group by 1`, '0A000', /[Ss]ubquer/],
  [
    `with c as (select * from conditions) select time_bucket('1 day', time), count(*) from c group by 1`,
    '0A000',
    /WITH/,
  ],
  [`select time_bucket('1 day', time), count(*) from (select * from conditions) c group by 1`, '0A000', /subquery/],
  [`select time_bucket('1 day', time), count(*) from only conditions group by 1`, '0A000', /ONLY/],
  [
    `select time_bucket('1 day', time), count(*) from conditions tablesample system (10) group by 1`,
    '0A000',
    /TABLESAMPLE/,
  ],
  [
    `select time_bucket('1 day', a.time), count(*) from conditions a join conditions b using (time) group by 1`,
    '0A000',
    /more than once/,
  ],
  [
    `select time_bucket('1 day', time), count(*) from devices d left join conditions c on c.device = d.id group by 1`,
    '0A000',
    /outer join|preserve|null/,
  ],
  [
    `select time_bucket('1 day', time), count(*) from devices d full join conditions c on c.device = d.id group by 1`,
    '0A000',
    /FULL JOIN/,
  ],
  [`select time_bucket('1 day', time), count(conditions) from conditions group by 1`, '0A000', /whole/],
  [`select time_bucket('1 day', time), count(tableoid) from conditions group by 1`, '0A000', /system columns/],
  [
    `select time_bucket('1 day', time), count(*) from conditions group by 1 union all select now(), 1`,
    '0A000',
    /UNION/,
  ],
  [`select time_bucket('1 day', time), count(*) from plain group by 1`, 'TS001', /no hypertable/],
  [`select time_bucket('1 day', time), count(*) from seen group by 1`, 'TS001', /no hypertable/],
  [`select time_bucket('1 day', time), count(*) from conditions, other group by 1`, '42702', /ambiguous/],
  [`select time_bucket('1 day', conditions.time), count(*) from conditions, other group by 1`, '0A000', /several/],
  [`select time_bucket('-1 day', time), count(*) from conditions group by 1`, '22023', /greater than zero/],
  [`select time_bucket('1 month 1 day', time), count(*) from conditions group by 1`, '0A000', /month/],
  [`select time_bucket(null::interval, time), count(*) from conditions group by 1`, '22023', /must not be null/],
  [`select time_bucket('1 day', time, 'Nowhere/Land'), count(*) from conditions group by 1`, '22023', /time zone/],
  ['select 1; drop table devices', '42601', /single statement/],
  ['nonsense', '42601', /syntax error/],
  ['select time_bucket($1, time), count(*) from conditions group by 1', '42P02', /parameter/],
  ['', '42601', /syntax error/],
];

describe('what cannot be aggregated continuously', () => {
  beforeAll(async () => {
    await db.query('create table plain (time timestamptz not null)');
    await db.query('create view seen as select * from conditions');
    await db.query('create table other (time timestamptz not null)');
    await db.query(`select create_hypertable('other', 'time')`);
  });

  it.each(REFUSED.map(([query, state, says]) => ({ query, state, says })))(
    '$state for: $query',
    async ({ query, state, says }) => {
      const before = await db.value('select count(*) from pg_class');
      const e = await db.error(create('refused', query));
      expect([e.code, `${e.message} ${e.detail ?? ''}`]).toEqual([state, expect.stringMatching(says)]);
      expect(await db.value('select count(*) from pg_class')).toBe(before);
    },
  );

  it('a row as a whole, and its columns by the hint instead, whatever becomes of the table', async () => {
    await db.query(`create table wide (at timestamptz not null, a int, "b c" text); select create_hypertable('wide', 'at');
      insert into wide values ('2024-01-01', 1, 'x'), ('2024-01-01 01:00', 2, 'y')`);
    const { code, detail, hint } = await db.error(
      create('refused', `select time_bucket('1 day', at) as d, last(wide, at) from wide group by 1`),
    );
    expect([code, detail, hint]).toEqual([
      '0A000',
      'It uses rows of "public.wide" as a whole, whose columns ALTER TABLE could not change any more.',
      'Name each column that is wanted: last("a", "at"), last("b c", "at"); count(*) counts rows.',
    ]);
    const [, columns] = /wanted: (.*);/.exec(String(hint)) ?? [];
    await db.query(
      create('named', `select time_bucket('1 day', at), ${columns} from wide group by 1`, `column_names => '{d,a,b}'`),
    );
    await db.query('alter table wide add column z int default 3');
    await db.query(`insert into wide values ('2024-01-01 02:00', 4, 'z')`);
    expect(await db.query('select a, b from named')).toEqual([{ a: 4, b: 'z' }]);
  });

  it.each([
    [`rank() over (order by time_bucket('1 day', time))`, 'Window functions are not supported.'],
    ['unnest(array_agg(device))', 'Functions that return sets are not supported in the select list.'],
    ['generate_series(1, 2)', 'Functions that return sets are not supported in the select list.'],
  ])('%s belongs into the queries that read', async (column, says) => {
    const { code, detail, hint } = await db.error(
      create('refused', `select time_bucket('1 day', time), count(*), ${column} from conditions group by 1`),
    );
    expect([code, detail, hint]).toEqual([
      '0A000',
      says,
      'Put it into the queries that read the continuous aggregate.',
    ]);
  });

  it.each([
    [
      'a name that is taken',
      create('conditions', `select time_bucket('1 day', time), count(*) from conditions group by 1`),
      '42P07',
    ],
    [
      'a name of three parts',
      create('a.b.c', `select time_bucket('1 day', time), count(*) from conditions group by 1`),
      '42602',
    ],
    [
      'a schema that is not there',
      create('nowhere.x', `select time_bucket('1 day', time), count(*) from conditions group by 1`),
      '3F000',
    ],
    ['no name', `select create_continuous_aggregate(null, 'select 1')`, '22023'],
    ['no query', `select create_continuous_aggregate('x', null)`, '22023'],
    [
      'too many column names',
      create(
        'x',
        `select time_bucket('1 day', time), count(*) from conditions group by 1`,
        `column_names => '{a,b,c}'`,
      ),
      '42601',
    ],
    [
      'an integer lag for calendar time',
      create('x', `select time_bucket('1 day', time), count(*) from conditions group by 1`, 'refresh_lag => 5'),
      '22023',
    ],
    [
      'a batch shorter than a bucket',
      create(
        'x',
        `select time_bucket('1 day', time), count(*) from conditions group by 1`,
        `max_interval_per_job => interval '1 hour'`,
      ),
      '22023',
    ],
    [
      'a negative age to ignore',
      create(
        'x',
        `select time_bucket('1 day', time), count(*) from conditions group by 1`,
        `ignore_invalidation_older_than => interval '-1 hour'`,
      ),
      '22023',
    ],
    [
      'offsets without a schedule',
      create(
        'x',
        `select time_bucket('1 day', time), count(*) from conditions group by 1`,
        `start_offset => interval '3 days'`,
      ),
      '22023',
    ],
  ])('%s is refused', async (_, sql, state) => {
    expect((await db.error(sql)).code).toBe(state);
  });

  it('a table with row-level security is refused', async () => {
    await db.query('alter table other enable row level security');
    const e = await db.error(create('x', `select time_bucket('1 day', time), count(*) from other group by 1`));
    expect([e.code, e.detail]).toEqual(['0A000', expect.stringContaining('Row-level security')]);
    await db.query('alter table other disable row level security');
  });

  it('REPEATABLE READ is refused', async () => {
    await db.query('begin isolation level repeatable read');
    expect(
      (await db.error(create('x', `select time_bucket('1 day', time), count(*) from conditions group by 1`))).code,
    ).toBe('25001');
    await db.query('rollback');
  });

  it('somebody who does not own the hypertable is refused, whatever he may read', async () => {
    const role = await db.role('reader');
    await db.query(`grant select, trigger on conditions to ${role}; grant create on schema public to ${role}`);
    const session = await db.as(role);
    const e = await failure(
      session,
      create('x', `select time_bucket('1 day', time), count(*) from conditions group by 1`),
    );
    expect([e.code, e.message]).toEqual(['42501', 'must be owner of hypertable "public.conditions"']);
    await db.query(`revoke all on conditions from ${role}; revoke create on schema public from ${role}`);
  });

  it('the materialization of another one is refused, the other one itself is not', async () => {
    await db.query(create('first_one', `select time_bucket('1 day', time) b, count(*) n from conditions group by 1`));
    const mat =
      await db.value(`select format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name)
      from tessera_information.continuous_aggregates where view_name = 'first_one'`);
    const e = await db.error(create('x', `select time_bucket('2 days', b), sum(n) from ${mat} group by 1`));
    expect([e.code, e.hint]).toEqual(['0A000', 'Read the continuous aggregate itself: public.first_one.']);
    await db.query(`select drop_continuous_aggregate('first_one')`);
  });
});

import { beforeAll, describe, expect, it } from 'vitest';
import { failure, useDatabase } from '../../harness/database.ts';

const db = useDatabase();

const PARALLEL = `
  set max_parallel_workers_per_gather = 2; set parallel_setup_cost = 0; set parallel_tuple_cost = 0;
  set min_parallel_table_scan_size = 0`;

beforeAll(async () => {
  await db.query(`
    create table reading (
      device int, small smallint, n int, big bigint, r real, d double precision, num numeric, ts timestamptz,
      local timestamp, day date, tod time, iv interval, name text, id uuid, payload jsonb, list int[]
    );
    insert into reading
    select
      i % 7, i % 20000, i, i * 1000000007::bigint * 97, (i % 1000) - 500.25, sin(i) * 1e300, (i * 7919 % 100003) / 7.0,
      timestamptz '1990-01-01 00:00+00' + (i * 7919 % 100003) * interval '1 hour 13.000001 s',
      timestamp '1990-01-01' + (i * 7919 % 100003) * interval '37 minutes', date '1990-01-01' + (i * 7919 % 20011),
      time '00:00' + (i * 7919 % 86399) * interval '1 s', (i * 7919 % 100003) * interval '31 minutes',
      md5(i::text), md5(i::text)::uuid, jsonb_build_object('i', i), case when i % 3 = 0 then null else array[i, null, i + 1] end
    from generate_series(1, 20000) as i;
    analyze reading`);
});

describe('first and last', () => {
  it('pick the value of the row with the smallest and largest time', async () => {
    expect(
      await db.query(`
        select device, first(n, ts) = (array_agg(n order by ts))[1] as f, last(n, ts) = (array_agg(n order by ts desc))[1] as l
        from reading group by device order by device`),
    ).toEqual([0, 1, 2, 3, 4, 5, 6].map((device) => ({ device, f: true, l: true })));
  });

  for (const mode of ['one process', 'parallel workers']) {
    it.each(['small', 'n', 'big', 'r', 'd', 'num', 'ts', 'local', 'day', 'tod', 'iv', 'name', 'id'])(
      `agree with a sort for every type of by: %s, ${mode}`,
      async (by) => {
        await db.query(mode === 'one process' ? 'set max_parallel_workers_per_gather = 0' : PARALLEL);
        expect(
          await db.query(`
            with ends as (
              select device, first(${by}, ${by}) as f, last(${by}, ${by}) as l, first(n, ${by}) as fn, last(list, ${by}) as ll
              from reading group by device
            )
            select e.device from ends as e
            where f is distinct from (select ${by} from reading as r where r.device = e.device order by ${by} limit 1)
              or l is distinct from (select ${by} from reading as r where r.device = e.device order by ${by} desc limit 1)
              or not exists (select from reading as r where r.device = e.device and r.n = fn and r.${by} = f)
              or not exists (
                select from reading as r
                where r.device = e.device and r.list is not distinct from ll and r.${by} = l)`),
        ).toEqual([]);
      },
    );
  }

  it('really run in parallel, with partial aggregates', async () => {
    await db.query(PARALLEL);
    for (const call of ['first(d, ts)', 'last(list, num)', 'last(name, name)']) {
      const plan = (await db.column(`explain (costs off) select ${call} from reading`)).join('\n');
      expect(plan, call).toContain('Partial Aggregate');
      expect(plan).toContain('Parallel Seq Scan');
    }
    await db.query('reset max_parallel_workers_per_gather');
  });

  it('ignore rows whose by is NULL unless all are', async () => {
    for (const type of ['int', 'timestamptz', 'numeric', 'text']) {
      const by = (n: number | null): string =>
        n === null ? 'null' : type === 'timestamptz' ? `'2020-01-0${n}'` : `'${n}'`;
      const pick = (rows: [string, number | null][], call: string): Promise<unknown> =>
        db.value(`select ${call}::text from (values ${rows.map(([v, n]) => `(${v}, ${by(n)}::${type})`)}) as s(v, t)`);
      expect(
        await pick(
          [
            ['1', null],
            ['2', 5],
            ['3', 4],
          ],
          'last(v, t)',
        ),
      ).toBe('2');
      expect(
        await pick(
          [
            ['1', null],
            ['2', 5],
            ['3', 4],
          ],
          'first(v, t)',
        ),
      ).toBe('3');
      expect(
        await pick(
          [
            ['1', null],
            ['2', null],
          ],
          'first(v, t)',
        ),
      ).toBe('1');
      expect(
        await pick(
          [
            ['1', null],
            ['2', null],
          ],
          'last(v, t)',
        ),
      ).toBe('1');
      expect(
        await pick(
          [
            ['3', 5],
            ['1', null],
          ],
          'first(v, t)',
        ),
      ).toBe('3');
      expect(
        await pick(
          [
            ['null', 5],
            ['3', 4],
            ['1', null],
          ],
          'last(v, t)',
        ),
      ).toBeNull();
      expect(
        await pick(
          [
            ['null', null],
            ['3', 4],
          ],
          'first(v, t)',
        ),
      ).toBe('3');
      expect(
        await pick(
          [
            ['7', 5],
            ['8', 5],
            ['9', 5],
          ],
          'first(v, t)',
        ),
      ).toBe('7');
      expect(
        await pick(
          [
            ['7', 5],
            ['8', 5],
            ['9', 5],
          ],
          'last(v, t)',
        ),
      ).toBe('7');
    }
  });

  it('give NULL for no rows', async () => {
    expect(
      await db.query('select first(n, ts) as a, last(n, name) as b, last(list, ts) as c from reading where false'),
    ).toEqual([{ a: null, b: null, c: null }]);
  });

  it('order infinities, NaN and negative zero as PostgreSQL does', async () => {
    expect(
      await db.query(`
        select first(v, f) as f, last(v, f) as l, first(v, f) filter (where v in (1, 2)) as zero
        from (values (1, '-0'::float8), (2, '0'), (3, 'NaN'), (4, 'infinity'), (5, '-infinity'), (6, -1e-300)) as s(v, f)`),
    ).toEqual([{ f: 5, l: 3, zero: 1 }]);
    for (const type of ['date', 'timestamp', 'timestamptz']) {
      expect(
        await db.query(`
          select first(v, t) as f, last(v, t) as l
          from (values (1, '-infinity'::${type}), (2, '2020-01-01'), (3, 'infinity')) as s(v, t)`),
      ).toEqual([{ f: 1, l: 3 }]);
    }
    expect(
      await db.query(`
        select first(v, t) as f, last(v, t) as l
        from (values (1, 9223372036854775807), (2, (-9223372036854775808)::bigint), (3, 0)) as s(v, t)`),
    ).toEqual([{ f: 2, l: 1 }]);
    expect(
      await db.value(
        `select last(v, t) from (values (1, timestamptz '4714-11-24 00:00+00 BC'), (2, '294276-12-31 23:59:59.999999+00')) as s(v, t)`,
      ),
    ).toBe(2);
  });

  it('return values exactly, whatever the session prints them as', async () => {
    await db.query(`set extra_float_digits = -10; set datestyle = 'SQL, DMY'; set timezone = 'Asia/Kolkata'`);
    for (const by of ['timestamptz', 'numeric']) {
      for (const [value, type] of [
        ['0.1::float8 + 0.2::float8', 'float8'],
        [`array['NaN', 1e-320::float8, 0.1::float8 + 0.2::float8]`, 'float8[]'],
        [`timestamptz '2020-07-01 12:34:56.789012+00'`, 'timestamptz'],
        [`row(1, 'a "quoted" \\ text', 0.1::float8 + 0.2::float8)::pair`, 'pair'],
        [`'ab  '::char(4)`, 'char(4)'],
        [`''::text`, 'text'],
        [`'\\x00ff'::bytea`, 'bytea'],
        [`'{"a": null}'::jsonb`, 'jsonb'],
        ['12345678901234567890.000', 'numeric'],
      ] as const) {
        await db.query(
          'do $$ begin create type pair as (a int, b text, c float8); exception when duplicate_object then null; end $$',
        );
        expect(
          await db.value(`
            select last(v, t) is not distinct from ${value} and octet_length(last(v, t)::text) = octet_length((${value})::text)
            from (values (${value}, ${by === 'numeric' ? 1 : 'now()'})) as s(v, t)`),
          `${type} by ${by}`,
        ).toBe(true);
      }
    }
    await db.query('reset extra_float_digits; reset datestyle; reset timezone');
  });

  it('take whole rows, arrays and domains as values', async () => {
    await db.query('create domain percent as int check (value between 0 and 100)');
    expect(
      await db.query(`
        select (last(w, ts)).n = last(n, ts) as whole, last(list, n) as list, pg_typeof(last(5::percent, ts))::text as domain
        from reading as w where n < 12`),
    ).toEqual([{ whole: true, list: [11, null, 12], domain: 'percent' }]);
  });

  it('work with FILTER, over windows and in subqueries', async () => {
    expect(
      await db.query(`
        select n, first(n, ts) filter (where n > 2) over w as f, last(n, n) over w as l
        from reading where n < 6 window w as (order by n rows between 1 preceding and current row) order by n`),
    ).toEqual([
      { n: 1, f: null, l: 1 },
      { n: 2, f: null, l: 2 },
      { n: 3, f: 3, l: 3 },
      { n: 4, f: expect.any(Number), l: 4 },
      { n: 5, f: expect.any(Number), l: 5 },
    ]);
  });

  it('order text by the collation of the call', async () => {
    const ends = (collation: string): Promise<unknown> =>
      db.query(
        `select first(v, v collate "${collation}") as f, last(v, v collate "${collation}") as l from unnest(array['a', 'B', 'c']) as v`,
      );
    expect(await ends('C')).toEqual([{ f: 'B', l: 'c' }]);
    expect(await ends('und-x-icu')).toEqual([{ f: 'a', l: 'c' }]);
  });

  it('merge types that are not spelled out in parallel too', async () => {
    await db.query(PARALLEL);
    await db.query(
      'create table addressed as select n, (inet \'10.0.0.0\' + (n * 7919 % 20011)) as ip, n::text collate "C" as c from reading',
    );
    await db.query('analyze addressed');
    const plan = (await db.column('explain (costs off) select last(n, ip) from addressed')).join('\n');
    expect(plan).toContain('Partial Aggregate');
    expect(
      await db.value(`
        select last(n, ip) = (array_agg(n order by ip desc))[1] and first(n, ip) = (array_agg(n order by ip))[1]
          and last(n, c::name) = (array_agg(n order by c::name desc))[1] from addressed`),
    ).toBe(true);
    await db.query('reset max_parallel_workers_per_gather');
  });

  it('refuse a type of by that has no order, on the first row', async () => {
    expect(await db.error(`select first(1, point '(1,2)')`)).toMatchObject({ code: '42883' });
    expect(await db.error(`select last(1, '{}'::json)`)).toMatchObject({ code: '42883' });
    expect(await db.error('select first(1)')).toMatchObject({ code: '42883' });
  });

  it('can be called by a role without any grant', async () => {
    const reader = await db.connect(await db.role('reader'));
    const { rows } = await reader.query(`
      select first(v, t) as f, last(v, t) as l, last(v, t::text) as lt, last(array[v], t) as la
      from (values (1, 10), (2, 20)) as s(v, t)`);
    expect(rows).toEqual([{ f: 1, l: 2, lt: 2, la: [2] }]);
    expect(await failure(reader, 'select first(n, ts) from reading')).toMatchObject({ code: '42501' });
  });

  it('have a comment on every form', async () => {
    expect(
      await db.query(`
        select oid::regprocedure::text from pg_proc
        where proname in ('first', 'last', 'histogram', 'locf') and (obj_description(oid, 'pg_proc') is null or proparallel <> 's' and proname <> 'locf')`),
    ).toEqual([]);
  });
});

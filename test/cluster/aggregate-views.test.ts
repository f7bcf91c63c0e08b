import { beforeAll, describe, expect, test } from 'vitest';
import { hasWorkers, useCluster } from '../harness/cluster.ts';
import { random } from '../harness/random.ts';

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Async Capable'?: boolean;
  readonly Relations?: string;
  readonly 'Remote SQL'?: string;
  readonly Plans?: readonly PlanNode[];
}

const nodesOf = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];

const textOf = (value: unknown): string =>
  JSON.stringify(value, (_, v: unknown) => (typeof v === 'bigint' ? `${v}n` : v));

/** Floating-point sums depend on the order of the values. */
const near = (a: unknown, b: unknown): boolean =>
  typeof a === 'number' && typeof b === 'number'
    ? Object.is(a, b) || Math.abs(a - b) <= 1e-6 * Math.max(Math.abs(a), Math.abs(b))
    : textOf(a) === textOf(b);

/** Rows in an order to which the last digits of numbers do not matter. */
const inOrder = (rows: readonly object[]): unknown[][] => {
  const key = (row: readonly unknown[]): string =>
    textOf(row.map((v) => (typeof v === 'number' ? v.toPrecision(5) : v)));
  return rows.map((r) => Object.values(r) as unknown[]).sort((a, b) => (key(a) < key(b) ? -1 : 1));
};

// A server of the user's own has no workers beside it.
describe.skipIf(!hasWorkers())('aggregates where the rows are', () => {
  const { db, nodes } = useCluster({ nodes: 2 });

  beforeAll(async () => {
    await db.query(`create table d (k int, id int, n numeric(12,3), s text, b boolean, f float8, r real, g bigint, i interval, ts timestamptz);
      create table o (k int, w int);
      create table plain_o (k int, w int);
      create table other (k int);
      create table local (k int)`);
    await db.query(`select create_distributed_table('d', 'k', shard_count => 4);
      select create_distributed_table('o', 'k', colocate_with => 'd');
      select create_distributed_table('other', 'k', colocate_with => 'none', shard_count => 2)`);
    await db.query(`insert into d select case when x % 17 = 0 then null else x % 40 end, x, case when x % 5 > 0 then x * 1.125 end,
        case when x % 7 > 0 then 'text ' || x % 9 end, x % 3 = 0, case when x % 6 > 0 then 1e6 + sqrt(x) end, x / 7.0, x * 3000000000,
        x * interval '1 minute 3 days', timestamptz '2026-03-28 22:00+00' + x * interval '7 minutes'
      from generate_series(1, 900) x`);
    await db.query(
      'create table plain as select * from d; insert into o select x % 60, x from generate_series(1, 200) x',
    );
    await db.query('insert into plain_o select * from o');
  });

  /** That a view of the query has the rows of the query over a plain table. */
  const expectAnswer = async (query: string): Promise<void> => {
    await db.query('drop view if exists v');
    await db.query('select create_aggregate_view($1, $2)', ['v', query]);
    const right = query.replace(/\bfrom d\b/, 'from plain d').replace(/\bjoin o\b/, 'join plain_o o');
    const [a, b] = [inOrder(await db.query('select * from v')), inOrder(await db.query(right))];
    expect([query, a.length]).toEqual([query, b.length]);
    a.forEach((row, r) => {
      row.forEach((value, c) => {
        if (!near(value, b[r]?.[c])) expect([query, row]).toEqual([query, b[r]]);
      });
    });
  };

  const planOf = async (sql: string): Promise<PlanNode[]> => {
    const [{ Plan }] = (await db.value(`explain (verbose, format json) ${sql}`)) as [{ Plan: PlanNode }];
    return nodesOf(Plan);
  };

  test('are right for every kind of aggregate, with and without groups and conditions', async () => {
    const aggregates = [
      ['count(*)', 'count(n)', 'sum(id)', 'sum(g)', 'sum(n)', 'sum(f)', 'sum(r)', 'sum(i)'],
      ['avg(id)', 'avg(g)', 'avg(n)', 'avg(f)', 'avg(r)', 'avg(i)'],
      [
        'min(s)',
        'max(ts)',
        'min(n)',
        'max(i)',
        'bool_and(b)',
        'bool_or(b)',
        'every(id > 0)',
        'bit_or(id)',
        'bit_and(g)',
      ],
      ['stddev(id)', 'variance(g)', 'var_pop(n)', 'stddev_pop(id)', 'stddev_samp(n)', 'var_samp(id)', 'bit_xor(id)'],
      ['stddev(f)', 'variance(f)', 'var_pop(r)', 'stddev_pop(r)', 'stddev_samp(f)', 'var_samp(r)'],
      ['first(s, ts)', 'last(n, id)', 'last(f, ts) filter (where b)', 'first(ts, n)'],
      ['histogram(f, 1e6, 1000040, 5)', 'histogram(id, 0, 500, 3) filter (where b)'],
      [
        'max(id) - min(id)',
        '100.0 * count(*) filter (where b) / nullif(count(*), 0)',
        'coalesce(sum(n), 0)',
        'round(avg(n), 2)',
      ],
      ['count(*)::int', 'max(distinct s)', '(avg(n))::numeric(10,1)', `max(case when b then s end) || ' ' || min(s)`],
    ].map((list) => list.map((a, i) => `${a} as a${i}`).join(', '));
    for (const a of aggregates)
      for (const query of [
        `select ${a} from d`,
        `select ${a} from d where id < 0`,
        `select s, ${a} from d group by s`,
        `select ${a}, b, time_bucket('1 hour', ts) as hour from d where n > 3 or s is null group by b, hour`,
      ])
        await expectAnswer(query);
  });

  test('are right for queries drawn at random', { timeout: 180_000 }, async () => {
    const next = random(20_261_129);
    const below = (n: number): number => next() % n;
    const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
    const keys = [
      's',
      'b',
      'id % 5',
      `date_trunc('day', ts, 'UTC')`,
      `time_bucket('6 hours', ts)`,
      'lower(s)',
      'k',
      'k + 1',
      'id / 100',
    ];
    const values = ['id', 'n', 'f', 'g', 'd.r', 'length(s)', 'id * 2 + 1', 'case when b then id end'];
    const some = (): string => {
      const v = pick(values);
      const call = pick([
        `count(${v})`,
        `sum(${v})`,
        `avg(${v})`,
        `min(${v})`,
        `max(${v})`,
        `stddev(${v})`,
        `var_pop(${v})`,
        `last(${v}, id)`,
        'count(*)',
      ]);
      return below(4) === 0 ? `${call} filter (where ${pick(['b', 'id > 100', 's is not null'])})` : call;
    };
    for (let round = 0; round < 60; round++) {
      const groups = [...new Set(Array.from({ length: below(4) }, () => pick(keys)))];
      const targets = Array.from({ length: 1 + below(4) }, (_, i) =>
        below(4) === 0 ? `${some()} is null or ${some()} > 0 as c${i}` : `${some()} as c${i}`,
      );
      const list = [...groups.map((g, i) => `${g} as g${i}`), ...targets].sort(() => below(3) - 1);
      const where =
        below(2) === 0
          ? ` where ${pick(['id < 300', "s = 'text 3'", 'k between 3 and 9', 'd.id in (select 5 union select 40)'])}`
          : '';
      const having =
        below(3) === 0 ? ` having ${pick(['count(*) > 5', 'min(id) < 50', 'count(*) filter (where b) > 1'])}` : '';
      await expectAnswer(
        `select ${list.join(', ')} from d${where}${groups.length === 0 ? '' : ` group by ${groups.join(', ')}`}${having}`,
      );
    }
  });

  test('are computed on the nodes, side by side, with conditions on what is grouped by', async () => {
    await db.query(
      `select create_aggregate_view('side', 'select b, time_bucket(''1 day'', ts) as day, avg(f), count(*) from d group by b, day')`,
    );
    const all = await planOf('select * from side');
    expect(all.filter((n) => n['Node Type'] === 'Foreign Scan')).toHaveLength(4);
    for (const n of all.filter((p) => p['Node Type'] === 'Foreign Scan')) {
      expect(n.Relations).toMatch(/^Aggregate on /);
      expect(n['Async Capable']).toBe(true);
    }
    const sent = await planOf(`select avg from side where b and day > '2026-03-30'`);
    for (const n of sent.filter((p) => p['Node Type'] === 'Foreign Scan')) {
      expect(n['Async Capable']).toBe(true);
      expect(n['Remote SQL']).toMatch(/WHERE \(b\) AND \(\(date_bin\(.* > .*GROUP BY/);
    }
  });

  test('over colocated tables that are joined by their distribution columns', async () => {
    await expectAnswer('select d.s, sum(o.w), count(*) from d join o on o.k = d.k group by d.s');
    await expectAnswer('select o.w % 3 as x, max(d.n) from d left join o on o.k = d.k and o.w > 20 group by x');
    await expectAnswer('select count(*) from d join o using (k)');
    await expectAnswer('select count(*), avg(d.n) from d join o on true where d.k = o.k');
  });

  test('take any aggregate where the groups have the distribution column', async () => {
    await expectAnswer(
      "select k, count(distinct s), percentile_cont(0.5) within group (order by f), string_agg(s, ',' order by id) from d group by k having count(*) > 3",
    );
    await expectAnswer('select s, k, count(distinct id) + 1 as c from d group by 1, 2');
  });

  test('refuse what cannot be split, saying what it is', async () => {
    const refused: readonly (readonly [string, string])[] = [
      [
        'select count(distinct s) from d',
        'What count(DISTINCT s) gives for parts of the rows cannot be combined: with DISTINCT, parts may have values in common.',
      ],
      [
        'select b, array_agg(id order by id) from d group by b',
        'What array_agg(id ORDER BY id) gives for parts of the rows cannot be combined: it depends on the order of all rows.',
      ],
      [
        "select string_agg(s, ',') from d",
        `What string_agg(s, ','::text) gives for parts of the rows cannot be combined: it is not known how.`,
      ],
      [
        'select histogram(f, 0, 9, id) from d group by id',
        'What public.histogram(f, (0)::double precision, (9)::double precision, id) gives for parts of the rows cannot be combined: the number of its buckets is not written as a number up to 200.',
      ],
      ['select id from d', 'It has neither GROUP BY nor an aggregate function.'],
      ['select distinct count(*) from d', 'It has DISTINCT.'],
      ['select count(*) from d order by 1', 'It has ORDER BY.'],
      ['select count(*) from d limit 1', 'It has LIMIT or OFFSET.'],
      ['select count(*) over () from d', 'It has a window function.'],
      ['with x as (select 1) select count(*) from d', 'It has WITH.'],
      ['select count(*) from d union select 1', 'It has UNION, INTERSECT or EXCEPT.'],
      ['select b, count(*) from d group by rollup (b)', 'It has GROUPING SETS, CUBE or ROLLUP.'],
      ['select count(*), (select max(k) from local) from d', 'A subquery stands outside of WHERE.'],
      ['select count(*) from (select * from d) x', 'FROM has something that is no table.'],
      ['select count(*) from only d', 'It has ONLY.'],
      ['select count(*) from d join local on local.k = d.k', 'It joins "public.local", which is not distributed.'],
      ['select count(*) from d join other on other.k = d.k', '"public.d" and "public.other" are not colocated.'],
      [
        'select count(*) from d join o on o.k > d.k',
        '"public.d" and "public.o" are not joined by their distribution columns.',
      ],
      [
        'select count(*) from d join o on o.w = d.k',
        '"public.d" and "public.o" are not joined by their distribution columns.',
      ],
      [
        'select count(*) from d join o on o.k = d.k or d.id = 3',
        '"public.d" and "public.o" are not joined by their distribution columns.',
      ],
    ];
    for (const [query, detail] of refused) {
      const e = await db.error(`select create_aggregate_view('no', $$${query}$$)`);
      // 15 names the table of every column.
      expect([query, e.code, e.detail?.replaceAll(' d.', ' ').replaceAll('(d.', '(')]).toEqual([
        query,
        '0A000',
        detail,
      ]);
    }
    expect(
      (await db.error(`select create_aggregate_view('no', 'select count(*) from d tablesample bernoulli (5)')`)).code,
    ).toBe('0A000');
    expect((await db.error(`select create_aggregate_view('no', 'select count(*) from local')`)).code).toBe('42809');
    expect((await db.error(`select create_aggregate_view('no', 'select count(*) from nowhere')`)).code).toBe('42P01');
    expect((await db.error(`select create_aggregate_view('no', 'select count(*) from d; select 1')`)).code).toBe(
      '42601',
    );
    expect((await db.error(`select create_aggregate_view('a.b.c', 'select count(*) from d')`)).code).toBe('42602');
    expect((await db.error(`select create_aggregate_view(null, 'select count(*) from d')`)).code).toBe('22023');
    expect((await db.error('select * from tessera.query(null) as t(n bigint)')).code).toBe('22023');
    expect(await db.value(`select to_regclass('no') is null`)).toBe(true);
  });

  test('of which two rows can be the same, or that have columns without equality', async () => {
    await expectAnswer('select count(*) > 0 as c from d group by s');
    await expectAnswer('select b, json_build_array(count(*))::json as c from d group by b');
    await expectAnswer('select count(*) / 100 as c, s as x from d group by b, s');
  });

  test('answer a single query', async () => {
    const rows = await db.query(
      `select * from tessera.query('select b, count(*) as n, sum(id) from d group by b') as t(b boolean, n bigint, s bigint) order by b`,
    );
    expect(rows).toEqual(await db.query('select b, count(*) as n, sum(id) as s from plain group by b order by b'));
    expect(await db.value(`select count(*) from pg_class where relname like 'tessera\\_query%'`)).toBe(0n);
  });

  test('answer it as the session sees things', async () => {
    await db.query(`create schema own; create table own.word (w text); insert into own.word values ('text 3');
      create function own.wanted(s text) returns boolean language plpgsql stable as 'begin return exists (select from word where w = s); end';
      create function own.sum(bigint) returns text language sql as $$select 'planted'$$`);
    for (const path of ['own, public', 'own, public, pg_catalog', ''])
      expect(
        await db.query(`set search_path = ${path === '' ? "''" : path}; select * from tessera.query(
          'select sum(id) from public.d where ${path === '' ? `s = ''text 3''` : 'own.wanted(s)'}') as t(n bigint)`),
      ).toEqual([{ n: await db.value(`select sum(id) from public.plain where s = 'text 3'`) }]);
    await db.query('set search_path = public; drop schema own cascade');
  });

  test('skip a view that is there when asked to, and say so otherwise', async () => {
    await db.query(`create view taken as select 1 as one`);
    expect((await db.error(`select create_aggregate_view('taken', 'select count(*) from d')`)).code).toBe('42P07');
    expect(await db.value(`select create_aggregate_view('taken', 'select count(*) from d', true)`)).toBeNull();
    expect(await db.value('select one from taken')).toBe(1);
  });

  test('follow moves, with the options and privileges of the view', async () => {
    await db.query(`alter table d replica identity full; alter table o replica identity full`);
    await db.query(`create role agg_looker; select create_aggregate_view('moved', 'select s collate "C" as s, count(*), stddev(f) from d group by 1');
      alter view moved set (security_barrier = true); grant select on moved to agg_looker; create view above as select max(count) from moved`);
    const before = await db.query('select * from moved order by s');
    const [from, to] = nodes.map((n) => n.port) as [number, number];
    const shards = await db.query(
      `select shardid from pg_dist_shard join pg_dist_placement using (shardid) join pg_dist_node using (groupid)
       where logicalrelid = 'd'::regclass and nodeport = $1`,
      [from],
    );
    for (const { shardid } of shards)
      await db.query(`select citus_move_shard_placement($1, '127.0.0.1', $2::int, '127.0.0.1', $3::int)`, [
        shardid,
        from,
        to,
      ]);
    expect((await db.query('select * from moved order by s')).map((r) => [r.s, r.count])).toEqual(
      before.map((r) => [r.s, r.count]),
    );
    expect(await db.value(`select max = (select max(count) from moved) from above`)).toBe(true);
    expect(await db.value(`select reloptions::text from pg_class where relname = 'moved'`)).toBe(
      '{security_barrier=true}',
    );
    expect(await db.value(`select has_table_privilege('agg_looker', 'moved', 'select')`)).toBe(true);
    await db.query('drop view above, moved; drop role agg_looker');
  });

  test('follow renamed columns, and keep their table from being taken apart', async () => {
    await db.query(`select create_aggregate_view('kept', 'select b, sum(g) from d group by b')`);
    await db.query('alter table d rename column g to gg');
    expect(await db.query('select * from kept order by b')).toEqual(
      await db.query('select b, sum(g) from plain group by b order by b'),
    );
    expect((await db.error('alter table d drop column gg')).code).toBe('2BP01');
    expect((await db.error(`select undistribute_table('d')`)).code).toBe('2BP01');
    expect((await db.error('drop table d')).code).toBe('2BP01');
    await db.query('drop view kept; alter table d rename column gg to g');
  });

  test('belong to the owner of the table, who may let others look', async () => {
    await db.query(`create role agg_owner login; create role agg_guest login; grant create on schema public to agg_owner, agg_guest;
      set role agg_owner; create table mine (k int, v int); set role none`);
    await db.query(`set role agg_owner; select create_distributed_table('mine', 'k', shard_count => 2); insert into mine select x, x from generate_series(1, 9) x;
      select create_aggregate_view('sums', 'select sum(v) from mine'); grant select on mine, sums to agg_guest; set role none`);
    await db.query('set role agg_guest');
    expect(await db.value('select sum from sums')).toBe(45n);
    expect(await db.error(`select create_aggregate_view('stolen', 'select sum(v) from public.mine')`)).toMatchObject({
      code: '42501',
      message: 'must be owner of table "public.mine"',
    });
    expect((await db.error(`select * from tessera.query('select sum(v) from mine') as t(s bigint)`)).code).toBe(
      '42501',
    );
    await db.query(`set role none; alter table mine enable row level security, force row level security`);
    await db.query('set role agg_owner');
    expect((await db.error(`select create_aggregate_view('forced', 'select sum(v) from mine')`)).detail).toBe(
      'Row-level security is forced on "public.mine", and parts are read by themselves.',
    );
    await db.query(
      'set role none; drop view sums; drop table mine; drop owned by agg_owner, agg_guest; drop role agg_owner, agg_guest',
    );
  });

  test('over a hypertable are an ordinary view', async () => {
    await db.query(`create table h (ts timestamptz not null, v int); select create_hypertable('h', 'ts');
      insert into h select ts, id from plain; select create_aggregate_view('hv', 'select count(distinct v), sum(v) from h')`);
    expect(await db.query('select * from hv')).toEqual(await db.query('select count(distinct id), sum(id) from plain'));
  });
});

import { describe, expect, test } from 'vitest';
import { useDatabase } from '../../../harness/database.ts';
import { random } from '../../../harness/random.ts';

const db = useDatabase();

/** Numbers in [0, 1). */
const generator = (seed: number): (() => number) => {
  const next = random(seed * 7919);
  return () => next() / 2 ** 32;
};

interface Column {
  readonly name: string;
  readonly type: string;
  /** SQL of a value for row i of this column. */
  readonly value: string;
}

const KINDS: readonly (readonly [type: string, values: readonly string[]])[] = [
  ['int', ['i', '7', 'hashint4(i)', 'i % 5']],
  ['bigint', ['i::bigint * 10000000000', 'hashint8extended(i, 1)']],
  ['smallint', ['(i % 300)::smallint']],
  ['float8', ['sin(i)', 'i / 10.0', '1.5', `case i % 4 when 0 then 'NaN' when 1 then '-0'::float8 else i end`]],
  ['float4', ['(i % 100) / 4.0']],
  ['numeric(10,2)', ['(i * 1.25)::numeric(10,2)']],
  ['text', [`'label ' || i % 9`, 'md5(i::text)', `''`]],
  ['boolean', ['i % 3 = 0']],
  ['date', [`date '2024-01-01' + i % 400`]],
  ['timestamp', [`timestamp '2024-01-01' + i * interval '7.000001 s'`]],
  ['timestamptz', [`timestamptz '1999-12-31' - i * interval '1 h'`]],
  ['uuid', ['md5((i % 50)::text)::uuid']],
  ['jsonb', [`jsonb_build_object('k', i % 7)`]],
  ['int[]', ['array[i, null, i % 3]']],
  ['interval', [`make_interval(secs => i)`]],
  ['bytea', [`decode(md5(i::text), 'hex')`]],
];

describe('random schemas, data and queries give the same answers compressed and not', () => {
  for (let seed = 1; seed <= 24; seed++)
    test(`seed ${seed}`, async () => {
      const draw = generator(seed);
      const below = (n: number): number => Math.floor(draw() * n);
      const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
      const columns: Column[] = Array.from({ length: 1 + below(6) }, (_, n) => {
        const [type, values] = pick(KINDS);
        const value = pick(values);
        const nulls = pick([0, 0, 3, 1]);
        return {
          name: `c${n}`,
          type,
          value: nulls === 0 ? value : nulls === 1 ? `null` : `case when i % ${nulls} = 1 then null else ${value} end`,
        };
      });
      const rows = pick([1, 50, 999, 1000, 1001, 6000]);
      const groups = pick([1, 3, 40]);
      const [table, twin] = [`r${seed}`, `r${seed}_twin`];
      const definition = columns.map((c) => `${c.name} ${c.type}`).join(', ');
      const at = `'2024-01-01'::timestamptz + i * interval '${pick(['1 s', '17 s', '0.000001 s', '1 min'])}'`;
      const values = (from: number, to: number): string =>
        `select ${at} + interval '${below(5)} s', i % ${groups}, ${columns.map((c) => `(${c.value})::${c.type}`).join(', ')} from generate_series(${from}, ${to}) i`;
      await db.query(`create table ${table} (time timestamptz not null, g int, ${definition})`);
      await db.query(`create table ${twin} (time timestamptz not null, g int, ${definition})`);
      await db.query(
        `select create_hypertable('${table}', 'time', chunk_time_interval => interval '${pick(rows > 1001 ? ['1 day', '30 days'] : ['1 hour', '1 day', '30 days'])}')`,
      );
      const first = values(1, rows);
      for (const t of [table, twin]) await db.query(`insert into ${t} ${first}`);
      const order = pick(['', 'time', 'time desc nulls last', 'g desc, time']);
      await db.query(
        `select set_compression('${table}', compress_segmentby => '${order.startsWith('g') ? '' : pick(['', 'g', 'g'])}', compress_orderby => '${order}')`,
      );

      const condition = (): string => {
        const c = pick(columns);
        return pick([
          `g = ${below(groups + 1)}`,
          `g in (${below(5)}, ${below(5)})`,
          `time >= '2024-01-01'::timestamptz + interval '${below(rows)} s'`,
          `time between '2024-01-01 00:00:05' and '2024-01-01 0${below(9)}:00'`,
          `time < now() - interval '1 day'`,
          `${c.name} is ${pick(['', 'not '])}null`,
          `${c.name} is not distinct from (select ${c.name} from ${twin} order by time, g limit 1)`,
          `${c.name}::text > 'm'`,
          'time is not null',
          'not (time is null)',
          'time is null',
          'true',
        ]);
      };
      const queries = (): string[] => [
        'select min(time), max(time) from $t',
        `select max(time) from $t where ${condition()}`,
        `select min(g), max(g), (select min(time) from $t where ${condition()}) as t from $t`,
        `select count(*) from (values (1)) v left join $t on ${condition()} where time is not null`,
        `select count(*), min(time), max(time) from $t where ${condition()} and ${condition()}`,
        `select g, count(*), ${columns.map((c) => `count(${c.name})`).join(', ')} from $t where ${condition()} group by g order by g`,
        `select md5(string_agg(x::text, '|' order by x::text)) from (select * from $t where ${condition()} or ${condition()}) x`,
        `select time, g, ${pick(columns).name}::text as c from $t where ${condition()} order by 1, 2, 3 limit 20`,
        `select count(*) from $t a join $t b using (time, g) where a.g = ${below(groups)}`,
        `select count(*) from (select row_number() over (partition by g order by time) as n, time from $t) w where n <= 3`,
        `select count(*), count(distinct l.g) from (select distinct g from $t) d, lateral (select * from $t i where i.g is not distinct from d.g order by time desc limit 2) l`,
      ];
      const compare = async (): Promise<void> => {
        await db.query(`set constraint_exclusion = ${pick(['on', 'off', 'partition'])}`);
        for (const q of queries()) {
          const [a, b] = [await db.query(q.replaceAll('$t', table)), await db.query(q.replaceAll('$t', twin))];
          expect(a, q).toEqual(b);
          const read = q.replaceAll('$t', `tessera_read.${table}`);
          expect(await db.query(read), read).toEqual(b);
        }
      };
      const both = async (sql: string): Promise<void> => {
        const counts: (number | null)[] = [];
        for (const t of [table, twin]) counts.push((await db.client.query(sql.replaceAll('$t', t))).rowCount);
        expect(counts[0], sql).toBe(counts[1]);
      };
      for (let round = 0; round < 3; round++) {
        const some = pick(['', ` where random() < 0.7`]);
        await db.query(`select compress_chunk(c) from show_chunks('${table}') c${some}`);
        await compare();
        const more = values(rows + 1 + round * 40, rows + 40 + round * 40);
        await both(`insert into $t ${more}`);
        await both(`update $t set g = g + 1 where ${condition()} and g < 2`);
        await both(`delete from $t where ${condition()} and ${condition()} and time > '2024-01-01 00:00:30'`);
        await compare();
        if (below(3) === 0)
          await db.query(`select decompress_chunk(c) from show_chunks('${table}') c where random() < 0.5`);
      }
      await compare();
      await db.query(`drop table ${table}, ${twin}`);
    });
});

describe('every way to read', () => {
  test('views, prepared statements, cursors, subqueries and functions', async () => {
    await db.query('create table m (time timestamptz not null, g int, v float8)');
    await db.query(`select create_hypertable('m', 'time', chunk_time_interval => interval '6 hours')`);
    await db.query(
      `insert into m select '2024-01-01'::timestamptz + i * interval '10 s', i % 4, i from generate_series(0, 17279) i`,
    );
    await db.query('create table t as select * from m');
    await db.query(
      `select set_compression('m', compress_segmentby => 'g'), compress_chunk(c) from show_chunks('m') c where random() < 2`,
    );
    await db.query('create view mv as select g, avg(v) as a from m group by g');
    await db.query('create view tv as select g, avg(v) as a from t group by g');
    expect(await db.query('select * from mv order by g')).toEqual(await db.query('select * from tv order by g'));

    for (const name of ['m', 't'])
      await db.query(
        `prepare p_${name} (timestamptz, int) as select count(*)::int as n, sum(v) as v from ${name} where time >= $1 and g = $2`,
      );
    for (let i = 0; i < 8; i++)
      expect(await db.query(`execute p_m ('2024-01-01 ${10 + i}:00', ${i % 4})`)).toEqual(
        await db.query(`execute p_t ('2024-01-01 ${10 + i}:00', ${i % 4})`),
      );

    await db.query('begin');
    await db.query('declare c scroll cursor for select v from m order by time');
    expect((await db.query('fetch 3 from c')).map((r) => r.v)).toEqual([0, 1, 2]);
    await db.query('delete from m where v < 10');
    expect((await db.query('fetch 2 from c')).map((r) => r.v)).toEqual([3, 4]);
    expect((await db.query('fetch last from c')).map((r) => r.v)).toEqual([17279]);
    await db.query('rollback');

    await db.query(`create function total(who int) returns float8 language plpgsql stable as $$ declare s float8 := 0; r record; begin
      for r in select v from m where g = who loop s := s + r.v; end loop; return s; end $$`);
    expect(await db.value('select total(1)')).toBe(await db.value('select sum(v) from t where g = 1'));
    expect(await db.value('select (select max(v) from m x where x.g = t.g)::int from t limit 1')).toBe(17276);
    await db.query(
      'set max_parallel_workers_per_gather = 4; set parallel_setup_cost = 0; set parallel_tuple_cost = 0; set min_parallel_table_scan_size = 0',
    );
    expect(
      await db.query('select g, count(*) from m join (select distinct g from t) d using (g) group by g order by g'),
    ).toEqual(await db.query('select g, count(*) from t group by g order by g'));
    await db.query('analyze m');
    expect(
      await db.value('select count(*)::int from m tablesample bernoulli (100)').catch((e: Error) => e.message),
    ).toBeDefined();
  });

  test('EXPLAIN shows pruned chunks, shipped conditions, and the segments that are left out', async () => {
    const plan = (
      await db.column(
        `explain (verbose, costs off) select v from m where g = 1 and time >= '2024-01-01 06:00' and time < '2024-01-01 08:00'`,
      )
    ).join('\n');
    expect(plan.match(/Foreign Scan/g)).toHaveLength(1);
    expect(plan).toMatch(/Remote SQL: SELECT v FROM .*_rows WHERE .*g = 1/);
    const remote = /Remote SQL: (.*)/.exec(plan)?.[1] ?? '';
    await db.query('set constraint_exclusion = on');
    const inside = (await db.column(`explain (costs off) ${remote}`)).join('\n');
    expect(inside).toMatch(/Index Cond: \(?.*g = 1/);
    const all = (await db.column(`explain (costs off) ${remote.replace(/WHERE.*/, '')}`)).join('\n');
    const arms = (text: string): number => text.match(/ProjectSet/g)?.length ?? 0;
    expect(arms(inside)).toBeLessThanOrEqual(arms(all));
    await db.query('reset constraint_exclusion');
    // Conditions known only when the query runs leave whole chunks out.
    const running = (
      await db.column(
        `explain (analyze, costs off, timing off, summary off) select v from m where time >= (select '2024-01-02 20:00'::timestamptz)`,
      )
    ).join('\n');
    expect(running.match(/never executed/g)?.length ?? 0).toBeGreaterThanOrEqual(6);
  });
});

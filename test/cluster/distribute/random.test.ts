import { from as copyFrom } from 'pg-copy-streams';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { hasWorkers, useCluster } from '../../harness/cluster.ts';
import { random } from '../../harness/random.ts';
import { expectNothingLeft } from '../../harness/shards.ts';
import { expectSame } from '../../harness/twin.ts';

interface Draw {
  readonly below: (n: number) => number;
  readonly pick: <T>(list: readonly T[]) => T;
}

const drawing = (seed: number): Draw => {
  const next = random(seed * 104_729);
  const below = (n: number): number => next() % n;
  return { below, pick: (list) => list[below(list.length)] as (typeof list)[number] };
};

const COLUMNS = [
  ['k', 'int'],
  ['id', 'int'],
  ['n', 'numeric(12,3)'],
  ['t', 'text'],
  ['b', 'boolean'],
  ['f', 'float8'],
  ['ts', 'timestamptz'],
  ['j', 'jsonb'],
  ['a', 'int[]'],
  ['m', 'feeling'],
] as const;
const NAMES = COLUMNS.map(([name]) => name).join(', ');

/** Rows as a query, the same for every table it is put into. */
const rows = ({ below, pick }: Draw): string => {
  const start = below(400);
  const count = pick([1, 2, 30, 150]);
  const key = pick(['i', 'i % 20', 'case when i % 11 = 0 then null else i % 50 end', String(below(40))]);
  const maybe = (value: string): string =>
    below(3) === 0 ? `case when i % ${2 + below(5)} = 0 then null else ${value} end` : value;
  return `select ${key}, i + ${start}, ${maybe('(i * 1.125)::numeric(12,3)')}, ${maybe(`pick_text(i)`)}, ${maybe('i % 3 = 0')},
    ${maybe(`sqrt(i)`)}, ${maybe(`timestamptz '2024-03-31 00:30+00' + i * interval '10 minutes'`)}, ${maybe(`jsonb_build_object('v', i % 7, 'w', array[i, null])`)},
    ${maybe('array[i, null, i % 4]')}, ${maybe(`(array['low', 'mid', 'high'])[1 + i % 3]::feeling`)} from generate_series(1, ${count}) i`;
};

const condition = ({ below, pick }: Draw): string =>
  pick([
    `x.k = ${below(50)}`,
    `x.k in (${below(50)}, ${below(50)}, ${below(50)})`,
    `x.k = any (array[${below(50)}, ${below(50)}])`,
    `x.k between ${below(20)} and ${below(60)}`,
    'x.k is null',
    `x.id % ${2 + below(6)} = ${below(3)}`,
    `x.t like '%${below(10)}%'`,
    `x.t = pick_text(${below(30)})`,
    'x.b',
    'x.b is not true',
    `x.n > ${below(100)}.5`,
    `x.ts < timestamptz '2024-03-31' + interval '${below(1500)} minutes'`,
    `x.j ->> 'v' = '${below(7)}'`,
    `x.a @> array[${below(4)}]`,
    `x.m >= 'mid'`,
    `x.m = 'low'`,
    `x.f > (select avg(y.f) from $t y)`,
    `exists (select from small s where s.id = x.k and s.v > ${below(5)})`,
    `x.k in (select o.k from $o o where o.v % 2 = 0)`,
    'true',
  ]);

const queries = (d: Draw): string[] => {
  const { below, pick } = d;
  const where = (): string => `${condition(d)} ${pick(['and', 'or'])} ${condition(d)}`;
  return [
    `select count(*), count(k), sum(n), min(t), max(ts), bool_or(b), sum(id)::text from $t x where ${where()}`,
    `select k, count(*), sum(n), avg(id)::numeric(20,6), array_agg(id order by id), string_agg(t, ',' order by id, t) from $t x where ${where()} group by k order by k nulls first`,
    `select m, b, count(distinct k) from $t x group by grouping sets ((m), (b), ()) order by 1, 2, 3`,
    `select id, t, k from $t x where ${where()} order by id, t nulls last, k limit ${1 + below(20)} offset ${below(5)}`,
    `select distinct m, b from $t x where ${where()} order by 1, 2`,
    `select count(*), sum(o.v) from $t x join $o o on o.k = x.k where ${where()}`,
    `select count(*), sum(o.v) from $t x left join $o o on o.k = x.k and o.v % 3 = ${below(3)} where ${where()}`,
    `select count(*), count(x.k), count(o.k) from $t x full join $o o on o.k = x.k`,
    `select o.k, sum(x.n), count(*) from $t x join $o o using (k) group by o.k order by o.k`,
    `select count(*), sum(s.v) from $t x join ref s on s.id = x.k where ${where()}`,
    `select count(*), sum(s.v) from $t x join small s on s.id = x.id % 10 where ${where()}`,
    `select s.v, count(*) from $t x join $o o on o.k = x.k join ref s on s.id = o.v % 10 group by s.v order by 1`,
    `select sum(c) from (select count(*) as c from $t x where ${where()} union all select count(*) from $o) u`,
    `select id, row_number() over (partition by k order by id, t, n) as r from $t x where k < 8 order by 1, 2 limit 30`,
    `with big as (select k, count(*) as c from $t x group by k having count(*) > ${1 + below(4)}) select count(*), sum(c) from big join $o o using (k)`,
    `select l.k, l.c from $o o, lateral (select x.k, count(*) as c from $t x where x.k = o.k group by x.k) l where o.v < 20 order by 1, 2 limit 20`,
    `select k, v from $o where k in (select k from $t x where ${where()}) order by 1, 2`,
    `select k from $o except select k from $t x where ${where()} order by 1 limit 40`,
  ];
};

const UPSERT = 'on conflict do nothing';

/** A statement that changes the table, and what it returns to compare. */
const change = (d: Draw): string => {
  const { below, pick } = d;
  return pick([
    () => `insert into $t (${NAMES}) ${rows(d)} ${UPSERT} returning k, id`,
    () => `insert into $t (${NAMES}) ${rows(d)} ${UPSERT}`,
    () =>
      `insert into $t (k, id, t) values (${below(60)}, ${1000 + below(200)}, 'one'), (${below(60)}, ${1200 + below(200)}, null) ${UPSERT}`,
    () => `update $t x set n = n + 1, t = t || '+' where ${condition(d)}`,
    () => `update $t x set b = not b, ts = ts + interval '1 day' where ${condition(d)} returning x.k, x.id, x.b`,
    () =>
      `update $t x set j = coalesce(x.j, '{}') || jsonb_build_object('o', o.v), a = a || o.v from $o o where o.k = x.k and o.v < ${below(40)}`,
    () => `update $t x set m = 'high', f = random_like(x.id) where x.id % ${3 + below(5)} = 0`,
    () => `update $o x set v = v + 1 where k % ${2 + below(4)} = 0 returning k, v`,
    () => `delete from $t x where ${condition(d)} and x.id % ${2 + below(4)} = 0`,
    () => `delete from $t x using $o o where o.k = x.k and o.v = ${below(60)} returning x.id`,
    () =>
      `with gone as (delete from $t x where x.k = ${below(50)} returning *) insert into $t select * from gone where id % 2 = 0`,
    () => `insert into $t (k, id, t) select o.k, 5000 + o.v, s.v::text from $o o join ref s on s.id = o.k ${UPSERT}`,
    () => `insert into $o (k, v) select i, i * 3 % 70 from generate_series(${below(50)}, ${below(90)}) i ${UPSERT}`,
  ])();
};

// A server of the user's own has no workers beside it.
describe.skipIf(!hasWorkers())(
  'random statements have the same effect on a distributed table as on a plain one',
  () => {
    const cluster = useCluster();
    const { db } = cluster;

    beforeAll(async () => {
      await db.query(`create type feeling as enum ('low', 'mid', 'high');
      create function pick_text(i int) returns text immutable language sql as $$ select (array['', 'a''b', 'ä\\€', 'line' || chr(10), '%' || i % 10, null, 'x' || i])[1 + i % 7] $$;
      create function random_like(i int) returns float8 immutable language sql as 'select hashint4(i) / 1000.0';
      create table small (id int, v int); insert into small select i, i % 7 from generate_series(0, 9) i;
      create table ref (id int primary key, v int); insert into ref select i, i % 5 from generate_series(0, 40) i; select create_reference_table('ref')`);
    });

    const load = async (table: string, text: string): Promise<void> => {
      await pipeline(Readable.from([text]), db.client.query(copyFrom(`copy ${table} (${NAMES}) from stdin`)));
    };

    for (let seed = 1; seed <= 10; seed++)
      test(`seed ${seed}`, { timeout: 180_000 }, async () => {
        const d = drawing(seed);
        const { below, pick } = d;
        const tables = [`r${seed}`, `p${seed}`] as const;
        const both = (sql: string): [string, string] =>
          tables.map((t) => sql.replaceAll('$t', t).replaceAll('$o', `${t}_o`)) as [string, string];
        const key = pick([', primary key (k, id)', ', unique (k, id)', '', ', unique nulls not distinct (k, id, t)']);
        const columns = COLUMNS.map(([name, type]) => `${name} ${type}`).join(', ');
        for (const sql of both(`create table $t (${columns}${key}); create index on $t (t); create table $o (k int primary key, v int);
        insert into $t (${NAMES}) ${rows(d).replace(/case when i % 11 = 0 then null else i % 50 end/, 'i % 50')} ${UPSERT};
        insert into $o select i, i from generate_series(1, 60) i`))
          await db.query(sql);
        const shards = pick([1, 3, 4, 7]);
        const single = below(5) === 0;
        await db.query(
          single
            ? `select create_distributed_table('r${seed}', null); select create_distributed_table('r${seed}_o', null, colocate_with => 'r${seed}')`
            : `select create_distributed_table('r${seed}', 'k', shard_count => ${shards}, colocate_with => 'none'); select create_distributed_table('r${seed}_o', 'k', colocate_with => 'r${seed}')`,
        );

        /** Both statements have the same outcome: rows, number, or error. In a transaction an error goes back to a savepoint. */
        const outcome = async (statement: string, inTransaction: boolean): Promise<unknown> => {
          try {
            if (inTransaction) await db.query('savepoint statement');
            const result = await db.client.query(statement);
            const text = (r: object): string =>
              JSON.stringify(Object.values(r), (_, v: unknown) => (typeof v === 'bigint' ? `${v}` : v));
            return { count: result.rowCount, rows: result.rows.map(text).sort() };
          } catch (e) {
            if (inTransaction) await db.query('rollback to statement');
            return { code: (e as { code?: string }).code };
          }
        };
        const run = async (sql: string, inTransaction = false): Promise<void> => {
          const [left, right] = both(sql);
          const wanted = await outcome(right, inTransaction);
          expect([sql, await outcome(left, inTransaction)]).toEqual([sql, wanted]);
        };
        const compare = async (): Promise<void> => {
          await expectSame(db, ...tables);
          await expectSame(db, `${tables[0]}_o`, `${tables[1]}_o`);
        };

        for (let round = 0; round < 4; round++) {
          for (const [name, values] of [
            ['enable_partitionwise_join', ['on', 'off']],
            ['enable_partitionwise_aggregate', ['on', 'off']],
            ['enable_async_append', ['on', 'off']],
            ['enable_hashjoin', ['on', 'on', 'off']],
            ['plan_cache_mode', ['auto', 'force_generic_plan']],
          ] as const)
            await db.query(`set ${name} = ${pick(values)}`);
          for (let i = 0; i < 5; i++) await run(change(d));
          await compare();
          // A transaction, parts of which are undone.
          await db.query('begin');
          await run(change(d), true);
          await db.query('savepoint s');
          await run(change(d), true);
          await db.query('rollback to s');
          await run(change(d), true);
          await db.query(pick(['commit', 'rollback']));
          await compare();
          if (below(3) === 0) {
            const lines = Array.from({ length: 1 + below(200) }, (_, i) =>
              [
                key === '' && i % 9 === 0 ? '\\N' : below(60),
                20_000 + round * 1000 + i,
                '1.5',
                pick(['\\N', 'a\\tb', 'ü', '']),
                pick(['t', '\\N']),
                'NaN',
                '2024-10-27 02:30+01',
                '{"a": [1]}',
                '{1,NULL}',
                pick(['low', '\\N']),
              ].join('\t'),
            );
            for (const t of tables) await load(t, `${lines.join('\n')}\n`);
            await compare();
          }
          for (const q of queries(d).filter(() => below(2) === 0)) {
            const [left, right] = both(q);
            expect([q, await db.query(left)]).toEqual([q, await db.query(right)]);
          }
          if (below(6) === 0) await run(pick(['truncate $t', 'truncate $t, $o']));
        }
        await db.query('reset all');
        await db.query(both('drop table $t, $o').join('; '));
      });

    test('nothing is left of them', async () => {
      await db.query('drop table ref');
      await expectNothingLeft(cluster);
    });
  },
);

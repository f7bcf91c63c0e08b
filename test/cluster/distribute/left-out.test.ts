import { beforeAll, describe, expect, test } from 'vitest';
import { hasWorkers, useCluster } from '../../harness/cluster.ts';

// A server of the user's own has no workers beside it.
describe.skipIf(!hasWorkers())('clauses that foreign tables leave out', () => {
  const { db } = useCluster({ nodes: 2 });

  const SAMPLE = { code: '0A000', hint: 'Write in its place: (select * from ts where random() < 0.1)' };
  const ONLY = { code: '0A000', hint: 'Leave out ONLY.' };

  beforeAll(async () => {
    await db.query(`create table ts (k int primary key, v int); create table plain (k int, v int);
      create function before() returns bigint language sql as 'select count(*) from ts tablesample system (0)'`);
    await db.query(`select create_distributed_table('ts', 'k', shard_count => 4)`);
    await db.query(`insert into ts select i, i from generate_series(1, 100) i; insert into plain values (1, 1)`);
  });

  test('TABLESAMPLE of a distributed table is refused in every statement', async () => {
    for (const sql of [
      'select count(*) from ts tablesample system (0)',
      'select count(*) from plain p join ts as t (a, b) tablesample bernoulli (0) on true',
      'create table copied as select * from ts tablesample bernoulli (0)',
      'insert into plain select * from ts tablesample bernoulli (0)',
      'delete from ts using ts b tablesample bernoulli (0) where ts.k = b.k',
      'delete from plain using ts tablesample bernoulli (0) where plain.k = ts.k',
      'copy (select * from ts tablesample bernoulli (0)) to stdout',
      'prepare p as select * from ts tablesample bernoulli (0); execute p',
      'do $$ begin perform from ts tablesample bernoulli (0); end $$',
      `do $$ begin execute 'delete from ts using ts b tablesample bernoulli (0)'; end $$`,
      'select before()',
    ])
      expect([sql, await db.error(sql)]).toEqual([sql, expect.objectContaining(SAMPLE)]);
    expect(await db.value('select count(*)::int from ts')).toBe(100);
    expect(await db.value('select count(*)::int from (select * from ts where random() < 2) s')).toBe(100);
  });

  test('views and functions with it are refused, before and after the table is distributed', async () => {
    for (const sql of [
      'create view sampled as select * from ts tablesample bernoulli (0)',
      'create materialized view sampled as select * from ts tablesample bernoulli (0) with no data',
      'create function sampled() returns bigint begin atomic select count(*) from ts tablesample system (0); end',
      `create function sampled() returns setof ts stable language sql as 'select * from ts tablesample system (0)'`,
    ])
      expect([sql, await db.error(sql)]).toEqual([sql, expect.objectContaining({ code: '0A000' })]);
    await db.query(`create table later (k int); create view sampled as select * from later tablesample bernoulli (0)`);
    expect(await db.error(`select create_distributed_table('later', 'k')`)).toMatchObject({
      code: '0A000',
      detail: 'PostgreSQL would leave TABLESAMPLE out of view public.sampled, and take all rows.',
    });
  });

  test('views that group by the key are named, and work once they group by the columns', async () => {
    await db.query(`create table gp (id int primary key, name text); insert into gp values (1, 'a');
      create view grouped as select id, name, count(*) from gp group by id`);
    expect(await db.error(`select create_distributed_table('gp', 'id')`)).toMatchObject({
      code: '2BP01',
      hint: 'Have the view name these columns in GROUP BY: create or replace view public.grouped as ...',
    });
    await db.query('create or replace view grouped as select id, name, count(*) from gp group by id, name');
    await db.query(`select create_distributed_table('gp', 'id')`);
    expect(await db.query('select id, name, count::int from grouped')).toEqual([{ id: 1, name: 'a', count: 1 }]);
    await db.query('drop view grouped; drop table gp');
  });

  test('ONLY of a distributed table is refused, where it would find no rows', async () => {
    for (const sql of ['select from only ts', 'delete from only (ts)', 'update only ts set v = 1', 'table only ts'])
      expect([sql, await db.error(sql)]).toEqual([sql, expect.objectContaining(ONLY)]);
  });

  test('other tables, strings and comments may say so', async () => {
    for (const sql of [
      'select from plain tablesample bernoulli (100) join ts on ts.k = plain.k',
      `select from ts where k = 1 and 'ts tablesample' <> 'from only ts' -- from ts tablesample bernoulli (1)`,
      'select from only plain join ts on ts.k = plain.k fetch first 1 rows only',
    ])
      expect([sql, (await db.query(sql)).length]).toEqual([sql, 1]);
  });

  test('costs UPDATE and DELETE nothing of being done by the nodes', async () => {
    for (const sql of ['update ts set v = 1 where k = 1', 'delete from ts where k = 1'])
      expect(await db.column(`explain (costs off) ${sql}`)).toEqual(
        expect.arrayContaining([expect.stringMatching(/^ {2}->\s+Foreign (Update|Delete) on ts_\d+ ts_1$/)]),
      );
  });

  test('what refuses them belongs to the table and reaches no shard', async () => {
    await db.query('create statistics of_user (dependencies) on k, v from ts');
    expect(
      await db.column(
        `select distinct result from run_command_on_shards('ts', $$select string_agg(rtrim(stxname, '_0123456789'), ' ') from pg_statistic_ext where stxrelid = '%s'::regclass$$)`,
      ),
    ).toEqual(['of_user']);
    await db.query(`alter table ts rename to renamed`);
    expect(await db.error('select from renamed tablesample system (0)')).toMatchObject({ code: '0A000' });
    await db.query(`alter table renamed rename to ts`);
    await db.query(`select alter_distributed_table('ts', shard_count => 2)`);
    expect(await db.error('select from ts tablesample system (0)')).toMatchObject(SAMPLE);
    await db.query(`select undistribute_table('ts')`);
    expect(await db.value('select count(*)::int from ts tablesample system (0)')).toBe(0);
    expect(await db.column(`select stxname from pg_statistic_ext where stxrelid = 'ts'::regclass`)).toEqual([
      'of_user',
    ]);
  });

  test('sync_catalog gives it to tables that lack it, of which the doctor tells', async () => {
    await db.query(`create table old (k int); select create_distributed_table('old', 'k')`);
    const name = await db.value(
      `select format('%I.%I', stxnamespace::regnamespace::text, stxname) from pg_statistic_ext where stxrelid = 'old'::regclass`,
    );
    await db.query(`drop statistics ${name}`);
    const clauses = (): Promise<unknown> =>
      db.value(`select status from tessera.doctor() where check_name = 'clauses'`);
    expect(await clauses()).toBe('warning');
    await db.query('select tessera.sync_catalog()');
    expect(await clauses()).toBe('ok');
    expect(await db.error('select from old tablesample system (0)')).toMatchObject({ code: '0A000' });
  });
});

import { describe, expect, test } from 'vitest';
import { hasWorkers, useCluster, type NodeDatabase } from '../../harness/cluster.ts';
import { failure } from '../../harness/database.ts';
import { random } from '../../harness/random.ts';
import { waitUntil } from '../../harness/wait-until.ts';

// A server of the user's own has no workers beside it.
describe.skipIf(!hasWorkers())('reference tables', () => {
  const { db, nodes } = useCluster({ nodes: 3, added: 2 });
  const added = nodes.slice(0, 2);

  const copyOf = async (table: string): Promise<string> =>
    await db.value(
      `select format('%I.%I', shard_schema, shard_name) from _tessera_catalog.pg_dist_shard where logicalrelid = $1::regclass`,
      [table],
    );

  /** Every copy has the rows of the table, as soon as the last commit has reached all nodes. */
  const expectIdentical = async (table: string, on: readonly NodeDatabase[] = added): Promise<void> => {
    await waitUntil(
      'no commit is pending',
      async () => (await db.value('select count(*)::int from _tessera_catalog.remote_txn')) === 0,
    );
    const rows = `select coalesce(string_agg(r::text, E'\\n' order by r::text collate "C"), '') from %s r`;
    const here = await db.value(rows.replace('%s', table));
    const copy = await copyOf(table);
    for (const n of on) expect(await n.value(rows.replace('%s', copy)), `copy of ${table} on ${n.port}`).toBe(here);
  };

  test('have their rows on every node', async () => {
    await db.query(`
      create schema "Odd one";
      create type "Odd one".mood as enum ('sad', 'it''s ok');
      create table "Odd one"."The list" (id int primary key, "na me" text, m "Odd one".mood, xs int[], j jsonb, n numeric,
        ts timestamptz, iv interval, b bytea, f float8, c char(3), g int generated always as (id * 2) stored, d int generated always as identity);
      insert into "Odd one"."The list" (id, "na me", m, xs, j, n, ts, iv, b, f, c) values
        (1, 'a"b\\c,{}()', 'it''s ok', '{1,null,3}', '{"a": [1, null]}', 'NaN', '2024-03-31 02:30+02', '-1 year 2 days -03:00', '\\x00ff', 'Infinity', 'x'),
        (2, null, null, null, 'null', 1e-30, '-infinity', null, '', '-0', null),
        (3, '', 'sad', '{}', null, null, null, null, null, 5e-324, 'abc');
      select create_reference_table('"Odd one"."The list"')`);
    await expectIdentical('"Odd one"."The list"');
    expect(await db.query(`select citus_table_type, shard_count::int from citus_tables`)).toEqual([
      { citus_table_type: 'reference', shard_count: 1 },
    ]);
  });

  test('are written everywhere, whatever the settings of the session', async () => {
    const session = await db.connect();
    await session.query(`set datestyle = 'SQL, DMY'; set intervalstyle = 'sql_standard'; set extra_float_digits = 0;
      set bytea_output = 'escape'; set timezone = 'Asia/Kolkata'; set search_path = pg_catalog`);
    await session.query(
      `insert into "Odd one"."The list" (id, "na me", ts, iv, b, f) values (4, 'vier', '03/04/2024 05:06', '-1-2 +3 -4:05:06', '\\x01', 0.1::float8 + 0.2)`,
    );
    await session.query(`update "Odd one"."The list" set f = f / 3, "na me" = 'x' || id, iv = -iv where id in (1, 4)`);
    await expectIdentical('"Odd one"."The list"');
    await session.query(`delete from "Odd one"."The list" where id = 2`);
    await session.query(`update "Odd one"."The list" set id = 20 where id = 3`);
    await expectIdentical('"Odd one"."The list"');
  });

  test('take everything a transaction does, in order, or nothing', async () => {
    await db.query("create table r (id int primary key, v text); select create_reference_table('r')");
    await db.query(`begin; insert into r values (1, 'a'), (2, 'b'); update r set v = 'c' where id = 1; delete from r where id = 2;
      insert into r values (2, 'again'); savepoint s; insert into r values (3, 'no'); rollback to s; insert into r values (4, 'd'); commit`);
    await expectIdentical('r');
    expect(await db.column('select id from r order by 1')).toEqual([1, 2, 4]);
    await db.query(`begin; insert into r values (9, 'no'); truncate r; rollback`);
    await expectIdentical('r');
    await db.query(`begin; truncate r; insert into r select i, i from generate_series(1, 2500) i; commit`);
    await expectIdentical('r');
    expect(await db.value('select count(*)::int from _tessera_catalog.reference_change')).toBe(0);
    expect(await db.value('select count(*)::int from _tessera_catalog.remote_command')).toBe(0);
  });

  test('without a primary key find rows by all they have', async () => {
    await db.query(`create table heap (a int, b text); select create_reference_table('heap')`);
    await db.query(`insert into heap values (1, 'x'), (1, 'x'), (1, 'x'), (2, null), (2, null)`);
    await db.query(`delete from heap where ctid = (select min(ctid) from heap where a = 1)`);
    await db.query(`update heap set b = 'y' where ctid = (select min(ctid) from heap where a = 2)`);
    await expectIdentical('heap');
    expect(await db.value('select count(*)::int from heap')).toBe(4);
  });

  test('fail as a whole when a node cannot follow', async () => {
    const [node] = added as [(typeof added)[number]];
    const copy = await copyOf('heap');
    const before = await db.query('select * from heap order by 1, 2');
    const holder = await node.connect();
    await holder.query(`begin; lock table ${copy} in access exclusive mode`);
    const e = await db.error(`insert into heap values (77, 'waits in vain')`);
    expect(e).toMatchObject({ code: '55P03', detail: expect.stringContaining(`127.0.0.1:${node.port}`) });
    await holder.query('rollback');
    await holder.end();
    expect(await db.query('select * from heap order by 1, 2')).toEqual(before);
    await expectIdentical('heap');
    for (const n of nodes)
      expect(await n.value('select count(*)::int from pg_prepared_xacts where database = current_database()')).toBe(0);
  });

  test('are pointed at by shards, which see a new row as soon as its writer has committed', async () => {
    await db.query(`
      create table d (k int primary key, r int references r on delete cascade, v int);
      select create_distributed_table('d', 'k', shard_count => 4)`);
    for (let i = 0; i < 25; i++) {
      await db.query(`insert into r values (${10_000 + i}, 'new')`);
      await db.query(`insert into d select ${i * 10} + j, ${10_000 + i}, 0 from generate_series(0, 9) j`);
    }
    expect((await db.error('insert into d values (5000, 99999, 0)')).code).toBe('23503');
    await db.query('delete from r where id = 10000');
    await expectIdentical('r');
    expect(await db.value('select count(*)::int from d')).toBe(240);
    expect((await db.error('truncate r')).code).toBe('0A000');
    expect((await db.error('drop table r')).code).toMatch(/^2BP01$/);
  });

  test('follow ALTER TABLE, keys included', async () => {
    await db.query(`
      alter table heap add column c int default 5;
      alter table heap rename column b to text_of_it;
      update heap set c = 6 where a = 1;
      alter table heap add constraint heap_c check (c > 0);
      create index heap_a on heap (a)`);
    await db.query(`delete from heap; alter table heap add primary key (a)`);
    await db.query(`insert into heap values (1, 'one', 1)`);
    await expectIdentical('heap');
    const [node] = added as [(typeof added)[number]];
    const copy = await copyOf('heap');
    await expect(node.query(`insert into ${copy} values (1, 'twice', 1)`)).rejects.toMatchObject({ code: '23505' });
    await expect(node.query(`insert into ${copy} values (2, 'bad', 0)`)).rejects.toMatchObject({ code: '23514' });
  });

  test('stay identical under writers that get in the way of each other', async () => {
    const rnd = random(7);
    const sessions = await Promise.all([1, 2, 3].map(() => db.connect()));
    const one = async (session: (typeof sessions)[number]): Promise<void> => {
      for (let i = 0; i < 25; i++) {
        const id = 1 + (rnd() % 40);
        const sql = [
          `insert into r values (${id}, 'v${rnd() % 100}') on conflict (id) do update set v = excluded.v`,
          `update r set v = v || '${rnd() % 10}' where id between ${id} and ${id + 5}`,
          `delete from r where id = ${id}`,
        ][rnd() % 3] as string;
        try {
          await session.query('begin');
          await session.query(sql);
          await session.query(`update r set v = left(v, 5) where id = ${1 + (rnd() % 40)}`);
          await session.query(rnd() % 5 === 0 ? 'rollback' : 'commit');
        } catch (e) {
          await session.query('rollback');
          expect(['40P01', '40001', '55P03']).toContain((e as { code: string }).code);
        }
      }
    };
    await Promise.all(sessions.map(one));
    await expectIdentical('r');
  }, 120_000);

  test('belong to their owner, and others write them by the rights they have', async () => {
    const owner = await db.role('keeper');
    await db.query(`create schema own authorization ${owner}`);
    const session = await db.as(owner);
    await session.query(`create table own.t (id int primary key); select create_reference_table('own.t')`);
    await session.query(`insert into own.t values (1)`);
    await db.query(`grant usage on schema own to public`);
    const stranger = await db.as(await db.role('stranger'));
    expect((await failure(stranger, `insert into own.t values (2)`)).code).toBe('42501');
    expect((await failure(stranger, `select undistribute_table('own.t')`)).code).toBe('42501');
    expect((await failure(stranger, `select create_reference_table('own.t')`)).code).toBe('42501');
    await session.query(`grant insert, delete, select on own.t to public`);
    await stranger.query(`insert into own.t values (2)`);
    await stranger.query(`delete from own.t where id = 1`);
    await expectIdentical('own.t');
    expect((await failure(session, `select create_reference_table('own.t')`)).code).toBe('42P16');
    await session.query(`select undistribute_table('own.t')`);
    await session.query(`insert into own.t values (3)`);
    expect((await session.query('select id from own.t order by 1')).rows).toEqual([{ id: 2 }, { id: 3 }]);
  });

  test('come to new nodes when they are asked to, or needed', async () => {
    await db.query(`select citus_add_node('127.0.0.1', ${nodes[2]?.port})`);
    const shard = await db.value(
      `select shardid from _tessera_catalog.pg_dist_shard where logicalrelid = 'r'::regclass`,
    );
    const other = await db.value(
      `select shardid from _tessera_catalog.pg_dist_shard where logicalrelid = 'd'::regclass limit 1`,
    );
    expect((await db.error(`select citus_copy_shard_placement(${other}, 1, 3)`)).code).toBe('0A000');
    expect((await db.error(`select citus_copy_shard_placement(${shard}, 3, 1)`)).code).toBe('22000');
    expect((await db.error('select citus_copy_shard_placement(1, 1, 3)')).code).toBe('42704');
    await db.query(`select citus_copy_shard_placement(${shard}, 1, 3)`);
    expect(await db.notices(`select citus_copy_shard_placement(${shard}, 1, 3)`)).toMatchObject([
      { severity: 'WARNING' },
    ]);
    await db.query('select replicate_reference_tables()');
    await expectIdentical('r', nodes);
    await expectIdentical('heap', nodes);
    await db.query(`insert into heap values (3, 'three', 3)`);
    await expectIdentical('heap', nodes);
    await db.query('select replicate_reference_tables()');
  });

  test('refuse foreign keys that copies could not watch over', async () => {
    await db.query('create table plain (id int primary key); create table toplain (id int references plain)');
    expect(await db.error(`select create_reference_table('toplain')`)).toMatchObject({
      code: '42P16',
      hint: expect.stringContaining('create_reference_table'),
    });
    expect((await db.error(`select create_reference_table('pg_class')`)).code).not.toBe('00000');
    expect((await db.error(`select create_reference_table('citus_tables')`)).code).toBe('42809');
    expect(await db.value('select create_reference_table(null)')).toBe(null);
  });
});

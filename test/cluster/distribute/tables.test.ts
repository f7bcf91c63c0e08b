import { columnOptions } from '../../../src/lib/column-options.ts';
import { describe, expect, test } from 'vitest';
import { hasWorkers, useCluster } from '../../harness/cluster.ts';
import { failure } from '../../harness/database.ts';
import { expectNothingLeft, expectShardsFollow, tablesOnNodes } from '../../harness/shards.ts';

// A server of the user's own has no workers beside it.
describe.skipIf(!hasWorkers())('distributed tables', () => {
  const cluster = useCluster();
  const { db, nodes } = cluster;

  const groupOf = (table: string): Promise<number> =>
    db.value('select colocation_id from citus_tables where table_name = $1::regclass', [table]);
  const isPlain = async (table: string): Promise<boolean> =>
    (await db.value(`select relkind = 'r' from pg_class where oid = $1::regclass`, [table])) as boolean;

  test('spread the rows they have, and those that come', async () => {
    await db.query(
      `create table t (k int primary key, v text); insert into t select i, 'v' || i from generate_series(1, 200) i`,
    );
    const seen = await db.notices(`select create_distributed_table('t', 'k', shard_count => 4)`);
    expect(seen.map((n) => n.message)).toEqual(['moving the data of public.t', 'moved 200 rows']);
    await db.query(`insert into t select i, 'w' || i from generate_series(201, 300) i`);
    expect(await db.query('select count(*)::int as n, sum(k)::int as s from t')).toEqual([{ n: 300, s: 45150 }]);
    expect(await db.value(`select v from t where k = 250`)).toBe('w250');
    expect(
      await db.query(
        `select citus_table_type, distribution_column, shard_count::int, table_owner, access_method from citus_tables where table_name = 't'::regclass`,
      ),
    ).toEqual([
      {
        citus_table_type: 'distributed',
        distribution_column: 'k',
        shard_count: 4,
        table_owner: 'postgres',
        access_method: 'heap',
      },
    ]);
    const counts = await Promise.all(
      nodes.map(async (n) => {
        const shards = await n.query(
          `select tablename from pg_tables where tablename like 't\\_%' and schemaname = 'public'`,
        );
        const all = await Promise.all(shards.map((s) => n.value(`select count(*)::int from ${s.tablename}`)));
        return all.reduce((a: number, b: number) => a + b, 0);
      }),
    );
    expect(counts.every((c) => c > 0)).toBe(true);
    expect(counts.reduce((a, b) => a + b, 0)).toBe(300);
    await expectShardsFollow(cluster, 't');
  });

  test('without rows say nothing and answer at once', async () => {
    await db.query('create table empty (k int)');
    expect(await db.notices(`select create_distributed_table('empty', 'k')`)).toEqual([]);
    expect(await db.value('select count(*)::int from empty')).toBe(0);
    expect(await db.value(`select shard_count::int from citus_tables where table_name = 'empty'::regclass`)).toBe(32);
    await db.query('drop table empty');
  });

  test('find rows by keys of many types', async () => {
    await db.query(`
      create schema types;
      create type types.pair as (a int, b text collate "C");
      create domain types.even as int check (value % 2 = 0);
      create collation types.german (provider = icu, locale = 'de');
      create type types.span as range (subtype = text, collation = "C", multirange_type_name = types.spans)`);
    const types: readonly (readonly [type: string, value: string])[] = [
      ['bigint', 'i * 10000000000'],
      ['smallint', 'i'],
      ['text', `'x' || i`],
      ['text collate "C"', `'x' || i`],
      ['text collate types.german', `'ä' || i`],
      ['varchar(10)', `'x' || i`],
      ['char(8)', `'x' || i`],
      ['uuid', `md5(i::text)::uuid`],
      ['numeric(10,2)', 'i / 4.0'],
      ['numeric(10,-2)', 'i * 100'],
      ['float8', 'sqrt(i)'],
      ['date', `date '2024-02-29' + i`],
      ['timestamptz', `timestamptz '2024-03-31 00:00+00' + i * interval '1 hour'`],
      ['interval', `i * interval '1 month'`],
      ['bytea', `decode(md5(i::text), 'hex')`],
      ['boolean', 'i % 2 = 0'],
      ['int[]', 'array[i, null]'],
      ['int4range', 'int4range(i, i + 2)'],
      ['jsonb', `jsonb_build_object('a', i)`],
      ['inet', `'10.0.0.0'::inet + i`],
      ['types.pair', `row(i, 'b')`],
      ['types.even', 'i * 2'],
      ['types.span', `types.span('a' || i, 'b' || i)`],
      ['types.spans', `types.spans(types.span('a' || i, 'b' || i))`],
      ['"char"', `chr(i + 40)::"char"`],
    ];
    for (const [n, [type, value]] of types.entries()) {
      const table = `types.by_${n}`;
      const rows = `select (${value})::${type.replace(/ collate .*/, '')}, i from generate_series(1, 40) i`;
      await db.query(`create table ${table} (k ${type}, v int); insert into ${table} ${rows}`);
      await db.query(`select create_distributed_table('${table}', 'k', shard_count => 4)`);
      await db.query(`insert into ${table} ${rows.replace('(1, 40)', '(41, 60)')}`);
      await db.query(`insert into ${table} values (null, 0)`);
      expect([type, await db.value(`select count(*)::int from ${table}`)]).toEqual([type, 61]);
      for (const i of [7, 47])
        expect([
          type,
          await db.value(
            `select bool_or(v = ${i}) from ${table} where k = (select (${value})::${type.replace(/ collate .*/, '')} from (values (${i})) x(i))`,
          ),
        ]).toEqual([type, true]);
      expect([type, await db.value(`select v from ${table} where k is null`)]).toEqual([type, 0]);
    }
    await db.query('drop schema types cascade');
    await expectNothingLeft(cluster);
  }, 120_000);

  test('refuse keys whose hash no other server would find, and keys that have none', async () => {
    await db.query(`create type mood as enum ('sad', 'ok'); create type moody as (a int, m mood[]);
      create domain moods as mood; create collation folded (provider = icu, locale = 'und', deterministic = false);
      create table r (e mood, c moody, d moods, x regclass, j json, n text collate folded, g int generated always as (1) stored, k int)`);
    for (const [column, code] of [
      ['e', '0A000'],
      ['c', '0A000'],
      ['d', '0A000'],
      ['x', '0A000'],
      ['n', '0A000'],
      ['g', '0A000'],
      ['j', '42704'],
      ['nope', '42703'],
    ])
      expect([column, (await db.error(`select create_distributed_table('r', '${column}')`)).code]).toEqual([
        column,
        code,
      ]);
    expect((await db.error(`select create_distributed_table('r', 'g')`)).message).toBe(
      'generated column "g" cannot be the distribution column',
    );
    expect((await db.error(`select create_distributed_table('r', 'e')`)).hint).toContain('alter column e type text');
    expect(await isPlain('r')).toBe(true);
    await db.query(`insert into r (e, c, x, n, k) values ('ok', (1, array['sad'::mood]), 'pg_class', 'Ä', 1)`);
    await db.query(`select create_distributed_table('r', 'k', shard_count => 2)`);
    expect(await db.query(`select e, c::text, n from r where n = 'Ä'`)).toEqual([{ e: 'ok', c: '(1,{sad})', n: 'Ä' }]);
    await expectShardsFollow(cluster, 'r');
    await db.query('drop table r');
  });

  test('keep generated columns, identities, sequences and defaults', async () => {
    await db.query(`create table g (k int, id bigint generated always as identity, s serial, twice int generated always as (k * 2) stored,
      at timestamptz not null default now(), primary key (k, id))`);
    await db.query('insert into g (k) select generate_series(1, 10)');
    await db.query(`select create_distributed_table('g', 'k', shard_count => 4)`);
    await db.query('insert into g (k) values (11)');
    expect(await db.query('select id::int, s, twice, at is not null as at from g where k = 11')).toEqual([
      { id: 11, s: 11, twice: 22, at: true },
    ]);
    expect((await db.error('insert into g (k, id) values (1, 1)')).code).toBe('428C9');
    expect(
      await db.query(`select pg_get_serial_sequence('g', 's') as s, pg_get_serial_sequence('g', 'id') as id`),
    ).toEqual([{ s: 'public.g_s_seq', id: 'public.g_id_seq' }]);
    await expectShardsFollow(cluster, 'g');
    await db.query('drop table g');
    expect(await db.value(`select count(*)::int from pg_class where relname like 'g\\_%seq'`)).toBe(0);
  });

  test('can have any name', async () => {
    await db.query(`create schema "S "" 1";
      create table "S "" 1"."T a%s'b""c" ("K""ey" int, "a b" text default 'x''y', "%s" int, "select" int, primary key ("K""ey", "%s"),
        constraint "c "" %s" check ("a b" <> 'REFERENCES %s('), unique ("K""ey", "select"));
      create index "i "" 1" on "S "" 1"."T a%s'b""c" ("a b", ("%s" + 1)) where "select" > 3;
      create statistics "S "" 1"."s %s" on "a b", "select" from "S "" 1"."T a%s'b""c";
      insert into "S "" 1"."T a%s'b""c" select i, 'v', i, i from generate_series(1, 20) i`);
    const name = `"S "" 1"."T a%s'b""c"`;
    await db.query('select create_distributed_table($1, $2, shard_count => 4)', [name, 'K"ey']);
    expect(await db.value(`select count(*)::int from ${name} where "a b" = 'v'`)).toBe(20);
    expect((await db.error(`insert into ${name} values (1, 'w', 1, 1)`)).code).toBe('23505');
    await db.query(`alter table ${name} rename column "a b" to "b "" a"; alter table ${name} rename column "K""ey" to "where %s(";
      alter table ${name} rename column "select" to "from"`);
    expect(await db.value(`select sum("where %s(")::int from ${name} where "b "" a" = 'v'`)).toBe(210);
    const keys = await db.column(
      `select definition from _tessera_catalog.pg_dist_key where logicalrelid = $1::regclass order by name`,
      [name],
    );
    expect(keys).toEqual(['UNIQUE ("where %s(", "from")', 'PRIMARY KEY ("where %s(", "%s")']);
    await expectShardsFollow(cluster, name);
    await db.query('drop schema "S "" 1" cascade');
    await expectNothingLeft(cluster);
  });

  test('can have names as long as PostgreSQL allows', async () => {
    const long = (c: string): string => `${'ö'.repeat(20)}${c.repeat(23)}`;
    await db.query(`create table ${long('t')} (${long('k')} int primary key, ${long('v')} int constraint ${long('c')} check (${long('v')} > 0));
      create index ${long('i').slice(0, -1)}1 on ${long('t')} (${long('v')}); create index ${long('i').slice(0, -1)}2 on ${long('t')} (${long('v')} desc);
      create statistics ${long('s')} on ${long('k')}, ${long('v')} from ${long('t')}`);
    await db.query(`select create_distributed_table('${long('t')}', '${long('k')}', shard_count => 4)`);
    await db.query(`insert into ${long('t')} select i, i from generate_series(1, 50) i`);
    expect(await db.value(`select count(*)::int from ${long('t')}`)).toBe(50);
    expect((await db.error(`insert into ${long('t')} values (1, 1)`)).code).toBe('23505');
    await db.query(
      `alter index ${long('i').slice(0, -1)}1 rename to ${long('i').slice(0, -1)}3; drop index ${long('i').slice(0, -1)}2`,
    );
    const [shard] = await db.query(
      `select nodeport from citus_shards s join _tessera_catalog.pg_dist_shard d using (shardid) where table_name = $1::regclass limit 1`,
      [long('t')],
    );
    const node = nodes.find((n) => n.port === shard?.nodeport);
    const indexes = await node?.query('select indexdef from pg_indexes where tablename = $1', [
      await db.value(
        'select shard_name from _tessera_catalog.pg_dist_shard where logicalrelid = $1::regclass limit 1',
        [long('t')],
      ),
    ]);
    expect(indexes?.length).toBe(2);
    await db.query(`drop table ${long('t')}`);
    await expectNothingLeft(cluster);
  });

  test('of one shard take every row and need no key', async () => {
    await db.query(`create table one (g int generated always as (7) stored, a int primary key, b int unique, c int);
      insert into one (a, b) select i, -i from generate_series(1, 30) i`);
    await db.query(`select create_distributed_table('one', null)`);
    await db.query('insert into one (a, b) values (31, -31)');
    expect(await db.value('select count(*)::int from one')).toBe(31);
    expect((await db.error('insert into one (a, b) values (32, -1)')).code).toBe('23505');
    expect(
      await db.query(
        `select distribution_column, shard_count::int from citus_tables where table_name = 'one'::regclass`,
      ),
    ).toEqual([{ distribution_column: '<none>', shard_count: 1 }]);
    await db.query('update one set a = a + 100 where a = 5');
    await db.query('alter table one drop column b');
    expect(await db.value('select count(*)::int from one where a = 105')).toBe(1);
    expect(
      await db.column(`select name from _tessera_catalog.pg_dist_key where logicalrelid = 'one'::regclass`),
    ).toEqual(['one_pkey']);
    await expectShardsFollow(cluster, 'one');
    await db.query(
      `create table other (a int primary key); select create_distributed_table('other', null, colocate_with => 'one')`,
    );
    expect(await groupOf('other')).toBe(await groupOf('one'));
    await db.query(`create table third (a int); select create_distributed_table('third', null)`);
    expect(await groupOf('third')).not.toBe(await groupOf('one'));
    await db.query('create table nothing ()');
    expect((await db.error(`select create_distributed_table('nothing', null)`)).code).toBe('0A000');
    await db.query('drop table one, other, third, nothing');
  });

  test('go where tables with the same kind of key and number of shards are, unless something else is said', async () => {
    await db.query(
      'create table a (k int); create table b (k int); create table c (k bigint); create table d (k int); create table e (k int); create table f (k text); create table h (k text collate "C")',
    );
    await db.query(`select create_distributed_table('a', 'k', colocate_with => 'none', shard_count => 5)`);
    await db.query(`select create_distributed_table('b', 'k', shard_count => 5)`);
    await db.query(`select create_distributed_table('c', 'k', shard_count => 5)`);
    await db.query(`select create_distributed_table('d', 'k', shard_count => 5)`);
    await db.query(`select create_distributed_table('e', 'k', colocate_with => 'a')`);
    await db.query(`select create_distributed_table('f', 'k', shard_count => 5)`);
    await db.query(`select create_distributed_table('h', 'k', shard_count => 5)`);
    expect(await groupOf('b')).not.toBe(await groupOf('a'));
    expect(await groupOf('b')).not.toBe(await groupOf('c'));
    expect(await groupOf('d')).toBe(await groupOf('b'));
    expect(await groupOf('e')).toBe(await groupOf('a'));
    expect(await groupOf('h')).not.toBe(await groupOf('f'));
    const places = (table: string): Promise<unknown> =>
      db.query('select nodeport from citus_shards where table_name = $1::regclass order by shardid', [table]);
    expect(await places('e')).toEqual(await places('a'));
    expect(await places('d')).toEqual(await places('b'));
    const used = await db.column(`select distinct nodeport from citus_shards where table_name = 'a'::regclass`);
    expect(used.length).toBe(3);
    await db.query('drop table a, b, c, d, e, f, h');
    expect(await db.value('select count(*)::int from _tessera_catalog.pg_dist_colocation where explicit')).toBe(0);
  });

  test('cannot be colocated with what does not fit', async () => {
    await db.query(`create table a (k int); create table b (k bigint); create table l (k int); create table o (k int);
      select create_distributed_table('a', 'k', shard_count => 4); select create_distributed_table('o', null)`);
    const tries: readonly (readonly [sql: string, code: string, detail: string | undefined])[] = [
      [`'b', 'k', colocate_with => 'a'`, '22023', 'Distribution columns are not of the same type and collation.'],
      [`'l', null, colocate_with => 'a'`, '22023', 'Distribution columns are not of the same type and collation.'],
      [`'l', 'k', colocate_with => 'o'`, '22023', 'Distribution columns are not of the same type and collation.'],
      [`'l', 'k', colocate_with => 'b'`, '42P16', undefined],
      [`'l', 'k', colocate_with => 'no_such'`, '42P01', undefined],
      [`'l', 'k', colocate_with => 'a', shard_count => 4`, '22023', undefined],
    ];
    for (const [args, code, detail] of tries) {
      const e = await db.error(`select create_distributed_table(${args})`);
      expect([args, e.code, e.detail]).toEqual([args, code, detail]);
    }
    for (const table of ['b', 'l']) expect(await isPlain(table)).toBe(true);
    await db.query('drop table a, b, l, o');
  });

  test('have from 1 to 64000 shards, and nothing happens for null', async () => {
    await db.query('create table n (k int)');
    for (const count of [0, -1, 64001])
      expect((await db.error(`select create_distributed_table('n', 'k', shard_count => ${count})`)).code).toBe('22023');
    expect((await db.error(`select create_distributed_table('n', null, shard_count => 3)`)).code).toBe('22023');
    expect((await db.error(`select create_distributed_table('n', 'k', 'range')`)).code).toBe('0A000');
    await db.query(
      `select create_distributed_table(null, 'k'), create_distributed_table('n', 'k', colocate_with => null)`,
    );
    expect(await isPlain('n')).toBe(true);
    await db.query(`select create_distributed_table('n', 'k', null, shard_count => 1)`);
    await db.query('insert into n select generate_series(1, 10)');
    expect(await db.value('select count(*)::int from n')).toBe(10);
    expect(await db.value(`select count(*)::int from citus_shards where table_name = 'n'::regclass`)).toBe(1);
    await db.query('drop table n');
  });

  test('are not made of what cannot become one', async () => {
    await db.query(`create table p (k int) partition by hash (k); create view v as select 1 as k; create temp table tmp (k int);
      create unlogged table u (k int); create table parent (k int); create table child () inherits (parent);
      create table part partition of p for values with (modulus 1, remainder 0); create materialized view m as select 1 as k;
      create table ruled (k int); create rule r as on delete to ruled do instead nothing;
      create table seen (k int); create materialized view sees as select * from seen; create sequence s;
      create table h (k int, time timestamptz not null); select create_hypertable('h', 'time')`);
    for (const [name, code] of [
      ['p', '42809'],
      ['v', '42809'],
      ['m', '42809'],
      ['s', '42809'],
      ['tmp', '0A000'],
      ['u', '0A000'],
      ['parent', '0A000'],
      ['child', '0A000'],
      ['part', '0A000'],
      ['ruled', '0A000'],
      ['seen', '2BP01'],
      ['h', '0A000'],
    ])
      expect([name, (await db.error(`select create_distributed_table('${name}', 'k')`)).code]).toEqual([name, code]);
    expect((await db.error(`select create_distributed_table('pg_class', 'oid')`)).code).toBe('0A000');
    await db.query(
      'drop table p, u, child, parent, ruled, h; drop materialized view sees, m; drop view v; drop table seen, tmp; drop sequence s',
    );
  });

  test('cannot be made twice, and a shard is no table to distribute', async () => {
    await db.query(`create table twice (k int); select create_distributed_table('twice', 'k', shard_count => 2)`);
    const e = await db.error(`select create_distributed_table('twice', 'k')`);
    expect([e.code, e.message]).toEqual(['42P16', 'table "public.twice" is already distributed']);
    const shard = await db.value(
      `select local_relid::text from _tessera_catalog.pg_dist_shard where logicalrelid = 'twice'::regclass limit 1`,
    );
    expect((await db.error(`select create_distributed_table('${shard}', 'k')`)).code).toBe('42809');
    await db.query('drop table twice');
  });

  test('refuse unique constraints without the key, of every kind', async () => {
    await db.query(`create extension if not exists btree_gist;
      create table u1 (k int, v int primary key); create table u2 (k int, v int unique); create table u3 (k int, v int);
      create unique index on u3 (v); create table u4 (k int, v int); create unique index on u4 (v) include (k);
      create table u5 (k int, v int); create unique index on u5 ((k + 1)); create table u6 (k int, v int, exclude using gist (v with =))`);
    for (const t of ['u1', 'u2', 'u3', 'u4', 'u5', 'u6']) {
      const e = await db.error(`select create_distributed_table('${t}', 'k')`);
      expect([t, e.code, e.hint]).toEqual([t, '0A000', 'Add "k" to it, or drop it.']);
      expect(await isPlain(t)).toBe(true);
    }
    await db.query('drop table u1, u2, u3, u4, u5, u6');
    await expectNothingLeft(cluster);
  });

  test('keep exclusion constraints that compare the key for equality, and refuse others', async () => {
    for (const n of nodes) await n.query('create extension if not exists btree_gist');
    await db.query(`create table x1 (k int, r int4range, exclude using gist (k with =, r with &&));
      create table x2 (k int4range, r int, exclude using gist (k with &&, r with =))`);
    await db.query(`select create_distributed_table('x1', 'k', shard_count => 2)`);
    await db.query(`insert into x1 values (1, '[1,5)')`);
    expect((await db.error(`insert into x1 values (1, '[3,9)')`)).code).toBe('23P01');
    await expectShardsFollow(cluster, 'x1');
    expect((await db.error(`select create_distributed_table('x2', 'k')`)).code).toBe('0A000');
    await db.query('drop table x1, x2');
  });

  test('refuse triggers with transition tables, before and after', async () => {
    await db.query(`create table tg (t int primary key);
      create function tgf() returns trigger language plpgsql as $$ begin return null; end $$`);
    const trigger =
      'create trigger s after insert on tg referencing new table as n for each statement execute function tgf()';
    await db.query(trigger);
    const e = await db.error(`select create_distributed_table('tg', 't', shard_count => 2)`);
    expect([e.code, e.hint]).toEqual(['0A000', 'Make it a trigger FOR EACH ROW, or drop it.']);
    await db.query('drop trigger s on tg');
    await db.query(`select create_distributed_table('tg', 't', shard_count => 2)`);
    const late = await db.error(trigger);
    expect([late.code, late.message]).toEqual(['0A000', 'trigger "s" cannot have transition tables']);
    await db.query('drop table tg');
  });

  test('keep foreign keys among rows that are always together', async () => {
    await db.query(`create table ref (id int primary key); insert into ref values (1), (2); select create_reference_table('ref');
      create table self (k int, id int, up int, r int references ref, primary key (k, id), foreign key (k, up) references self (k, id))`);
    await db.query('insert into self values (1, 1, null, 1), (1, 2, 1, 2)');
    await db.query(`select create_distributed_table('self', 'k', shard_count => 4)`);
    await expectShardsFollow(cluster, 'self');
    expect((await db.error('insert into self values (2, 2, 1, 1)')).code).toBe('23503');
    expect((await db.error('insert into self values (3, 3, null, 9)')).code).toBe('23503');
    expect((await db.error('delete from self where id = 1')).code).toBe('23503');
    await db.query('insert into self values (2, 1, null, 1), (2, 2, 1, 1)');
    expect(await db.value('select count(*)::int from self')).toBe(4);
    await db.query('drop table self, ref');
    await expectNothingLeft(cluster);
  });

  test('refuse foreign keys that nodes could not watch over', async () => {
    await db.query(`create table local (id int primary key); create table ref2 (id int primary key); select create_reference_table('ref2');
      create table f1 (k int, l int references local);
      create table f2 (k int primary key, v int references f2);
      create table f3 (k int primary key references ref2 on delete set null);
      create table f4 (k int primary key references ref2 on update cascade);
      create table f5 (k int primary key, r int default 1 references ref2 on delete set default);
      create table f6 (k int primary key)`);
    const tries: readonly (readonly [table: string, key: string, code: string])[] = [
      ['f1', 'k', '42P16'],
      ['f2', 'k', '0A000'],
      ['f3', 'k', '0A000'],
      ['f4', 'k', '0A000'],
      ['f5', 'k', '0A000'],
    ];
    for (const [table, key, code] of tries) {
      expect([table, (await db.error(`select create_distributed_table('${table}', '${key}')`)).code]).toEqual([
        table,
        code,
      ]);
      expect(await isPlain(table)).toBe(true);
    }
    expect((await db.error(`select create_distributed_table('f1', 'k')`)).hint).toContain('create_reference_table');
    await db.query(`create table f7 (k int primary key references f6) partition by list (k)`);
    const incoming = await db.error(`select create_distributed_table('f6', 'k')`);
    expect([incoming.code, incoming.hint]).toEqual([
      '0A000',
      expect.stringContaining('create_distributed_foreign_key'),
    ]);
    await db.query('drop table f1, f2, f3, f4, f5, f7, f6, local, ref2');
    await expectNothingLeft(cluster);
  });

  test('keep triggers, policies, views, grants, comments, statistics and settings of columns', async () => {
    const [reader, writer] = [await db.role('reader'), await db.role('writer')];
    await db.query(`
      create table o (k int primary key, v text, w int constraint ck check (w > 0));
      comment on table o is 'the table'; comment on column o.v is 'the column'; comment on constraint ck on o is 'the check';
      create index oi on o (v) with (fillfactor = 60); comment on index oi is 'the index';
      create statistics os on v, w from o; comment on statistics os is 'the statistics'; alter statistics os set statistics 50;
      alter table o alter w set statistics 77, alter w set (n_distinct = 5), alter v set storage external, alter v set compression lz4;
      create function note() returns trigger language plpgsql as $$ begin new.w := coalesce(new.w, 1) + 1; return new; end $$;
      create trigger tr before insert on o for each row execute function note(); comment on trigger tr on o is 'the trigger';
      alter table o enable row level security;
      create policy p on o for select to ${reader} using (w > 5); comment on policy p on o is 'the policy';
      create policy few on o for insert to ${reader} with check (w = 2);
      grant select, insert on o to ${reader}; grant update (v) on o to ${writer} with grant option;
      create view ov with (security_barrier) as select k, v from o; grant select on ov to ${reader}; create view ovv as select * from ov;
      insert into o values (1, 'a', 1), (2, 'b', 10)`);
    const described = (): Promise<unknown> =>
      db.query(`select obj_description('o'::regclass, 'pg_class') as t, col_description('o'::regclass, 2) as c, obj_description('oi'::regclass, 'pg_class') as i,
        (select obj_description(oid, 'pg_statistic_ext') || stxstattarget from pg_statistic_ext where stxname = 'os') as s,
        (select obj_description(oid, 'pg_constraint') from pg_constraint where conname = 'ck' and conrelid = 'o'::regclass) as k,
        (select obj_description(oid, 'pg_policy') from pg_policy where polrelid = 'o'::regclass and polname = 'p') as p,
        (select obj_description(oid, 'pg_trigger') from pg_trigger where tgname = 'tr' and tgrelid = 'o'::regclass) as g,
        (select array_agg((attname, attstattarget, ${columnOptions('attoptions')}, attstorage, attcompression, attacl)::text order by attnum) from pg_attribute
         where attrelid = 'o'::regclass and attnum > 0) as columns,
        (select relacl::text from pg_class where oid = 'o'::regclass) as acl, (select relacl::text from pg_class where oid = 'ov'::regclass) as vacl,
        (select reloptions from pg_class where oid = 'ov'::regclass) as options`);
    const before = await described();
    await db.query(`select create_distributed_table('o', 'k', shard_count => 4)`);
    expect(await described()).toEqual(before);
    expect(await db.query('select * from o order by k')).toEqual([
      { k: 1, v: 'a', w: 2 },
      { k: 2, v: 'b', w: 11 },
    ]);
    const session = await db.as(reader);
    await session.query(`insert into o values (3, 'c', null)`);
    expect((await failure(session, `insert into o values (4, 'd', 2)`)).code).toBe('42501');
    expect((await session.query('select k from o')).rows).toEqual([{ k: 2 }]);
    expect((await failure(session, 'delete from o')).code).toBe('42501');
    expect((await session.query('select count(*)::int as n from ov')).rows).toEqual([{ n: 3 }]);
    expect(await db.value('select count(*)::int from ovv')).toBe(3);
    expect(await db.value('select w from o where k = 3')).toBe(2);
    await expectShardsFollow(cluster, 'o');
    await db.query('drop view ovv, ov; drop table o; drop function note()');
  });

  test('move rows that forced row security hides from their owner', async () => {
    const owner = await db.role('hidden');
    await db.query(`create schema ${owner} authorization ${owner}`);
    const session = await db.as(owner);
    await session.query(`create table ${owner}.h (k int primary key, who text); insert into ${owner}.h values (1, 'me'), (2, 'you');
      alter table ${owner}.h enable row level security; alter table ${owner}.h force row level security;
      create policy p on ${owner}.h using (who = 'me')`);
    await session.query(`select create_distributed_table('${owner}.h', 'k', shard_count => 2)`);
    expect((await session.query(`select k from ${owner}.h`)).rows).toEqual([{ k: 1 }]);
    expect(await db.value(`select count(*)::int from ${owner}.h`)).toBe(2);
    await session.query(`drop schema ${owner} cascade`);
  });

  test('belong to an owner without privileges from end to end', async () => {
    const owner = await db.role('owner');
    await db.query(`create schema own authorization ${owner}; create schema shared; create type shared.color as enum ('red', 'green');
      create domain shared.name as text check (value <> ''); grant usage on schema shared to ${owner}`);
    const session = await db.as(owner);
    await session.query(`create table own.t (k int, id serial, c shared.color default 'red', n shared.name, primary key (k, id));
      create index on own.t (c); insert into own.t (k, n) select i, 'x' from generate_series(1, 50) i`);
    await session.query(`select create_distributed_table('own.t', 'k', shard_count => 4)`);
    await session.query(`alter table own.t add column v int default 7; create index on own.t (v)`);
    await session.query(
      `insert into own.t (k, c, n) values (100, 'green', 'y'); update own.t set v = 8 where k = 100; delete from own.t where k = 1`,
    );
    expect((await session.query('select count(*)::int as n, sum(v)::int as v from own.t')).rows).toEqual([
      { n: 50, v: 351 },
    ]);
    await expectShardsFollow(cluster, 'own.t');
    const owners = await nodes[0]?.query(`select distinct tableowner from pg_tables where schemaname = 'own'`);
    expect(owners?.length).toBe(1);
    expect(await nodes[0]?.value(`select rolsuper from pg_roles where rolname = '${owners?.[0]?.tableowner}'`)).toBe(
      false,
    );
    await session.query(`alter table own.t drop column v; select undistribute_table('own.t')`);
    expect((await session.query('select count(*)::int as n from own.t')).rows).toEqual([{ n: 50 }]);
    await session.query(`select create_distributed_table('own.t', 'k', shard_count => 2); drop table own.t`);
    await expectNothingLeft(cluster);
    await db.query('drop schema own, shared cascade');
  });

  test('are made by nobody but their owner', async () => {
    await db.query('create table mine (k int)');
    const session = await db.as(await db.role('stranger'));
    for (const sql of [
      `select create_distributed_table('mine', 'k')`,
      `select _tessera_functions.create_distributed_table('mine'::regclass::oid::int8, 'k', 'hash', 'default', 2)`,
      `insert into _tessera_catalog.request (operation, payload) select 'shard.register',
         jsonb_build_object('relid', 'mine'::regclass::oid::text, 'column', 'k', 'model', 's', 'with', 'default', 'shardCount', 2, 'keys', '[]'::jsonb)`,
    ])
      expect([sql, (await failure(session, sql)).code]).toEqual([sql, '42501']);
    await db.query(`select create_distributed_table('mine', 'k', shard_count => 2); insert into mine values (1)`);
    for (const sql of [
      `select * from mine`,
      `insert into mine values (1)`,
      `select undistribute_table('mine')`,
      `select alter_distributed_table('mine', shard_count => 3)`,
      `drop table mine`,
      `insert into _tessera_catalog.request (operation, payload) select 'shard.forget', jsonb_build_object('relid', 'mine'::regclass::oid::text)`,
      `insert into _tessera_catalog.request (operation, payload) select 'shard.attach', jsonb_build_object('relid', 'mine'::regclass::oid::text)`,
      `delete from _tessera_catalog.pg_dist_shard`,
      `select * from ${await db.value(`select local_relid::text from _tessera_catalog.pg_dist_shard where logicalrelid = 'mine'::regclass limit 1`)}`,
    ])
      expect([sql, (await failure(session, sql)).code]).toEqual([sql, '42501']);
    expect(await db.value('select count(*)::int from mine')).toBe(1);
    await db.query('drop table mine');
  });

  test('made in a transaction that is rolled back leave nothing behind', async () => {
    await expectNothingLeft(cluster);
    const before = await tablesOnNodes(nodes);
    await db.query('create table keep (k int primary key); insert into keep select generate_series(1, 20)');
    await db.query(
      `begin; select create_distributed_table('keep', 'k', shard_count => 4); insert into keep values (100); rollback`,
    );
    expect(await isPlain('keep')).toBe(true);
    expect(await db.value('select count(*)::int from keep')).toBe(20);
    expect((await tablesOnNodes(nodes)).length).toBe(before.length + 4);
    await db.query(
      `begin; savepoint s; select create_distributed_table('keep', 'k', shard_count => 4); rollback to s; commit`,
    );
    expect(await isPlain('keep')).toBe(true);
    await expectNothingLeft(cluster);
    expect(await tablesOnNodes(nodes)).toEqual(before);
    await db.query(
      `begin; select create_distributed_table('keep', 'k', shard_count => 4); savepoint s; drop table keep; rollback to s; commit`,
    );
    await expectNothingLeft(cluster);
    expect(await db.value('select count(*)::int from keep')).toBe(20);
    await db.query('drop table keep');
  });

  test('whose rows do not fit stay what they were', async () => {
    await db.query('create table bad (k int, v int); insert into bad select i, i from generate_series(1, 20) i');
    await db.query('alter table bad add constraint positive check (v > 5) not valid');
    expect((await db.error(`select create_distributed_table('bad', 'k', shard_count => 4)`)).code).toBe('23514');
    expect(await isPlain('bad')).toBe(true);
    expect(await db.value('select count(*)::int from bad')).toBe(20);
    await expectNothingLeft(cluster);
    await db.query('drop table bad');
  });

  test('can be made while others are', async () => {
    const sessions = await Promise.all([db.connect(), db.connect(), db.connect()]);
    await db.query('create table c1 (k bigint); create table c2 (k bigint); create table c3 (k bigint)');
    const results = await Promise.allSettled(
      sessions.map((s, i) => s.query(`select create_distributed_table('c${i + 1}', 'k', shard_count => 6)`)),
    );
    // A group that another table is joining is busy; which of them is told so is chance.
    for (const r of results)
      if (r.status === 'rejected') expect([r.reason.code, r.reason.message]).toEqual(['55P03', r.reason.message]);
    expect(results.some((r) => r.status === 'fulfilled')).toBe(true);
    for (const [i, r] of results.entries())
      if (r.status === 'rejected')
        await db.query(`select create_distributed_table('c${i + 1}', 'k', shard_count => 6)`);
    expect(new Set([await groupOf('c1'), await groupOf('c2'), await groupOf('c3')]).size).toBe(1);
    await db.query('drop table c1, c2, c3');
    await expectNothingLeft(cluster);
  });

  test('read definitions alike whatever the settings of the session', async () => {
    const session = await db.connect();
    await session.query(`set datestyle = 'SQL, DMY'; set intervalstyle = 'sql_standard'; set timezone = 'Asia/Kolkata';
      set quote_all_identifiers = on; set search_path = ''`);
    await session.query(`create table public.odd (k int primary key, d date check (d > '03/04/2024'), i interval check (i < '1-2'), t timestamptz);
      create index on public.odd (k) where t > '05/06/2024 07:08'`);
    await session.query(`select public.create_distributed_table('public.odd', 'k', shard_count => 2)`);
    await session.query(
      `alter table public.odd add check (d < '01/02/2030'), add column z timestamptz default '03/04/2024'`,
    );
    await expectShardsFollow(cluster, 'odd');
    await db.query(`insert into odd values (1, '2024-04-04', '13 months')`);
    expect((await db.error(`insert into odd values (2, '2024-03-30', '13 months')`)).code).toBe('23514');
    await db.query('drop table odd');
  });
});

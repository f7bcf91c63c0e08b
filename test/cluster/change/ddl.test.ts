import { beforeAll, describe, expect, test } from 'vitest';
import { hasWorkers, useCluster, type NodeDatabase } from '../../harness/cluster.ts';
import { expectNothingLeft, expectShardsFollow, settled, tablesOnNodes } from '../../harness/shards.ts';

// A server of the user's own has no workers beside it.
describe.skipIf(!hasWorkers())('shards and DDL', () => {
  const cluster = useCluster();
  const { db, nodes } = cluster;
  let version = 0;

  beforeAll(async () => {
    version = await db.value(`select current_setting('server_version_num')::int / 10000`);
    await db.query(`create table t (k int primary key, a int constraint t_a_check check (a > 0), b text, c numeric, d int, unique (k, a));
      insert into t select i, i, 'b' || i, i, i from generate_series(1, 60) i`);
    await db.query(`select create_distributed_table('t', 'k', shard_count => 4)`);
  });

  /** What the table and its shards are like, to see that nothing has changed. */
  const state = async (): Promise<unknown> => [
    await db.value(`select definition from _tessera_catalog.pg_dist_partition where logicalrelid = 't'::regclass`),
    await db.query('select name, definition from _tessera_catalog.pg_dist_key order by logicalrelid, name'),
    await db.query('select count(*)::int as n, sum(k)::int as k from t'),
  ];

  /** What only later versions of PostgreSQL can say; earlier ones refuse it themselves. */
  const since: Readonly<Record<string, number>> = {
    'alter table t alter column g set expression as (k * 2)': 17,
    'create statistics on (a * 2) from t': 16,
    'alter table t add column v int generated always as (k + 2)': 18,
    'alter table t drop column v': 18,
    'alter table t add constraint loose check (a > 30) not enforced': 18,
    'alter table t add constraint present not null c not valid': 18,
    'alter table t validate constraint present': 18,
    'alter table t drop constraint present, drop constraint loose': 18,
  };

  const followed: readonly string[] = [
    'alter table t add column e int default 5',
    'alter table t add column if not exists e int',
    'alter table t add column f float8 default random()',
    `alter table t add column g int generated always as (k + a) stored`,
    `alter table t add column h text collate "C" not null default 'it''s'`,
    'alter table t add column i int[] default array[1, null]',
    'alter table t add column l int check (l > 5) default 6, add column m int, alter column d set not null',
    'alter table t drop column l, drop column if exists zz',
    'alter table t drop column m, add column m text',
    'alter table t alter column e type bigint',
    'alter table t alter column h type varchar(20) collate "POSIX"',
    `alter table t alter b set default 'q'`,
    'alter table t alter b drop default',
    'alter table t alter b set not null',
    'alter table t alter b drop not null',
    'alter table t add constraint c1 check (d > 0) not valid',
    'alter table t validate constraint c1',
    'alter table t rename constraint c1 to "c ""2"',
    'alter table t add constraint c3 check (a <> d + 1000), add constraint c4 check (true)',
    'alter table t drop constraint "c ""2", drop constraint if exists nope',
    'alter table t alter b set storage external',
    'alter table t alter b set storage extended',
    'alter table t alter b set compression lz4',
    'alter table t alter b set compression default',
    'alter table t alter b set statistics 55',
    'alter table t alter b set statistics -1',
    'alter table t alter b set (n_distinct = -0.5)',
    'alter table t alter b set (n_distinct_inherited = 7)',
    'alter table t alter b reset (n_distinct)',
    'alter table t alter column g set expression as (k * 2)',
    'alter table t alter column g drop expression',
    'alter table t add column v int generated always as (k + 2)',
    'alter table t add constraint loose check (a > 30) not enforced',
    'alter table t add constraint present not null c not valid',
    'alter table t validate constraint present',
    'alter table t drop constraint present, drop constraint loose',
    'alter table t drop column v',
    'alter table t replica identity full',
    'alter table t replica identity default',
    'create index i1 on t (a)',
    'create index "i ""2" on only t (b text_pattern_ops desc nulls first) include (c) where a > 3',
    `create index i3 on t using gin (to_tsvector('english'::regconfig, b)) with (fastupdate = off)`,
    'create index if not exists i4 on t using hash (b)',
    'create index if not exists i4 on t using hash (b)',
    'create index i5 on t ((a + d), lower(b) collate "C")',
    'create index on t using brin (d) with (pages_per_range = 4)',
    'alter index i1 rename to i11',
    'alter table i11 rename to i12',
    'alter index i5 alter column 1 set statistics 100',
    'alter table t rename column a to "A %s"',
    'alter table t rename "A %s" to a',
    'alter table t rename column k to key',
    'alter table t rename column key to k',
    'drop index i12, "i ""2"',
    'drop index if exists nope',
    'create statistics s1 on a, d from t',
    'create statistics s2 (mcv, dependencies) on a, (d + 1), b from t',
    'create statistics on (a * 2) from t',
    'alter statistics s1 rename to s11',
    'alter statistics s11 set statistics 60',
    'alter statistics s11 set statistics -1',
    'alter table t alter column d type bigint',
    'drop statistics s11',
    'alter table t drop column d',
    'alter table t add column n int; create index on t (n)',
    'drop statistics if exists s2',
    'alter table t drop column i cascade',
  ];

  test('follow whatever can be followed', async () => {
    for (const sql of followed) {
      if (version < (since[sql] ?? 0)) {
        expect([sql, (await db.error(sql)).code]).toEqual([sql, expect.stringMatching(/^42(601|703|704)$/)]);
        continue;
      }
      await db.query(sql);
      await expectShardsFollow(cluster, 't').catch((e: unknown) => {
        throw new Error(`after ${sql}: ${(e as Error).message}`, { cause: e });
      });
      // The next statement sees all rows, even when shards were written anew.
      expect([sql, await db.value('select count(*)::int from t')]).toEqual([sql, 60]);
    }
    expect(await db.query('select count(distinct f)::int as f, min(e)::int as e, min(h) as h from t')).toEqual([
      { f: 60, e: 5, h: `it's` },
    ]);
  }, 180_000);

  const local: readonly string[] = [
    'alter table t rename to t9',
    'alter table t9 rename to t',
    'create schema elsewhere',
    'alter table t set schema elsewhere',
    'alter table elsewhere.t set schema public',
    'alter table t disable trigger user',
    'alter table t enable row level security',
    'alter table t disable row level security',
    `comment on column t.b is 'x'`,
    'reindex table t',
    'analyze t',
    'drop schema elsewhere',
    'create view v as select k, b from t',
    'drop view v',
    'alter table t alter b set default current_date::text',
  ];

  test('stay as they are when only the coordinator is concerned', async () => {
    const shards = await tablesOnNodes(nodes);
    for (const sql of local) await db.query(sql);
    await expectShardsFollow(cluster, 't');
    expect(await tablesOnNodes(nodes)).toEqual(shards);
    await db.query(`insert into t (k, a) values (1000, 1)`);
    expect(await db.value('select b = current_date::text from t where k = 1000')).toBe(true);
    await db.query('delete from t where k = 1000');
  });

  const refused: readonly (readonly [sql: string, code: string])[] = [
    ['alter table t add column z serial', '0A000'],
    ['alter table t add column z int generated always as identity', '0A000'],
    [`create sequence numbers; alter table t add column z int default nextval('numbers')`, '0A000'],
    ['alter table t add column z int unique', '0A000'],
    ['alter table t add column z int primary key', '0A000'],
    ['alter table t add column z int references t (k)', '0A000'],
    ['alter table t alter column a type text using a::text', '42809'],
    ['alter table t alter column k type bigint', '42P16'],
    ['alter table t drop column k', '42P16'],
    ['alter table t drop constraint t_pkey', '0A000'],
    ['alter table t add unique (k, b)', '0A000'],
    ['alter table t add primary key (k)', '0A000'],
    ['alter table only t add primary key (k)', '0A000'],
    ['create unique index on t (k)', '0A000'],
    ['create unique index on only t (k)', '0A000'],
    ['alter table t add foreign key (k) references t (k)', '0A000'],
    ['create table incoming (k int references t (k))', '0A000'],
    ['alter table t set (fillfactor = 50)', '42809'],
    ['create index concurrently on t (a)', '0A000'],
    ['drop index concurrently i3', '0A000'],
    ['alter table t owner to nobody_else', '0A000'],
    ['create table p partition of t for values with (modulus 8, remainder 0)', '42P17'],
    ['alter table t detach partition %s', '0A000'],
    ['alter foreign table %s rename to other', '0A000'],
    ['alter table %s rename to other', '0A000'],
    ['alter foreign table %s add constraint q check (k > 0)', '0A000'],
    [`alter foreign table %s options (set table_name 'other')`, '0A000'],
    ['alter foreign table %s set schema public', '0A000'],
    ['drop foreign table %s', '2BP01'],
    ['drop schema _tessera_internal cascade', '2BP01'],
    ['alter table t add constraint tessera_row_belongs_to_shard check (k > 0)', '42710'],
    ['alter table t add constraint too_much check (c < 30)', '23514'],
    ['alter table t alter n set not null', '23502'],
    [
      `create function far(int) returns int immutable language sql as 'select $1'; alter table t add check (far(a) > 0)`,
      '42883',
    ],
  ];

  /** Where PostgreSQL before 17 refuses for reasons of its own. */
  const earlier: Readonly<Record<string, string>> = {
    'alter table t add column z int generated always as identity': '42P16',
    'alter table t set (fillfactor = 50)': '22023',
  };

  test('are left alone by what they cannot follow', async () => {
    const role = await db.role('nobody_else');
    const foreign = await db.value(
      `select local_relid::text from _tessera_catalog.pg_dist_shard where logicalrelid = 't'::regclass order by shardid limit 1`,
    );
    const before = await state();
    for (const [statement, code] of refused) {
      const sql = statement.replace('%s', foreign).replace('nobody_else', role);
      const e = await db.error(sql);
      expect([sql, e.code, e.message]).toEqual([
        sql,
        (version < 17 ? earlier[statement] : undefined) ?? code,
        e.message,
      ]);
    }
    expect(await state()).toEqual(before);
    expect(await db.value(`select count(*)::int from pg_index where indrelid = 't'::regclass and indisunique`)).toBe(0);
    await expectShardsFollow(cluster, 't');
    const e = await db.error('alter table t add column z serial');
    expect([e.message, e.hint]).toEqual([
      'column "z" cannot be added to a distributed table that has rows',
      'Add the column without a default, set the default, commit, and update the rows.',
    ]);
    const owner = await db.error(`alter table t owner to ${role}`);
    expect(owner.hint).toBe(`Run undistribute_table('public.t') first, and distribute it again afterwards.`);
    expect((await db.error('create unique index on only t (k)')).hint).toBe(
      `select create_distributed_key('public.t', array['k']);`,
    );
    await db.query('set role postgres; reset role');
  });

  test('are read on after REASSIGN OWNED, and follow DDL again once the table has its owner back', async () => {
    const [owner, other] = [await db.role('owner'), await db.role('other')];
    await db.query(`grant create on schema public to ${owner}, ${other}; set role ${owner}`);
    await db.query(`create table r (k int primary key, v int); insert into r select i, i from generate_series(1, 9) i`);
    await db.query(`select create_distributed_table('r', 'k', shard_count => 2)`);
    await db.query(`reset role; reassign owned by ${owner} to ${other}`);
    expect(await db.value('select sum(v)::int from r')).toBe(45);
    const [found] = await db.query(`select status, hint from tessera.doctor() where check_name = 'owners of parts'`);
    expect(found?.status).toBe('warning');
    expect((await db.error('alter table r add column w int')).code).toBe('0A000');
    await db.query(found?.hint);
    expect(await db.column(`select status from tessera.doctor() where check_name = 'owners of parts'`)).toEqual(['ok']);
    await db.query('alter table r add column w int default 2');
    expect(await db.value('select sum(w)::int from r')).toBe(18);
    await db.query('drop table r');
    await db.query(`revoke create on schema public from ${owner}, ${other}; drop role ${owner}, ${other}`);
  });

  test('get columns with numbers of their own while they are empty', async () => {
    await db.query(`create table e (k int); select create_distributed_table('e', 'k', shard_count => 3)`);
    await db.query('alter table e add column s serial');
    const identity = 'alter table e add column i bigint generated by default as identity';
    if (version < 17) {
      expect((await db.error(identity)).code).toBe('42P16');
      await db.query('alter table e add column i bigserial');
    } else await db.query(identity);
    await expectShardsFollow(cluster, 'e');
    await db.query('insert into e (k) select generate_series(1, 20)');
    expect(await db.query('select count(distinct s)::int as s, count(distinct i)::int as i from e')).toEqual([
      { s: 20, i: 20 },
    ]);
    await db.query('drop table e');
  });

  test('are filled with one moment, that of the coordinator and in its zone', async () => {
    const session = await db.connect();
    await session.query(`set timezone = 'Pacific/Kiritimati'; set datestyle = 'SQL, DMY'`);
    await session.query(`create table clock (k int); insert into clock select generate_series(1, 30)`);
    await session.query(`select create_distributed_table('clock', 'k', shard_count => 4)`);
    await session.query(`begin; alter table clock add column n timestamptz default now(), add column d date default current_date,
      add column l timestamp(0) default localtimestamp, add column w text default 'now() ' || current_timestamp(0), add column u name default session_user,
      add column x timestamptz default '2024-05-06 07:08'::text::timestamptz`);
    const { rows } = await session.query(
      `select now()::text as n, current_date::text as d, localtimestamp(0)::text as l`,
    );
    await session.query('commit');
    expect(
      (
        await session.query(
          `select distinct n::text, d::text, l::text, w like 'now() %' as w, u, (x at time zone 'UTC')::text as x from clock`,
        )
      ).rows,
    ).toEqual([{ ...rows[0], w: true, u: 'postgres', x: '05/05/2024 17:08:00' }]);
    await expectShardsFollow(cluster, 'clock');
    await db.query('drop table clock');
  });

  test('stay when the transaction is rolled back, wholly or to a savepoint', async () => {
    const before = await state();
    await db.query(
      'begin; alter table t add column z int default 1; create index on t (z); alter table t drop constraint c4; rollback',
    );
    expect(await state()).toEqual(before);
    await db.query(`begin; savepoint a; alter table t add column z int; savepoint b; alter table t rename z to y; rollback to b;
      alter table t drop column c; rollback to a; release a; commit`);
    expect(await state()).toEqual(before);
    await expectShardsFollow(cluster, 't');
    await db.query(`begin; alter table t add column z int; savepoint b; alter table t rename z to y; rollback to b; alter table t alter z set default 4;
      create index z_index on t (z); savepoint c; drop index z_index; rollback to c; commit`);
    await expectShardsFollow(cluster, 't');
    expect(
      await db.value(`select count(*)::int from pg_attribute where attrelid = 't'::regclass and attname = 'z'`),
    ).toBe(1);
    await db.query('alter table t drop column z');
    await expectShardsFollow(cluster, 't');
    expect(await db.value('select count(*)::int from _tessera_catalog.remote_command')).toBe(0);
  });

  test('take several changes of a transaction, in their order', async () => {
    await db.query(`begin; alter table t add column x int default 1; create index x1 on t (x); alter table t rename x to y; alter table t add column x text default 'new';
      alter index x1 rename to y1; alter table t alter y set not null; alter table t drop column y; create index y1 on t (x); alter table t add check (x <> ''); commit`);
    await expectShardsFollow(cluster, 't');
    expect(await db.value(`select count(*)::int from t where x = 'new'`)).toBe(60);
    await db.query('begin; drop index y1; alter table t drop column x; commit');
    await expectShardsFollow(cluster, 't');
    // Immediate constraints run what is queued so far.
    await db.query(
      'begin; alter table t add column x int; alter table t add column y int; set constraints all immediate; commit',
    );
    await expectShardsFollow(cluster, 't');
    const again = await db.error(
      'begin; alter table t drop column x; set constraints all immediate; alter table t drop column y; commit',
    );
    expect(again.code).toBe('55000');
    await expectShardsFollow(cluster, 't');
    await db.query(
      'begin; savepoint s; alter table t drop column y; set constraints all immediate; rollback to s; set constraints all deferred; select 1; commit',
    );
    await db.query('select recover_prepared_transactions()');
    await expectShardsFollow(cluster, 't');
    await db.query('alter table t drop column y, drop column x');
    await expectShardsFollow(cluster, 't');
  });

  test('change on all nodes or on none', async () => {
    const before = await state();
    const [row] = await db.query(
      `select s.shard_name as shard, n.nodeport as port from _tessera_catalog.pg_dist_shard s join _tessera_catalog.pg_dist_placement p using (shardid)
       join _tessera_catalog.pg_dist_node n using (groupid) where s.logicalrelid = 't'::regclass order by s.shardid desc limit 1`,
    );
    const node = nodes.find((n) => n.port === row?.port) as NodeDatabase;
    await node.query(
      `create table blocker (); create index in_the_way_${row?.shard.split('_').at(-1)} on ${row?.shard} (b)`,
    );
    const e = await db.error('create index in_the_way on t (c)');
    expect([e.code, e.detail]).toEqual(['42P07', `On node 127.0.0.1:${node.port}.`]);
    await expectNothingPrepared();
    expect(await state()).toEqual(before);
    await node.query(`drop index in_the_way_${row?.shard.split('_').at(-1)}; drop table blocker`);
    await expectShardsFollow(cluster, 't');
    const pointTo = async (port: number): Promise<void> => {
      for (const server of await db.column(
        `select s.srvname from pg_foreign_server s join _tessera_catalog.pg_dist_node n on n.nodeid::text = split_part(s.srvversion, ' ', 1)
         where s.srvtype = 'tessera node' and n.nodeport = $1`,
        [node.port],
      ))
        await db.query(`alter server ${server} options (set port '${port}')`);
    };
    await pointTo(1);
    for (const sql of ['alter table t add column z int', 'create index on t (c)'])
      expect([sql, (await db.error(sql)).code]).toEqual([sql, '08001']);
    await pointTo(node.port);
    await expectNothingPrepared();
    expect(await state()).toEqual(before);
    await expectShardsFollow(cluster, 't');
  });

  const expectNothingPrepared = async (): Promise<void> => {
    await db.query('select recover_prepared_transactions()');
    await settled(nodes);
  };

  test('are not changed by a transaction that has read or written them, nor read by one that has changed them', async () => {
    const before = await state();
    for (const used of [
      'select count(*) from t',
      'insert into t (k, a) values (500, 1)',
      'update t set b = b where k = 1',
      'select * from t where k = 2 for update',
    ]) {
      const e = await db.error(`begin; ${used}; alter table t add column z int`);
      await db.query('rollback');
      expect([used, e.code, e.hint]).toEqual([used, '25001', 'Commit in between.']);
    }
    expect(
      (await db.error('begin; alter table t add column z int; select count(*) from t where k = 1; commit')).code,
    ).toBe('25001');
    expect((await db.error('begin; create index on t (c); delete from t where k = 1; commit')).code).toBe('25001');
    expect(await state()).toEqual(before);
    // Other tables may be used.
    await db.query(`create table aside (k int); select create_distributed_table('aside', 'k', shard_count => 4)`);
    await db.query('begin; insert into aside values (1); alter table t add column z int; select * from aside; commit');
    await db.query('begin; savepoint s; select count(*) from t; rollback to s; alter table t drop column z; commit');
    await expectShardsFollow(cluster, 't');
    await db.query('drop table aside');
  });

  test('go with their table', async () => {
    await db.query(`create schema many; create table many.a (k int primary key); create table many.b (k int primary key);
      create table many.plain (k int); create table kept (k int)`);
    for (const table of ['many.a', 'many.b', 'kept'])
      await db.query(`select create_distributed_table('${table}', 'k', shard_count => 3)`);
    await db.query(`select create_distributed_foreign_key('many.b', '{k}', 'many.a')`);
    await expectNothingLeft(cluster);
    const all = await tablesOnNodes(nodes);
    await db.query(
      'begin; drop table many.b; rollback; begin; savepoint s; drop schema many cascade; rollback to s; commit',
    );
    await db.query('call citus_cleanup_orphaned_resources()');
    expect(await tablesOnNodes(nodes)).toEqual(all);
    await db.query('drop schema many cascade');
    await db.query('drop table if exists kept, nothing');
    await expectNothingLeft(cluster);
    expect(await db.value(`select count(*)::int from _tessera_catalog.pg_dist_partition`)).toBe(1);
    const role = await db.role('dropped');
    await db.query(`create schema ${role} authorization ${role}`);
    const session = await db.as(role);
    await session.query(
      `create table ${role}.mine (k int); select create_distributed_table('${role}.mine', 'k', shard_count => 2)`,
    );
    await db.query(`drop owned by ${role}`);
    await expectNothingLeft(cluster);
  });

  test('lose what goes with something else', async () => {
    await db.query(`create type pair as (a int, b int); create function pg_temp.nothing() returns void language sql as '';
      create table c (k int primary key, p pair, q pair[], v int, w int generated always as (v + 1) stored);
      create statistics cs on v, w from c; create index on c (w); create index on c (v)`);
    await db.query(`select create_distributed_table('c', 'k', shard_count => 3)`);
    await db.query('insert into c select i, row(i, i)::pair, array[row(i, i)::pair], i from generate_series(1, 20) i');
    await db.query('drop type pair cascade');
    await expectShardsFollow(cluster, 'c');
    await db.query('alter table c drop column v cascade');
    await expectShardsFollow(cluster, 'c');
    expect(await db.query(`select * from c where k = 3`)).toEqual([{ k: 3 }]);
    for (const n of nodes)
      await n.query(`create function judge(int) returns boolean immutable language sql as 'select $1 > 0'`);
    await db.query(`create function judge(int) returns boolean immutable language sql as 'select $1 > 0'; alter table c add constraint judged check (judge(k));
      create index judged_index on c ((judge(k)))`);
    await expectShardsFollow(cluster, 'c');
    await db.query('drop function judge cascade');
    await expectShardsFollow(cluster, 'c');
    await db.query('insert into c values (-1); drop table c');
  });

  test('know types as they are changed', async () => {
    await db.query(`create schema kinds; create type kinds.mood as enum ('sad', 'happy'); create domain kinds.small as int constraint c1 check (value < 100);
      create type kinds.pair as (a int, m kinds.mood); create table y (k int primary key, m kinds.mood, s kinds.small, p kinds.pair)`);
    await db.query(`select create_distributed_table('y', 'k', shard_count => 3)`);
    await db.query(`insert into y values (1, 'sad', 5, (1, 'happy')), (2, 'happy', 6, null), (3, null, null, null)`);
    await db.query(
      `alter type kinds.mood add value 'ok' after 'sad'; alter type kinds.mood add value 'ecstatic'; alter type kinds.mood add value 'awful' before 'sad'`,
    );
    await db.query(`insert into y values (4, 'ok', 7, (4, 'ecstatic')), (5, 'awful', 8, null)`);
    expect(await db.column('select m from y where m is not null order by m')).toEqual(['awful', 'sad', 'ok', 'happy']);
    await db.query(
      `begin; alter type kinds.mood add value 'undone'; rollback; alter type kinds.mood rename value 'ok' to 'fine'`,
    );
    expect(await db.value('select m from y where k = 4')).toBe('fine');
    await db.query(`update y set m = 'fine' where k = 1`);
    await db.query(`alter type kinds.mood add value 'last'`);
    await db.query(`update y set m = 'last' where k = 1`);

    expect((await db.error('alter domain kinds.small add constraint c2 check (value > 5)')).code).toBe('23514');
    await db.query(
      'alter domain kinds.small add constraint c2 check (value > 4); alter domain kinds.small drop constraint c1',
    );
    // Rows come from nodes as text, which every constraint of a domain holds for.
    expect(await db.error('alter domain kinds.small add constraint c3 check (value <> 7) not valid')).toMatchObject({
      code: '23514',
      message: expect.stringContaining('violate'),
    });
    expect(await db.value('select s from y where k = 4')).toBe(7);
    await db.query(
      `alter domain kinds.small add constraint c4 check (value <> 12) not valid; alter domain kinds.small validate constraint c4;
       alter domain kinds.small drop constraint c4; alter domain kinds.small add constraint c5 check (value <> 12) not valid`,
    );
    expect((await db.error('insert into y (k, s) values (11, 12)')).code).toBe('23514');
    await db.query(`create table y_too (k int primary key, s kinds.small)`);
    await db.query(`select create_distributed_table('y_too', 'k', shard_count => 2); insert into y_too values (1, 5)`);
    expect((await db.error('update y_too set s = 12')).code).toBe('23514');
    await db.query('drop table y_too; insert into y (k, s) values (10, 1000)');
    expect((await db.error('insert into y (k, s) values (11, 1)')).code).toBe('23514');
    await db.query('alter type kinds.pair rename attribute a to "A b"');
    expect(await db.query(`select k from y where (p)."A b" = 4`)).toEqual([{ k: 4 }]);

    for (const [sql, code] of [
      ['alter type kinds.mood rename to temper', '0A000'],
      ['alter type kinds.mood set schema public', '0A000'],
      ['alter domain kinds.small rename to tiny', '0A000'],
      ['alter schema kinds rename to sorts', '0A000'],
      ['alter type kinds.pair add attribute c int', '0A000'],
    ] as const)
      expect([sql, (await db.error(sql)).code]).toEqual([sql, code]);
    await db.query(
      `create type kinds.free as enum ('a'); alter type kinds.free rename to freed; create schema other; alter schema other rename to another`,
    );
    await db.query('alter table y add column more kinds.mood[]');
    await expectShardsFollow(cluster, 'y');
    await db.query('drop schema kinds cascade; drop schema another');
    await expectShardsFollow(cluster, 'y');
    await db.query('drop table y');
  });

  test('of one shard are changed like others, and get no partitions', async () => {
    await db.query(
      `create table one (a int, b int primary key, c text); insert into one values (1, 1, 'x'), (2, 2, 'y')`,
    );
    await db.query('select create_distributed_table($$one$$, null)');
    for (const sql of [
      'alter table one drop column a',
      'alter table one add column d int default 4',
      'create index on one (d)',
      'alter table one rename b to bb',
      'alter table one alter c type varchar(5)',
    ]) {
      await db.query(sql);
      await expectShardsFollow(cluster, 'one');
    }
    expect(await db.query('select * from one order by bb')).toEqual([
      { bb: 1, c: 'x', d: 4 },
      { bb: 2, c: 'y', d: 4 },
    ]);
    expect(await db.error('alter table one add column g int generated always as (bb + 1) stored')).toMatchObject({
      code: '0A000',
      hint: `-- add it between these:\nselect undistribute_table('public.one'); select create_distributed_table('public.one', null);`,
    });
    for (const sql of [
      'create table other partition of one for values in (true)',
      `create foreign table other partition of one for values in (true) server tessera_node_1 options (table_name 'x')`,
      'create table other (bb int not null, c varchar(5), d int); alter table one attach partition other for values in (true)',
    ])
      expect([sql, (await db.error(sql)).code]).toEqual([sql, '0A000']);
    expect(await db.value('select count(*)::int from one')).toBe(2);
    await db.query('truncate one; drop table one');
  });

  test('of one shard can lose any column and give it another type, without its rows or what nodes do for them', async () => {
    await db.query(
      `create table "one%s" (a int, b text, c int); insert into "one%s" values (1, 'x', 3), (null, null, null)`,
    );
    await db.query(`select create_distributed_table('"one%s"', null)`);
    await db.query('alter table "one%s" alter column a type bigint');
    await expectShardsFollow(cluster, '"one%s"');
    await db.query('alter table "one%s" rename to "One"');
    await db.query('alter table "One" drop column a');
    await expectShardsFollow(cluster, '"One"');
    await db.query(`insert into "One" values ('y', 4), (null, null)`);
    expect(await db.query('select * from "One" order by c, b')).toEqual([
      { b: 'x', c: 3 },
      { b: 'y', c: 4 },
      { b: null, c: null },
      { b: null, c: null },
    ]);
    expect(await db.column(`explain (costs off) update "One" set b = 'z' where c = 3`)).toContainEqual(
      expect.stringContaining('->  Foreign Update'),
    );
    await db.query('drop table "One"');
  });

  test('of one shard with generated columns keep one column as it is', async () => {
    await db.query('create table ge (a int primary key, b int, g int generated always as (b + 1) stored)');
    await db.query(`select create_distributed_table('ge', null)`);
    await db.query('alter table ge drop column g, drop column b');
    await expectShardsFollow(cluster, 'ge');
    expect((await db.error('alter table ge alter column a type bigint')).code).toBe('42P16');
    await db.query(`select undistribute_table('ge')`);
    await db.query(`select create_distributed_table('ge', null)`);
    await db.query('alter table ge alter column a type bigint');
    await expectShardsFollow(cluster, 'ge');
    await db.query('drop table ge');
  });

  test('are truncated with their table', async () => {
    await db.query(`create table tr (k int primary key); select create_distributed_table('tr', 'k', shard_count => 3)`);
    await db.query('insert into tr select generate_series(1, 30)');
    await db.query('begin; truncate tr; rollback');
    expect(await db.value('select count(*)::int from tr')).toBe(30);
    await db.query('truncate tr');
    expect(await db.value('select count(*)::int from tr')).toBe(0);
    await db.query('drop table tr');
    await expectNothingLeft(cluster);
  });
});

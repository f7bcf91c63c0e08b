import { describe, expect, test } from 'vitest';
import { hasWorkers, useCluster } from '../../harness/cluster.ts';
import { failure } from '../../harness/database.ts';
import { waitUntil } from '../../harness/wait-until.ts';
import { expectNothingLeft, expectShardsFollow, settled } from '../../harness/shards.ts';

// A server of the user's own has no workers beside it.
describe.skipIf(!hasWorkers())('keys of distributed tables', () => {
  const cluster = useCluster();
  const { db, nodes } = cluster;

  const keys = (table: string): Promise<unknown[]> =>
    db.query('select name, kind from _tessera_catalog.pg_dist_key where logicalrelid = $1::regclass order by name', [
      table,
    ]);
  const make = async (table: string, columns: string, distribute = `'k', shard_count => 4`): Promise<void> => {
    await db.query(`create table ${table} (${columns})`);
    await db.query(`select create_distributed_table('${table}', ${distribute})`);
  };

  test('are listed for tools, for everybody', async () => {
    await db.query(`create table kp (id int primary key); create table kc (pid int, id int, t text, primary key (pid, id), unique (pid, t),
      constraint kc_up foreign key (pid) references kp)`);
    await db.query(`select create_distributed_table('kp', 'id'), create_distributed_table('kc', 'pid')`);
    await db.query(`create table "Kh" (time timestamptz primary key); select create_hypertable('"Kh"', 'time')`);
    const role = await db.role('tool');
    const keys = (): Promise<unknown[]> =>
      db.column(`set role ${role}; select format('%s.%s %s: %s %s %s', table_schema, table_name, constraint_name, constraint_type, column_names, definition)
        from tessera_information.keys where table_name in ('kp', 'kc', 'Kh') and is_valid order by table_name desc, constraint_name`);
    const distributed = [
      'public.kp kp_pkey: PRIMARY KEY {id} PRIMARY KEY (id)',
      'public.kc kc_pid_t_key: UNIQUE {pid,t} UNIQUE (pid, t)',
      'public.kc kc_pkey: PRIMARY KEY {pid,id} PRIMARY KEY (pid, id)',
      'public.kc kc_up: FOREIGN KEY {pid} FOREIGN KEY (pid) REFERENCES kp(id)',
    ];
    expect(await keys()).toEqual(distributed);
    await db.query(`reset role; select set_compression('"Kh"')`);
    expect(await keys()).toEqual([...distributed, 'public.Kh Kh_pkey: PRIMARY KEY {time} PRIMARY KEY ("time")']);
    await db.query(`reset role; drop table kc, kp, "Kh"`);
  });

  test('are made on all shards, with names as PostgreSQL gives them, and dropped', async () => {
    await make('t', 'k int, v int, w text');
    await db.query('insert into t select i, i, i from generate_series(1, 50) i');
    await db.query(`select create_distributed_key('t', array['k', 'v'])`);
    await db.query(`select create_distributed_key('t', array['k', 'v'], 'UNIQUE')`);
    await db.query(`select create_distributed_key('t', array['v', 'k'], 'primary  key')`);
    await db.query(`select create_distributed_key('t', '{k,w}', constraint_name => 'my key')`);
    expect(await keys('t')).toEqual([
      { name: 'my key', kind: 'u' },
      { name: 't_k_v_key', kind: 'u' },
      { name: 't_k_v_key1', kind: 'u' },
      { name: 't_pkey', kind: 'p' },
    ]);
    await expectShardsFollow(cluster, 't');
    expect((await db.error('insert into t values (7, 7, 0)')).code).toBe('23505');
    expect((await db.error('insert into t values (7, null, 0)')).code).toBe('23502');
    await db.query('insert into t values (7, 8, 0) on conflict do nothing');
    await db.query('insert into t values (7, 8, 0) on conflict do nothing');
    expect(await db.value('select count(*)::int from t where k = 7')).toBe(2);
    for (const name of ['my key', 't_k_v_key', 't_k_v_key1', 't_pkey'])
      await db.query(`select drop_distributed_constraint('t', '${name}')`);
    expect(await keys('t')).toEqual([]);
    await expectShardsFollow(cluster, 't');
    await db.query('insert into t values (7, 7, 0)');
    await db.query('drop table t');
  });

  test('that rows break are made nowhere', async () => {
    await make('d', 'k int, v int');
    await db.query('insert into d select i, null from generate_series(1, 50) i; insert into d values (7, 1), (7, 1)');
    const twice = await db.error(`select create_distributed_key('d', array['k', 'v'])`);
    expect([twice.code, twice.detail]).toEqual([
      '23505',
      expect.stringMatching(/^On node 127\.0\.0\.1:\d+\. Key \(k, v\)=\(7, 1\)/),
    ]);
    expect((await db.error(`select create_distributed_key('d', array['k', 'v'], 'primary key')`)).code).toBe('23502');
    expect(await keys('d')).toEqual([]);
    expect(
      await db.value(`select bool_or(attnotnull) from pg_attribute where attrelid = 'd'::regclass and attnum > 0`),
    ).toBe(false);
    await expectShardsFollow(cluster, 'd');
    await db.query('drop table d');
  });

  test('are refused before anything happens', async () => {
    await make('r', 'k int primary key, v int, c int constraint positive check (c > 0)');
    await db.query('create table plain (k int primary key); create table ref (id int primary key)');
    await db.query(`select create_reference_table('ref')`);
    const tries: readonly (readonly [call: string, code: string])[] = [
      [`create_distributed_key('r', array['v'])`, '0A000'],
      [`create_distributed_key('r', array['k', 'nope'])`, '42703'],
      [`create_distributed_key('r', array['k', 'k'])`, '42701'],
      [`create_distributed_key('r', array['k', null])`, '22023'],
      [`create_distributed_key('r', '{}')`, '22023'],
      [`create_distributed_key('r', null)`, '22023'],
      [`create_distributed_key(null, '{k}')`, '22023'],
      [`create_distributed_key('r', '{k}', 'exclude')`, '22023'],
      [`create_distributed_key('r', '{k}', null)`, '22023'],
      [`create_distributed_key('r', '{k}', 'primary key')`, '42P16'],
      [`create_distributed_key('r', '{k}', constraint_name => 'r_pkey')`, '42710'],
      [`create_distributed_key('r', '{k}', constraint_name => 'positive')`, '42710'],
      [`create_distributed_key('plain', '{k}')`, '42P16'],
      [`create_distributed_key('ref', '{id}')`, '42809'],
      [`create_distributed_foreign_key('r', '{k}', 'plain')`, '42P16'],
      [`create_distributed_foreign_key('r', '{v}', 'r')`, '0A000'],
      [`create_distributed_foreign_key('r', '{v}', 'r', '{v}')`, '42830'],
      [`create_distributed_foreign_key('r', '{k,v}', 'ref')`, '42830'],
      [`create_distributed_foreign_key('r', '{nope}', 'ref')`, '42703'],
      [`create_distributed_foreign_key('r', '{v}', 'ref', '{nope}')`, '42703'],
      [`create_distributed_foreign_key('r', '{v}', null)`, '22023'],
      [`create_distributed_foreign_key('r', null, 'ref')`, '22023'],
      [`create_distributed_foreign_key(null, '{v}', 'ref')`, '22023'],
      [`create_distributed_foreign_key('r', '{v}', 'ref', on_delete => 'explode')`, '22023'],
      [`create_distributed_foreign_key('r', '{v}', 'ref', on_delete => 'set default')`, '22023'],
      [`create_distributed_foreign_key('r', '{v}', 'ref', on_update => null)`, '22023'],
      [`create_distributed_foreign_key('r', '{k}', 'ref', on_update => 'cascade')`, '0A000'],
      [`create_distributed_foreign_key('r', '{k}', 'ref', on_delete => 'set null')`, '0A000'],
      [`create_distributed_foreign_key('plain', '{k}', 'ref')`, '42P16'],
      [`create_distributed_foreign_key('ref', '{id}', 'ref')`, '42809'],
      [`drop_distributed_constraint('r', 'nope')`, '42704'],
      [`drop_distributed_constraint('r', 'positive')`, '42704'],
      [`drop_distributed_constraint('r', null)`, '22023'],
      [`drop_distributed_constraint(null, 'r_pkey')`, '22023'],
      [`drop_distributed_constraint('ref', 'ref_pkey')`, '42809'],
      [`drop_distributed_constraint('plain', 'plain_pkey')`, '42P16'],
    ];
    for (const [call, code] of tries) expect([call, (await db.error(`select ${call}`)).code]).toEqual([call, code]);
    expect((await db.error(`select drop_distributed_constraint('r', 'positive')`)).hint).toContain('alter table');
    expect((await db.error(`select create_distributed_key('r', '{k}', 'primary key')`)).hint).toBe(
      `To replace it: select drop_distributed_constraint('public.r', 'r_pkey');`,
    );
    expect(await keys('r')).toEqual([{ name: 'r_pkey', kind: 'p' }]);
    expect(await db.value('select count(*)::int from _tessera_catalog.remote_command')).toBe(0);
    await expectShardsFollow(cluster, 'r');
    await db.query('drop table r, plain, ref');
  });

  test('may be made by the owner only, who needs REFERENCES elsewhere', async () => {
    const [owner, other] = [await db.role('key_owner'), await db.role('key_other')];
    await db.query(
      `create schema mine authorization ${owner}; create schema his authorization ${other}; grant usage on schema his to ${owner}`,
    );
    const [session, stranger] = [await db.as(owner), await db.as(other)];
    await session.query(
      `create table mine.t (k int, v int); select create_distributed_table('mine.t', 'k', shard_count => 4)`,
    );
    await stranger.query(`create table his.p (k int primary key); create table his.ref (id int primary key)`);
    await stranger.query(`select create_distributed_table('his.p', 'k', shard_count => 4)`);
    await stranger.query(`select create_reference_table('his.ref')`);
    await db.query(`grant usage on schema mine to ${other}`);
    for (const sql of [
      `select create_distributed_key('mine.t', '{k}')`,
      `select create_distributed_foreign_key('mine.t', '{k}', 'his.p')`,
      `select drop_distributed_constraint('mine.t', 'x')`,
      `insert into _tessera_catalog.request (operation, payload) select 'shard.create_key', jsonb_build_object('relid', 'mine.t'::regclass::oid::text, 'columns', '["k"]'::jsonb, 'kind', 'u', 'name', null)`,
      `insert into _tessera_catalog.request (operation, payload) select 'shard.drop_key', jsonb_build_object('relid', 'mine.t'::regclass::oid::text, 'name', 'x')`,
    ])
      expect([sql, (await failure(stranger, sql)).code]).toEqual([sql, '42501']);
    await session.query(`select create_distributed_key('mine.t', '{k}')`);
    for (const table of ['his.p', 'his.ref']) {
      const sql = `select create_distributed_foreign_key('mine.t', '{k}', '${table}')`;
      expect([sql, (await failure(session, sql)).code]).toEqual([sql, '42501']);
      await stranger.query(`grant references on ${table} to ${owner}`);
      await session.query(sql);
    }
    await expectShardsFollow(cluster, 'mine.t');
    await stranger.query('insert into his.p values (1), (2); insert into his.ref values (1)');
    await session.query('insert into mine.t values (1, 1)');
    expect((await failure(session, 'insert into mine.t values (2, 2)')).code).toBe('23503');
    expect((await failure(session, 'insert into mine.t values (3, 3)')).code).toBe('23503');
    expect((await failure(stranger, 'delete from his.p where k = 1')).code).toBe('23503');
    await session.query('drop schema mine cascade');
    await stranger.query('drop schema his cascade');
    await expectNothingLeft(cluster);
  });

  test('of other tables are pointed at by foreign keys, with all actions', async () => {
    await make('parent', 'k int, id int, primary key (k, id)');
    await make('child', 'k int, id int, parent int, note text, primary key (k, id)', `'k', colocate_with => 'parent'`);
    await db.query('insert into parent select k, id from generate_series(1, 10) k, generate_series(1, 3) id');
    await db.query(`insert into child select k, k, 1, 'x' from generate_series(1, 10) k`);
    await db.query(`select create_distributed_foreign_key('child', '{k,parent}', 'parent', on_delete => 'cascade')`);
    expect(
      await db.query(
        `select name, definition, columns::text[], referenced_columns::text[], on_update, on_delete from _tessera_catalog.pg_dist_key where kind = 'f'`,
      ),
    ).toEqual([
      {
        name: 'child_k_parent_fkey',
        definition: 'FOREIGN KEY ("k", "parent") REFERENCES %s("k", "id") ON DELETE CASCADE',
        columns: ['k', 'parent'],
        referenced_columns: ['k', 'id'],
        on_update: 'a',
        on_delete: 'c',
      },
    ]);
    await expectShardsFollow(cluster, 'child');
    expect((await db.error(`insert into child values (1, 2, 9, 'y')`)).code).toBe('23503');
    await db.query('delete from parent where k = 3 and id = 1');
    expect(await db.value('select count(*)::int from child where k = 3')).toBe(0);
    expect(await db.value('select count(*)::int from child')).toBe(9);

    const needed = await db.error(`select drop_distributed_constraint('parent', 'parent_pkey')`);
    expect([needed.code, needed.hint]).toEqual([
      '2BP01',
      `Run first: select drop_distributed_constraint('public.child', 'child_k_parent_fkey');`,
    ]);
    expect((await db.error('drop table parent')).code).toBe('2BP01');
    for (const sql of [`select undistribute_table('parent')`, `select undistribute_table('child')`])
      expect([sql, (await db.error(sql)).code]).toEqual([sql, '2BP01']);

    // Renamed columns on either side, and of the list of ON DELETE.
    await db.query('alter table parent rename id to "Id %s("');
    await db.query('alter table child rename parent to "references"');
    await db.query('alter table child rename k to "KEY"');
    await expectShardsFollow(cluster, 'child');
    await expectShardsFollow(cluster, 'parent');
    expect(await db.value(`select definition from _tessera_catalog.pg_dist_key where kind = 'f'`)).toBe(
      'FOREIGN KEY ("KEY", "references") REFERENCES %s("k", "Id %s(") ON DELETE CASCADE',
    );
    expect((await db.error('alter table parent drop column "Id %s("')).code).toBe('2BP01');
    await db.query(`select drop_distributed_constraint('child', 'child_k_parent_fkey')`);
    await db.query(
      `select create_distributed_foreign_key('child', '{references,KEY}', 'parent', '{"Id %s(",k}', 'RESTRICT', 'no  action', 'again')`,
    );
    // The standard's code for RESTRICT, since 18.
    const restricted = (await db.value(`select current_setting('server_version_num')::int >= 180000`))
      ? '23001'
      : '23503';
    expect((await db.error('delete from parent where k = 4')).code).toBe(restricted);
    await expectShardsFollow(cluster, 'child');
    await db.query('alter table child drop column "references"');
    expect(await keys('child')).toEqual([{ name: 'child_pkey', kind: 'p' }]);
    await expectShardsFollow(cluster, 'child');
    await db.query('drop table parent, child');
    await expectNothingLeft(cluster);
  });

  test('that point at each other go together', async () => {
    await db.query('create schema pair');
    await make('pair.a', 'k int primary key, b int');
    await make('pair.b', 'k int primary key', `'k', colocate_with => 'pair.a'`);
    await db.query(`select create_distributed_foreign_key('pair.a', '{k}', 'pair.b')`);
    await db.query(`select create_distributed_foreign_key('pair.b', '{k}', 'pair.a')`);
    await db.query(`select create_distributed_foreign_key('pair.b', '{k}', 'pair.b', constraint_name => 'self')`);
    await expectShardsFollow(cluster, 'pair.a');
    await expectShardsFollow(cluster, 'pair.b');
    expect((await db.error('drop table pair.a')).code).toBe('2BP01');
    expect((await db.error('drop table pair.a cascade')).code).toBe('2BP01');
    await db.query('begin; drop table pair.a, pair.b; rollback');
    await db.query('drop schema pair cascade');
    await expectNothingLeft(cluster);
  });

  test('are not pointed at from elsewhere', async () => {
    await make('far', 'k int primary key', `'k', colocate_with => 'none', shard_count => 4`);
    await make('near', 'k int primary key, v int');
    await make('one', 'k int primary key', 'null');
    await make('two', 'k int, v int', `null, colocate_with => 'one'`);
    for (const [call, code] of [
      [`create_distributed_foreign_key('near', '{k}', 'far')`, '0A000'],
      [`create_distributed_foreign_key('near', '{k}', 'one')`, '0A000'],
      [`create_distributed_foreign_key('two', '{v}', 'near')`, '0A000'],
    ] as const)
      expect([call, (await db.error(`select ${call}`)).code]).toEqual([call, code]);
    await db.query(`select create_distributed_foreign_key('two', '{v}', 'one', on_delete => 'set null')`);
    await db.query('insert into one values (1); insert into two values (1, 1)');
    await db.query('delete from one');
    expect(await db.query('select * from two')).toEqual([{ k: 1, v: null }]);
    await db.query('drop table far, near, two, one');
  });

  test('to reference tables wait for their copies, from the first to the last', async () => {
    await db.query('create table ref (id int primary key, x int); insert into ref values (1), (2)');
    await db.query(`select create_reference_table('ref')`);
    await make('t', 'k int, r int, q int');
    await db.query(`select create_distributed_foreign_key('t', '{r}', 'ref', on_delete => 'cascade')`);
    await db.query(`select create_distributed_foreign_key('t', '{q}', 'ref', '{id}', on_delete => 'set null')`);
    const triggers = (): Promise<number> =>
      db.value(
        `select count(*)::int from pg_trigger where tgrelid = 't'::regclass and tgname = 'tessera_await_references'`,
      );
    expect(await triggers()).toBe(1);
    await expectShardsFollow(cluster, 't');
    for (let i = 10; i < 20; i++) {
      await db.query(`insert into ref values (${i})`);
      await db.query(`insert into t values (${i}, ${i}, 1)`);
    }
    // What copies do to rows that point at them is seen as soon as the nodes have committed.
    await db.query('delete from ref where id = 1');
    await waitUntil(
      'references are null',
      async () => (await db.value('select count(*)::int from t where q is null')) === 10,
    );
    await db.query('delete from ref where id = 10');
    await waitUntil('the row is gone', async () => (await db.value('select count(*)::int from t')) === 9);
    await db.query(`select drop_distributed_constraint('t', 't_r_fkey')`);
    expect(await triggers()).toBe(1);
    await db.query(`select drop_distributed_constraint('t', 't_q_fkey')`);
    expect(await triggers()).toBe(0);
    await db.query('insert into t values (1, 99, 99)');
    await expectShardsFollow(cluster, 't');
    await db.query('drop table t, ref');
  });

  test('come and go with their transaction', async () => {
    await make('t', 'k int, v int');
    await db.query(`begin; select create_distributed_key('t', '{k}'); rollback`);
    expect(await keys('t')).toEqual([]);
    await db.query(`begin; savepoint s; select create_distributed_key('t', '{k}'); rollback to s; select create_distributed_key('t', '{k,v}', 'primary key');
      alter table t add column w int; alter table t rename v to vv; commit`);
    expect(
      await db.query(`select name, definition from _tessera_catalog.pg_dist_key where logicalrelid = 't'::regclass`),
    ).toEqual([{ name: 't_pkey', definition: 'PRIMARY KEY (k, vv)' }]);
    await expectShardsFollow(cluster, 't');
    const used = await db.error(`begin; insert into t values (1, 1); select create_distributed_key('t', '{k}')`);
    await db.query('rollback');
    expect([used.code, used.hint]).toEqual(['25001', 'Commit in between.']);
    const after = await db.error(`begin; select create_distributed_key('t', '{k}'); select count(*) from t; commit`);
    expect(after.code).toBe('25001');
    expect(await keys('t')).toEqual([{ name: 't_pkey', kind: 'p' }]);
    await db.query('drop table t');
  });

  test('are followed when columns are renamed, retyped and dropped, wherever they are named', async () => {
    for (const n of nodes) await n.query('create extension if not exists btree_gist');
    await db.query(`create extension if not exists btree_gist;
      create table t (k int, text text, year int, ts timestamptz, zone int, btree int, v varchar(10), r int4range, p int, primary key (k) include (p));
      create unique index one on t using btree (k, btree, ((text)::text), extract(year from ts at time zone 'UTC')) where (zone > 3 and text <> 'year zone');
      alter table t add constraint two unique (k, v) include (year); alter table t add exclude using gist (k with =, r with &&) where (year > 0)`);
    await db.query(`select create_distributed_table('t', 'k', shard_count => 2)`);
    for (const sql of [
      'rename text to "TEXT"',
      'rename year to zone1',
      'rename zone to year',
      'rename ts to "time"',
      'rename btree to gist',
      'alter v type text',
      'alter year type bigint',
      'rename k to "where"',
      'drop column p',
    ]) {
      await db.query(`alter table t ${sql}`);
      await expectShardsFollow(cluster, 't');
    }
    // An exclusion constraint is not dropped with a column of its predicate unless with CASCADE, which nodes never do.
    for (const cascade of ['', ' cascade'])
      expect((await db.error(`alter table t drop column zone1${cascade}`)).code).toBe('2BP01');
    await expectShardsFollow(cluster, 't');
    await db.query(`select drop_distributed_constraint('t', 't_k_r_excl')`);
    await db.query('alter table t drop column zone1');
    await expectShardsFollow(cluster, 't');
    expect(await keys('t')).toEqual([{ name: 'one', kind: 'i' }]);
    expect(await db.value(`select definition from _tessera_catalog.pg_dist_key where name = 'one'`)).toContain(
      '"TEXT"',
    );
    await db.query(`select drop_distributed_constraint('t', 'one')`);
    await expectShardsFollow(cluster, 't');
    await db.query('drop table t');
    await settled(nodes);
  });
});

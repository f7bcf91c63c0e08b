import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { hasWorkers, useCluster, type NodeDatabase } from '../../harness/cluster.ts';
import { failure } from '../../harness/database.ts';
import { waitUntil } from '../../harness/wait-until.ts';

// A server of the user's own has no workers beside it.
describe.skipIf(!hasWorkers())('people who come from Citus', () => {
  const { db, nodes } = useCluster({ nodes: 2 });
  const [first] = nodes as [NodeDatabase];

  beforeAll(async () => {
    await db.query('create table vf (k int primary key, v text)');
    await db.query(`select create_distributed_table('vf', 'k', shard_count => 4)`);
  });
  afterEach(() => db.query('rollback; reset all'));

  const bytes = (): Promise<number> =>
    db.value(`select sum(shard_size)::int from citus_shards where table_name = 'vf'::regclass`);
  /** Files of indexes of shards on the first node, which REINDEX makes anew. */
  const files = (): Promise<unknown> =>
    first.value(
      `select string_agg(relfilenode::text, ',' order by relname) from pg_class where relkind = 'i' and relname ~ '^vf_pkey_\\d+$|^vf_\\d+_pkey'`,
    );

  test('vacuum shards by a function', async () => {
    await db.query(`insert into vf select i, repeat('x', 500) from generate_series(1, 4000) i`);
    await db.query('delete from vf');
    const before = await bytes();
    // Moves in other databases of the node have it keep deleted rows for a while.
    await waitUntil('the deleted rows are gone', async () => {
      expect(await db.value(`select tessera.vacuum_shards('vf', "full" => true)::int`)).toBe(4);
      return (await bytes()) < before / 10;
    });
    expect(await db.value(`select tessera.vacuum_shards('vf', "analyze" => true)::int`)).toBe(4);
    expect(
      await first.value(
        `select count(*)::int from pg_stat_user_tables where relname ~ '^vf_\\d+$' and analyze_count = 0`,
      ),
    ).toBe(0);
  });

  test('reindex shards by a function', async () => {
    let seen = await files();
    expect(seen).not.toBeNull();
    for (const concurrently of [false, true]) {
      expect(await db.value(`select tessera.reindex_shards('vf', ${concurrently})::int`)).toBe(4);
      const now = await files();
      expect(now).not.toBe(seen);
      seen = now;
    }
  });

  test('do so as the owner of the table, and not of what was used in the transaction', async () => {
    const plain = await db.as(await db.role('plain'));
    await db.query('create table local (k int)');
    for (const f of ['vacuum_shards', 'reindex_shards']) {
      expect((await failure(plain, `select tessera.${f}('public.vf')`)).code).toBe('42501');
      expect((await db.error(`select tessera.${f}('local')`)).code).toBe('42P16');
      expect(await db.value(`select tessera.${f}(null)`)).toBeNull();
      await db.query('begin; select from vf');
      expect((await db.error(`select tessera.${f}('vf')`)).code).toBe('25001');
      await db.query('rollback');
    }
    await db.query('create table r (k int primary key)');
    await db.query(`select create_reference_table('r')`);
    expect(await db.value(`select tessera.vacuum_shards('r')::int`)).toBe(2);
  });

  test('need not have the schema of the extension on their search_path', async () => {
    await db.query('create schema app; set search_path = app');
    await db.query(
      `create table o (k int primary key, v int); insert into o select i, i from generate_series(1, 100) i`,
    );
    await db.query(`select public.create_distributed_table('o', 'k', shard_count => 4)`);
    await db.query('update o set v = 0 where k = 1; delete from o where k = 2');
    await db.query(`alter table o add column t text default 'x'; create index on o (v)`);
    await db.query(`select public.create_distributed_key('o', array['k', 'v'])`);
    expect(await db.query('select count(*)::int as n, sum(v)::int as v, min(t) as t from o')).toEqual([
      { n: 99, v: 5047, t: 'x' },
    ]);
    await db.query(`select public.undistribute_table('o')`);
    expect(await db.value('select sum(v)::int from o')).toBe(5047);
    await db.query('reset search_path; drop schema app cascade');
  });

  test('get a notice after REINDEX, which does nothing to shards', async () => {
    const since17 = (await db.value(`select current_setting('server_version_num')::int >= 170000`)) as boolean;
    await db.query(`create table "Ri" (k int primary key, v int); create table pri (k int primary key)`);
    await db.query(`select create_distributed_table('"Ri"', 'k', shard_count => 2); create index ri_v on "Ri" (v)`);
    for (const sql of ['reindex table "Ri"', 'reindex (verbose) index public.ri_v;', 'REINDEX TABLE CONCURRENTLY "Ri"'])
      expect([sql, (await db.notices(sql)).map((n) => n.message)]).toEqual([
        sql,
        since17 ? [`REINDEX does not reach the shards of distributed table "public."Ri""`] : [],
      ]);
    expect(await db.notices('reindex table pri')).toEqual([]);
    await db.query('drop table "Ri", pri');
  });

  test('go on where one shard fails', async () => {
    const shard = await first.value(
      `select relname from pg_class where relkind = 'r' and relname ~ '^vf_\\d+$' limit 1`,
    );
    const reader = await first.connect();
    await reader.query(`set lock_timeout = 0; begin; lock table ${shard} in access share mode`);
    await first.query(
      `alter database ${await first.value('select quote_ident(current_database())')} set lock_timeout = '100ms'`,
    );
    try {
      const notices = await db.notices(`select tessera.vacuum_shards('vf', true)`);
      expect(notices.map((n) => n.severity)).toEqual(['WARNING']);
      expect(notices[0]?.message).toContain(shard);
    } finally {
      await first.query(
        `alter database ${await first.value('select quote_ident(current_database())')} reset lock_timeout`,
      );
      await reader.end();
    }
  });

  test('find pg_dist_* by name', async () => {
    const counts = await db.query(`select (select count(*)::int from pg_dist_node) as nodes,
      (select count(*)::int from pg_dist_partition where logicalrelid = 'vf'::regclass and partkey = 'k') as tables,
      (select count(*)::int from pg_dist_shard where logicalrelid = 'vf'::regclass) as shards,
      (select count(*)::int from pg_dist_placement join pg_dist_shard using (shardid) where logicalrelid = 'vf'::regclass) as placements,
      (select count(*)::int from pg_dist_colocation where shardcount = 4) as groups`);
    expect(counts).toEqual([{ nodes: 2, tables: 1, shards: 4, placements: 4, groups: 1 }]);
    const plain = await db.as(await db.role('reader'));
    expect((await plain.query('select * from public.pg_dist_partition')).rows).not.toEqual([]);
  });

  test('are listened to by the names of settings they know', async () => {
    const make = async (table: string): Promise<number> => {
      await db.query(`create table ${table} (k int)`);
      await db.query(`select create_distributed_table('${table}', 'k', colocate_with => 'none')`);
      const count = await db.value(`select shard_count::int from citus_tables where table_name = '${table}'::regclass`);
      await db.query(`drop table ${table}`);
      return count;
    };
    await db.query('set citus.shard_count to 6');
    expect(await make('six')).toBe(6);
    await db.query('set tessera.shard_count to 5');
    expect(await make('five')).toBe(5);
    await db.query('reset all');
    await db.query(`select tessera.set_setting('shard_count', '3')`);
    expect(await make('three')).toBe(3);
    await db.query('set citus.shard_count to 6');
    expect(await make('six')).toBe(6);
    await db.query(`reset all; select tessera.set_setting('shard_count', null)`);
    await db.query(`set citus.shard_count to 'many'; create table many (k int)`);
    expect((await db.error(`select create_distributed_table('many', 'k')`)).code).toBe('22023');
    await db.query(`reset all; drop table many; set timescaledb.telemetry_level to 'off'`);
    expect(await db.query(`select value, source from tessera.settings() where name = 'telemetry_level'`)).toEqual([
      { value: 'off', source: 'configuration' },
    ]);
  });

  test('are told what hangs on a table that is to be distributed', async () => {
    await db.query('create table z (k int); create materialized view z_view as select k from z');
    for (const [made, drop] of [
      [
        'materialized view public.z_view',
        'drop materialized view z_view; create function z_rows() returns setof z language sql as $$select * from z$$',
      ],
      ['function public.z_rows()', 'drop function z_rows(); create table z_pairs (a z[])'],
      ['z_pairs', 'drop table z_pairs'],
    ] as const) {
      expect(await db.error(`select create_distributed_table('z', 'k', shard_count => 2)`)).toMatchObject({
        code: '2BP01',
        detail: expect.stringContaining(made),
        message: expect.not.stringContaining('hypertable'),
      });
      await db.query(drop);
    }
    await db.query(`select create_distributed_table('z', 'k', shard_count => 2)`);
  });
});

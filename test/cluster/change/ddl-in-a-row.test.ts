import { afterAll, describe, expect, test } from 'vitest';
import { hasWorkers, useCluster } from '../../harness/cluster.ts';
import { expectNothingLeft, expectShardsFollow } from '../../harness/shards.ts';

// A server of the user's own has no workers beside it.
describe.skipIf(!hasWorkers())('DDL right after DDL', () => {
  const cluster = useCluster();
  const { db, nodes } = cluster;

  afterAll(async () => {
    await db.query('drop table if exists dv, dw');
  });

  test('drops and renames what was made a moment ago', async () => {
    await db.query(`create table dv (a int primary key, b int)`);
    await db.query(`select create_distributed_table('dv', 'a', shard_count => 4)`);
    for (const sql of [
      'create index dv_b on dv (b)',
      'drop index dv_b',
      'create statistics dvs on a, b from dv',
      'drop statistics dvs',
      'create index dv_c on dv (b)',
      'alter index dv_c rename to dv_d',
      'create statistics dvs on a, b from dv',
      'alter statistics dvs rename to dvt',
      'alter statistics dvt set statistics 77',
      'create index dv_b on dv (b)',
      `select create_distributed_key('dv', array['a', 'b'], constraint_name => 'dv_ab')`,
      `select drop_distributed_constraint('dv', 'dv_ab')`,
      `select create_distributed_key('dv', array['a', 'b'], constraint_name => 'dv_ab')`,
    ])
      await db.query(sql);
    await expectShardsFollow(cluster, 'dv');
  });

  test('finds it in other sessions, under REPEATABLE READ and in one statement after the other', async () => {
    const other = await db.connect();
    const old = await db.connect();
    await db.query('create index dv_e on dv (b desc)');
    await other.query('drop index dv_e');
    await db.query('create index dv_e on dv (b desc)');
    await old.query('begin isolation level repeatable read; select 1');
    await db.query('alter index dv_e rename to dv_f');
    await db.query('create index dv_g on dv (b desc)');
    await old.query('rollback; begin isolation level repeatable read');
    await old.query('alter index dv_g rename to dv_h');
    await old.query('commit');
    await other.query('drop index dv_h; create index dv_h on dv (b); alter index dv_h rename to dv_i');
    await expectShardsFollow(cluster, 'dv');
  });

  test('of two sessions at the same time is done by both', async () => {
    const other = await db.connect();
    for (let i = 0; i < 5; i++) {
      await Promise.all([
        db.query(`create index dv_x${i} on dv (b)`),
        other.query(`create index dv_y${i} on dv (b desc)`),
      ]);
      await Promise.all([db.query(`drop index dv_y${i}`), other.query(`drop index dv_x${i}`)]);
    }
    await expectShardsFollow(cluster, 'dv');
  });

  test('waits for nobody when the finisher is gone, and does its work', async () => {
    await db.query('create index dv_k on dv (b)');
    await db.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'tessera finisher' and datname = current_database()`,
    );
    await db.query('alter index dv_k rename to dv_l');
    await expectShardsFollow(cluster, 'dv');
  });

  test('is refused where a node does not get to do what was committed', async () => {
    const { id, port } = (
      await db.query('select nodeid as id, nodeport as port from _tessera_catalog.pg_dist_node order by nodeid')
    )[0] as {
      id: number;
      port: number;
    };
    await db.query(
      `insert into _tessera_catalog.remote_txn
       select format('tessera-1-%s-%s-%s', _tessera_functions.cluster_origin(), pg_snapshot_xmin(pg_current_snapshot())::text::int8 - 1, $1::int), $1, ''`,
      [id],
    );
    await db.query(`alter server tessera_node_${id} options (set port '1')`);
    const e = await db.error('create index dv_m on dv (b)');
    expect([e.code, e.message, e.hint]).toEqual([
      '55000',
      `node 127.0.0.1:${port} has not carried out yet what earlier transactions have committed`,
      'Try again when the node answers: select tessera.heal_nodes();',
    ]);
    await db.query(`alter server tessera_node_${id} options (set port '${port}')`);
    // Whoever comes next does the work.
    await db.query('create index dv_m on dv (b); drop index dv_m');
    await expectShardsFollow(cluster, 'dv');
    expect(await db.value('select count(*)::int from _tessera_catalog.remote_txn where server = $$$$')).toBe(0);
  });

  test('comes before whatever distributes, moves and takes back', async () => {
    await db.query(`create type kind as enum ('a', 'b'); create table dm (k int primary key, v int, w kind);
      create table dr (id int primary key, w kind)`);
    await db.query(`select create_distributed_table('dm', 'k', shard_count => 3, colocate_with => 'none')`);
    await db.query(`insert into dm select i, i, 'a' from generate_series(1, 100) i`);
    await db.query(`alter type kind rename value 'a' to 'c'`);
    await db.query(`select create_reference_table('dr')`);
    await db.query(`insert into dr values (1, 'c')`);
    for (const mode of ['block_writes', 'auto']) {
      const [shard] = await db.query(
        `select shardid::text as id, nodeport as port from citus_shards where table_name = 'dm'::regclass order by shardid limit 1`,
      );
      const target = nodes.find((n) => n.port !== shard?.port);
      await db.query('create index dm_v on dm (v); alter table dm alter v type bigint');
      await db.query(`alter table dm add column n int default 5`);
      await db.query(
        `select citus_move_shard_placement(${shard?.id}, '127.0.0.1', ${shard?.port}, '127.0.0.1', ${target?.port}, '${mode}')`,
      );
      await db.query('drop index dm_v; alter table dm alter v type int');
      await expectShardsFollow(cluster, 'dm');
      expect(await db.query('select count(*)::int as n, sum(n)::int as s from dm')).toEqual([{ n: 100, s: 500 }]);
      await db.query('alter table dm drop column n');
    }
    await db.query('alter table dm add column n int default 5');
    await db.query(`select alter_distributed_table('dm', shard_count => 2)`);
    await db.query('alter table dm alter n type bigint');
    await db.query(`select undistribute_table('dm')`);
    expect(await db.query('select count(*)::int as n, sum(n)::int as s from dm')).toEqual([{ n: 100, s: 500 }]);
    await db.query(`alter type kind rename value 'c' to 'a'`);
    await db.query(`select create_distributed_table('dm', 'k', shard_count => 2, colocate_with => 'none')`);
    await db.query('alter table dr rename column w to x');
    expect(
      await db.column(`select result from run_command_on_placements('dr', 'select min(x::text) from %s')`),
    ).toEqual(nodes.map(() => 'a'));
    await db.query('drop table dm, dr');
    await expectNothingLeft(cluster);
  }, 240_000);

  test('lets statements see types of today', async () => {
    await db.query(`create type mood as enum ('sad', 'happy'); create domain small as int constraint c1 check (value < 100);
      create type pair as (a int, m mood); create table dw (k int primary key, m mood, s small, p pair);
      select create_distributed_table('dw', 'k', shard_count => 3)`);
    await db.query(`insert into dw values (1, 'sad', 5, (1, 'happy')), (2, 'happy', 6, null)`);
    for (let i = 0; i < 2; i++) {
      await db.query(`alter type mood rename value 'sad' to 'blue'`);
      expect(await db.column('select m from dw order by k')).toEqual(['blue', 'happy']);
      await db.query(`update dw set m = 'blue'::mood where m = 'blue' and k = 1`);
      await db.query(`alter type mood rename value 'blue' to 'sad'`);
      await db.query(`update dw set m = 'sad' where k = 1`);
      await db.query('alter domain small drop constraint c1');
      await db.query(`insert into dw (k, s) values (${10 + i}, 1000)`);
      await db.query(`delete from dw where k >= 10`);
      await db.query('alter domain small add constraint c1 check (value < 100)');
      await db.query('alter type pair rename attribute a to b');
      expect(await db.column('select (p).b from dw where (p).b = 1')).toEqual([1]);
      await db.query('alter type pair rename attribute b to a');
      await db.query(`alter type mood rename value 'happy' to 'glad'`);
      await db.query('alter table dw add column n mood');
      await db.query(`update dw set n = 'glad'`);
      await db.query(`alter type mood rename value 'glad' to 'happy'`);
      await db.query('alter table dw drop column n');
    }
    await expectShardsFollow(cluster, 'dw');
  }, 240_000);
});

import { describe, expect, test } from 'vitest';
import { hasWorkers, useCluster } from '../harness/cluster.ts';
import { expectShardsFollow } from '../harness/shards.ts';

// A server of the user's own has no workers beside it.
describe.skipIf(!hasWorkers())('what tables need on the nodes', () => {
  const cluster = useCluster({ nodes: 2 });
  const { db } = cluster;
  const HINT = `Create on the nodes what is missing there, or its extension: select * from run_command_on_workers('create ...');`;

  test('gets there with its extension, for indexes, defaults and checks', async () => {
    await db.query('create extension pg_trgm; create extension hstore');
    await db.query('create table e (k int primary key, c text); create index on e using gin (c gin_trgm_ops)');
    await db.query(`select create_distributed_table('e', 'k', shard_count => 2)`);
    await db.query(`alter table e add check (akeys('a=>1'::hstore) <> '{}')`);
    await db.query('create index on e using gist (c gist_trgm_ops)');
    await expectShardsFollow(cluster, 'e');
  });

  test('is named with its node when it is not there, before anything changes', async () => {
    await db.query('create text search configuration words (copy = simple)');
    await db.query(`create table w (k int primary key, t text); create index on w using gin (to_tsvector('words', t))`);
    expect(await db.error(`select create_distributed_table('w', 'k', shard_count => 2)`)).toMatchObject({
      code: '42704',
      message: 'text search configuration "public.words" does not exist',
      detail: expect.stringMatching(/^On node 127\.0\.0\.1:\d+\.$/) as string,
      hint: HINT,
    });
    expect(await db.value(`select relkind from pg_class where oid = 'w'::regclass`)).toBe('r');
    await db.query(`select run_command_on_workers('create text search configuration public.words (copy = simple)')`);
    await db.query(`select create_distributed_table('w', 'k', shard_count => 2)`);
    await expectShardsFollow(cluster, 'w');
  });

  test('are statistics that are altered right after they were created', async () => {
    await db.query('create table s (k int primary key, a int, b int)');
    await db.query(`select create_distributed_table('s', 'k', shard_count => 2)`);
    await db.query('create statistics st on a, b from s');
    await db.query('alter statistics st set statistics 10');
    await db.query('alter statistics st rename to st2');
    await expectShardsFollow(cluster, 's');
    await db.query('drop statistics st2');
    await expectShardsFollow(cluster, 's');
  });
});

import { afterAll, describe, expect, test } from 'vitest';
import { PG_MAJOR } from '../../server/root.ts';
import { hasWorkers, useCluster } from '../harness/cluster.ts';
import { failure } from '../harness/database.ts';
import { platform } from '../harness/managed.ts';
import { expectNothingLeft, expectShardsFollow, settled } from '../harness/shards.ts';
import { waitUntil } from '../harness/wait-until.ts';
import { hasCron, Workers } from '../harness/workers.ts';

/** PostgreSQL 15 lets superusers alone subscribe. */
const REPLICATES = PG_MAJOR >= 16;

describe.skipIf(!hasWorkers())('a cluster of managed nodes', () => {
  const cluster = useCluster({ nodes: 3, added: 2 });
  const { db, nodes } = cluster;
  const workers = new Workers(db, hasCron ? 'pg_cron' : 'node');
  afterAll(() => workers.stop());

  const sums = (): Promise<unknown> =>
    db.query('select count(*)::int as n, sum(k)::int as k, sum(n)::int as v from a join b using (k)');
  /** A shard of table a, the node that has it, and another. */
  const route = async (): Promise<{ shard: string; from: number; to: number }> => {
    const [row] = await db.query(
      `select shardid::text as shard, nodeport as from from citus_shards where table_name = 'a'::regclass order by shardid limit 1`,
    );
    const to = nodes.slice(0, 2).find((n) => n.port !== row?.from)?.port as number;
    return { shard: row?.shard, from: row?.from, to };
  };
  const move = (r: { shard: string; from: number; to: number }, mode: string): string =>
    `select citus_move_shard_placement(${r.shard}, '127.0.0.1', ${r.from}, '127.0.0.1', ${r.to}, '${mode}')`;

  test('is made by roles that are superusers nowhere', async () => {
    for (const node of nodes)
      expect(await node.value('select rolsuper from pg_roles where rolname = current_user')).toBe(false);
    expect(await db.value('select bool_and(result) from citus_check_cluster_node_health()')).toBe(
      REPLICATES ? true : null,
    );
    for (const sql of [
      'create table kinds (id int primary key, name text); insert into kinds values (1, $$one$$), (2, $$two$$)',
      `select create_reference_table('kinds')`,
      'create table a (k int primary key, kind int references kinds, t text)',
      `insert into a select i, 1 + i % 2, 'x' from generate_series(1, 1000) i`,
      `select create_distributed_table('a', 'k', shard_count => 6)`,
      'create table b (k int primary key, n int)',
      `select create_distributed_table('b', 'k', colocate_with => 'a')`,
      'insert into b select i, i from generate_series(1, 500) i',
    ])
      await db.query(sql);
    expect(await sums()).toEqual([{ n: 500, k: 125250, v: 125250 }]);
  });

  test('has owners of tables without any rights', async () => {
    const owner = await db.role('owner');
    await db.query(`grant create on schema public to ${owner}`);
    const session = await db.as(owner);
    await session.query('create table own (k int primary key, v int)');
    await session.query(`select create_distributed_table('own', 'k', shard_count => 4, colocate_with => 'none')`);
    await session.query('insert into own select i, i from generate_series(1, 100) i');
    expect((await session.query('select sum(v)::int as v from own')).rows).toEqual([{ v: 5050 }]);
    await session.query(`select undistribute_table('own')`);
    await session.query('create table child (k int references own, id int, primary key (k, id))');
    await session.query('insert into child select i, 1 from generate_series(1, 100) i');
    await session.query(`select create_distributed_table('own', 'k', shard_count => 4, colocate_with => 'none')`);
    expect((await failure(session, 'insert into child values (1, 2)')).code).toBe('55000');
    await session.query(`select create_distributed_table('child', 'k')`);
    expect((await failure(session, 'insert into child values (101, 1)')).code).toBe('23503');
    await session.query('drop table child, own');
    await db.query('select tessera.sync_catalog()');
  });

  test('checks new rows by the policies of an owner without any rights', async () => {
    const [owner, tenant] = [await db.role('landlord'), await db.role('tenant')];
    await db.query(`grant create on schema public to ${owner}`);
    const session = await db.as(owner);
    await session.query('create table leased (k int primary key, t int)');
    await session.query(`select create_distributed_table('leased', 'k', shard_count => 2, colocate_with => 'none')`);
    await session.query(
      `alter table leased enable row level security; create policy p on leased using (t = 1); grant all on leased to ${tenant}`,
    );
    const doctor = (): Promise<unknown> =>
      db.value(`select status from tessera.doctor() where check_name = 'row security'`);
    if (PG_MAJOR < 18) expect(await doctor()).toBe('error');
    await session.query('select tessera.sync_catalog()');
    expect(await doctor()).toBe('ok');
    const other = await db.as(tenant);
    expect((await failure(other, 'insert into leased values (1, 2)')).code).toBe('42501');
    await other.query('insert into leased values (1, 1)');
    expect((await failure(other, 'update leased set t = 2')).code).toBe('42501');
    await session.query('drop table leased');
    await db.query('select tessera.sync_catalog()');
  });

  test('changes tables on all nodes or on none, when it is told where no event trigger tells it', async () => {
    await db.query(
      `begin; alter table a add column c int default 7; create index a_t on a (t); select tessera.sync_catalog(); commit`,
    );
    await expectShardsFollow(cluster, 'a');
    await db.query(`begin; alter table kinds add column c int default 1; select tessera.sync_catalog(); commit`);
    await settled(nodes);
    for (const node of nodes.slice(0, 2))
      expect(await node.value(`select count(*)::int from pg_attribute where attname = 'c' and attnum > 0`)).toBe(4);
    await db.query('begin; alter table a add column d int; select tessera.sync_catalog(); rollback');
    await expectShardsFollow(cluster, 'a');
    await db.query(`update kinds set name = 'first' where id = 1`);
    await settled(nodes);
    expect(await db.value('select sum(c)::int from a')).toBe(7000);
  });

  test.each([...(REPLICATES ? ['auto', 'force_logical'] : []), 'block_writes'])(
    'moves shards with %s',
    async (mode) => {
      const before = await sums();
      const r = await route();
      await db.query(move(r, mode));
      expect((await route()).from).toBe(r.to);
      expect(await sums()).toEqual(before);
      await db.query('insert into b values (501, 501); delete from b where k = 501');
      await expectShardsFollow(cluster, 'a');
      await expectNothingLeft(cluster);
    },
  );

  if (!REPLICATES)
    test('says that only superusers subscribe before a move starts', async () => {
      const error = await db.error(move(await route(), 'auto'));
      expect([error.code, error.hint]).toEqual(['42501', `Pass shard_transfer_mode => 'block_writes'.`]);
    });

  describe.runIf(REPLICATES)('whose role lacks a right for replication', () => {
    const without = async (port: number, revoke: string, grant: string, body: () => Promise<void>): Promise<void> => {
      const session = await platform('postgres', port);
      await session.query(revoke);
      try {
        await body();
      } finally {
        await session.query(grant);
        await session.end();
      }
    };

    test.each([
      [
        'REPLICATION on the source',
        'from',
        'alter role administrator noreplication',
        'alter role administrator replication',
        'alter role administrator replication;',
      ],
      [
        'pg_create_subscription on the target',
        'to',
        'revoke pg_create_subscription from administrator',
        'grant pg_create_subscription to administrator',
        'grant pg_create_subscription to administrator;',
      ],
    ] as const)(
      'says so before a move starts, and moves with block_writes: %s',
      async (_, end, revoke, grant, statement) => {
        const r = await route();
        const before = await sums();
        await without(r[end], revoke, grant, async () => {
          for (const mode of ['auto', 'force_logical']) {
            const error = await db.error(move(r, mode));
            expect([error.code, error.message]).toEqual([
              '42501',
              `shards cannot be replicated from node 127.0.0.1:${r.from}`,
            ]);
            expect(error.hint).toBe(`Run there: ${statement} or pass shard_transfer_mode => 'block_writes'.`);
            expect(await db.value('select count(*)::int from _tessera_catalog.pg_dist_cleanup')).toBe(0);
          }
          await db.query(`select citus_set_node_property('127.0.0.1', ${r.from}, 'shouldhaveshards', false)`);
          const drain = await db.error(`select citus_drain_node('127.0.0.1', ${r.from})`);
          expect(drain.code).toBe('55000');
          expect(drain.detail).toContain(statement.replace(';', ''));
          expect(drain.hint).toContain('block_writes');
          await db.query(`select citus_set_node_property('127.0.0.1', ${r.from}, 'shouldhaveshards', true)`);
          await db.query(move(r, 'block_writes'));
        });
        expect((await route()).from).toBe(r.to);
        expect(await sums()).toEqual(before);
        await expectNothingLeft(cluster);
      },
    );
  });

  test('rebalances in the background', async () => {
    await db.query(`select citus_add_node('127.0.0.1', ${nodes[2]?.port})`);
    const before = await sums();
    await workers.start();
    expect(
      await db.value(
        `select citus_rebalance_start(parallel_transfer_colocated_shards => true, shard_transfer_mode => '${REPLICATES ? 'auto' : 'block_writes'}') is not null`,
      ),
    ).toBe(true);
    await db.query('select citus_rebalance_wait()');
    expect(await db.value('select state from citus_rebalance_status()')).toBe('finished');
    expect(
      await db.value(`select count(distinct nodeport)::int from citus_shards where table_name = 'a'::regclass`),
    ).toBe(3);
    expect(await sums()).toEqual(before);
  });

  test('ends a drain in the foreground when it is cancelled', async () => {
    const session = await db.connect();
    const pid = (await session.query('select pg_backend_pid() as pid')).rows[0].pid;
    const holder = await db.connect();
    await holder.query('begin; select from a limit 1; update b set n = n where k = 1');
    const drained = failure(session, `select citus_drain_node('127.0.0.1', ${nodes[2]?.port}, 'block_writes')`);
    await waitUntil('a move is shown', () => db.value('select count(*) > 0 from get_rebalance_progress()'));
    await db.query('select pg_cancel_backend($1)', [pid]);
    expect((await drained).code).toBe('57014');
    await holder.query('commit');
    await waitUntil('nothing moves any more', async () => {
      await db.query('call citus_cleanup_orphaned_resources()');
      return db.value('select count(*) = 0 from get_rebalance_progress()');
    });
    await db.query(`select citus_set_node_property('127.0.0.1', ${nodes[2]?.port}, 'shouldhaveshards', true)`);
  });

  test('is well in the eyes of the doctor', async () => {
    expect(
      await db.query(
        `select * from tessera.doctor() where status = 'error' or (status = 'warning' and check_name in ('node', 'leftovers on nodes'))`,
      ),
    ).toEqual([]);
  });

  test('goes back to one server', async () => {
    const before = await sums();
    await db.query(`select undistribute_table('a', cascade_via_foreign_keys => true)`);
    await db.query(`select undistribute_table('b')`);
    expect(await sums()).toEqual(before);
  });
});

describe.skipIf(!hasWorkers())('work aside as the owner of the extension', () => {
  const { db } = useCluster({ nodes: 1 });

  test('is done for his own login alone', async () => {
    const session = await db.as(await db.role('visitor'));
    for (const sql of [
      `select _tessera_functions.aside_exec('create table planted ()')`,
      `select _tessera_functions.aside_rows('select 1::text')`,
    ])
      expect([sql, (await failure(session, sql)).code]).toEqual([sql, '42501']);
    expect((await db.error(`select _tessera_functions.aside_exec('create table planted ()')`)).code).toBe('42501');
  });
});

import { describe, expect, test } from 'vitest';
import { failure } from '../harness/database.ts';
import { hasWorkers, useCluster, type NodeDatabase } from '../harness/cluster.ts';
import { backendPid } from '../harness/sessions.ts';
import { waitUntil } from '../harness/wait-until.ts';

describe.skipIf(!hasWorkers())('sessions on nodes', () => {
  const { db, nodes } = useCluster({ nodes: 1 });
  const [node] = nodes as [NodeDatabase];

  test('end with a statement that is cancelled, so that nobody can use them and they lock nothing', async () => {
    const role = await db.role('owner');
    await db.query(`grant create on schema public to ${role}`);
    const session = await db.as(role);
    await session.query('create table t (k int primary key)');
    await session.query(`select create_distributed_table('t', 'k', shard_count => 1)`);
    const shard = await db.value('select shard_name from _tessera_catalog.pg_dist_shard');
    const holder = await node.connect();
    const [pid, holding] = [await backendPid(session), await backendPid(holder)];
    for (const sql of ['alter table t add column v int', `select citus_table_size('t')`, 'select count(*) from t']) {
      await holder.query(`begin; lock table ${shard} in access exclusive mode`);
      const failing = failure(session, sql);
      await waitUntil(
        'the node waits',
        async () =>
          (await node.value(
            `select count(*)::int from pg_locks where relation = '${shard}'::regclass and not granted`,
          )) === 1,
      );
      await db.query('select pg_cancel_backend($1)', [pid]);
      expect((await failing).code).toBe('57014');
      // That of the finisher has no rights.
      expect(
        (await session.query(`select c from unnest(dblink_get_connections()) c where c <> 'tessera_finisher'`)).rows,
      ).toEqual([]);
      await waitUntil(
        'the node waits no longer',
        async () =>
          (await node.value(
            `select count(*)::int from pg_locks where relation = '${shard}'::regclass and pid <> ${holding}`,
          )) === 0,
      );
      await holder.query('rollback');
      await session.query('select count(*) from t');
    }
    expect(await node.value('select count(*)::int from pg_prepared_xacts where database = current_database()')).toBe(0);
  });
});

import { afterEach, describe, expect, test } from 'vitest';
import { hasWorkers, useCluster, type NodeDatabase } from '../harness/cluster.ts';
import { failure } from '../harness/database.ts';

// A server of the user's own has no workers beside it.
describe.skipIf(!hasWorkers())('a node that is removed', () => {
  const { db, nodes } = useCluster({ nodes: 2 });
  const [first, second] = nodes as [NodeDatabase, NodeDatabase];
  const at = (n: NodeDatabase): string => `'127.0.0.1', ${n.port}`;

  /** All that moves make on a node. */
  const kept = async (n: NodeDatabase, table: string): Promise<string[]> =>
    (
      await n.query(
        `select 'slot' as what from pg_replication_slots where database = current_database()
         union all select 'publication' from pg_publication
         union all select 'subscription' from pg_subscription s join pg_database d on d.oid = s.subdbid where d.datname = current_database()
         union all select 'shard' from pg_class where relkind = 'r' and relname ~ ('^' || $1 || '_\\d+$')`,
        [table],
      )
    ).map((r) => r.what as string);
  const drained = async (table: string): Promise<void> => {
    await db.query(`create table ${table} (k int primary key, v int)`);
    await db.query(`select create_distributed_table('${table}', 'k', shard_count => 2, colocate_with => 'none')`);
    await db.query(`insert into ${table} select i, i from generate_series(1, 100) i`);
    await db.query(`select citus_drain_node(${at(second)})`);
  };
  const warnings = (): Promise<{ detail: string; hint: string }[]> =>
    db.query(`select detail, hint from tessera.doctor() where check_name = 'removed nodes'`) as Promise<
      { detail: string; hint: string }[]
    >;
  /** Existing sessions go on, so what is there can still be looked at. */
  const letIn = async (n: NodeDatabase, yes: boolean): Promise<void> => {
    await n.query(`update pg_database set datallowconn = ${yes} where datname = current_database()`);
  };

  afterEach(async () => {
    await db.query('rollback; drop table if exists a, b, c, d, e, f');
    await db.query('call citus_cleanup_orphaned_resources()');
    await db.query(`select citus_add_node(${at(second)})`);
    await db.query(`select citus_set_node_property(${at(second)}, 'shouldhaveshards', true)`);
  });

  test('right after it was drained keeps nothing of the moves', async () => {
    await drained('a');
    expect(await kept(second, 'a')).toContain('slot');
    await db.query(`select citus_remove_node(${at(second)})`);
    expect(await kept(second, 'a')).toEqual([]);
    expect(await kept(first, 'a')).toEqual(['shard', 'shard']);
    expect(await db.value('select count(*)::int from _tessera_catalog.pg_dist_cleanup')).toBe(0);
    expect(await db.value('select count(*)::int from a')).toBe(100);
  });

  test('that shards were once moved to keeps no subscription', async () => {
    await drained('b');
    await db.query(`select citus_set_node_property(${at(second)}, 'shouldhaveshards', true)`);
    await db.query(`select citus_drain_node(${at(first)})`);
    expect(await kept(second, 'b')).toContain('subscription');
    await db.query(`select citus_set_node_property(${at(first)}, 'shouldhaveshards', true)`);
    await db.query(`select citus_drain_node(${at(second)})`);
    await db.query(`select citus_remove_node(${at(second)})`);
    expect(await kept(second, 'b')).toEqual([]);
    await db.query('call citus_cleanup_orphaned_resources()');
    expect(await kept(first, 'b')).toEqual(['shard', 'shard']);
  });

  test('is kept while a transaction leaves something there', async () => {
    await db.query('create table c (k int primary key)');
    await db.query(`select create_distributed_table('c', 'k', shard_count => 2)`);
    await db.query('begin; drop table c');
    expect(await db.error(`select citus_remove_node(${at(second)})`)).toMatchObject({
      code: '55000',
      hint: expect.stringContaining('commit;'),
    });
    await db.query('rollback; drop table c');
    await db.query(`select citus_remove_node(${at(second)})`);
    expect(await kept(second, 'c')).toEqual([]);
  });

  test('is kept while something there cannot be dropped', async () => {
    await drained('d');
    const shard = await second.value(
      `select relname from pg_class where relkind = 'r' and relname ~ '^d_\\d+$' limit 1`,
    );
    const reader = await second.connect();
    await reader.query(`begin; select from ${shard}`);
    expect(await db.error(`select citus_remove_node(${at(second)})`)).toMatchObject({
      code: '55000',
      hint: 'call citus_cleanup_orphaned_resources();',
    });
    expect(await db.value('select count(*)::int from citus_nodes')).toBe(2);
    await reader.end();
    await db.query(`select citus_remove_node(${at(second)})`);
    expect(await kept(second, 'd')).toEqual([]);
  });

  test('while it does not answer is told by the doctor until what it has is gone', async () => {
    await drained('e');
    await letIn(second, false);
    try {
      const notices = await db.notices(`select citus_remove_node(${at(second)})`);
      expect(notices.filter((n) => n.severity === 'WARNING').map((n) => n.message)).toContainEqual(
        expect.stringContaining('which does not answer'),
      );
    } finally {
      await letIn(second, true);
    }
    await db.query('call citus_cleanup_orphaned_resources()');
    expect(await kept(second, 'e')).toContain('slot');
    const [told, ...others] = await warnings();
    expect(others).toEqual([]);
    expect(told?.detail).toContain(`127.0.0.1:${second.port}`);
    await db.query(String(told?.hint.split('\n--')[0]));
    expect(await kept(second, 'e')).toEqual([]);
    expect(await warnings()).toEqual([]);
  });

  test('is forgotten where its server is gone for good', async () => {
    const plain = await db.as(await db.role('plain'));
    for (const sql of [`select tessera.forget_removed_node(${at(second)})`])
      expect((await failure(plain, sql)).code).toBe('42501');
    expect((await db.error(`select tessera.forget_removed_node(${at(second)})`)).code).toBe('42704');
    expect((await db.error('select tessera.forget_removed_node(null, null)')).code).toBe('22023');
    await drained('f');
    await letIn(second, false);
    try {
      await db.query(`select citus_remove_node(${at(second)})`);
    } finally {
      await letIn(second, true);
    }
    expect(await warnings()).toHaveLength(1);
    await db.query(`select tessera.forget_removed_node(${at(second)})`);
    expect(await warnings()).toEqual([]);
    expect(await db.value('select count(*)::int from _tessera_catalog.pg_dist_cleanup')).toBe(0);
    for (const slot of await second.query(
      'select slot_name from pg_replication_slots where database = current_database()',
    ))
      await second.query('select pg_drop_replication_slot($1)', [slot.slot_name]);
  });
});

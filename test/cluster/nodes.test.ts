import { describe, expect, test } from 'vitest';
import { failure } from '../harness/database.ts';
import { hasWorkers, useCluster } from '../harness/cluster.ts';

// A server of the user's own has no workers beside it.
describe.skipIf(!hasWorkers())('nodes', () => {
  const { db, nodes } = useCluster({ nodes: 2, added: 0 });
  const [first, second] = nodes as [(typeof nodes)[number], (typeof nodes)[number]];

  test('are added once and listed', async () => {
    const id = await db.value(`select citus_add_node('127.0.0.1', ${first.port})`);
    expect(await db.value(`select citus_add_node('127.0.0.1', ${first.port})`)).toBe(id);
    await db.query(`select citus_add_node('127.0.0.1', ${second.port})`);
    expect(await db.query('select * from citus_nodes order by nodeport')).toEqual([
      { nodename: '127.0.0.1', nodeport: first.port, role: 'worker', active: true },
      { nodename: '127.0.0.1', nodeport: second.port, role: 'worker', active: true },
    ]);
    expect(await db.value(`select citus_nodeport_for_nodeid(${id})`)).toBe(first.port);
  });

  test('are refused when they cannot be reached or are this database', async () => {
    expect((await db.error(`select citus_add_node('127.0.0.1', 1)`)).code).toBe('08001');
    expect((await db.error(`select citus_add_node('127.0.0.1', current_setting('port')::int)`)).code).toBe('22023');
    expect((await db.error(`select citus_add_node(null, 1)`)).code).toBe('22023');
    expect(await db.value('select count(*)::int from citus_nodes')).toBe(2);
    expect(
      await db.value(
        `select count(*)::int from pg_foreign_server where srvtype = 'tessera node' and srvversion <> 'finisher'`,
      ),
    ).toBe(2);
  });

  test('are managed by nobody but the owner of the extension, and their credentials are not readable', async () => {
    await db.query(`select tessera.set_node_auth('user=postgres password=secret', '127.0.0.1', ${first.port})`);
    const session = await db.as(await db.role('plain'));
    for (const sql of [
      `select citus_add_node('127.0.0.1', 1)`,
      `select citus_remove_node('127.0.0.1', ${first.port})`,
      `select citus_disable_node('127.0.0.1', ${first.port})`,
      `select citus_set_node_property('127.0.0.1', ${first.port}, 'shouldhaveshards', false)`,
      `select citus_update_node(1, 'x', 1)`,
      `select tessera.set_node_auth('user=x')`,
      `select * from run_command_on_workers('select 1')`,
      `select * from _tessera_catalog.pg_dist_authinfo`,
      `call citus_cleanup_orphaned_resources()`,
    ])
      expect([sql, (await failure(session, sql)).code]).toEqual([sql, '42501']);
    const tried = await session.query(
      `select success from _tessera_functions.run_command_on_nodes(null, array['select 1'])`,
    );
    expect(tried.rows).toEqual([{ success: false }, { success: false }]);
    const seen = await session.query(`select umoptions::text from pg_user_mappings where srvname like 'tessera%'`);
    expect(seen.rows.every((r) => r.umoptions === null)).toBe(true);
    expect((await session.query('select * from citus_nodes')).rowCount).toBe(2);
  });

  test('answer commands, and errors are answers', async () => {
    expect(
      await db.query(`select nodeport, success, result from run_command_on_workers('select 40 + 2') order by 1`),
    ).toEqual([
      { nodeport: first.port, success: true, result: '42' },
      { nodeport: second.port, success: true, result: '42' },
    ]);
    const [bad] = await db.query(`select success, result from run_command_on_workers('select 1/0')`);
    expect(bad).toMatchObject({ success: false, result: expect.stringContaining('division by zero') });
    expect(
      await db.query('select count(*)::int as n, bool_and(result) as all from citus_check_cluster_node_health()'),
    ).toEqual([{ n: 4, all: true }]);
  });

  test('are disabled, activated, changed and removed', async () => {
    await db.query(`select citus_disable_node('127.0.0.1', ${second.port})`);
    expect(await db.column('select nodeport from run_command_on_workers($$select 1$$)')).toEqual([first.port]);
    await db.query(`select citus_activate_node('127.0.0.1', ${second.port})`);
    expect((await db.error(`select citus_set_node_property('127.0.0.1', ${second.port}, 'isactive', true)`)).code).toBe(
      '22023',
    );
    expect((await db.error(`select citus_update_node(999, 'x', 1)`)).code).toBe('P0002');
    expect((await db.error(`select citus_remove_node('127.0.0.1', 1)`)).code).toBe('42704');
    await db.query(`select citus_remove_node('127.0.0.1', ${second.port})`);
    expect(await db.value('select count(*)::int from citus_nodes')).toBe(1);
  });

  test('with the only placement of a shard stay', async () => {
    await db.query(`create table t (k int primary key); select create_distributed_table('t', 'k', shard_count => 2)`);
    for (const f of ['citus_remove_node', 'citus_disable_node'])
      expect((await db.error(`select ${f}('127.0.0.1', ${first.port})`)).code).toBe('55000');
    await db.query('drop table t; call citus_cleanup_orphaned_resources()');
    await db.query(`select citus_remove_node('127.0.0.1', ${first.port})`);
  });

  test('can be the coordinator itself', async () => {
    await db.query(`select citus_set_coordinator_host('127.0.0.1')`);
    expect(await db.query('select role from citus_nodes')).toEqual([{ role: 'coordinator' }]);
    await db.query(`create table t (k int primary key)`);
    expect((await db.error(`select create_distributed_table('t', 'k')`)).code).toBe('55000');
    await db.query(
      `select citus_set_node_property('127.0.0.1', current_setting('port')::int, 'shouldhaveshards', true)`,
    );
    await db.query(`select create_distributed_table('t', 'k', shard_count => 2)`);
    await db.query('insert into t select generate_series(1, 100)');
    expect(await db.value('select count(*)::int from t')).toBe(100);
    await db.query('alter table t add column v int default 3');
    expect(await db.value('select sum(v)::int from t')).toBe(300);
    await db.query('drop table t; call citus_cleanup_orphaned_resources()');
  });
});

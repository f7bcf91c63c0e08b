import { describe, expect, test } from 'vitest';
import { failure } from '../harness/database.ts';
import { hasWorkers, useCluster } from '../harness/cluster.ts';

// A server of the user's own has no workers beside it.
describe.skipIf(!hasWorkers())('nodes', () => {
  const { db, nodes } = useCluster({ nodes: 2, added: 0 });
  const [first, second] = [...nodes].sort((a, b) => a.port - b.port) as [
    (typeof nodes)[number],
    (typeof nodes)[number],
  ];

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

  test('are looked after by the doctor', async () => {
    const found = await db.query(
      `select check_name, status, detail from tessera.doctor() where check_name in ('node', 'commits on nodes', 'leftovers on nodes', 'joins on nodes')`,
    );
    expect(found.map((f) => [f.check_name, f.status])).toEqual([
      ['node', 'ok'],
      ['node', 'ok'],
      ['commits on nodes', 'ok'],
      ['leftovers on nodes', 'ok'],
      ['joins on nodes', 'warning'],
    ]);
    expect(found[0]?.detail).toContain(`127.0.0.1:${first.port} answers: PostgreSQL`);
    const session = await db.as(await db.role('patient'));
    expect((await session.query(`select from tessera.doctor() where check_name = 'node'`)).rowCount).toBe(0);
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

  test('that are disabled get no shards until they are activated', async () => {
    await db.query(`select citus_add_node('127.0.0.1', ${second.port})`);
    await db.query(`select citus_disable_node('127.0.0.1', ${second.port})`);
    expect(await db.query('select nodeport, active from citus_nodes order by active')).toEqual([
      { nodeport: second.port, active: false },
      { nodeport: first.port, active: true },
    ]);
    await db.query(`create table d (k int primary key); select create_distributed_table('d', 'k', shard_count => 4)`);
    expect(await db.column(`select distinct nodeport from citus_shards where table_name = 'd'::regclass`)).toEqual([
      first.port,
    ]);
    expect(await db.column('select node_port::int from citus_get_active_worker_nodes()')).toEqual([first.port]);
    expect(
      await db.value(`select count(*)::int from citus_check_cluster_node_health() where to_nodeport = ${second.port}`),
    ).toBe(0);
    expect(await db.value(`select citus_activate_node('127.0.0.1', ${second.port})`)).toBeGreaterThan(0);
    await db.query(
      `create table e (k int primary key); select create_distributed_table('e', 'k', shard_count => 4, colocate_with => 'none')`,
    );
    expect(
      (await db.column(`select distinct nodeport from citus_shards where table_name = 'e'::regclass`)).sort(),
    ).toEqual([first.port, second.port].sort());
    await db.query('drop table d, e');
    await db.query('call citus_cleanup_orphaned_resources()');
    await db.query(`select citus_remove_node('127.0.0.1', ${second.port})`);
    for (const n of [first, second])
      expect(await n.value(`select count(*)::int from pg_class where relname ~ '^[de]_\\d+$'`)).toBe(0);
  });

  test('that are removed take their part of the ledger and of pending commits along', async () => {
    const id = await db.value(`select citus_add_node('127.0.0.1', ${second.port})`);
    const group = await db.value('select groupid from _tessera_catalog.pg_dist_node where nodeid = $1', [id]);
    await db.query(
      `insert into _tessera_catalog.pg_dist_cleanup (operation_id, object_type, object_name, node_group_id, policy_type) values (1, 1, 'x', $1, 0)`,
      [group],
    );
    const origin = await db.value('select _tessera_functions.cluster_origin()');
    await second.query(`begin; create table pending (); prepare transaction 'tessera-1-${origin}-700-${id}-1'`);
    await db.query(`select citus_remove_node('127.0.0.1', ${second.port})`);
    expect(await second.value('select count(*)::int from pg_prepared_xacts where database = current_database()')).toBe(
      0,
    );
    expect(await db.value('select count(*)::int from _tessera_catalog.pg_dist_cleanup')).toBe(0);
    expect(await db.value('select scheduled from _tessera_catalog.bgw_job where id = 6')).toBe(true);
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
    await db.query('drop table t');
    await db.query('call citus_cleanup_orphaned_resources()');
  });

  test('commit with the coordinator, which is one of them', async () => {
    await db.query(`select citus_add_node('127.0.0.1', ${first.port})`);
    await db.query('create table t (k int primary key)');
    await db.query(`select create_distributed_table('t', 'k', shard_count => 2)`);
    await db.query('insert into t select generate_series(1, 100)');
    const prepared = 'select count(*)::int from pg_prepared_xacts where database = current_database()';
    const login = `tessera_loopback_${await db.value('select oid from pg_database where datname = current_database()')}_0`;
    await db.query(`alter role ${login} nologin`);
    await db.query('alter table t add column v int default 3');
    expect([await db.value(prepared), await first.value(prepared)]).toEqual([1, 1]);
    expect(await db.value('select tessera.heal_nodes()')).toBe(2);
    await db.query(`alter role ${login} login`);
    expect(await db.value('select sum(v)::int from t')).toBe(300);
    // The name is taken on the coordinator: the shard there would have it.
    const shard = await db.value(
      `select s.shard_name::text from _tessera_catalog.pg_dist_shard s join _tessera_catalog.pg_dist_placement p using (shardid)
       where p.groupid = 0 limit 1`,
    );
    await db.query(`create table ${shard.replace(/^t_/, 'taken_')} ()`);
    expect(await db.error('create index taken on t (v)')).toMatchObject({
      code: '42P07',
      detail: expect.stringContaining('127.0.0.1'),
    });
    expect([await db.value(prepared), await first.value(prepared)]).toEqual([0, 0]);
    await db.query('drop table t');
    await db.query('call citus_cleanup_orphaned_resources()');
  });
});

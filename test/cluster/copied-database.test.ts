import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { hasWorkers, NodeDatabase } from '../harness/cluster.ts';
import { Database, failure } from '../harness/database.ts';
import { dump, psql } from '../harness/psql.ts';
import { serverAddress, templateName } from '../harness/server.ts';
import { waitUntil } from '../harness/wait-until.ts';

// A server of the user's own has no workers beside it.
describe.skipIf(!hasWorkers())('a copy of a database with nodes', () => {
  const original = new Database();
  const copy = new Database();
  const restored = new Database();
  let nodes: NodeDatabase[] = [];
  let alice: string;
  let failed = false;
  const origins: string[] = [];

  const onNodes = async (sql: string): Promise<unknown[]> => {
    const answers: unknown[] = [];
    for (const n of nodes) answers.push(await n.value(sql));
    return answers;
  };
  const PREPARED = `select array_agg(gid order by gid) from pg_prepared_xacts where database = current_database()`;
  const ORPHANS = `select count(*)::int from pg_class where relname ~ '^gone_\\d+$' and relkind = 'r'`;
  const LACKING = `select count(*)::int from pg_class c where c.relname ~ '^t_\\d+$' and c.relkind = 'r'
    and not exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'decided')`;
  const ROLES = `select count(*)::int from pg_roles where rolname ~ '^tessera_${'ORIGIN'}_\\d+$'`;

  const originOf = async (db: Database): Promise<string> => {
    const origin = (await db.value('select _tessera_functions.cluster_origin()')) as string;
    origins.push(origin);
    return origin;
  };

  beforeAll(async () => {
    await original.create(templateName('tessera'));
    nodes = (serverAddress().workers ?? []).slice(0, 2).map((port) => new NodeDatabase(port, original.name));
    for (const n of nodes) {
      await n.create();
      await original.query(`select citus_add_node('127.0.0.1', ${n.port})`);
    }
    alice = await original.role('alice');
    await original.query(`create schema hers authorization ${alice}`);
    const session = await original.as(alice);
    await session.query(`set search_path = hers, public;
      create table r (id int primary key, v text); insert into r values (1, 'one'); select create_reference_table('r');
      create table t (k int, gone int, r int references r, primary key (k)); alter table t drop column gone; select create_distributed_table('t', 'k', shard_count => 4);
      insert into t select i, 1 from generate_series(1, 100) i`);
    await original.query(`create table mine (k int primary key); select create_distributed_table('mine', 'k', shard_count => 2);
      insert into mine select generate_series(1, 50);
      create table gone (k int); select create_distributed_table('gone', 'k', shard_count => 2);
      drop table gone`);
    await original.query('create index mine_k on mine (k); create statistics counted on k, (k % 2) from mine');
    await waitUntil(
      'all is committed everywhere',
      async () => (await original.value('select count(*)::int from _tessera_catalog.remote_txn')) === 0,
    );
    // Decided and not carried out, on one node; and prepared without a decision.
    const finisher = `tessera_loopback_${await original.value('select oid from pg_database where datname = current_database()')}_0`;
    await original.query(`alter role ${finisher} nologin`);
    await original.query('alter table hers.t add column decided int');
    await original.query('select tessera.heal_nodes(1)');
    await nodes[0]?.query(
      `begin; create table undecided (); prepare transaction 'tessera-1-${await originOf(original)}-700-1-1'`,
    );
    await original.disconnect();
    await copy.create(original.name);
    await original.reconnect();
    await copy.query(`set search_path = hers, public`);
  });

  afterEach((context) => {
    if (context.task.result?.state === 'fail') failed = true;
  });

  afterAll(async () => {
    for (const db of [restored, copy]) if (db !== original) await db.drop(failed).catch(() => undefined);
    if (!failed) {
      for (const origin of origins) for (const n of nodes) await n.drop(origin).catch(() => undefined);
    }
    await original.drop(failed).catch(() => undefined);
  });

  test('does nothing on the nodes', async () => {
    const before = [
      await onNodes(PREPARED),
      await onNodes(ORPHANS),
      await onNodes(`select count(*)::int from pg_class`),
    ];
    expect(before[0]).toEqual([[expect.stringContaining('-700-1-1')], [expect.stringContaining('-2-')]]);
    for (const sql of [
      'select tessera.heal_nodes()',
      'select tessera.heal_nodes(2)',
      'call citus_cleanup_orphaned_resources()',
      `call _tessera_functions.policy_cluster(6, '{}')`,
      'alter table t add column never int',
      'create index never on mine (k)',
      `insert into r values (2, 'two')`,
      `create table n (k int); select create_distributed_table('n', 'k')`,
      `create table n (k int); select create_reference_table('n')`,
      `select citus_add_node('127.0.0.1', 1)`,
      'select undistribute_table($$mine$$); call citus_cleanup_orphaned_resources()',
      'drop table t; call citus_cleanup_orphaned_resources()',
    ])
      expect([sql, await copy.error(sql)]).toMatchObject([
        sql,
        { code: '55000', hint: expect.stringContaining('tessera.adopt_nodes()') },
      ]);
    expect(await copy.query(`select success, result from run_command_on_workers('select 1')`)).toEqual(
      nodes.map(() => ({ success: false, result: expect.stringContaining('this database is a copy') })),
    );
    const after = [
      await onNodes(PREPARED),
      await onNodes(ORPHANS),
      await onNodes(`select count(*)::int from pg_class`),
    ];
    expect(after).toEqual(before);
  });

  test('cannot adopt the nodes while the original is there, or on behalf of just anybody', async () => {
    expect(await copy.error('select tessera.adopt_nodes()')).toMatchObject({
      code: '55000',
      message: expect.stringContaining(original.name),
    });
    expect((await failure(await copy.as(alice), 'select tessera.adopt_nodes()')).code).toBe('42501');
    expect(await original.value('select tessera.adopt_nodes()')).toBe(2);
  });

  test('can let go of them, which they do not notice', async () => {
    await copy.query(`begin;
      drop table t, mine;
      select citus_remove_node('127.0.0.1', nodeport) from citus_nodes`);
    expect(await copy.value('select count(*)::int from citus_nodes')).toBe(0);
    await copy.query('rollback');
    expect(await onNodes(ORPHANS)).toEqual([1, 1]);
  });

  const takesOver = async (db: Database, predecessor: string): Promise<void> => {
    expect(await db.value('select tessera.adopt_nodes()')).toBe(2);
    expect(await db.value('select tessera.adopt_nodes()')).toBe(2);
    const origin = await originOf(db);
    for (const n of nodes) {
      expect(await n.value(ROLES.replace('ORIGIN', predecessor))).toBe(0);
      expect(await n.value(ROLES.replace('ORIGIN', origin))).toBe(2);
    }
    const session = await db.as(alice);
    const column = `after_${origin}`;
    const n = origins.length;
    await session.query('set search_path = hers, public');
    await session.query(`insert into r values (${n}, 'new')`);
    await session.query(`insert into t (k, r) select i, ${n} from generate_series(${n * 1000}, ${n * 1000 + 99}) i`);
    await session.query(`alter table t add column ${column} int default 7`);
    expect(await db.value(`select sum(${column})::int from hers.t`)).toBe(7 * 100 * n);
    expect(await db.notices('create index on mine (k)')).toEqual([]);
    await db.query(
      `create table fresh (k int); select create_distributed_table('fresh', 'k', shard_count => 2); drop table fresh`,
    );
    await waitUntil(
      'the second phase is over',
      async () => (await db.value('select count(*)::int from _tessera_catalog.remote_txn')) === 0,
    );
    await db.query('call citus_cleanup_orphaned_resources()');
    expect(await db.value('select count(*)::int from _tessera_catalog.pg_dist_cleanup')).toBe(0);
    expect(await onNodes(ORPHANS)).toEqual([0, 0]);
    expect(await onNodes(PREPARED)).toEqual([null, null]);
    expect(await db.value('select count(*)::int from mine')).toBe(50);
    const [moved] = await db.query(
      `select s.shardid, s.nodeport as source, o.nodeport as target from citus_shards s join citus_nodes o on o.nodeport <> s.nodeport
       where s.table_name = 'hers.t'::regclass limit 1`,
    );
    await db.query(
      `select citus_move_shard_placement(${moved?.shardid}, '127.0.0.1', ${moved?.source}, '127.0.0.1', ${moved?.target})`,
    );
    // Columns are known by their numbers, which a dump may change.
    expect(await db.value('select count(r)::int from hers.t')).toBe(100 * n);
  };

  test('adopts the nodes when the original is gone, and decides what that left open', async () => {
    const predecessor = origins[0] as string;
    await original.drop(false);
    expect(await onNodes(LACKING)).toEqual([0, 2]);
    // An attempt that fails in the midst of it is in the way of no other.
    await copy.query('update _tessera_catalog.pg_dist_node set nodeport = 1 where nodeid = 2');
    expect((await copy.error('select tessera.adopt_nodes()')).code).toBe('08001');
    await copy.query(`update _tessera_catalog.pg_dist_node set nodeport = ${nodes[1]?.port} where nodeid = 2`);
    expect((await copy.error('select tessera.heal_nodes()')).code).toBe('55000');
    await takesOver(copy, predecessor);
    expect(await onNodes(LACKING)).toEqual([0, 0]);
    expect(await onNodes(`select to_regclass('undecided')`)).toEqual([null, null]);
  });

  test('can be restored from a dump', async () => {
    const predecessor = origins[1] as string;
    const text = dump(copy.name);
    await restored.create('template0');
    psql(restored.name, text);
    await restored.query(`set search_path = hers, public`);
    expect((await restored.error('select tessera.heal_nodes()')).code).toBe('55000');
    await copy.drop(false);
    await takesOver(restored, predecessor);
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasWorkers, type NodeDatabase, useCluster } from '../harness/cluster.ts';
import { PrivateServer } from '../harness/crash.ts';
import { useDatabase } from '../harness/database.ts';
import { Detour } from '../harness/detour.ts';
import { waitUntil } from '../harness/wait-until.ts';

// A server of the user's own has no workers beside it.
describe.skipIf(!hasWorkers())('the address of a node', () => {
  const { db, nodes } = useCluster({ nodes: 2 });
  const [first, second] = nodes as [NodeDatabase, NodeDatabase];
  let detour: Detour;

  beforeAll(async () => {
    detour = await Detour.to(second.port);
    await db.query(`create table t (k int primary key); select create_distributed_table('t', 'k', shard_count => 4)`);
    await db.query('insert into t select generate_series(1, 100)');
  });
  afterAll(() => detour.close());

  const idOf = (node: NodeDatabase): Promise<number> =>
    db.value('select nodeid from _tessera_catalog.pg_dist_node where groupid = $1', [nodes.indexOf(node) + 1]);
  const settled = (): Promise<void> =>
    waitUntil(
      'the second phase is over',
      async () => (await db.value('select count(*)::int from _tessera_catalog.remote_txn')) === 0,
    );

  test('can change, and later statements of all sessions and kinds go to the new one', async () => {
    const session = await db.connect();
    expect((await session.query('select count(*)::int as n from t')).rows).toEqual([{ n: 100 }]);
    const id = await idOf(second);
    await db.query(`select citus_update_node(${id}, '127.0.0.1', ${detour.port})`);
    expect(await db.column('select nodeport from _tessera_catalog.pg_dist_node order by nodeid')).toEqual([
      first.port,
      detour.port,
    ]);
    const seen: number[] = [detour.connections];
    for (const work of [
      () => session.query('select count(*) from t'),
      () => db.query('insert into t select generate_series(101, 200)'),
      () => db.query('alter table t add column v int'),
      () => db.query(`select citus_total_relation_size('t')`),
      () => db.query('select tessera.heal_nodes()'),
      () => db.query(`create table u (k int); select create_distributed_table('u', 'k', shard_count => 2)`),
    ]) {
      await work();
      expect(detour.connections, work.toString()).toBeGreaterThan(seen.at(-1) as number);
      seen.push(detour.connections);
    }
    await settled();
    expect(await db.value('select count(*)::int from t')).toBe(200);
    await session.end();
  });

  test('of a node that is gone makes statements fail with its name, and can be changed then', async () => {
    await detour.close();
    const at = `127.0.0.1:${detour.port}`;
    expect(await db.error('alter table t add column never int')).toMatchObject({
      code: expect.stringMatching(/^08/),
      message: expect.stringContaining(at),
      hint: expect.any(String),
    });
    expect((await db.error('insert into t select generate_series(201, 300)')).code).toMatch(/^08/);
    expect(await db.value('select tessera.heal_nodes(1)')).toBe(0);
    expect(await db.notices('select tessera.heal_nodes()')).toEqual([
      { severity: 'WARNING', message: expect.stringContaining(at) },
    ]);
    const id = await idOf(second);
    expect(await db.error(`select citus_update_node(${id}, '127.0.0.1', 1)`)).toMatchObject({ code: '08001' });
    expect(await db.error(`select citus_update_node(${id}, '127.0.0.1', ${first.port})`)).toMatchObject({
      code: '55000',
    });
    expect(await db.value(`select nodeport from citus_nodes where nodeport = ${detour.port}`)).toBe(detour.port);
    await db.query(`select citus_update_node(${id}, '127.0.0.1', ${second.port})`);
    await db.query('alter table t add column w int default 1');
    expect(await db.value('select sum(w)::int from t')).toBe(200);
  });

  test('is one option of several: others can be given and taken back', async () => {
    const before = await db.column(
      `select distinct o from pg_foreign_server, unnest(srvoptions) o where srvtype = 'tessera node' and srvversion <> 'finisher' and o like 'dbname=%'`,
    );
    expect(before).toEqual([`dbname=${db.name}`]);
    const id = await idOf(second);
    await db.query(
      `select tessera.set_node_auth('dbname=${db.name} application_name=''of mine''', '127.0.0.1', ${second.port})`,
    );
    const there =
      await db.value(`select array_agg(distinct s.srvname order by s.srvname) = array_agg(distinct s.srvname order by s.srvname) filter (where 'application_name=of mine' = any(s.srvoptions))
      from pg_foreign_server s where srvversion ~ '^${id}( |$)' and srvtype = 'tessera node'`);
    expect(there).toBe(true);
    await db.query(`select tessera.set_node_auth('sslmode=prefer', '127.0.0.1', ${second.port})`);
    expect(
      await db.column(
        `select distinct o from pg_foreign_server s, unnest(srvoptions) o where srvversion ~ '^${id}( |$)' and o ~ '^(application_name|sslmode|dbname)' order by o`,
      ),
    ).toEqual([`dbname=${db.name}`, 'sslmode=prefer']);
  });

  test('given for all reaches nodes that have none of their own, at once', async () => {
    await db.query(`select tessera.set_node_auth('application_name=all')`);
    const named = (id: number): Promise<number> =>
      db.value(
        `select count(*)::int from pg_foreign_server where srvversion ~ '^${id}( |$)' and 'application_name=all' = any(srvoptions)`,
      );
    expect(await named(await idOf(first))).toBe(2);
    expect(await named(await idOf(second))).toBe(0);
    await db.query(`select tessera.set_node_auth('')`);
    expect(await named(await idOf(first))).toBe(0);
    expect((await db.error(`select tessera.set_node_auth('user=x', '127.0.0.1', 1)`)).code).toBe('42704');
    expect((await db.error(`select tessera.set_node_auth('user=x', '127.0.0.1')`)).code).toBe('22023');
    expect(await db.error(`select tessera.set_node_auth('password=geheim and more')`)).toMatchObject({
      code: '22023',
      detail: expect.not.stringContaining('geheim'),
    });
    expect(
      await db.value(`select count(*)::int from _tessera_catalog.pg_dist_authinfo where authinfo ~ 'x|geheim'`),
    ).toBe(0);
    await db.query('select count(*) from t');
  });
});

const embedded = process.env.TESSERA_TEST_DSN === undefined && process.env.TESSERA_TEST_SERVER !== 'docker';

// Needs a server whose rules for logins it may change.
describe.runIf(embedded)('a node that asks for passwords', () => {
  const db = useDatabase();
  let server: PrivateServer;
  let port: number;

  const there = async (sql: string): Promise<unknown> => {
    const client = await server.connect(db.name);
    const result = await client.query(sql);
    await client.end();
    return Object.values(result.rows?.[0] ?? {})[0];
  };

  beforeAll(async () => {
    server = await PrivateServer.create(`workerpassword${process.pid}`);
    port = server.node.port;
    const admin = await server.connect();
    await admin.query(`create role manager login createrole password 'right'`);
    await admin.query(`create database ${db.name} owner manager template template0 encoding 'UTF8'`);
    await admin.query(`do $$ begin execute format(
      'copy (values (%L), (%L), (%L)) to %L',
      'local all postgres trust', 'host all postgres 127.0.0.1/32 trust', 'host all all 127.0.0.1/32 scram-sha-256',
      current_setting('hba_file')); end $$`);
    await admin.query('select pg_reload_conf()');
    await admin.end();
  });
  afterAll(() => server?.remove());

  test('is refused without one, and with a wrong one', async () => {
    await waitUntil('it asks for passwords', async () => {
      await db.query(`select tessera.set_node_auth('user=manager')`);
      return (await db.error(`select citus_add_node('127.0.0.1', ${port})`)).code === '08001';
    });
    await db.query(`select tessera.set_node_auth('user=manager password=wrong')`);
    expect(await db.error(`select citus_add_node('127.0.0.1', ${port})`)).toMatchObject({
      code: '08001',
      message: expect.stringContaining('password authentication failed'),
      hint: expect.stringContaining('set_node_auth'),
    });
    expect(await db.value('select count(*)::int from citus_nodes')).toBe(0);
  });

  test('works with the right one, and without a superuser', async () => {
    await db.query(`select tessera.set_node_auth('user=manager password=''right''')`);
    await db.query(`select citus_add_node('127.0.0.1', ${port})`);
    const alice = await db.as(await db.role('alice'));
    await db.query(`create schema hers; grant all on schema hers to public`);
    await alice.query(
      `create table hers.t (k int primary key); select create_distributed_table('hers.t', 'k', shard_count => 2)`,
    );
    await alice.query('insert into hers.t select generate_series(1, 100)');
    await alice.query('alter table hers.t add column v int default 2');
    expect((await alice.query('select sum(v)::int as n from hers.t')).rows).toEqual([{ n: 200 }]);
    expect(
      await there(`select count(*)::int from pg_roles where rolname ~ '^tessera_' and (rolsuper or rolcreaterole)`),
    ).toBe(0);
    await db.query('drop table hers.t');
    await db.query('call citus_cleanup_orphaned_resources()');
    expect(await db.value('select count(*)::int from _tessera_catalog.pg_dist_cleanup')).toBe(0);
  });

  test('has transactions ended by the login that prepared them', async () => {
    await db.query(`create table u (k int primary key); select create_distributed_table('u', 'k', shard_count => 2)`);
    await db.query(
      `do $$ begin execute format('alter role tessera_loopback_%s_0 nologin', (select oid from pg_database where datname = current_database())); end $$`,
    );
    await db.query('alter table u add column v int');
    expect(await there('select count(*)::int from pg_prepared_xacts')).toBe(1);
    const origin = await db.value('select _tessera_functions.cluster_origin()');
    // Somebody else's, whatever it calls itself.
    await there(`begin; create table foreign_one (); prepare transaction 'tessera-1-${origin}-700-1-1'`);
    expect(await db.value('select tessera.heal_nodes()')).toBe(1);
    expect(await there('select gid from pg_prepared_xacts')).toBe(`tessera-1-${origin}-700-1-1`);
    expect(await db.value('select count(*)::int from _tessera_catalog.remote_txn')).toBe(0);
    await there(`rollback prepared 'tessera-1-${origin}-700-1-1'`);
  });

  test('can change its password', async () => {
    await there(`alter role manager password 'changed'`);
    expect(await db.value(`select success from run_command_on_workers('select 1')`)).toBe(false);
    // Shards have logins of their own.
    expect(await db.value('select count(*)::int from u')).toBe(0);
    await db.query(`select tessera.set_node_auth('user=manager password=changed')`);
    expect(await db.value(`select success from run_command_on_workers('select 1')`)).toBe(true);
    await db.query('drop table u');
    await db.query('call citus_cleanup_orphaned_resources()');
    await db.query(`select tessera.set_node_auth('user=manager password=changed', '127.0.0.1', ${port})`);
    await db.query(`select citus_remove_node('127.0.0.1', ${port})`);
    expect(await db.value('select count(*)::int from _tessera_catalog.pg_dist_authinfo where nodeid > 0')).toBe(0);
    expect(
      await db.value(
        `select count(*)::int from pg_foreign_server where srvtype = 'tessera node' and srvversion <> 'finisher'`,
      ),
    ).toBe(0);
  });
});

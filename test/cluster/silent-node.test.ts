import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { PG_MAJOR } from '../../server/root.ts';
import { hasWorkers, useCluster, type Cluster, type NodeDatabase } from '../harness/cluster.ts';
import { failure } from '../harness/database.ts';
import { expectNothingLeft, expectShardsFollow } from '../harness/shards.ts';
import { Silence } from '../harness/silence.ts';
import { waitUntil } from '../harness/wait-until.ts';

/** There a connection is waited for until libpq's own connect_timeout, whatever happens. */
const WAITS_LONGER = PG_MAJOR < 16;

// A server of the user's own has no workers beside it.
describe.skipIf(!hasWorkers())('a node that accepts connections and does not answer', () => {
  const cluster = useCluster({ nodes: 2, added: 0 });
  const { db, nodes } = cluster;
  const [node, other] = nodes as [NodeDatabase, NodeDatabase];
  let through: Cluster;
  let silence: Silence;
  let session: pg.Client;
  let address: string;

  beforeAll(async () => {
    silence = await Silence.of(node.port);
    address = `127.0.0.1:${silence.port}`;
    through = { db, nodes: [Object.create(node, { port: { value: silence.port } }) as NodeDatabase, other] };
    await db.query(`select citus_add_node('127.0.0.1', $1)`, [silence.port]);
    await db.query(`select citus_add_node('127.0.0.1', $1)`, [other.port]);
    await db.query(`select tessera.set_setting('node_timeout', '1')`);
    await db.query(`create table t (k int primary key, v int); insert into t select i, i from generate_series(1, 100) i;
      create table r (id int primary key); insert into r values (1); create table plain (k int primary key)`);
    await db.query(`select create_distributed_table('t', 'k', shard_count => 4); select create_reference_table('r')`);
    session = await db.connect();
  });
  afterEach(() => silence.end());
  afterAll(async () => silence.close());

  const shard = (): Promise<{ id: string; name: string }> =>
    db
      .query(
        `select shardid::text as id, shard_name as name from citus_shards where table_name = 't'::regclass and nodeport = $1 order by 1 limit 1`,
        [silence.port],
      )
      .then(([row]) => row as { id: string; name: string });
  /** What a call ends with that finds no connection. */
  const unanswered = (): string =>
    `connection to node ${address} failed: ${
      WAITS_LONGER
        ? `connection to server at "127.0.0.1", port ${silence.port} failed: timeout expired`
        : 'it has not answered for 1 s'
    }`;
  const within = async <T>(seconds: number, work: Promise<T>): Promise<T> => {
    const began = Date.now();
    const result = await work;
    expect(Date.now() - began).toBeLessThan(seconds * 1000);
    return result;
  };

  test.each([
    ['distributing a table', `select create_distributed_table('plain', 'k', shard_count => 4)`],
    ['making a reference table', `select create_reference_table('plain')`],
    ['changing a distributed table', 'alter table t add column w int'],
    ['adding a key', `select create_distributed_key('t', '{k,v}')`],
    ['writing to a reference table', 'insert into r values (2)'],
    ['asking for sizes', `select citus_table_size('t')`],
    ['moving shards away', 'select citus_drain_node(nodename, nodeport) from citus_nodes limit 1'],
    ['changing types', `begin; create type mood as enum ('a'); alter table t add column m mood; commit`],
  ])('fails %s within the limit, naming the node, and nothing has changed', async (_what, sql) => {
    silence.begin();
    const e = await within(15, failure(session, sql));
    await session.query('rollback');
    expect([e.code, e.message]).toEqual(['08006', `connection to node ${address} failed: it has not answered for 1 s`]);
    expect(e.hint).toContain('Check that it runs');
    silence.end();
    await expectShardsFollow(through, 't');
    expect(await db.query('select count(*)::int as n, (select count(*)::int from r) as r from t')).toEqual([
      { n: 100, r: 1 },
    ]);
    expect(await db.value(`select relkind::text from pg_class where oid = 'plain'::regclass`)).toBe('r');
  });

  test('fails on statement_timeout where that is shorter, in every kind of statement', async () => {
    silence.begin();
    for (const sql of [
      'alter table t add column w int',
      `select citus_table_size('t')`,
      `select create_distributed_table('plain', 'k', shard_count => 4)`,
    ]) {
      const e = await within(WAITS_LONGER ? 15 : 8, failure(session, `set statement_timeout = '400ms'; ${sql}`));
      expect([sql, e.code]).toEqual([sql, '57014']);
      await session.query('rollback; set statement_timeout = 0');
    }
  });

  test('is an answer of its own where nodes are asked one by one', async () => {
    silence.begin();
    expect(
      await within(
        15,
        db.query(`select nodeport::int as port, success, result from run_command_on_workers('select 1')`),
      ),
    ).toEqual(
      expect.arrayContaining([
        {
          port: silence.port,
          success: false,
          result: `ERROR: ${unanswered()}`,
        },
        { port: other.port, success: true, result: '1' },
      ]),
    );
    await within(40, db.query('select * from citus_check_cluster_node_health()'));
    await within(40, db.query('select * from tessera.doctor()'));
    const warnings = await within(15, db.notices('select tessera.heal_nodes()'));
    expect(warnings.map((w) => w.message).join()).toContain(address);
    await within(15, db.query('call citus_cleanup_orphaned_resources()'));
  });

  test('cannot be added for longer than statement_timeout', async () => {
    const silent = await Silence.of(node.port);
    silent.begin();
    const e = await within(
      WAITS_LONGER ? 15 : 8,
      failure(session, `set statement_timeout = '500ms'; select citus_add_node('127.0.0.1', ${silent.port})`),
    );
    expect(['57014', '08006']).toContain(e.code);
    await session.query('rollback; set statement_timeout = 0');
    await silent.close();
  });

  test('that falls silent while it works has done nothing when it comes to', async () => {
    await node.query('create table log (i int)');
    const holder = await node.connect();
    await holder.query('begin; lock table log in access exclusive mode');
    const asked = db.query(
      `select success, result from run_command_on_workers('insert into log values (1)') where nodeport = $1`,
      [silence.port],
    );
    await waitUntil('the node waits', async () =>
      node.value(`select count(*) = 1 from pg_locks where relation = 'log'::regclass and not granted`),
    );
    silence.begin();
    expect(await within(15, asked)).toEqual([
      { success: false, result: `ERROR: connection to node ${address} failed: it has not answered for 1 s` },
    ]);
    await holder.query('commit');
    silence.end();
    await waitUntil('nothing waits any more', async () =>
      node.value(
        `select count(*) = 0 from pg_stat_activity where query like '%insert into log%' and state <> 'idle' and pid <> pg_backend_pid()`,
      ),
    );
    expect(await node.value('select count(*)::int from log')).toBe(0);
    await holder.end();
    await node.query('drop table log');
  });

  test('that falls silent before it prepares commits nothing, and what it prepares later is taken back', async () => {
    const { name } = await shard();
    const holder = await node.connect();
    await holder.query(`begin; lock table ${name} in access exclusive mode`);
    const failing = failure(session, 'alter table t add column w int');
    await waitUntil('the node waits', async () =>
      node.value(`select count(*) > 0 from pg_locks where relation = $1::regclass and not granted`, [name]),
    );
    silence.begin();
    const e = await within(15, failing);
    expect([e.code, e.message]).toEqual(['08006', `connection to node ${address} failed: it has not answered for 1 s`]);
    await holder.query('commit');
    await holder.end();
    silence.end();
    await waitUntil('nothing is prepared', async () => {
      await db.query('select tessera.heal_nodes()');
      return node.value('select count(*) = 0 from pg_prepared_xacts where database = current_database()');
    });
    await expectShardsFollow(through, 't');
  });

  test('that has prepared and then falls silent carries the decision out when it comes to', async () => {
    const { name } = await shard();
    await session.query('begin; alter table t add column w int; set constraints all immediate');
    silence.begin();
    await within(10, session.query('commit'));
    expect(await node.value('select count(*)::int from pg_prepared_xacts where database = current_database()')).toBe(1);
    silence.end();
    await waitUntil('nothing is prepared', async () => {
      await db.query('select tessera.heal_nodes()');
      return node.value('select count(*) = 0 from pg_prepared_xacts where database = current_database()');
    });
    expect(
      await node.value(`select count(*)::int from pg_attribute where attrelid = $1::regclass and attname = 'w'`, [
        name,
      ]),
    ).toBe(1);
    await expectShardsFollow(through, 't');
  });

  test('that falls silent during a move ends it, and keeps nothing of it', async () => {
    const { id } = await shard();
    const holder = await node.connect();
    // Making a slot waits for it.
    await holder.query('begin; create table writing (i int)');
    const failing = failure(
      session,
      `select citus_move_shard_placement(${id}, '127.0.0.1', ${silence.port}, '127.0.0.1', ${other.port}, 'force_logical')`,
    );
    await waitUntil('the node waits', async () =>
      node.value(`select count(*) > 0 from pg_locks where locktype = 'transactionid' and not granted`),
    );
    silence.begin();
    const e = await within(20, failing);
    expect([e.code, e.message]).toEqual(['08006', `connection to node ${address} failed: it has not answered for 1 s`]);
    await holder.query('rollback');
    await holder.end();
    silence.end();
    await waitUntil('all of it is gone', async () => {
      await db.query('call citus_cleanup_orphaned_resources()');
      return (
        (await db.value('select count(*)::int from _tessera_catalog.pg_dist_cleanup')) === 0 &&
        (await node.value(`select count(*)::int from pg_replication_slots where database = current_database()`)) ===
          0 &&
        (await node.value(`select count(*)::int from pg_publication`)) === 0 &&
        (await other.value(`select count(*)::int from pg_class where relname like 't\\_%' and relkind = 'r'`)) === 2
      );
    });
    expect(await db.value('select count(*)::int from t')).toBe(100);
  });

  test('keeps queries waiting until they are cancelled', async () => {
    const reader = await db.connect();
    silence.begin();
    const e = await within(
      WAITS_LONGER ? 15 : 8,
      failure(reader, `set statement_timeout = '500ms'; select count(*) from t`),
    );
    expect(e.code).toBe('57014');
    await reader.end();
  });

  test('is no matter for a statement that takes its time on a node that is well', async () => {
    expect(
      await db.query(`select bool_and(success) as done from run_command_on_workers($$select pg_sleep(3)$$)`),
    ).toEqual([{ done: true }]);
  });

  test('is asked for nobody else by the functions that do it', async () => {
    const stranger = await db.as(await db.role('stranger'));
    for (const [call, code] of [
      [`open_node_aside('tessera_node_1', 1, false)`, '42501'],
      [`ask_node_aside('', 'select 1', false, 1, null, '', 1, '')`, '42501'],
      [`probe_node_aside('tessera_node_1')`, '42501'],
      // He has no user mapping, nor a connection that somebody else has opened.
      [`open_node('tessera_node_1', 1, false)`, '42704'],
      [`probe_node('tessera_node_1')`, '42704'],
      [`ask_node('', 'select 1', false, 1, null, '', 1, '')`, '08003'],
    ] as const)
      expect([call, (await failure(stranger, `select _tessera_functions.${call}`)).code]).toEqual([call, code]);
  });

  test('leaves nothing behind', async () => {
    await db.query('drop table t, r, plain');
    await expectNothingLeft(cluster);
  });
});

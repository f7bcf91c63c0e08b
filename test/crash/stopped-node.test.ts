import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PrivateServer } from '../harness/crash.ts';
import { failure } from '../harness/database.ts';
import { waitUntil } from '../harness/wait-until.ts';

// Stops processes of its own servers, which a server given by DSN or in a container does not allow.
const embedded = process.env.TESSERA_TEST_DSN === undefined && process.env.TESSERA_TEST_SERVER !== 'docker';

describe.runIf(embedded)('a node all of whose processes are stopped', () => {
  let coordinator: PrivateServer;
  let node: PrivateServer;
  let session: pg.Client;

  beforeAll(async () => {
    [coordinator, node] = await Promise.all([
      PrivateServer.create(`stopped${process.pid}`),
      PrivateServer.create(`workerstopped${process.pid}`),
    ]);
    session = await coordinator.connect();
    await session.query('create extension tessera cascade; create table t (k int primary key, v int)');
    await session.query(`select citus_add_node('127.0.0.1', ${node.node.port})`);
    await session.query(`select create_distributed_table('t', 'k', shard_count => 2)`);
    await session.query(
      `insert into t select i, i from generate_series(1, 100) i; select tessera.set_setting('node_timeout', '1')`,
    );
  });
  afterAll(async () => {
    await session?.end();
    for (const s of [coordinator, node]) s?.remove();
  });

  test('is given up within the limit, and goes on as if nothing had been asked', async () => {
    const goOn = await node.freeze();
    try {
      for (const sql of [
        'alter table t add column w int',
        `select create_distributed_key('t', '{k,v}')`,
        `create table u (k int); select create_distributed_table('u', 'k', shard_count => 2)`,
        `select citus_table_size('t')`,
      ]) {
        const began = Date.now();
        const e = await failure(session, sql);
        expect([sql, e.code, e.message]).toEqual([
          sql,
          '08006',
          `connection to node 127.0.0.1:${node.node.port} failed: it has not answered for 1 s`,
        ]);
        expect(Date.now() - began).toBeLessThan(10_000);
      }
    } finally {
      goOn();
    }
    await waitUntil('nothing is left', async () => {
      await session.query('call citus_cleanup_orphaned_resources()');
      await session.query('select tessera.heal_nodes()');
      const other = await node.connect();
      const { rows } = await other.query<{ done: boolean }>(
        `select not exists (select from pg_prepared_xacts) and not exists (select from pg_class where relname ~ '^u_\\d+$')
           and not exists (select from pg_attribute where attname = 'w' and attrelid in (select oid from pg_class where relname ~ '^t_\\d+$')) as done`,
      );
      await other.end();
      return rows[0]?.done === true;
    });
    expect((await session.query('select count(*)::int as n from t')).rows).toEqual([{ n: 100 }]);
    await session.query('alter table t add column w int');
    await session.query('update t set w = 1');
  });
});

import pg from 'pg';
import { afterAll, beforeAll, describe as group, expect, test as each } from 'vitest';
import { onOwnHandler } from '../../../test/harness/engine.ts';
import { type Node, privateNode, removeNode, up } from '../../cluster.ts';
import { failure, useDatabase } from '../../../test/harness/database.ts';
import { backendPid } from '../../../test/harness/sessions.ts';
import { waitUntil } from '../../../test/harness/wait-until.ts';

// What only this handler can do; behaviour.test.ts holds what plv8 does as well.
const test = onOwnHandler ? each : (each.skip as typeof each);
const describe = onOwnHandler ? group : (group.skip as typeof group);

const db = useDatabase({ template: 'plv8' });
const embedded = process.env.TESSERA_TEST_DSN === undefined && process.env.TESSERA_TEST_SERVER === undefined;

const spin = `create function spin(ms int) returns int language plv8 as $$ const end = Date.now() + ms; let n = 0; while (Date.now() < end) n++; return 1 $$`;

const open = async (port: number, database: string): Promise<pg.Client> => {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database });
  client.on('error', () => undefined); // a session that ends is reported by its query
  await client.connect();
  return client;
};

beforeAll(() => db.query(spin));

// On a server of its own: a session that is cancelled while a barrier waits forgets the barrier, in plain SQL as well.
test.runIf(embedded)('a tight loop lets a barrier pass that DROP DATABASE waits for', async () => {
  const node = await privateNode('plv8_barrier');
  const clients: pg.Client[] = [];
  try {
    clients.push(await open(node.port, 'postgres'), await open(node.port, 'postgres'));
    const [looping, other] = clients as [pg.Client, pg.Client];
    await looping.query(`create extension plv8; ${spin}`);
    const loop = looping.query('select spin(5000)').then(() => Date.now());
    await new Promise((resolve) => setTimeout(resolve, 300));
    await other.query('create database short');
    await other.query('drop database short');
    const dropped = Date.now();
    expect(dropped).toBeLessThan(await loop);
    expect((await looping.query('select spin(1)')).rows).toEqual([{ spin: 1 }]);
  } finally {
    for (const client of clients) await client.end();
    removeNode(node);
  }
});

test('a tight loop answers a hundred requests that do not end it, and then a cancel', async () => {
  const client = await db.connect();
  const pid = await backendPid(client);
  const loop = failure(client, 'select spin(30000)');
  for (let i = 0; i < 100; i++) {
    await db.query('select pg_log_backend_memory_contexts($1)', [pid]);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await db.query('select pg_cancel_backend($1)', [pid]);
  expect((await loop).code).toBe('57014');
  expect((await client.query('select spin(1)')).rows).toEqual([{ spin: 1 }]);
});

describe.runIf(embedded)('a conflict with recovery on a standby ends', () => {
  let standby: Node;
  let before: readonly Node[];
  const clients: pg.Client[] = [];

  const connect = async (): Promise<pg.Client> => {
    const client = await open(standby.port, db.name);
    clients.push(client);
    return client;
  };

  beforeAll(async () => {
    before = (await up()).standbys;
    standby = (await up({ standbys: 1 })).standbys[0] as Node;
    await db.query('create table t as select generate_series(1, 1000) as i');
    await db.query(
      `create or replace function nested(ms int) returns int language plv8 as $$ return plv8.execute('select spin($1) as v', [ms])[0].v $$`,
    );
    await waitUntil('the standby has the functions', async () => {
      const client = await connect().catch(() => undefined);
      return (await client?.query(`select to_regproc('nested') as f`))?.rows[0].f != null;
    });
    const client = await connect();
    await client.query(`alter system set max_standby_streaming_delay = '300ms'`);
    await client.query('select pg_reload_conf()');
  });

  afterAll(async () => {
    for (const client of clients) await client.end().catch(() => undefined);
    if (!before.some((n) => n.name === standby.name)) return removeNode(standby);
    const client = await connect();
    await client.query('alter system reset max_standby_streaming_delay');
    await client.query('select pg_reload_conf()');
    await client.end();
  });

  for (const [what, loop, conflict, severity, code] of [
    ['a loop, because of a lock', 'spin', 'alter table t add j int; alter table t drop j', 'ERROR', '40001'],
    ['a loop, because of a snapshot', 'spin', 'delete from t where i < 500; vacuum t', 'ERROR', '40001'],
    // SQL below JavaScript is a subtransaction, where PostgreSQL ends the session.
    ['a loop below SQL', 'nested', 'alter table t add j int; alter table t drop j', 'FATAL', '40001'],
  ] as const)
    test(what, async () => {
      const client = await connect();
      // What other tests do on the primary is replayed here as well, and may end a statement before its time.
      const undisturbed = (what: string, sql: string): Promise<void> =>
        waitUntil(what, async () => {
          try {
            await client.query(sql);
            return true;
          } catch (e) {
            if ((e as pg.DatabaseError).code !== '40001') throw e;
            await client.query('rollback');
            return false;
          }
        });
      await undisturbed(
        'the session has its snapshot',
        'begin isolation level repeatable read; select count(*) from t',
      );
      const began = Date.now();
      const ended = failure(client, `select ${loop}(20000)`);
      await new Promise((resolve) => setTimeout(resolve, 300));
      for (const statement of conflict.split('; ')) await db.query(statement);
      expect(await ended).toMatchObject({ severity, code, message: expect.stringContaining('conflict with recovery') });
      expect(Date.now() - began).toBeLessThan(8000);
      if (severity === 'FATAL') return;
      await undisturbed('JavaScript runs again', 'rollback; select spin(1)');
    });
});

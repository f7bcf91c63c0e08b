import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hasWorkers, useCluster, type NodeDatabase } from '../harness/cluster.ts';
import { failure } from '../harness/database.ts';
import { waitUntil } from '../harness/wait-until.ts';
import { hasCron, Workers } from '../harness/workers.ts';

// A server of the user's own has no workers beside it.
describe.skipIf(!hasWorkers())('what operations leave on nodes', () => {
  const { db, nodes } = useCluster({ nodes: 2 });
  const [first, second] = nodes as [NodeDatabase, NodeDatabase];

  /** Tables that are or were shards of a table, on all nodes. */
  const shardsOf = async (table: string): Promise<number> => {
    const counts = await Promise.all(
      nodes.map((n) =>
        n.value(`select count(*)::int from pg_class where relkind = 'r' and relname ~ ('^' || $1 || '_\\d+$')`, [
          table,
        ]),
      ),
    );
    return counts.reduce((sum, n) => sum + n, 0);
  };
  const ledger = (): Promise<{ type: number; policy: number; group: number; message: string }[]> =>
    db.query(
      `select object_type as type, policy_type as policy, node_group_id as "group", message from _tessera_catalog.pg_dist_cleanup
       order by record_id`,
    ) as Promise<{ type: number; policy: number; group: number; message: string }[]>;
  const cleanUp = (): Promise<{ severity: string; message: string }[]> =>
    db.notices('call citus_cleanup_orphaned_resources()');
  const make = (table: string): Promise<unknown> =>
    db.query(
      `create table ${table} (k int primary key); select create_distributed_table('${table}', 'k', shard_count => 4)`,
    );
  const record = async (
    operation: number,
    type: number,
    name: string,
    group: number,
    policy: number,
  ): Promise<void> => {
    await db.query(
      `insert into _tessera_catalog.pg_dist_cleanup (operation_id, object_type, object_name, node_group_id, policy_type) values ($1, $2, $3, $4, $5)`,
      [operation, type, name, group, policy],
    );
  };

  beforeEach(() => db.query('delete from _tessera_catalog.pg_dist_cleanup'));
  afterEach(() => db.query('rollback'));

  test('is nothing after an operation that succeeded', async () => {
    await make('fine');
    expect(await ledger()).toEqual([]);
    expect(await shardsOf('fine')).toBe(4);
    expect(await cleanUp()).toEqual([]);
  });

  test('is in the ledger when it failed, and goes', async () => {
    await db.query('begin');
    await make('failing');
    await db.query('rollback');
    expect((await ledger()).map((r) => [r.type, r.policy])).toEqual(Array.from({ length: 4 }, () => [1, 1]));
    expect(await shardsOf('failing')).toBe(4);
    expect(await cleanUp()).toEqual([{ severity: 'NOTICE', message: 'cleaned up 4 orphaned resources' }]);
    expect(await shardsOf('failing')).toBe(0);
    expect(await ledger()).toEqual([]);
    expect(await cleanUp()).toEqual([]);
  });

  test('goes only once a drop is committed', async () => {
    await make('dropped');
    await db.query('insert into dropped select generate_series(1, 10)');
    await db.query('begin; drop table dropped');
    await db.query('call citus_cleanup_orphaned_resources()');
    await db.query('savepoint s; call citus_cleanup_orphaned_resources()');
    await db.query('rollback');
    expect(await db.value('select count(*)::int from dropped')).toBe(10);
    await db.query('drop table dropped; call citus_cleanup_orphaned_resources()');
    expect((await ledger()).map((r) => r.policy)).toEqual([2, 2, 2, 2]);
    expect(await cleanUp()).toEqual([{ severity: 'NOTICE', message: 'cleaned up 4 orphaned resources' }]);
    expect(await shardsOf('dropped')).toBe(0);
  });

  test('is passed by while the operation lives, in whatever session', async () => {
    const maker = await db.connect();
    await maker.query(
      `begin; create table alive (k int); select create_distributed_table('alive', 'k', shard_count => 4)`,
    );
    expect(await shardsOf('alive')).toBe(4);
    expect((await ledger()).length).toBe(4);
    expect(await cleanUp()).toEqual([]);
    await maker.query('call citus_cleanup_orphaned_resources()');
    expect(await shardsOf('alive')).toBe(4);
    await maker.query('commit');
    expect(await ledger()).toEqual([]);
    await db.query('insert into alive select generate_series(1, 10)');
    expect(await db.value('select count(*)::int from alive')).toBe(10);
    await maker.end();
  });

  test('of a session that is gone goes', async () => {
    const maker = await db.connect();
    await maker.query(
      `begin; create table lost (k int); select create_distributed_table('lost', 'k', shard_count => 4)`,
    );
    await maker.end();
    await waitUntil('its shards are gone', async () => {
      await cleanUp();
      return (await shardsOf('lost')) === 0;
    });
    expect(await ledger()).toEqual([]);
  });

  test('stays with the reason while it is in use, and goes afterwards', async () => {
    await make('used');
    const name = await first.value(`select min(relname) from pg_class where relname ~ '^used_\\d+$' and relkind = 'r'`);
    const reader = await first.connect();
    await reader.query(`begin; select from ${name}`);
    await db.query('drop table used');
    expect(await cleanUp()).toEqual([
      { severity: 'WARNING', message: 'failed to clean up 1 of 4 orphaned resources' },
      { severity: 'NOTICE', message: 'cleaned up 3 orphaned resources' },
    ]);
    expect(await ledger()).toEqual([
      { type: 1, policy: 2, group: 1, message: 'canceling statement due to lock timeout' },
    ]);
    await reader.query('select');
    await reader.end();
    expect(await cleanUp()).toEqual([{ severity: 'NOTICE', message: 'cleaned up 1 orphaned resources' }]);
    expect(await shardsOf('used')).toBe(0);
  });

  test('stays with the reason while its node cannot be reached, and does not keep the rest', async () => {
    await make('remote');
    await db.query('drop table remote');
    await db.query(`alter server tessera_node_2 options (set port '1')`);
    expect(await cleanUp()).toEqual([
      { severity: 'WARNING', message: 'failed to clean up 2 of 4 orphaned resources' },
      { severity: 'NOTICE', message: 'cleaned up 2 orphaned resources' },
    ]);
    const left = await ledger();
    expect(left.map((r) => r.group)).toEqual([2, 2]);
    for (const r of left) expect(r.message).toContain(`connection to node 127.0.0.1:${second.port} failed`);
    await db.query(`alter server tessera_node_2 options (set port '${second.port}')`);
    expect(await cleanUp()).toEqual([{ severity: 'NOTICE', message: 'cleaned up 2 orphaned resources' }]);
    expect(await shardsOf('remote')).toBe(0);
  });

  test('of replication goes in an order that works: subscription, slot, publication, shard', async () => {
    await first.query(`create table moved (k int primary key); create publication leftover for table moved`);
    await first.query(`select pg_create_logical_replication_slot('leftover', 'pgoutput')`);
    await second.query(`create table moved (k int primary key)`);
    await second.query(
      `alter table moved owner to tessera_${await db.value('select _tessera_functions.cluster_origin()')}_10`,
    );
    await second.query(`create subscription leftover connection 'host=127.0.0.1 port=${first.port} user=postgres dbname=${db.name}'
      publication leftover with (create_slot = false, slot_name = 'leftover')`);
    await waitUntil('the slot is in use', () =>
      first.value(`select active from pg_replication_slots where slot_name = 'leftover'`),
    );
    const operation = 900_001;
    await record(operation, 1, 'public.moved', 2, 1);
    await record(operation, 4, 'leftover', 1, 0);
    await record(operation, 3, 'leftover', 1, 0);
    await record(operation, 2, 'leftover', 2, 0);
    // A slot stays in use for a moment after its subscription is gone.
    await waitUntil('all is gone', async () => {
      await cleanUp();
      return (await ledger()).length === 0;
    });
    for (const n of nodes) {
      expect(await n.value(`select count(*)::int from pg_replication_slots where database = current_database()`)).toBe(
        0,
      );
      expect(await n.value(`select count(*)::int from pg_publication`)).toBe(0);
    }
    expect(await second.value(`select to_regclass('moved')`)).toBeNull();
    expect(
      await second.value(
        `select count(*)::int from pg_subscription s join pg_database d on d.oid = s.subdbid where d.datname = current_database()`,
      ),
    ).toBe(0);
    await first.query('drop table moved');
  });

  test('on a node that was removed is forgotten', async () => {
    await record(900_003, 1, 'public.whatever', 99, 0);
    expect(await cleanUp()).toEqual([{ severity: 'NOTICE', message: 'cleaned up 1 orphaned resources' }]);
    expect(await ledger()).toEqual([]);
  });

  test('of unknown kinds does not stop the rest', async () => {
    await record(900_004, 6, 'whatever', 1, 0);
    await record(900_004, 1, 'public.not_there', 1, 0);
    await cleanUp();
    expect(await ledger()).toEqual([{ type: 6, policy: 0, group: 1, message: 'cleanup record of unknown kind 6' }]);
  });

  test('is dropped once by cleaners that come at the same time', async () => {
    for (let i = 0; i < 4; i++) await make(`many${i}`);
    await db.query('drop table many0, many1, many2, many3');
    const cleaners = await Promise.all(Array.from({ length: 4 }, () => db.connect()));
    const outcomes = await Promise.all(
      cleaners.map((c) => c.query('select dropped, failed from _tessera_functions.clean_up_nodes()')),
    );
    expect(outcomes.map((o) => o.rows[0].failed)).toEqual([0, 0, 0, 0]);
    // Whoever came first has them; one that looked in between may have left some for later.
    const sum = outcomes.reduce((n, o) => n + o.rows[0].dropped, 0);
    expect(sum + (await ledger()).length).toBe(16);
    await cleanUp();
    expect(await ledger()).toEqual([]);
    expect(await shardsOf('many\\d')).toBe(0);
    await Promise.all(cleaners.map((c) => c.end()));
  });

  test('is nobody else’s business', async () => {
    await make('mine');
    await db.query('drop table mine');
    const plain = await db.as(await db.role('plain'));
    expect((await failure(plain, 'call citus_cleanup_orphaned_resources()')).code).toBe('42501');
    expect((await failure(plain, 'select dropped from _tessera_functions.clean_up_nodes()')).code).toBe('42501');
    expect((await ledger()).length).toBe(4);
    await cleanUp();
  });

  describe('goes by itself', () => {
    const workers = new Workers(db, hasCron ? 'pg_cron' : 'node');
    afterAll(() => workers.stop());

    test('where workers run', async () => {
      await make('by_itself');
      await db.query('drop table by_itself');
      await db.query('begin');
      await make('failed_by_itself');
      await db.query('rollback');
      await workers.start();
      await waitUntil('the job has dropped all', async () => (await ledger()).length === 0);
      expect(await shardsOf('by_itself')).toBe(0);
      expect(await shardsOf('failed_by_itself')).toBe(0);
      expect(
        await db.value(`select count(*)::int from tessera_information.job_errors where proc_name = 'policy_cluster'`),
      ).toBe(0);
    });
  });
});

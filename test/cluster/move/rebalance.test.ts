import { afterAll, describe, expect, test } from 'vitest';
import { hasWorkers, useCluster } from '../../harness/cluster.ts';
import { failure } from '../../harness/database.ts';
import { hasCron, Workers } from '../../harness/workers.ts';

// A server of the user's own has no workers beside it.
describe.skipIf(!hasWorkers())('the rebalancer', () => {
  const { db, nodes } = useCluster({ nodes: 3, added: 2 });
  const workers = new Workers(db, hasCron ? 'pg_cron' : 'node');
  afterAll(() => workers.stop());
  const spread = async (): Promise<Record<string, number>> =>
    Object.fromEntries(
      (
        await db.query(
          `select nodeport, count(*)::int as n from pg_dist_shard_placement p join _tessera_catalog.pg_dist_shard using (shardid)
           where logicalrelid = 'a'::regclass group by 1 order by 1`,
        )
      ).map((r) => [nodes.findIndex((n) => n.port === r.nodeport) + 1, r.n]),
    );
  const sums = async (): Promise<unknown> =>
    db.query('select count(*)::int as n, sum(k)::int as k, sum(v)::int as v from a left join b using (k)');

  test('finds nothing to do where there is nothing, or balance', async () => {
    expect(await db.notices('select citus_rebalance_start()')).toMatchObject([
      { message: 'no tables are distributed, so there is nothing to rebalance' },
    ]);
    for (const sql of [
      'create table r (id int primary key); insert into r values (1), (2)',
      `select create_reference_table('r')`,
      'create table r2 (id int primary key references r); insert into r2 values (2)',
      `select create_reference_table('r2')`,
      `create table a (k int primary key, r int references r, t text);
       insert into a select i, 1 + i % 2, repeat('x', 50) from generate_series(1, 2000) i`,
      `select create_distributed_table('a', 'k', shard_count => 6)`,
      'create table b (k int primary key, v int)',
      `select create_distributed_table('b', 'k', colocate_with => 'a')`,
      'insert into b select i, i from generate_series(1, 1000) i',
    ])
      await db.query(sql);
    expect(await db.value('select citus_rebalance_start()')).toBe(null);
    expect(await db.query('select * from get_rebalance_table_shards_plan()')).toEqual([]);
    expect(await db.query('select * from citus_rebalance_status()')).toEqual([]);
    expect((await db.error('select citus_rebalance_stop()')).code).toBe('55000');
    expect(await db.notices('select citus_rebalance_wait()')).toMatchObject([{ severity: 'WARNING' }]);
  });

  test('plans moves of colocated shards to a new node, for everybody to see', async () => {
    await db.query(`select citus_add_node('127.0.0.1', ${nodes[2]?.port})`);
    const plan = await db.query('select * from get_rebalance_table_shards_plan()');
    expect(plan.map((p) => p.table_name)).toEqual(['a', 'b', 'a', 'b']);
    expect(plan.every((p) => p.targetport === nodes[2]?.port)).toBe(true);
    expect(await db.query('select * from get_rebalance_table_shards_plan(max_shard_moves => 1)')).toHaveLength(2);
    const [first] = plan;
    expect(
      (
        await db.column(
          `select shardid from get_rebalance_table_shards_plan(excluded_shard_list => array[${first?.shardid}])`,
        )
      ).includes(first?.shardid),
    ).toBe(false);
    expect(await db.query(`select * from get_rebalance_table_shards_plan(drain_only => true)`)).toEqual([]);
    expect((await db.error(`select * from get_rebalance_table_shards_plan(rebalance_strategy => 'none')`)).code).toBe(
      '42704',
    );
    expect((await db.error(`select * from get_rebalance_table_shards_plan('pg_class')`)).code).toBe('42P16');
  });

  test('refuses nulls where a value is needed', async () => {
    for (const sql of [
      'select citus_drain_node(null, 1)',
      `select citus_drain_node('x', null)`,
      `select citus_add_rebalance_strategy(null, 'citus_shard_cost_1', 'citus_node_capacity_1', 'citus_shard_allowed_on_node_true', 0)`,
      `select citus_add_rebalance_strategy('x', null, 'citus_node_capacity_1', 'citus_shard_allowed_on_node_true', 0)`,
      'select citus_move_shard_placement(null, 1, 2)',
      'select citus_move_shard_placement(102008, null, 2)',
      'select citus_move_shard_placement(102008, 1, null)',
      `select citus_move_shard_placement(102008, 'x', 1, null, 1)`,
      'select citus_copy_shard_placement(102008, null, 1)',
    ])
      expect([sql, (await db.error(sql)).code?.slice(0, 2)]).toEqual([sql, sql.includes(`'x', 1, null`) ? '42' : '22']);
  });

  test('is refused to whoever does not own the tables', async () => {
    const session = await db.as(await db.role('visitor'));
    for (const sql of ['select citus_rebalance_start()', 'select rebalance_table_shards()'])
      expect([sql, (await failure(session, sql)).code]).toEqual([sql, '42501']);
    for (const sql of [
      `select citus_drain_node('127.0.0.1', ${nodes[0]?.port})`,
      `select citus_add_rebalance_strategy('x', 'citus_shard_cost_1', 'citus_node_capacity_1', 'citus_shard_allowed_on_node_true', 0)`,
      `select citus_set_default_rebalance_strategy('by_shard_count')`,
      'select replicate_reference_tables()',
      `select _tessera_functions.citus_internal_copy_single_shard_placement(1, 1, 2, 3)`,
    ])
      expect([sql, (await failure(session, sql)).code]).toEqual([sql, '42501']);
    expect((await session.query('select * from get_rebalance_table_shards_plan()')).rowCount).toBe(4);
    expect((await session.query('select * from get_rebalance_progress()')).rowCount).toBe(0);
  });

  test('says what would make a move fail before it schedules any', async () => {
    await db.query(`
      select citus_set_node_property('127.0.0.1', ${nodes[2]?.port}, 'shouldhaveshards', false);
      create table c (k int);
      select create_distributed_table('c', 'k', shard_count => 6, colocate_with => 'none');
      select citus_set_node_property('127.0.0.1', ${nodes[2]?.port}, 'shouldhaveshards', true)`);
    expect(await db.error('select citus_rebalance_start()')).toMatchObject({
      code: '0A000',
      message: expect.stringContaining('public.c'),
    });
    expect(await db.value('select count(*)::int from _tessera_catalog.pg_dist_background_job')).toBe(0);
    await db.query('drop table c');
  });

  test('schedules tasks that wait for each other as the flags say', async () => {
    const job = await db.value(
      // Sizes on disk change with what autovacuum does on the one node or the other.
      `select citus_rebalance_start(rebalance_strategy => 'by_shard_count', parallel_transfer_reference_tables => true,
         parallel_transfer_colocated_shards => true)`,
    );
    const first = await db.value(
      `select min(task_id) from _tessera_catalog.pg_dist_background_task where job_id = ${job}`,
    );
    const graph = await db.query(
      `select t.task_id - ${first} as id, split_part(split_part(command, '(', 1), '.', 2) as what,
         array(select d.depends_on - ${first} from _tessera_catalog.pg_dist_background_task_depend d where d.task_id = t.task_id order by 1)::int[] as after,
         nodes_involved as nodes
       from _tessera_catalog.pg_dist_background_task t where job_id = ${job} order by 1`,
    );
    const copy = 'citus_internal_copy_single_shard_placement';
    expect(graph).toEqual([
      { id: 0n, what: copy, after: [], nodes: [1, 3] },
      { id: 1n, what: copy, after: [0], nodes: [1, 3] },
      { id: 2n, what: copy, after: [0, 1], nodes: [1, 3] },
      { id: 3n, what: 'citus_move_shard_placement', after: [2], nodes: expect.arrayContaining([3]) },
      { id: 4n, what: 'citus_move_shard_placement', after: [2], nodes: expect.arrayContaining([3]) },
    ]);
    expect(await db.error('select citus_rebalance_start()')).toMatchObject({ code: '55000', hint: expect.any(String) });
    expect((await db.error('select rebalance_table_shards()')).code).toBe('55000');
  });

  test('does them in the background, and nothing is lost', async () => {
    const before = await sums();
    await workers.start();
    await db.query('select citus_rebalance_wait()');
    expect(
      await db.query(`select state, details -> 'task_state_counts' as tasks from citus_rebalance_status()`),
    ).toEqual([{ state: 'finished', tasks: { done: 5 } }]);
    expect(await spread()).toEqual({ 1: 2, 2: 2, 3: 2 });
    expect(await sums()).toEqual(before);
    expect((await db.error(`insert into a values (-1, 77)`)).code).toBe('23503');
    expect(
      await db.query(
        `select nodeport, success, result from run_command_on_placements('r2', $$select count(*) from pg_constraint where conrelid = '%s'::regclass and contype = 'f'$$) order by 1`,
      ),
    ).toEqual(
      nodes.map((n) => ({ nodeport: n.port, success: true, result: '1' })).sort((x, y) => x.nodeport - y.nodeport),
    );
    await db.query('insert into r values (3)');
    await db.query('insert into a values (-1, 3)');
    expect(await db.value('select citus_rebalance_start()')).toBe(null);
  });

  test('stops when it is told, and what is done stays', async () => {
    await workers.stop();
    await db.query(`select citus_set_node_property('127.0.0.1', ${nodes[2]?.port}, 'shouldhaveshards', false)`);
    expect(
      await db.value(`select citus_rebalance_start(drain_only => true, shard_transfer_mode => 'block_writes')`),
    ).not.toBe(null);
    await db.query('select citus_rebalance_stop()');
    expect(await db.value('select state from citus_rebalance_status()')).toBe('cancelled');
    expect(await spread()).toEqual({ 1: 2, 2: 2, 3: 2 });
  });

  test('drains a node in the foreground', async () => {
    const before = await sums();
    await db.query(`select citus_drain_node('127.0.0.1', ${nodes[2]?.port}, 'block_writes')`);
    expect((await spread())['3']).toBe(undefined);
    expect(await sums()).toEqual(before);
    await db.query('call citus_cleanup_orphaned_resources()');
    await db.query(`select citus_remove_node('127.0.0.1', ${nodes[2]?.port})`);
  });

  test("follows strategies of one's own", async () => {
    await db.query(`
      select citus_add_node('127.0.0.1', ${nodes[2]?.port});
      create function all_on_first(bigint, integer) returns boolean language sql as 'select $2 = 1';
      create function big(bigint) returns float8 language sql as 'select 1::float8'`);
    expect(
      await db.error(`select citus_add_rebalance_strategy('bad', 'big', 'citus_node_capacity_1', 'all_on_first', 0)`),
    ).toMatchObject({ code: '42P13', detail: 'It returns double precision, not real.' });
    expect(
      (
        await db.error(
          `select citus_add_rebalance_strategy('bad', 'citus_shard_cost_1', 'citus_node_capacity_1', 'all_on_first', 0.1, 0.5)`,
        )
      ).code,
    ).toBe('P0001');
    await db.query(
      `select citus_add_rebalance_strategy('first', 'citus_shard_cost_1', 'citus_node_capacity_1', 'all_on_first', 0)`,
    );
    expect((await db.error(`select citus_set_default_rebalance_strategy('nonsense')`)).code).toBe('P0001');
    await db.query(`select citus_set_default_rebalance_strategy('first')`);
    const before = await sums();
    await db.query(`select rebalance_table_shards('a')`);
    expect(await spread()).toEqual({ 1: 6 });
    await db.query(`select rebalance_table_shards('a', threshold => 0, rebalance_strategy => 'by_shard_count')`);
    expect(await spread()).toEqual({ 1: 2, 2: 2, 3: 2 });
    expect(await sums()).toEqual(before);
  });
});

import pg from 'pg';
import { check, heading, line, moving, sql, table } from './print.ts';

type Row = Record<string, unknown>;

/** An empty database of the same name on a worker; what an earlier demo left there goes. */
const emptyDatabase = async (port: number, name: string): Promise<void> => {
  const address = { host: '127.0.0.1', port, user: 'postgres' };
  const admin = new pg.Client({ ...address, database: 'postgres' });
  await admin.connect();
  const there = await admin.query('select from pg_database where datname = $1', [name]);
  if ((there.rowCount ?? 0) > 0) {
    const old = new pg.Client({ ...address, database: name });
    await old.connect();
    const subscriptions = await old.query<{ subname: string }>(
      'select subname from pg_subscription s join pg_database d on d.oid = s.subdbid where d.datname = current_database()',
    );
    for (const { subname } of subscriptions.rows)
      await old.query(
        `alter subscription ${subname} disable; alter subscription ${subname} set (slot_name = none); drop subscription ${subname}`,
      );
    await old.query(
      'select pg_terminate_backend(active_pid) from pg_replication_slots where database = current_database() and active_pid is not null',
    );
    await old.end();
    await admin.query(`drop database ${name} with (force)`);
  }
  await admin.query(`create database ${name} template template0 encoding 'UTF8'`);
  await admin.end();
};

const show = async (client: pg.Client, statement: string): Promise<Row[]> => {
  sql(statement);
  return (await client.query(statement)).rows as Row[];
};

const PLACES = `select nodename || ':' || nodeport as node, count(*) as shards, pg_size_pretty(sum(shard_size)) as size
from citus_shards where citus_table_type = 'distributed' group by 1 order by 1`;

/** A writer that never rests while shards move under it, and knows what it has written. */
const writer = (client: pg.Client): { stop: () => Promise<{ rows: number; slowest: number }> } => {
  let on = true;
  let rows = 0;
  let slowest = 0;
  const done = (async () => {
    while (on) {
      const began = performance.now();
      await client.query(`insert into orders select $1::int * 10 + i, 1 + i, 1 from generate_series(0, 9) i`, [
        1_000_000 + rows,
      ]);
      slowest = Math.max(slowest, performance.now() - began);
      rows += 10;
    }
  })();
  return {
    stop: async () => {
      on = false;
      await done;
      return { rows, slowest };
    },
  };
};

const followJob = async (client: pg.Client): Promise<void> => {
  const report = moving('rebalance');
  for (;;) {
    const [state] = (
      await client.query(
        `select state::text, coalesce((details -> 'task_state_counts' ->> 'done')::int, 0) as done,
           (select sum(value::int) from jsonb_each_text(details -> 'task_state_counts')) as tasks from citus_rebalance_status()`,
      )
    ).rows as { state: string; done: number; tasks: number }[];
    const now = (
      await client.query(
        `select status, pg_size_pretty(sum(target_shard_size)) as done, count(distinct sessionid) as moves from get_rebalance_progress() group by status order by 1`,
      )
    ).rows as { status: string; done: string; moves: number }[];
    report(Number(state?.done), Number(state?.tasks), now.map((n) => `${n.moves} x ${n.status}`).join(', '));
    if (['finished', 'failed', 'cancelled'].includes(state?.state ?? 'failed')) {
      if (state?.state !== 'finished') throw new Error(`the rebalance is ${state?.state}`);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
};

/** The same question to the table and to a view whose aggregates the nodes compute. */
const aggregates = async (client: pg.Client): Promise<void> => {
  const question =
    'select customer % 5 as class, count(*) as orders, round(avg(amount), 3) as mean from orders group by 1';
  await show(client, `select create_aggregate_view('by_class', '${question}')`);
  const timed = async (sql: string): Promise<{ readonly rows: Record<string, unknown>[]; readonly ms: number }> => {
    await client.query(sql);
    const began = Date.now();
    const { rows } = await client.query(`${sql} order by 1`);
    return { rows, ms: Date.now() - began };
  };
  const [rowsHere, view] = [await timed(`select * from (${question}) q`), await timed('select * from by_class')];
  table(await show(client, 'select * from by_class order by 1'));
  if (JSON.stringify(rowsHere.rows) !== JSON.stringify(view.rows)) {
    line('  DIFFERENT from the table');
    process.exit(1);
  }
  check(`${view.ms} ms in place of ${rowsHere.ms}: the nodes aggregate, all at once`);
};

/** Two nodes, a table over both, a third node, and a rebalance while somebody writes. */
export const cluster = async (client: pg.Client, workers: readonly number[]): Promise<void> => {
  const [first, second, third] = workers;
  const { name } = (await client.query('select current_database() as name')).rows[0] as { name: string };
  for (const port of workers.slice(0, 3)) await emptyDatabase(port, name);

  heading('11. Several servers: a table over two, then over three, while it is written');
  await show(client, `select citus_add_node('127.0.0.1', ${first}), citus_add_node('127.0.0.1', ${second})`);
  await client.query(
    `alter database ${name} set enable_partitionwise_join = on; alter database ${name} set enable_partitionwise_aggregate = on;
     set enable_partitionwise_join = on; set enable_partitionwise_aggregate = on;
     create table orders (id bigint primary key, customer int, amount numeric);
     insert into orders select i, 1 + i % 1000, i % 97 from generate_series(1, 200000) i;
     create table plain.orders as select * from orders`,
  );
  line('  200,000 orders:');
  await show(client, `select create_distributed_table('orders', 'id', shard_count => 12)`);
  table(await show(client, PLACES));
  const plan = await show(client, 'explain (costs off) select * from orders where id = 4711');
  for (const l of plan) line(`  ${String(l['QUERY PLAN'])}`);
  await show(client, `alter table orders add column note text default 'none'`);
  line('  All shards on all nodes have the new column, or none has: two-phase commit.');

  await show(client, `select citus_add_node('127.0.0.1', ${third})`);
  const other = new pg.Client({ host: '127.0.0.1', port: client.port, user: 'postgres', database: name });
  await other.connect();
  const writing = writer(other);
  table(await show(client, 'select citus_rebalance_start(parallel_transfer_colocated_shards => true) as job'));
  await followJob(client);
  const { rows, slowest } = await writing.stop();
  await other.end();
  table(await show(client, PLACES));
  line(`  ${rows.toLocaleString('en')} orders came in meanwhile; the slowest insert took ${slowest.toFixed(0)} ms.`);
  const [now] = (await client.query('select count(*)::int as n, sum(amount)::int as sum from orders')).rows as {
    n: number;
    sum: number;
  }[];
  const [was] = (await client.query('select count(*)::int as n, sum(amount)::int as sum from plain.orders')).rows as {
    n: number;
    sum: number;
  }[];
  if (now?.n !== (was?.n ?? 0) + rows || now.sum !== (was?.sum ?? 0) + rows) {
    line(`  DIFFERENT: ${JSON.stringify({ now, was, rows })}`);
    process.exit(1);
  }
  check(`${now.n.toLocaleString('en')} orders, none lost, none doubled`);
  await aggregates(client);
  await client.query('call citus_cleanup_orphaned_resources()');
};

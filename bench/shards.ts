/**
 * Moves, rebalances and queries over nodes, on the embedded workers: `npx tsx bench/shards.ts [MB of the moved group]`.
 * Anchors: a COPY pipe between the two servers, a connection straight to the node, one node that holds everything.
 */
import { pipeline } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { up } from '../server/cluster.ts';
import { median, type Measurement } from './measurement.ts';

const DATABASE = 'tessera_bench_cluster';

const connect = async (port: number, database = DATABASE): Promise<pg.Client> => {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database });
  client.on('error', () => undefined);
  await client.connect();
  return client;
};

const fresh = async (port: number): Promise<pg.Client> => {
  const admin = await connect(port, 'postgres');
  await admin.query(`drop database if exists ${DATABASE} with (force)`);
  await admin.query(`create database ${DATABASE} template template0 encoding 'UTF8'`);
  await admin.end();
  return connect(port);
};

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const began = performance.now();
  await work();
  return performance.now() - began;
};

/** Median of single statements. */
const latency = async (client: pg.Client, sql: (i: number) => string, times = 300): Promise<number> => {
  const all: number[] = [];
  for (let i = 0; i < times; i++) all.push(await timed(() => client.query(sql(i))));
  return median(all);
};

const settle = async (c: pg.Client): Promise<void> => {
  for (let i = 0; i < 100; i++) {
    await c.query('call citus_cleanup_orphaned_resources()');
    if ((await c.query('select from _tessera_catalog.pg_dist_cleanup')).rowCount === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};

const measureMoves = async (c: pg.Client, ports: readonly number[], megabytes: number): Promise<Measurement[]> => {
  const [first, second] = ports as [number, number];
  const rows = megabytes * 3300; // about 300 bytes each with their index
  await c.query('create table big (id bigint primary key, a int, b float8, t text)');
  await c.query(`select create_distributed_table('big', 'id', shard_count => 1)`);
  const { node } = (await c.query(`select nodeport as node from citus_shards where table_name = 'big'::regclass`))
    .rows[0] as { node: number };
  const [source, target] = node === first ? [first, second] : [second, first];
  const from = await connect(source);
  const to = await connect(target);
  const shard = (
    (await c.query(`select shard_name as name from citus_shards where table_name = 'big'::regclass`)).rows[0] as {
      name: string;
    }
  ).name;
  await from.query(
    `insert into ${shard} select i, i % 1000, i * 0.5, repeat(md5(i::text), 7) from generate_series(1, ${rows}) i`,
  );
  await from.query(`vacuum analyze ${shard}`);
  const { bytes } = (await from.query(`select pg_total_relation_size('${shard}') as bytes`)).rows[0] as {
    bytes: string;
  };
  const size = `${Math.round(Number(bytes) / 1e6)} MB`;

  await to.query('create table pipe (id bigint, a int, b float8, t text)');
  const pipe = await timed(async () => {
    await pipeline(from.query(copyTo(`copy ${shard} to stdout`)), to.query(copyFrom('copy pipe from stdin')));
    await to.query('alter table pipe add primary key (id)');
  });
  await to.query('drop table pipe');
  const id = (await c.query(`select shardid, nodename from citus_shards where table_name = 'big'::regclass`)).rows[0]
    .shardid;
  const move = (a: number, b: number, mode: string): Promise<number> =>
    timed(() => c.query(`select citus_move_shard_placement(${id}, '127.0.0.1', ${a}, '127.0.0.1', ${b}, '${mode}')`));
  const blocking = await move(source, target, 'block_writes');
  await settle(c);
  const logical = await move(target, source, 'force_logical');
  await settle(c);
  await from.end();
  await to.end();
  await c.query('drop table big');
  await settle(c);
  return [
    { name: `move of ${size}, block_writes / COPY pipe`, anchor: pipe, ours: blocking, goal: 1.3 },
    { name: `move of ${size}, logical / COPY pipe`, anchor: pipe, ours: logical, goal: 1.3 },
  ];
};

const measureQueries = async (c: pg.Client, ports: readonly number[]): Promise<Measurement[]> => {
  await c.query('create table q (id bigint primary key, g int, v float8)');
  await c.query(`select create_distributed_table('q', 'id', shard_count => 8)`);
  await c.query('insert into q select i, i % 100, i from generate_series(1, 400000) i');
  await c.query('analyze q');
  const direct = await connect(ports[0] as number);
  await direct.query('create table q_direct (id bigint primary key, g int, v float8)');
  await direct.query('insert into q_direct select i, i % 100, i from generate_series(1, 400000) i');
  await direct.query('vacuum analyze q_direct');
  const select = (t: string) => (i: number) => `select v from ${t} where id = ${1 + ((i * 7919) % 400000)}`;
  const insert = (t: string) => (i: number) => `insert into ${t} values (${1_000_000 + i}, 1, 1)`;
  const prepared = async (client: pg.Client, t: string): Promise<number> => {
    await client.query(
      `set plan_cache_mode = force_generic_plan; prepare one_${t}(bigint) as select v from ${t} where id = $1`,
    );
    return latency(client, (i) => `execute one_${t}(${1 + ((i * 7919) % 400000)})`);
  };
  const result: Measurement[] = [
    {
      name: 'one row by key / straight to the node',
      anchor: await latency(direct, select('q_direct')),
      ours: await latency(c, select('q')),
    },
    { name: 'the same, prepared', anchor: await prepared(direct, 'q_direct'), ours: await prepared(c, 'q') },
    {
      name: 'insert of one row / straight to the node',
      anchor: await latency(direct, insert('q_direct')),
      ours: await latency(c, insert('q')),
    },
    {
      name: 'insert of 100,000 rows / straight to the node',
      anchor: await timed(() =>
        direct.query('insert into q_direct select i, 1, 1 from generate_series(2000001, 2100000) i'),
      ),
      ours: await timed(() => c.query('insert into q select i, 1, 1 from generate_series(2000001, 2100000) i')),
    },
  ];
  await c.query('set enable_partitionwise_aggregate = on; set enable_partitionwise_join = on');
  const aggregate = (t: string): string => `select g, avg(v) from ${t} group by g`;
  const byKey = (t: string): string =>
    `select id % 10 as x, count(*) from (select id, sum(v) as s from ${t} group by id having sum(v) > 399000) y group by 1`;
  const best = async (client: pg.Client, sql: string): Promise<number> =>
    Math.min(
      ...[
        await timed(() => client.query(sql)),
        await timed(() => client.query(sql)),
        await timed(() => client.query(sql)),
      ],
    );
  await c.query(`select create_aggregate_view('q_averages', '${aggregate('q')}')`);
  result.push(
    {
      name: 'average of all rows by another column / one node',
      anchor: await best(direct, aggregate('q_direct')),
      ours: await best(c, aggregate('q')),
    },
    {
      name: 'the same by create_aggregate_view() / one node',
      anchor: await best(direct, aggregate('q_direct')),
      ours: await best(c, 'select * from q_averages'),
      goal: 1,
    },
    {
      name: 'group by the key, filtered / one node',
      anchor: await best(direct, byKey('q_direct')),
      ours: await best(c, byKey('q')),
    },
  );
  await direct.end();
  await c.query('drop view q_averages; drop table q');
  await settle(c);
  return result;
};

const measureRebalance = async (c: pg.Client, third: number): Promise<Measurement[]> => {
  await c.query('create table r (id bigint primary key, t text)');
  await c.query(`select create_distributed_table('r', 'id', shard_count => 32)`);
  await c.query(`insert into r select i, repeat(md5(i::text), 4) from generate_series(1, 600000) i`);
  await c.query('select start_background_workers()');
  const run = async (parallel: boolean): Promise<number> => {
    await c.query(`select citus_add_node('127.0.0.1', ${third})`);
    const ms = await timed(async () => {
      await c.query(
        `select citus_rebalance_start('by_shard_count', parallel_transfer_colocated_shards => ${parallel})`,
      );
      await c.query('select citus_rebalance_wait()');
    });
    const { state } = (await c.query('select state::text from citus_rebalance_status()')).rows[0] as { state: string };
    if (state !== 'finished') throw new Error(`rebalance is ${state}`);
    await c.query(`select citus_drain_node('127.0.0.1', ${third})`);
    await settle(c);
    await c.query(`select citus_remove_node('127.0.0.1', ${third})`);
    return ms;
  };
  const serial = await run(false);
  const parallel = await run(true);
  await c.query('select stop_background_workers()');
  return [{ name: 'rebalance 32 shards 2 -> 3 nodes, parallel / serial', anchor: serial, ours: parallel }];
};

export const measureShards = async (megabytes: number): Promise<Measurement[]> => {
  const cluster = await up({ workers: 3 });
  const ports = cluster.workers.map((w) => w.port);
  const c = await fresh(cluster.coordinator.port);
  const others = await Promise.all(ports.map(fresh));
  for (const o of others) await o.end();
  await c.query('set client_min_messages = warning; create extension tessera cascade');
  for (const port of ports.slice(0, 2)) await c.query(`select citus_add_node('127.0.0.1', ${port})`);
  const result = [
    ...(await measureQueries(c, ports)),
    ...(await measureMoves(c, ports, megabytes)),
    ...(await measureRebalance(c, ports[2] as number)),
  ];
  await c.end();
  return result;
};

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  for (const m of await measureShards(Number(process.argv[2] ?? 1000)))
    process.stdout.write(
      `${m.name.padEnd(52)} ${m.anchor.toFixed(2).padStart(10)} ms ${m.ours.toFixed(2).padStart(10)} ms ${(m.ours / m.anchor).toFixed(2).padStart(7)} x ${m.goal === undefined ? '' : `goal ${m.goal}`}\n`,
    );

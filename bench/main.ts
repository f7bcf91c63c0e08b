/** What `make bench` runs: ratios against an anchor measured in the same run. Nothing here is a test. */
import pg from 'pg';
import { up } from '../server/cluster.ts';
import { measureBackground } from './background.ts';
import { measureCapture } from './cagg-ingest.ts';
import { measureCaggs } from './cagg.ts';
import { measureCalls } from './calls.ts';
import { measureCodecs } from './codec.ts';
import { measureCompression } from './compression.ts';
import { measureHashPartitions } from './hash-partitions.ts';
import { measureIngest } from './ingest.ts';
import type { Measurement } from './measurement.ts';
import { measurePlanning } from './planning.ts';
import { measureRebalancePlan } from './rebalance-plan.ts';
import { measureShards } from './shards.ts';
import { measureTasks } from './tasks.ts';
import { findTimescale } from './timescale.ts';
import { measureTimeFunctions } from './time-bucket.ts';

const DATABASE = 'tessera_bench';
const { coordinator } = await up();
const config = { host: '127.0.0.1', port: coordinator.port, user: 'postgres' };
const admin = new pg.Client({ ...config, database: 'postgres' });
await admin.connect();
await admin.query(`drop database if exists ${DATABASE} with (force)`);
await admin.query(`create database ${DATABASE} template template0 encoding 'UTF8'`);
const client = new pg.Client({ ...config, database: DATABASE });
await client.connect();
await client.query('create extension tessera cascade');
const timescale = await findTimescale(config);
process.stdout.write(
  timescale === undefined
    ? 'without TimescaleDB: the server lacks it; name one that has it by TESSERA_BENCH_TIMESCALE=postgres://...\n'
    : `with TimescaleDB ${timescale.version}\n`,
);

const show = (m: Measurement): void => {
  const unit = (m.unit ?? 'ms').padEnd(2);
  const bound =
    m.differenceGoal === undefined
      ? `${(m.ours / m.anchor).toFixed(2).padStart(6)} x ${m.goal === undefined ? (m.note ?? '') : `goal ${Number(m.goal.toFixed(2))}`}`
      : `${(m.ours - m.anchor).toFixed(2).padStart(6)} ms more, goal ${m.differenceGoal}`;
  process.stdout.write(
    `${m.name.padEnd(52)} ${m.anchor.toFixed(2).padStart(9)} ${unit} ${m.ours.toFixed(2).padStart(9)} ${unit}  ${bound}\n`,
  );
};

process.stdout.write(`${''.padEnd(52)} ${'anchor'.padStart(12)} ${'tessera'.padStart(12)}\n`);
const parts: (() => Promise<Measurement[]>)[] = [
  () => measureIngest(client, timescale?.client),
  () => measureCapture(client),
  () => measureCompression(client, timescale?.client),
  () => measureCaggs(client),
  () => measurePlanning(client),
  () => measureHashPartitions(client, config),
  () => measureBackground(client),
  () => measureCalls(client, { ...config, database: DATABASE }),
  () => measureTasks(client, { ...config, database: DATABASE }),
  async () => measureCodecs(),
  async () => measureRebalancePlan(),
  () => measureShards(200),
  async () =>
    (await measureTimeFunctions(client)).map((t) => ({ name: t.name, anchor: t.plainMs, ours: t.ms, goal: t.goal })),
];
for (const part of parts) for (const m of await part()) show(m);

await timescale?.drop();
await client.end();
await admin.query(`drop database ${DATABASE} with (force)`);
await admin.end();

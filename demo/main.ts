/** What `make demo` shows: real data in hypertables, every answer checked against a plain table. */
import { once } from 'node:events';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { up } from '../server/cluster.ts';
import { SetupError } from '../server/root.ts';
import { dataSets, type DataSet } from './data.ts';
import { cluster } from './cluster.ts';
import { continuousAggregate } from './continuous-aggregate.ts';
import { check, heading, line, progress, sql, table } from './print.ts';

const DATABASE = 'tessera_demo';
pg.types.setTypeParser(20, (text) => Number(text));
for (const oid of [1082, 1114, 1184])
  pg.types.setTypeParser(oid, (text) => text.replace(/(\+00|00:00:00)$/, '').trim());

const bring = async (): Promise<{ readonly port: number; readonly workers: readonly number[] }> => {
  try {
    const cluster = await up({ workers: 3 });
    return { port: cluster.coordinator.port, workers: cluster.workers.map((w) => w.port) };
  } catch (e) {
    if (!(e instanceof SetupError)) throw e;
    process.stderr.write(`${e.message}\n`);
    process.exit(1);
  }
};

const freshDatabase = async (port: number): Promise<pg.Client> => {
  const address = { host: '127.0.0.1', port, user: 'postgres' };
  const admin = new pg.Client({ ...address, database: 'postgres' });
  await admin.connect();
  await admin.query(`drop database if exists ${DATABASE} with (force)`);
  await admin.query(`create database ${DATABASE} template template0 encoding 'UTF8'`);
  await admin.end();
  const client = new pg.Client({ ...address, database: DATABASE });
  await client.connect();
  return client;
};

const load = async (client: pg.Client, target: string, set: DataSet, show: boolean): Promise<void> => {
  const stream = client.query(copyFrom(`copy ${target} from stdin (format csv)`));
  const report = show ? progress(target, set.rows.length) : undefined;
  const BATCH = 500;
  for (let i = 0; i < set.rows.length; i += BATCH) {
    if (!stream.write(`${set.rows.slice(i, i + BATCH).join('\n')}\n`)) await once(stream, 'drain');
    report?.(Math.min(i + BATCH, set.rows.length));
  }
  stream.end();
  await once(stream, 'finish');
};

/** Runs the query on the hypertable and, with the plain table's name put in, again; stops when the answers differ. */
const ask = async (client: pg.Client, name: string, query: string): Promise<void> => {
  sql(query);
  const answer = (await client.query(query)).rows as Record<string, unknown>[];
  table(answer, 6);
  const plain = (await client.query(query.replaceAll(`from ${name} `, `from plain.${name} `))).rows;
  if (JSON.stringify(plain) !== JSON.stringify(answer)) {
    line('  DIFFERENT from the plain table');
    process.exit(1);
  }
  check(`${answer.length} rows`);
};

const run = async (client: pg.Client, statement: string): Promise<Record<string, unknown>[]> => {
  sql(statement);
  return (await client.query(statement)).rows as Record<string, unknown>[];
};

const began = Date.now();
const { port, workers } = await bring();
const client = await freshDatabase(port);
line(
  `tessera on ${((await client.query('show server_version')).rows[0] as { server_version: string }).server_version} at 127.0.0.1:${port}, database ${DATABASE}`,
);

heading('1. Install');
await run(client, 'create extension tessera cascade');
await run(client, 'select start_background_workers()');

heading('2. Real data into hypertables, through COPY');
await client.query('create schema plain');
for (const set of dataSets()) {
  await client.query(`create table ${set.name} (${set.columns}); create table plain.${set.name} (${set.columns})`);
  await run(
    client,
    `select hypertable_id, created from create_hypertable('${set.name}', by_range('time', interval '${set.interval}'))`,
  );
  await load(client, set.name, set, true);
  await load(client, `plain.${set.name}`, set, false);
  line(`  ${set.about}`);
}

heading('3. Chunks came into being as the rows did');
table(
  await run(
    client,
    `select hypertable_name as hypertable, num_chunks as chunks, pg_size_pretty(hypertable_size(hypertable_name::regclass)) as size
from tessera_information.hypertables order by 1`,
  ),
);
table(
  await run(
    client,
    `select chunk_name, range_start, range_end from tessera_information.chunks
where hypertable_name = 'flights' order by range_start limit 3`,
  ),
);

heading('4. Questions, each asked of a plain table as well');
await ask(
  client,
  'flights',
  `select time_bucket('14 days', time) as bucket, count(*) as flights, round(avg(delay), 1) as mean_delay
from flights group by 1 order by 1`,
);
await ask(
  client,
  'weather',
  `select location, time_bucket('1 year', time) as year, max(temp_max) as warmest, last(kind, time) as last_day
from weather group by 1, 2 order by 1, 2`,
);
await ask(
  client,
  'normals',
  `select time_bucket('3 months', time) as quarter, first(temperature, time) as first_hour,
  histogram(temperature, 0, 30, 6)::text as temperatures
from normals group by 1 order by 1`,
);

heading('5. A question about one week reads one week');
const plan = (
  await run(
    client,
    `explain (costs off) select count(*) from flights where time >= '2001-02-01' and time < '2001-02-08'`,
  )
).map((r) => String(r['QUERY PLAN']));
for (const l of plan) line(`  ${l}`);
const read = new Set(plan.join('\n').match(/_hyper_\d+_\d+_chunk/g)).size;
line(
  `  ${read} chunk(s) of ${(await client.query(`select count(*)::int as n from show_chunks('flights')`)).rows[0].n}`,
);

heading('6. A row far in the future is no trouble');
await run(client, `insert into flights values ('2035-05-05 05:05', 0, 1000, 'SEA', 'MRS')`);
table(await run(client, `select show_chunks('flights', newer_than => '2030-01-01') as chunk`));

heading('7. Old data goes by the chunk');
const dropped = await run(client, `select drop_chunks('flights', older_than => '2001-02-01') as dropped`);
table(dropped, 3);
const [kept] = await run(client, 'select count(*) as rows, min(time) as oldest from flights');
table([kept as Record<string, unknown>]);
const later = `select count(*) as n from flights where time >= '2001-02-01' and time < '2030-01-01'`;
const [here, there] = [
  await client.query(later),
  await client.query(later.replace('from flights', 'from plain.flights')),
];
if (here.rows[0].n !== there.rows[0].n) {
  line('  DIFFERENT from the plain table');
  process.exit(1);
}
check(`${here.rows[0].n} rows since the bound`);
line('  Chunks that reach beyond the bound stay, so nothing newer is lost.');

heading('8. Old chunks become columns, a tenth of the size, and answer as before');
const readings = 'time timestamptz not null, sensor text not null, temperature float8, humidity float8, state text';
await client.query(`create table readings (${readings}); create table plain.readings (${readings})`);
await client.query(
  `select create_hypertable('readings', by_range('time', interval '1 day'));
   insert into plain.readings select '2024-01-01'::timestamptz + i * interval '10 s', 'sensor ' || s,
     round((20 + 5 * sin(i / 1000.0 + s) + (i * 7919 % 13) / 10.0)::numeric, 1), 40 + i % 20, case when i % 500 < 20 then 'starting' else 'ok' end
   from generate_series(0, 17279) i, generate_series(1, 20) s;
   insert into readings select * from plain.readings`,
);
line('  345,600 readings of 20 sensors on two days:');
await run(client, `select set_compression('readings', compress_segmentby => 'sensor')`);
table(await run(client, `select compress_chunk(c) as compressed from show_chunks('readings') c`));
table(
  await run(
    client,
    `select number_compressed_chunks as chunks, pg_size_pretty(before_compression_total_bytes) as before,
  pg_size_pretty(after_compression_total_bytes) as after,
  round(before_compression_total_bytes::numeric / after_compression_total_bytes, 1) as times
from hypertable_compression_stats('readings')`,
  ),
);
const question = `select sensor, time_bucket('6 hours', time) as bucket, max(temperature) as warmest, count(*) as readings
from readings where sensor < 'sensor 12' and time >= '2024-01-01 18:00' group by 1, 2 order by 1, 2`;
await ask(client, 'readings', question);
await run(client, `update readings set state = 'checked' where sensor = 'sensor 3' and time < '2024-01-01 06:00'`);
await run(client, `delete from readings where state = 'starting'`);
await client.query(
  `update plain.readings set state = 'checked' where sensor = 'sensor 3' and time < '2024-01-01 06:00';
   delete from plain.readings where state = 'starting'`,
);
line('  The same after compressed rows were changed:');
await ask(client, 'readings', `select state, count(*) as readings from readings group by 1 order by 1`);
const shown = (
  await run(
    client,
    `explain (verbose, costs off) select avg(humidity) from readings where sensor = 'sensor 7' and time >= '2024-01-02'`,
  )
).map((r) => String(r['QUERY PLAN']));
for (const l of shown.filter((l) => /Foreign Scan|Remote SQL/.test(l))) line(`  ${l.trim().slice(0, 150)}`);

await continuousAggregate(client);

heading('10. The database does its own housekeeping');
await run(client, 'create table pulse (time timestamptz not null, value float8)');
await run(
  client,
  `select hypertable_id, created from create_hypertable('pulse', by_range('time', interval '2 seconds'))`,
);
await run(
  client,
  `create procedure beat(job_id int, config jsonb) language sql as
  $$ insert into pulse select clock_timestamp(), random() from generate_series(1, 10) $$`,
);
await run(
  client,
  `select add_job('beat', interval '1 second', job_name => 'Heartbeat') as beat,
  add_retention_policy('pulse', drop_after => interval '4 seconds', schedule_interval => interval '1 second') as retention`,
);
line('  Nobody does anything for ten seconds:');
const watch = `select (select count(*) from pulse)::int as rows, (select count(*) from show_chunks('pulse'))::int as chunks,
  sum(total_successes)::int as runs from tessera_information.job_stats where job_id >= 1000`;
let most = 0;
for (let second = 1; second <= 10; second++) {
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const now = (await client.query(watch)).rows[0] as { rows: number; chunks: number; runs: number };
  most = Math.max(most, now.rows);
  line(
    `  ${String(second).padStart(2)} s  ${'#'.repeat(Math.round(now.rows / 5)).padEnd(16)} ${String(now.rows).padStart(3)} rows in ${now.chunks} chunks, ${now.runs} runs so far`,
  );
}
table(
  await run(client, 'select application_name, state, reason from tessera_information.job_states where job_id >= 1000'),
);
const failed = (await client.query('select count(*)::int as n from tessera_information.job_errors')).rows[0]
  .n as number;
if (most === 0 || failed > 0) {
  line(`  ${failed} runs failed, ${most} rows came`);
  process.exit(1);
}
line('  Rows came, old ones went, no run failed.');

await cluster(client, workers);

heading('12. Is everything in order');
table(await run(client, 'select check_name, status, detail from tessera.doctor()'), 20);
await run(client, 'select stop_background_workers()');

await client.end();
line(
  `\nDone in ${((Date.now() - began) / 1000).toFixed(1)} s. Look around: make psql ARGS="-d ${DATABASE}"   Read on: docs/hypertables.md   Stop the server: make down`,
);

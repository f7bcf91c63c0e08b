/**
 * Queries of dashboards on compressed chunks, as the ordinary table and as the view of tessera_read, against a plain heap of the
 * same rows: `npx tsx bench/read-views.ts [hosts] [days] [rounds]`. Medians of rounds in which the three take turns.
 */
import pg from 'pg';
import { up } from '../server/cluster.ts';
import { median } from './measurement.ts';

const GAUGES = ['user', 'system', 'idle', 'nice', 'iowait', 'irq', 'softirq', 'steal', 'guest', 'guest_nice'].map(
  (g) => `usage_${g}`,
);

/** Random walks of whole per cents, as TSBS has them. */
const rows = (hosts: number, days: number): string => `
  select t as time, h as tags_id, ${GAUGES.map((g, k) => `round(50 + 35 * sin(extract(epoch from t)::float8 / ${3000 + 700 * k} + h * ${k + 1}) + 6 * random()) as ${g}`).join(', ')}
  from generate_series('2024-01-01'::timestamptz, '2024-01-01'::timestamptz + interval '${days} days' - interval '10 s', '10 s') t,
    generate_series(0, ${hosts - 1}) h`;

const between = (from: string, to: string): string => `time >= '2024-01-01 ${from}' and time < '2024-01-01 ${to}'`;
const chosen = (...hosts: number[]): string =>
  `tags_id in (select id from tags where hostname in (${hosts.map((h) => `'host_${h}'`).join(', ')}))`;
const array = (...hosts: number[]): string =>
  `tags_id = any (array(select id from tags where hostname in (${hosts.map((h) => `'host_${h}'`).join(', ')})))`;
const given = (...hosts: number[]): string => `tags_id in (${hosts.join(', ')})`;

const EIGHT = [3, 17, 29, 41, 53, 61, 77, 89];
const groupBy = (gauges: number, where: string): string =>
  `select date_trunc('minute', time) as m, ${GAUGES.slice(0, gauges)
    .map((g) => `max(${g})`)
    .join(', ')} from $t where ${where} group by 1 order by 1`;
const maxAll = (where: string): string =>
  `select date_trunc('hour', time) as h, ${GAUGES.map((g) => `max(${g})`).join(', ')} from $t where ${where} group by 1 order by 1`;
const double = (gauges: number): string =>
  `select date_trunc('hour', time) as h, tags_id, ${GAUGES.slice(0, gauges)
    .map((g) => `avg(${g})`)
    .join(', ')} from $t where ${between('08:00', '20:00')} group by 1, 2`;

const QUERIES: readonly (readonly [name: string, sql: string])[] = [
  ['single-groupby-1-1-1', groupBy(1, `${chosen(7)} and ${between('03:10', '04:10')}`)],
  ['single-groupby-1-1-12', groupBy(1, `${chosen(7)} and ${between('03:10', '15:10')}`)],
  ['single-groupby-5-8-1', groupBy(5, `${chosen(...EIGHT)} and ${between('03:10', '04:10')}`)],
  ['the same by = any (array(select)): 1-1-1', groupBy(1, `${array(7)} and ${between('03:10', '04:10')}`)],
  ['1-1-12', groupBy(1, `${array(7)} and ${between('03:10', '15:10')}`)],
  ['5-8-1', groupBy(5, `${array(...EIGHT)} and ${between('03:10', '04:10')}`)],
  ['ids given: 1-1-1', groupBy(1, `${given(7)} and ${between('03:10', '04:10')}`)],
  ['1-1-12', groupBy(1, `${given(7)} and ${between('03:10', '15:10')}`)],
  ['5-8-1', groupBy(5, `${given(...EIGHT)} and ${between('03:10', '04:10')}`)],
  ['cpu-max-all-1', maxAll(`${chosen(7)} and ${between('04:00', '12:00')}`)],
  ['cpu-max-all-8', maxAll(`${chosen(...EIGHT)} and ${between('04:00', '12:00')}`)],
  ['cpu-max-all-1, ids given', maxAll(`${given(7)} and ${between('04:00', '12:00')}`)],
  ['cpu-max-all-8, ids given', maxAll(`${given(...EIGHT)} and ${between('04:00', '12:00')}`)],
  ['high-cpu-1', `select * from $t where usage_user > 90 and ${chosen(7)} and ${between('08:00', '20:00')}`],
  ['high-cpu-all', `select * from $t where usage_user > 90 and ${between('08:00', '20:00')}`],
  ['double-groupby-1', double(1)],
  ['double-groupby-5', double(5)],
  ['double-groupby-all', double(10)],
  [
    'lastpoint',
    `select distinct on (t.hostname) * from tags t
     cross join lateral (select * from $t c where c.tags_id = t.id order by time desc limit 1) b order by t.hostname, b.time desc`,
  ],
  [
    'groupby-orderby-limit',
    `select date_trunc('minute', time) as m, max(usage_user) from $t where time < '2024-01-01 21:10' group by 1 order by 1 desc limit 5`,
  ],
  ['min(time), max(time)', 'select min(time), max(time) from $t'],
  ['count(*)', 'select count(*) from $t'],
  ['avg over all', 'select avg(usage_user) from $t'],
];

const [hosts = 100, days = 1, rounds = 5] = process.argv.slice(2).map(Number);
const TABLES = ['heap', 'cpu', 'tessera_read.cpu'] as const;

const { coordinator } = await up();
const config = { host: '127.0.0.1', port: coordinator.port, user: 'postgres' };
const admin = new pg.Client({ ...config, database: 'postgres' });
await admin.connect();
await admin.query('drop database if exists tessera_read_bench with (force)');
await admin.query(`create database tessera_read_bench template template0 encoding 'UTF8'`);
const client = new pg.Client({ ...config, database: 'tessera_read_bench' });
await client.connect();
await client.query('set client_min_messages = warning');
await client.query('create extension tessera cascade');
await client.query(`create table tags (id int primary key, hostname text, region text);
  insert into tags select h, 'host_' || h, 'region ' || h % 5 from generate_series(0, ${hosts - 1}) h; analyze tags`);
for (const table of ['heap', 'cpu']) {
  await client.query(
    `create table ${table} (time timestamptz not null, tags_id int not null, ${GAUGES.map((g) => `${g} float8`).join(', ')})`,
  );
  await client.query(`select create_hypertable('${table}', 'time', chunk_time_interval => interval '6 hours')`);
  await client.query(`create index on ${table} (tags_id, time desc)`);
}
await client.query(`insert into heap ${rows(hosts, days)}`);
await client.query('insert into cpu select * from heap');
await client.query(`select set_compression('cpu', compress_segmentby => 'tags_id', compress_orderby => 'time desc')`);
await client.query(`select compress_chunk(c) from show_chunks('cpu') c`);
await client.query('vacuum analyze heap');
await client.query('analyze cpu');

const timed = async (sql: string): Promise<readonly [ms: number, answer: string]> => {
  const began = process.hrtime.bigint();
  const { rows: found } = await client.query({ text: sql, rowMode: 'array' });
  const ms = Number(process.hrtime.bigint() - began) / 1e6;
  return [
    ms,
    JSON.stringify(
      found.map((r) => JSON.stringify(r, (_, v) => (typeof v === 'number' ? Math.round(v * 1e6) : v))).sort(),
    ),
  ];
};

const line = (name: string, cells: readonly string[]): void => {
  process.stdout.write(`${name.padEnd(44)}${cells.map((c) => c.padStart(12)).join('')}\n`);
};
line('', ['heap ms', 'table ms', 'view ms', 'table/heap', 'view/heap']);
for (const [name, sql] of QUERIES) {
  const times: number[][] = [[], [], []];
  for (let round = -1; round < rounds; round++) {
    const answers: string[] = [];
    for (let k = 0; k < 3; k++) {
      const which = (k + round + 1) % 3;
      const [ms, answer] = await timed(sql.replaceAll('$t', TABLES[which] ?? ''));
      answers.push(answer);
      // The first round warms caches.
      if (round >= 0) times[which]?.push(ms);
    }
    if (new Set(answers).size !== 1) throw new Error(`${name}: the answers differ`);
  }
  const [heap = 0, table = 0, view = 0] = times.map((t) => median(t));
  line(name, [heap.toFixed(1), table.toFixed(1), view.toFixed(1), (table / heap).toFixed(2), (view / heap).toFixed(2)]);
}
await client.end();
await admin.query('drop database tessera_read_bench with (force)');
await admin.end();

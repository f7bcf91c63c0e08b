import type pg from 'pg';
import type { Measurement } from './measurement.ts';

const COLUMNS = 'time timestamptz not null, host text, usage_user float8, usage_system float8, usage_idle float8';
const DAYS = 3;
/** 40 hosts every 10 seconds for three days: 1.04 M rows. A smooth curve, a gauge of two decimals, and noise. */
const ROWS = `select t, 'host_' || h, 50 + 20 * sin(extract(epoch from t)::float8 / 3600 + h),
    round((random() * 100)::numeric, 2)::float8, 100 * random()
  from generate_series('2024-01-01'::timestamptz, '2024-01-01'::timestamptz + interval '${DAYS} days' - interval '10 s', '10 s') t,
    generate_series(1, 40) h`;

const milliseconds = async (client: pg.Client, sql: string): Promise<number> => {
  const began = process.hrtime.bigint();
  await client.query(sql);
  return Number(process.hrtime.bigint() - began) / 1e6;
};

const best = async (rounds: number, client: pg.Client, sql: string): Promise<number> => {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < rounds; i++) least = Math.min(least, await milliseconds(client, sql));
  return least;
};

const value = async (client: pg.Client, sql: string): Promise<number> =>
  Number(Object.values((await client.query(sql)).rows[0] ?? {})[0]);

const MB = 1024 * 1024;

const QUERIES: readonly (readonly [name: string, sql: string, goal: number | undefined])[] = [
  [
    'one host over 12 hours',
    `select avg(usage_user) from $t where host = 'host_7' and time >= '2024-01-02 03:00' and time < '2024-01-02 15:00'`,
    1,
  ],
  ['average over all rows', 'select avg(usage_user) from $t', 3],
  [
    'every column of six hours',
    `select md5(string_agg(x::text, '')) from $t x where time >= '2024-01-02' and time < '2024-01-02 06:00'`,
    undefined,
  ],
];

/** Bytes a value in segments of 1000 rows, with all that belongs to them on disk. */
const POINTS: readonly (readonly [name: string, expression: string])[] = [
  ['constant', '42.5::float8'],
  ['counter', '(i * 3 + i % 2)::float8'],
  ['gauge with noise, one decimal', 'round((50 + 20 * sin(i / 300.0) + random())::numeric, 1)::float8'],
  ['random floats', 'random()'],
  ['text of 8 values', `'state ' || (hashint4(i) & 7)`],
];

const bytesPerPoint = async (client: pg.Client): Promise<Measurement[]> => {
  const measured: Measurement[] = [];
  for (const [name, expression] of POINTS) {
    await client.query(
      `create table points (time timestamptz not null, v ${name.startsWith('text') ? 'text' : 'float8'})`,
    );
    await client.query(`select create_hypertable('points', 'time', chunk_time_interval => interval '30 days')`);
    await client.query(
      `insert into points select '2024-01-01'::timestamptz + i * interval '1 s', ${expression} from generate_series(0, 199999) i`,
    );
    const before = await value(client, `select pg_relation_size(c) from show_chunks('points') c`);
    await client.query(`select set_compression('points'), compress_chunk(c) from show_chunks('points') c`);
    const after = await value(
      client,
      `select after_compression_table_bytes + after_compression_toast_bytes from chunk_compression_stats('points')`,
    );
    await client.query('drop table points');
    measured.push({
      name: `bytes a row, time and ${name}`,
      anchor: before / 200_000,
      ours: after / 200_000,
      unit: 'B',
    });
  }
  return measured;
};

const writes = async (client: pg.Client): Promise<Measurement[]> => {
  const change = `update $t set usage_user = 0 where host = 'host_3' and time < '2024-01-01 06:00'`;
  const late = `insert into $t select time + interval '5 s', host, 1, 2, 3 from heap where host = 'host_4' and time < '2024-01-01 12:00'`;
  const measured: Measurement[] = [];
  for (const [name, sql] of [
    ['UPDATE of 2,160 compressed rows', change],
    ['INSERT of 4,320 rows into a compressed chunk', late],
  ] as const)
    measured.push({
      name,
      anchor: await milliseconds(client, sql.replaceAll('$t', 'heap')),
      ours: await milliseconds(client, sql.replaceAll('$t', 'cpu')),
    });
  measured.push({
    name: 'recompression after both, against compressing all',
    anchor: await milliseconds(
      client,
      `select compress_chunk(c, recompress => true) from show_chunks('cpu') c limit 1`,
    ),
    ours: Number.NaN,
  });
  await client.query(late.replaceAll('$t', 'cpu'));
  const [last] = measured.splice(-1);
  if (last !== undefined)
    measured.push({
      ...last,
      ours: await milliseconds(client, `select compress_chunk(c) from show_chunks('cpu') c limit 1`),
    });
  return measured;
};

/** Against the same hypertable left uncompressed, and TimescaleDB's compression where there is one. */
export const measureCompression = async (client: pg.Client, timescale?: pg.Client): Promise<Measurement[]> => {
  await client.query('set client_min_messages = warning');
  for (const table of ['heap', 'cpu']) {
    await client.query(`create table ${table} (${COLUMNS})`);
    await client.query(`select create_hypertable('${table}', 'time', chunk_time_interval => interval '1 day')`);
  }
  await client.query(`insert into heap ${ROWS}`);
  await client.query('insert into cpu select * from heap');
  await client.query('vacuum analyze heap');
  await client.query(`select set_compression('cpu', compress_segmentby => 'host', compress_orderby => 'time desc')`);
  const sorted = await milliseconds(client, 'create table sorted as select * from heap order by host, time desc');
  let [theirTime, theirSize] = [0, 0];
  if (timescale !== undefined) {
    await timescale.query(`create table cpu (${COLUMNS})`);
    await timescale.query(`select create_hypertable('cpu', 'time', chunk_time_interval => interval '1 day')`);
    await timescale.query(`insert into cpu ${ROWS}`);
    await timescale.query(
      `alter table cpu set (timescaledb.compress, timescaledb.compress_segmentby = 'host', timescaledb.compress_orderby = 'time desc')`,
    );
    theirTime = await milliseconds(timescale, `select compress_chunk(c) from show_chunks('cpu') c`);
    theirSize = await value(
      timescale,
      `select sum(after_compression_table_bytes + after_compression_toast_bytes) from chunk_compression_stats('cpu')`,
    );
  }
  const time = await milliseconds(client, `select compress_chunk(c) from show_chunks('cpu') c`);
  const size = await value(
    client,
    `select after_compression_table_bytes + after_compression_toast_bytes from hypertable_compression_stats('cpu')`,
  );
  const heapSize = await value(client, `select table_bytes from hypertable_detailed_size('heap')`);
  const measured: Measurement[] = [
    { name: 'compress 1.04 M rows, against sorting them', anchor: sorted, ours: time },
    ...(timescale === undefined
      ? []
      : [{ name: 'the same against TimescaleDB', anchor: theirTime, ours: time, goal: 3 }]),
    { name: 'their size', anchor: heapSize / MB, ours: size / MB, unit: 'MB', goal: 18 / 76 },
    ...(timescale === undefined
      ? []
      : [{ name: 'the same against TimescaleDB', anchor: theirSize / MB, ours: size / MB, unit: 'MB' as const }]),
  ];
  for (const [name, sql, goal] of QUERIES)
    measured.push({
      name,
      anchor: await best(4, client, sql.replaceAll('$t', 'heap')),
      ours: await best(4, client, sql.replaceAll('$t', 'cpu')),
      goal,
    });
  measured.push(...(await writes(client)), ...(await bytesPerPoint(client)));
  await client.query('drop table heap, cpu, sorted');
  await client.query('reset client_min_messages');
  return measured;
};

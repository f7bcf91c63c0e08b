import type pg from 'pg';
import type { Measurement } from './measurement.ts';

/** 1 M rows: 1000 hours of 10 devices, a row every 36 seconds. */
const ROWS = `select timestamptz '2024-01-01 00:00+00' + h * interval '1 hour' + i * interval '36 s', d, 20 + d + random()
  from generate_series(0, 999) h, generate_series(0, 99) i, generate_series(0, 9) d`;
const QUERY = (from: string): string =>
  `select time_bucket('1 hour', time) as bucket, device, avg(temp) as avg, min(temp) as min, max(temp) as max, count(*) as n
   from ${from} group by 1, 2`;

const milliseconds = async (client: pg.Client, sql: string): Promise<number> => {
  const began = process.hrtime.bigint();
  await client.query(sql);
  return Number(process.hrtime.bigint() - began) / 1e6;
};

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

const repeat = async (rounds: number, measure: (round: number) => Promise<number>): Promise<number> => {
  const seen: number[] = [];
  for (let i = 0; i < rounds; i++) seen.push(await measure(i));
  return median(seen);
};

const hour = (n: number): string => new Date(Date.UTC(2024, 0, 1, n)).toISOString();

/** One changed bucket among a thousand, the anchor by hand on a plain table with the same indexes. */
const oneBucket = async (client: pg.Client): Promise<Measurement> => {
  await client.query('create index on plain (bucket desc)');
  await client.query('create index on plain (device, bucket desc)');
  await client.query('analyze plain, readings');
  const change = (n: number) =>
    client.query(
      `update readings set temp = temp + 1 where time >= '${hour(n)}' and time < '${hour(n + 1)}' and device = 3`,
    );
  const anchor = await repeat(9, async (round) => {
    const n = 100 + round * 50;
    await change(n);
    return milliseconds(
      client,
      `begin;
       delete from plain where bucket >= '${hour(n)}' and bucket < '${hour(n + 1)}';
       insert into plain ${QUERY(`readings where time >= '${hour(n)}' and time < '${hour(n + 1)}'`)};
       commit`,
    );
  });
  const ours = await repeat(9, async (round) => {
    const n = 120 + round * 50;
    await change(n);
    return milliseconds(client, `call refresh_continuous_aggregate('hourly', '${hour(n - 10)}', '${hour(n + 10)}')`);
  });
  return { name: 'refresh one bucket of 1000, against delete + insert', anchor, ours, goal: 1.2 };
};

const REPORTS: readonly (readonly [string, string])[] = [
  ['all 10,000 results', 'select count(*), sum(avg) from $v'],
  [
    'one device over a week',
    `select * from $v where device = 3 and bucket >= '${hour(300)}' and bucket < '${hour(468)}'`,
  ],
];

const queries = async (client: pg.Client): Promise<Measurement[]> => {
  // What changed for the anchor of the refresh, too.
  await client.query(`call refresh_continuous_aggregate('hourly', null, null)`);
  await client.query('analyze readings');
  const { rows } = await client.query(
    `select format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name) as mat
     from tessera_information.continuous_aggregates where view_name = 'hourly'`,
  );
  const mat = String(rows[0]?.mat);
  const measured: Measurement[] = [];
  for (const [name, sql] of REPORTS)
    measured.push({
      name: `real time, ${name}, against the results alone`,
      anchor: await repeat(15, () => milliseconds(client, sql.replace('$v', mat))),
      ours: await repeat(15, () => milliseconds(client, sql.replace('$v', 'hourly'))),
    });
  await client.query(
    `insert into readings select timestamptz '${hour(1000)}' + i * interval '36 s', i % 10, i from generate_series(0, 99) i`,
  );
  await client.query(`update readings set temp = 0 where time >= '${hour(500)}' and time < '${hour(501)}'`);
  const [first] = REPORTS;
  const sql = (first as readonly [string, string])[1];
  measured.push({
    name: 'the same with a stale bucket and an hour of new rows',
    anchor: await repeat(15, () => milliseconds(client, sql.replace('$v', mat))),
    ours: await repeat(15, () => milliseconds(client, sql.replace('$v', 'hourly'))),
  });
  measured.push({
    name: 'the same, against the query on raw rows',
    anchor: await repeat(3, () => milliseconds(client, sql.replace('$v', `(${QUERY('readings')}) q`))),
    ours: await repeat(15, () => milliseconds(client, sql.replace('$v', 'hourly'))),
  });
  return measured;
};

export const measureCaggs = async (client: pg.Client): Promise<Measurement[]> => {
  await client.query('set client_min_messages = warning');
  await client.query('create table readings (time timestamptz not null, device int, temp float8)');
  await client.query(`select create_hypertable('readings', 'time', chunk_time_interval => interval '1 day')`);
  await client.query(`insert into readings ${ROWS}`);
  await client.query('vacuum analyze readings');
  await client.query(`select create_continuous_aggregate('hourly', $$${QUERY('readings')}$$, with_data => false)`);
  const anchor = await repeat(3, async (round) => {
    if (round > 0) await client.query('drop table plain');
    return milliseconds(client, `create table plain as ${QUERY('readings')}`);
  });
  const ours = await milliseconds(client, `call refresh_continuous_aggregate('hourly', null, null)`);
  const measured: Measurement[] = [
    { name: 'materialize 1 M rows, against CREATE TABLE AS', anchor, ours, goal: 1.3 },
    await oneBucket(client),
    ...(await queries(client)),
  ];
  await client.query(`select drop_continuous_aggregate('hourly')`);
  await client.query('drop table readings, plain');
  await client.query('reset client_min_messages');
  return measured;
};

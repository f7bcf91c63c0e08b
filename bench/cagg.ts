import type pg from 'pg';
import { median, paired, timed, type Measurement } from './measurement.ts';

/** 1 M rows: 1000 hours of 10 devices, a row every 36 seconds. */
const ROWS = `select timestamptz '2024-01-01 00:00+00' + h * interval '1 hour' + i * interval '36 s', d, 20 + d + random()
  from generate_series(0, 999) h, generate_series(0, 99) i, generate_series(0, 9) d`;
const queryBy = (width: string, from: string): string =>
  `select time_bucket('${width}', time) as bucket, device, avg(temp) as avg, min(temp) as min, max(temp) as max, count(*) as n
   from ${from} group by 1, 2`;
const QUERY = (from: string): string => queryBy('1 hour', from);

const milliseconds = (client: pg.Client, sql: string): Promise<number> => timed(() => client.query(sql));

const repeat = async (rounds: number, measure: (round: number) => Promise<number>): Promise<number> => {
  const seen: number[] = [];
  for (let i = 0; i < rounds; i++) seen.push(await measure(i));
  return median(seen);
};

const hour = (n: number): string => new Date(Date.UTC(2024, 0, 1, n)).toISOString();

const createPlain = async (client: pg.Client, table: string, query: string): Promise<void> => {
  await client.query(`create table ${table} as ${query}`);
  await client.query(`create index on ${table} (bucket desc)`);
  await client.query(`create index on ${table} (device, bucket desc)`);
};

/** One changed bucket of so many hours, the anchor by hand on a plain table with the same indexes. */
const oneBucket = async (client: pg.Client, view: string, hours: number): Promise<Measurement> => {
  const query = (from: string): string => queryBy(`${hours} hours`, from);
  // Buckets are counted from a Monday, 48 hours before the first row.
  const start = (bucket: number): number => bucket * hours - (48 % hours);
  await createPlain(client, `plain_${view}`, query('readings'));
  await client.query(`analyze plain_${view}`);
  const change = (n: number) =>
    client.query(
      `update readings set temp = temp + 1 where time between '${hour(n)}' and '${hour(n + 1)}' and device = 3`,
    );
  await client.query(`call refresh_continuous_aggregate('${view}', null, null)`);
  // A bucket is changed before either, each time another one.
  let turn = 0;
  const each = (measure: (n: number) => Promise<number>) => async (): Promise<number> => {
    const n = start(1 + ((turn++ * 7) % Math.floor(900 / hours)));
    await change(n + 0.1);
    const took = await measure(n);
    await client.query(`call refresh_continuous_aggregate('${view}', null, null)`);
    return took;
  };
  const times = await paired(
    9,
    each((n) =>
      milliseconds(
        client,
        `begin;
         delete from plain_${view} where bucket >= '${hour(n)}' and bucket < '${hour(n + hours)}';
         insert into plain_${view} ${query(`readings where time >= '${hour(n)}' and time < '${hour(n + hours)}'`)};
         commit`,
      ),
    ),
    each((n) =>
      milliseconds(
        client,
        `call refresh_continuous_aggregate('${view}', '${hour(n - hours)}', '${hour(n + 2 * hours)}')`,
      ),
    ),
  );
  const name = `refresh one bucket of ${(hours * 1000).toLocaleString('en')} rows, against delete + insert`;
  return { name, ...times, goal: 1.2 };
};

const REPORTS: readonly (readonly [string, string])[] = [
  ['all 10,000 results', 'select count(*), sum(avg) from $v'],
  [
    'one device over a week',
    `select * from $v where device = 3 and bucket >= '${hour(300)}' and bucket < '${hour(468)}'`,
  ],
];

const queries = async (client: pg.Client): Promise<Measurement[]> => {
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
  const create = (view: string, hours: number) =>
    client.query(
      `select create_continuous_aggregate('${view}', $$${queryBy(`${hours} hours`, 'readings')}$$, with_data => false)`,
    );
  const plain = (body: () => Promise<unknown>) => async (): Promise<number> => {
    const took = await timed(body);
    await client.query('drop table plain');
    return took;
  };
  const materialized = async (): Promise<number> => {
    await client.query(`drop view if exists hourly`);
    await create('hourly', 1);
    return milliseconds(client, `call refresh_continuous_aggregate('hourly', null, null)`);
  };
  const bare = await paired(
    7,
    plain(() => client.query(`create table plain as ${QUERY('readings')}`)),
    materialized,
  );
  const indexed = await paired(
    7,
    plain(() => createPlain(client, 'plain', QUERY('readings'))),
    materialized,
  );
  await create('coarse', 100);
  await client.query(`call refresh_continuous_aggregate('coarse', null, null)`);
  const measured: Measurement[] = [
    { name: 'materialize 1 M rows, against CREATE TABLE AS', ...bare, goal: 1.3 },
    { name: 'the same, with the same indexes', ...indexed },
    await oneBucket(client, 'hourly', 1),
    await oneBucket(client, 'coarse', 100),
    ...(await queries(client)),
  ];
  for (const view of ['hourly', 'coarse']) {
    await client.query(`select drop_continuous_aggregate('${view}')`);
    await client.query(`drop table plain_${view}`);
  }
  await client.query('drop table readings');
  await client.query('reset client_min_messages');
  return measured;
};

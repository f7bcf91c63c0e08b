import type pg from 'pg';
import type { Measurement } from './measurement.ts';

const CHUNKS = 1000;

/** Best planning time of EXPLAIN in milliseconds, on a warm session. */
const planningTime = async (client: pg.Client, table: string): Promise<number> => {
  const times: number[] = [];
  for (let i = 0; i < 30; i++) {
    const result = await client.query(
      `explain (summary, format json) select count(*) from ${table} where time >= '2021-03-01' and time < '2021-03-02'`,
    );
    times.push(result.rows[0]['QUERY PLAN'][0]['Planning Time'] as number);
  }
  return Math.min(...times);
};

export const measurePlanning = async (client: pg.Client): Promise<Measurement[]> => {
  await client.query(`create table many_plain (time timestamptz not null, v int) partition by range (time)`);
  await client.query('create index on many_plain (time desc)');
  await client.query(
    `do $$ begin for d in 0..${CHUNKS - 1} loop execute format(
       'create table many_plain_%s partition of many_plain for values from (%L) to (%L)', d,
       timestamptz '2020-01-01' + d * interval '1 day', timestamptz '2020-01-01' + (d + 1) * interval '1 day'); end loop; end $$`,
  );
  await client.query(`create table many_chunks (time timestamptz not null, v int)`);
  await client.query(`select create_hypertable('many_chunks', by_range('time', interval '1 day'))`);
  await client.query(
    `select create_chunks('many_chunks', '2020-01-01', timestamptz '2020-01-01' + interval '${CHUNKS} days')`,
  );
  return [
    {
      name: `planning a day of ${CHUNKS} chunks`,
      anchor: await planningTime(client, 'many_plain'),
      ours: await planningTime(client, 'many_chunks'),
      goal: 1.1,
    },
  ];
};

import { beforeAll, describe, expect, it } from 'vitest';
import { useDatabase } from '../../../harness/database.ts';

const db = useDatabase();

interface Kind {
  readonly type: string;
  readonly interval: string;
  /** Times of rows, as SQL over i from 0 to 499. */
  readonly row: string;
  readonly buckets: readonly string[];
  /** Rows that come late, and at odd places. */
  readonly late: readonly string[];
}

const KINDS: readonly Kind[] = [
  {
    type: 'smallint',
    interval: '100',
    row: '(i * 3 - 700)::smallint',
    buckets: ['10::smallint', '7::smallint, T, 3::smallint'],
    late: ['-32768', '32767', '0', '-1', '799'],
  },
  {
    type: 'integer',
    interval: '1000',
    row: 'i * 31 - 7000',
    buckets: ['100', '64, T, 5'],
    late: ['-2147483648', '2147483647', '0', '-1', '8499'],
  },
  {
    type: 'bigint',
    interval: '100000000000',
    row: 'i * 3100000000::int8 - 700000000000',
    buckets: ['10000000000::int8', '6400000000::int8, T, 500::int8'],
    late: ['-9223372036854775807', '9223372036854775806', '9223372036854775807', '-9223372036854775808', '0'],
  },
  {
    type: 'date',
    interval: `interval '30 days'`,
    row: `date '2023-11-01' + i`,
    buckets: [
      `interval '7 days'`,
      `interval '1 month'`,
      `interval '3 days', T, date '2024-01-02'`,
      `interval '1 year'`,
    ],
    late: [`'2024-02-29'`, `'0001-01-01'`, `'infinity'`, `'-infinity'`, `'4713-01-01 BC'`],
  },
  {
    type: 'timestamp',
    interval: `interval '3 days'`,
    row: `timestamp '2024-03-20' + i * interval '47 minutes'`,
    buckets: [
      `interval '1 hour'`,
      `interval '1 month'`,
      `interval '90 minutes', T, interval '10 minutes'`,
      `interval '2 months', T, timestamp '2024-03-01'`,
    ],
    late: [`'2024-03-31 02:30'`, `'infinity'`, `'-infinity'`, `'1900-01-01'`, `'9999-12-31 23:59:59.999999'`],
  },
  {
    type: 'timestamptz',
    interval: `interval '3 days'`,
    row: `timestamptz '2024-03-20 00:00+00' + i * interval '47 minutes'`,
    buckets: [
      `interval '15 minutes'`,
      `interval '1 day', T, 'Europe/Berlin'`,
      `interval '6 hours', T, 'Europe/Berlin'`,
      `interval '1 hour', T, 'Australia/Lord_Howe'`,
      `interval '1 week', T, 'America/New_York', origin => timestamptz '2024-01-02 05:00+00'`,
      `interval '1 month', T, 'Asia/Kolkata', "offset" => interval '3 days'`,
      `interval '10 days', T, timestamptz '2024-01-03 12:00+00'`,
    ],
    late: [
      `'2024-03-31 01:30+00'`,
      `'2024-10-27 00:30+00'`,
      `'infinity'`,
      `'-infinity'`,
      `'2300-01-01 00:00:00.999999+00'`,
    ],
  },
];

beforeAll(() => db.query(`set client_min_messages = warning; set timezone = 'America/St_Johns'`));

const CASES = KINDS.flatMap((kind, k) =>
  kind.buckets.map((bucket, b) => ({ kind, bucket, name: `${kind.type}_${b}`, id: `${k}_${b}` })),
);

describe('buckets of all kinds of time', () => {
  it.each(CASES)('$kind.type by $bucket', async ({ kind, bucket, id }) => {
    const table = `raw_${id}`;
    const call = bucket.includes(' T') ? bucket.replace(' T', ' t') : `${bucket}, t`;
    const query = `select time_bucket(${call}) as b, count(*) as n, sum(v) as s from ${table} group by 1`;
    await db.query(`create table ${table} (t ${kind.type} not null, v int)`);
    await db.query(`select create_hypertable('${table}', 't', chunk_time_interval => ${kind.interval})`);
    await db.query(`insert into ${table} select ${kind.row}, i from generate_series(0, 499) i`);
    await db.query(`select create_continuous_aggregate('agg_${id}', $q$${query}$q$, with_data => false)`);
    const equal = async (): Promise<boolean> =>
      (await db.value(
        `select not exists (select * from agg_${id} except all (${query})) and not exists ((${query}) except all select * from agg_${id})`,
      )) as boolean;
    expect(await equal()).toBe(true);
    await db.query(`call refresh_continuous_aggregate('agg_${id}', null, null)`);
    expect(await equal()).toBe(true);
    for (const late of kind.late) {
      // A bucket that begins before its type does has no start.
      const possible: string | null = await db
        .value(`select (${`time_bucket(${call})`})::text from (select ${late}::${kind.type} as t) x`)
        .catch(() => null);
      if (possible === null) continue;
      await db.query(`insert into ${table} values (${late}, 1)`);
      expect([late, await equal()]).toEqual([late, true]);
    }
    await db.query(`update ${table} set v = v + 1 where v % 50 = 7`);
    expect(await equal()).toBe(true);
    await db.query(`call refresh_continuous_aggregate('agg_${id}', null, null)`);
    expect(await equal()).toBe(true);
    await db.query(`call refresh_continuous_aggregate('agg_${id}', null, null, force => true)`);
    expect(await equal()).toBe(true);
    await db.query(`drop table ${table} cascade`);
  });
});

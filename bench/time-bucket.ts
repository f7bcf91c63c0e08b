import type pg from 'pg';

export interface Measurement {
  readonly name: string;
  readonly ms: number;
  readonly plainMs: number;
  readonly ratio: number;
  readonly goal?: number;
}

const ROWS = 1_000_000;
const ROUNDS = 7;

/** Each pair runs alternately in one session; the best round of each counts, which leaves out what others do. */
const PAIRS: readonly (readonly [name: string, ours: string, plain: string, goal?: number])[] = [
  ['time_bucket 1 hour', `time_bucket('1 hour', ts)`, `date_bin('1 hour', ts, '2000-01-03 00:00+00')`, 1.1],
  ['time_bucket of a timestamp', `time_bucket('1 hour', local)`, `date_bin('1 hour', local, '2000-01-03')`, 1.1],
  ['time_bucket 1 month', `time_bucket('1 month', local)`, `date_trunc('month', local)`],
  ['time_bucket in a time zone', `time_bucket('1 day', ts, 'Europe/Berlin')`, `date_trunc('day', ts, 'Europe/Berlin')`],
  ['time_bucket of integers', 'time_bucket(10, n)', 'n / 10 * 10'],
];

const AGGREGATES: readonly (readonly [name: string, ours: string, plain: string])[] = [
  ['first by timestamptz', 'first(v, ts)', '(array_agg(v order by ts))[1]'],
  ['last by timestamptz', 'last(v, ts)', '(array_agg(v order by ts desc))[1]'],
  ['last by integer', 'last(v, n)', '(array_agg(v order by n desc))[1]'],
  ['last by text', 'last(v, n::text)', '(array_agg(v order by n::text desc))[1]'],
  ['histogram of 10 buckets', 'histogram(v, 0, 1, 10)', 'count(width_bucket(v, 0, 1, 10))'],
];

const elapsed = async (client: pg.Client, sql: string): Promise<number> => {
  const start = process.hrtime.bigint();
  await client.query(sql);
  return Number(process.hrtime.bigint() - start) / 1e6;
};

/** Time functions over a million rows against what plain SQL offers, in one process without parallel workers. */
export const measureTimeFunctions = async (client: pg.Client): Promise<Measurement[]> => {
  await client.query(`
    set max_parallel_workers_per_gather = 0;
    create temporary table sample as
    select
      timestamptz '2020-01-01 00:00+00' + i * interval '17 seconds' as ts,
      timestamp '2020-01-01' + i * interval '17 seconds' as local,
      i as n,
      random() as v
    from generate_series(1, ${ROWS}) as i;
    analyze sample`);
  const measurements: Measurement[] = [];
  const pairs = [
    ...PAIRS.map(([name, ours, plain, goal]) => ({ name, ours: `count(${ours})`, plain: `count(${plain})`, goal })),
    ...AGGREGATES.map(([name, ours, plain]) => ({ name, ours, plain, goal: undefined })),
  ];
  for (const { name, ours, plain, goal } of pairs) {
    let ms = Number.POSITIVE_INFINITY;
    let plainMs = Number.POSITIVE_INFINITY;
    for (let round = 0; round < ROUNDS; round++) {
      plainMs = Math.min(plainMs, await elapsed(client, `select ${plain} from sample`));
      ms = Math.min(ms, await elapsed(client, `select ${ours} from sample`));
    }
    measurements.push({ name, ms, plainMs, ratio: ms / plainMs, ...(goal === undefined ? {} : { goal }) });
  }
  await client.query('drop table sample; reset max_parallel_workers_per_gather');
  return measurements;
};

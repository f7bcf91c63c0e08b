import type pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { copyRows } from '../src/cli/copy-rows.ts';
import { timed, type Measurement } from './measurement.ts';

const ROWS = 1_000_000;
const DAYS = 12;
const COLUMNS = 'time timestamptz not null, device int, a float8, b float8, c text';
const FROM = '2024-01-01';

/** The rows once, as a form of COPY in memory, so that every variant reads the same bytes at the same speed. */
const source = async (client: pg.Client, form: 'binary' | 'csv'): Promise<Buffer> => {
  const stream = client.query(
    copyTo(
      `copy (select timestamptz '${FROM}' + i * interval '1 second', i % 10, i * 0.5::float8, sqrt(i), 'x' || (i % 100)
       from generate_series(1, ${ROWS}) i) to stdout (format ${form})`,
    ),
  );
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};

const load = (client: pg.Client, table: string, data: Buffer, form: 'binary' | 'csv' = 'binary'): Promise<number> =>
  timed(() => pipeline(Readable.from([data]), client.query(copyFrom(`copy ${table} from stdin (format ${form})`))));

/** The command `tessera copy`, which reads 1 MB at a time. */
const loadInBatches = (client: pg.Client, table: string, data: Buffer): Promise<number> =>
  timed(() =>
    copyRows({
      clients: [client],
      source: Readable.from(
        Array.from({ length: Math.ceil(data.length / 2 ** 20) }, (_, i) =>
          data.subarray(i * 2 ** 20, (i + 1) * 2 ** 20),
        ),
      ),
      table,
      columns: null,
      format: { csv: true, skip: 0, batchRows: 10_000 },
      delimiter: undefined,
      nullText: undefined,
      progress: () => undefined,
    }),
  );

/** The same rows in transactions of 10,000, as a steady source sends them. */
const inBatches = (client: pg.Client, table: string): Promise<number> =>
  timed(async () => {
    for (let i = 0; i < ROWS; i += 10_000)
      await client.query(
        `insert into ${table} select timestamptz '${FROM}' + i * interval '1 second', i % 10, i * 0.5::float8, sqrt(i), 'x' || (i % 100)
         from generate_series(${i + 1}, ${i + 10_000}) i`,
      );
  });

const plainPartitions = async (client: pg.Client): Promise<void> => {
  await client.query(`create table plain (${COLUMNS}) partition by range (time); create index on plain (time desc)`);
  for (let d = 0; d < DAYS; d++)
    await client.query(
      `create table plain_${d} partition of plain for values from ('${FROM}'::timestamptz + interval '${d} days') to ('${FROM}'::timestamptz + interval '${d + 1} days')`,
    );
};

const best = (times: readonly number[]): number => Math.min(...times);

interface Times {
  readonly plain: number[];
  readonly present: number[];
  readonly absent: number[];
  readonly plainBatches: number[];
  readonly absentBatches: number[];
  readonly plainCsv: number[];
  readonly absentCsv: number[];
}

/** The tables of one extension beside partitions made by hand, in one database. */
interface Site {
  readonly client: pg.Client;
  /** Empties the tables; afterwards those of "present" have their chunks, those of "absent" have none. */
  readonly empty: () => Promise<unknown>;
  readonly times: Times;
}

const prepare = async (client: pg.Client, empty: string): Promise<Site> => {
  await plainPartitions(client);
  for (const name of ['present', 'absent']) {
    await client.query(`create table ${name} (${COLUMNS})`);
    await client.query(`select create_hypertable('${name}', by_range('time', interval '1 day'))`);
  }
  return {
    client,
    empty: () => client.query(`${empty}; checkpoint`),
    times: { plain: [], present: [], absent: [], plainBatches: [], absentBatches: [], plainCsv: [], absentCsv: [] },
  };
};

const OURS = `truncate plain, present;
  select create_chunks('present', '${FROM}', '${FROM}'::timestamptz + interval '${DAYS} days');
  select drop_chunks('absent', older_than => 'infinity'::timestamptz)`;
/** Its TRUNCATE drops chunks; one row a day makes them. */
const THEIRS = `truncate plain, present, absent;
  insert into present select '${FROM}'::timestamptz + i * interval '1 day' from generate_series(0, ${DAYS - 1}) i`;

const round = async ({ client, empty, times }: Site, data: Buffer, csv: Buffer): Promise<void> => {
  await empty();
  times.plain.push(await load(client, 'plain', data));
  times.present.push(await load(client, 'present', data));
  times.absent.push(await load(client, 'absent', data));
  await empty();
  times.plainBatches.push(await inBatches(client, 'plain'));
  times.absentBatches.push(await inBatches(client, 'absent'));
  await empty();
  times.plainCsv.push(await load(client, 'plain', csv, 'csv'));
  times.absentCsv.push(await loadInBatches(client, 'absent', csv));
};

const LINES = [
  { name: 'COPY 1 M rows, chunks present', plain: 'plain', ours: 'present', goal: 1.05 },
  { name: 'COPY 1 M rows, 12 chunks absent', plain: 'plain', ours: 'absent', goal: 1.5 },
  { name: '100 x INSERT 10,000 rows, chunks absent', plain: 'plainBatches', ours: 'absentBatches', goal: 1.5 },
  { name: 'tessera copy / COPY, 1 M rows of CSV, chunks absent', plain: 'plainCsv', ours: 'absentCsv', goal: 1.1 },
] as const;

/** Variants take turns, so that a disturbance hits all of them; the best of three counts. */
export const measureIngest = async (client: pg.Client, timescale?: pg.Client): Promise<Measurement[]> => {
  const ours = await prepare(client, OURS);
  const theirs = timescale === undefined ? undefined : await prepare(timescale, THEIRS);
  const [data, csv] = [await source(client, 'binary'), await source(client, 'csv')];
  for (let n = 0; n < 3; n++) {
    await round(ours, data, csv);
    if (theirs !== undefined) await round(theirs, data, csv);
  }
  return LINES.flatMap(({ name, plain, ours: variant, goal }): Measurement[] => {
    const line = { name, anchor: best(ours.times[plain]), ours: best(ours.times[variant]), goal };
    if (theirs === undefined) return [line];
    const [byHand, timed] = [best(theirs.times[plain]), best(theirs.times[variant])];
    return [
      line,
      {
        name: '  against TimescaleDB',
        anchor: timed,
        ours: line.ours,
        note: `TimescaleDB takes ${(timed / byHand).toFixed(2)} x as long as partitions made by hand`,
      },
    ];
  });
};

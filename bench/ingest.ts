import type pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import type { Measurement } from './measurement.ts';

const ROWS = 1_000_000;
const DAYS = 12;
const COLUMNS = 'time timestamptz not null, device int, a float8, b float8, c text';
const FROM = '2024-01-01';

/** The rows once, as COPY's binary form in memory, so that every variant reads the same bytes at the same speed. */
const source = async (client: pg.Client): Promise<Buffer> => {
  const stream = client.query(
    copyTo(
      `copy (select timestamptz '${FROM}' + i * interval '1 second', i % 10, i * 0.5::float8, sqrt(i), 'x' || (i % 100)
       from generate_series(1, ${ROWS}) i) to stdout (format binary)`,
    ),
  );
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};

const load = async (client: pg.Client, table: string, data: Buffer): Promise<number> => {
  const began = process.hrtime.bigint();
  await pipeline(Readable.from([data]), client.query(copyFrom(`copy ${table} from stdin (format binary)`)));
  return Number(process.hrtime.bigint() - began) / 1e6;
};

/** The same rows in transactions of 10,000, as a steady source sends them. */
const inBatches = async (client: pg.Client, table: string): Promise<number> => {
  const began = process.hrtime.bigint();
  for (let i = 0; i < ROWS; i += 10_000)
    await client.query(
      `insert into ${table} select timestamptz '${FROM}' + i * interval '1 second', i % 10, i * 0.5::float8, sqrt(i), 'x' || (i % 100)
       from generate_series(${i + 1}, ${i + 10_000}) i`,
    );
  return Number(process.hrtime.bigint() - began) / 1e6;
};

const plainPartitions = async (client: pg.Client): Promise<void> => {
  await client.query(`create table plain (${COLUMNS}) partition by range (time); create index on plain (time desc)`);
  for (let d = 0; d < DAYS; d++)
    await client.query(
      `create table plain_${d} partition of plain for values from ('${FROM}'::timestamptz + interval '${d} days') to ('${FROM}'::timestamptz + interval '${d + 1} days')`,
    );
};

const best = (times: readonly number[]): number => Math.min(...times);

/** Variants take turns, so that a disturbance hits all of them; the best of three counts. */
export const measureIngest = async (client: pg.Client): Promise<Measurement[]> => {
  await plainPartitions(client);
  for (const name of ['present', 'absent']) {
    await client.query(`create table ${name} (${COLUMNS})`);
    await client.query(`select create_hypertable('${name}', by_range('time', interval '1 day'))`);
  }
  await client.query(`select create_chunks('present', '${FROM}', '${FROM}'::timestamptz + interval '${DAYS} days')`);
  const data = await source(client);
  const times: Record<string, number[]> = { plain: [], present: [], absent: [], plainBatches: [], absentBatches: [] };
  const empty = async (): Promise<void> => {
    await client.query('truncate plain, present');
    await client.query(`select drop_chunks('absent', older_than => 'infinity'::timestamptz)`);
    await client.query('checkpoint');
  };
  for (let round = 0; round < 3; round++) {
    await empty();
    times.plain?.push(await load(client, 'plain', data));
    times.present?.push(await load(client, 'present', data));
    times.absent?.push(await load(client, 'absent', data));
    await empty();
    times.plainBatches?.push(await inBatches(client, 'plain'));
    times.absentBatches?.push(await inBatches(client, 'absent'));
  }
  const of = (name: string): number => best(times[name] ?? []);
  return [
    { name: 'COPY 1 M rows, chunks present', anchor: of('plain'), ours: of('present'), goal: 1.05 },
    { name: 'COPY 1 M rows, 12 chunks absent', anchor: of('plain'), ours: of('absent'), goal: 1.5 },
    {
      name: '100 x INSERT 10,000 rows, chunks absent',
      anchor: of('plainBatches'),
      ours: of('absentBatches'),
      goal: 1.5,
    },
  ];
};

import type pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { paired, timed, type Measurement } from './measurement.ts';

const ROWS = 1_000_000;
const DAYS = 12;
const FROM = '2024-01-01';
const TABLES = ['uncaptured', 'captured'] as const;
type Table = (typeof TABLES)[number];
const GOAL = 1.1;
const ROUNDS = 9;

const source = async (client: pg.Client, order: string): Promise<Buffer> => {
  const stream = client.query(
    copyTo(
      `copy (select timestamptz '${FROM}' + i * interval '1 second', i % 10, i * 0.5::float8, sqrt(i), 'x' || (i % 100)
       from generate_series(1, ${ROWS}) i ${order}) to stdout (format binary)`,
    ),
  );
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};

const load = (client: pg.Client, table: Table, data: Buffer): Promise<number> =>
  timed(() => pipeline(Readable.from([data]), client.query(copyFrom(`copy ${table} from stdin (format binary)`))));

const batches = (client: pg.Client, table: Table): Promise<number> =>
  timed(async () => {
    for (let i = 0; i < 200_000; i += 1000)
      await client.query(
        `insert into ${table} select timestamptz '${FROM}' + i * interval '1 second', i % 10, i * 0.5::float8, sqrt(i), 'x' || (i % 100)
         from generate_series(${i + 1}, ${i + 1000}) i`,
      );
  });

const single = (client: pg.Client, table: Table): Promise<number> =>
  timed(async () => {
    for (let i = 0; i < 3000; i++)
      await client.query({
        name: `insert ${table}`,
        text: `insert into ${table} values ($1, $2, 0, 0, 'x')`,
        values: [`${FROM} 00:00:${i % 60}+00`, i % 10],
      });
  });

/**
 * What the capture of changes costs whoever writes: the same rows into two hypertables, one with the triggers that
 * continuous aggregates need. All rows are above what is materialized, as in steady ingest.
 */
export const measureCapture = async (client: pg.Client): Promise<Measurement[]> => {
  for (const table of TABLES) {
    await client.query(`create table ${table} (time timestamptz not null, device int, a float8, b float8, c text)`);
    await client.query(`select create_hypertable('${table}', by_range('time', interval '1 day'))`);
  }
  const empty = (table: Table): string =>
    `truncate ${table};
     select create_chunks('${table}', '${FROM}', '${FROM}'::timestamptz + interval '${DAYS} days');
     checkpoint`;
  for (const table of TABLES) await client.query(empty(table));
  await client.query(`select _tessera_functions.enable_capture('captured'::regclass::oid::int8, 3600000000)`);
  const [ordered, shuffled] = [await source(client, ''), await source(client, 'order by random()')];
  const lines: readonly (readonly [name: string, run: (table: Table) => Promise<number>])[] = [
    ['COPY 1 M rows in order', (table) => load(client, table, ordered)],
    ['COPY 1 M rows in random order', (table) => load(client, table, shuffled)],
    ['200 x INSERT 1000 rows', (table) => batches(client, table)],
    ['3000 x INSERT 1 row', (table) => single(client, table)],
  ];
  const measured: Measurement[] = [];
  const measure = async (name: string, body: (table: Table) => Promise<number>): Promise<void> => {
    const fresh = (table: Table) => async (): Promise<number> => {
      await client.query(empty(table));
      return body(table);
    };
    measured.push({ name, ...(await paired(ROUNDS, fresh('uncaptured'), fresh('captured'))), goal: GOAL });
  };
  for (const [name, body] of lines) await measure(`${name}, captured`, body);
  await client.query(
    `select create_continuous_aggregate('every_' || i, format('select time_bucket(interval ''%s hours'', time) as bucket, device, avg(a) as mean
       from captured group by 1, 2', i), with_data => false) from generate_series(1, 5) i`,
  );
  await measure('COPY 1 M rows in order, five continuous aggregates', (table) => load(client, table, ordered));
  await client.query(
    'set client_min_messages = warning; drop table uncaptured, captured cascade; reset client_min_messages',
  );
  return measured;
};

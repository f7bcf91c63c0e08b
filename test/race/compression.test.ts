import { expect, test } from 'vitest';
import { useDatabase } from '../harness/database.ts';
import { random } from '../harness/random.ts';
import { expectSame } from '../harness/twin.ts';
import { waitUntil } from '../harness/wait-until.ts';

const db = useDatabase();

/** To be tried again: the other side holds a lock, or changed what this transaction saw. */
const RETRY = ['40001', '40P01', '55P03'];

test('writers, updaters and readers beside a compressor that never rests lose nothing and count right', async () => {
  await db.query(
    'create table m (time timestamptz not null, writer int, n int, v int not null default 0, primary key (writer, n, time))',
  );
  await db.query(`select create_hypertable('m', 'time', chunk_time_interval => interval '1 day')`);
  await db.query(`select set_compression('m', compress_segmentby => 'writer', compress_orderby => 'time, n')`);
  await db.query(
    `insert into m select '2024-01-01'::timestamptz + i * interval '1 min', 0, i from generate_series(0, 2879) i`,
  );
  const failures: string[] = [];
  const committed: [writer: number, n: number, minutes: number][] = [];
  let increments = 0;
  let done = false;
  let rounds = 0;
  /** Everybody goes on until the compressor has been round often enough. */
  const enough = (n: number, least: number): boolean => n >= least && rounds >= 12;

  const attempt = async (what: string, body: () => Promise<void>, undo: () => Promise<unknown>): Promise<void> => {
    for (let tries = 0; tries < 200; tries++)
      try {
        await body();
        return;
      } catch (e) {
        await undo();
        if (!RETRY.includes((e as { code?: string }).code ?? '')) {
          failures.push(`${what}: ${(e as Error).message}`);
          return;
        }
      }
    failures.push(`${what}: never got through`);
  };

  const writer = async (id: number): Promise<void> => {
    const client = await db.connect();
    const next = random(id + 1);
    for (let n = 0; !enough(n, 40) && n < 4000; n++) {
      const minutes = next() % 2880;
      await attempt(
        `writer ${id}`,
        async () => {
          await client.query('begin');
          await client.query(
            `insert into m select '2024-01-01'::timestamptz + make_interval(mins => $1::int), $2, $3::int * 5 + i from generate_series(0, 4) i`,
            [minutes, id, n],
          );
          await client.query('commit');
          for (let i = 0; i < 5; i++) committed.push([id, n * 5 + i, minutes]);
        },
        () => client.query('rollback'),
      );
    }
  };
  const updater = async (id: number): Promise<void> => {
    const client = await db.connect();
    const next = random(id + 77);
    for (let n = 0; !enough(n, 30) && n < 4000; n++) {
      const from = next() % 2800;
      await attempt(
        `updater ${id}`,
        async () => {
          await client.query('begin');
          const { rowCount } = await client.query(
            'update m set v = v + 1 where writer = 0 and n between $1 and $1 + 9',
            [from],
          );
          await client.query('commit');
          increments += rowCount ?? 0;
          if (rowCount !== 10) failures.push(`updater ${id}: changed ${rowCount} rows`);
        },
        () => client.query('rollback'),
      );
    }
  };
  const reader = async (table: string): Promise<void> => {
    const client = await db.connect();
    let last = 0;
    while (!done)
      await attempt(
        'reader',
        async () => {
          const { rows } = await client.query(
            `select count(*)::int as n, count(*) filter (where writer = 0)::int as base from ${table}`,
          );
          if (rows[0].base !== 2880) failures.push(`reader of ${table}: ${rows[0].base} rows of 2880`);
          if (rows[0].n < last) failures.push(`reader of ${table}: ${rows[0].n} rows after ${last}`);
          last = rows[0].n;
        },
        async () => undefined,
      );
  };
  const compressor = async (): Promise<void> => {
    const client = await db.connect();
    while (!done)
      await attempt(
        'compressor',
        async () => {
          const call = rounds++ % 4 === 3 ? 'decompress_chunk' : 'compress_chunk';
          await client.query(`select ${call}(c, true) from show_chunks('m') c`);
        },
        async () => undefined,
      );
  };

  const background = [reader('m'), reader('tessera_read.m'), compressor()];
  await Promise.all([writer(1), writer(2), updater(1), updater(2)]);
  done = true;
  await Promise.all(background);
  expect([...new Set(failures)]).toEqual([]);
  expect(await db.value('select count(*)::int from m where writer > 0')).toBe(committed.length);
  expect(committed.length).toBeGreaterThanOrEqual(2 * 40 * 5);
  expect(rounds).toBeGreaterThanOrEqual(12);
  expect(await db.value('select sum(v)::int from m')).toBe(increments);
  await db.query('create table expected (time timestamptz, writer int, n int)');
  await db.query('begin');
  for (const [writer_, n, minutes] of committed)
    await db.query(`insert into expected values ('2024-01-01'::timestamptz + make_interval(mins => $1::int), $2, $3)`, [
      minutes,
      writer_,
      n,
    ]);
  await db.query('commit');
  await expectSame(db, '(select time, writer, n from m where writer > 0)', 'expected');
  expect(await db.query(`select * from tessera.doctor() where status = 'error'`)).toEqual([]);
});

test.each([
  ['drop_chunks', `select drop_chunks('g', older_than => '2024-01-02'::timestamptz)`],
  ['decompress_chunk', 'select decompress_chunk($chunk)'],
])('decompression of a chunk that %s has just taken away can be tried again', async (_, sql) => {
  await db.query(`drop table if exists g`);
  await db.query(`create table g (time timestamptz not null, v int)`);
  await db.query(`select create_hypertable('g', 'time', chunk_time_interval => interval '1 day')`);
  await db.query(`insert into g values ('2024-01-01 12:00', 1); select set_compression('g')`);
  const chunk = await db.value(`select compress_chunk(c)::text from show_chunks('g') c`);
  const other = await db.connect();
  const { pid } = (await other.query('select pg_backend_pid() as pid')).rows[0];
  await db.query(`begin; ${sql.replace('$chunk', `'${chunk}'`)}`);
  const outcome = other.query(`select decompress_chunk('${chunk}')`).then(
    () => 'decompressed',
    (e) => e.code,
  );
  await waitUntil('it waits for a lock', async () =>
    db.value(`select exists (select from pg_locks where pid = $1 and not granted)`, [pid]),
  );
  await db.query('commit');
  // Not compressed any more, if it got to look.
  expect(['40001', '55000']).toContain(await outcome);
});

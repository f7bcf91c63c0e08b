import { Readable } from 'node:stream';
import { beforeEach, expect, test } from 'vitest';
import { copyRows, CopyFailed, formatCopy, type Copy, type CopyProgress } from '../../../../src/cli/copy-rows.ts';
import { useDatabase } from '../../../harness/database.ts';

const db = useDatabase();

beforeEach(async () => {
  await db.query(`drop table if exists "m x"; create table "m x" (time timestamptz not null, "V v" int, t text)`);
  await db.query(`select create_hypertable('"m x"', 'time', chunk_time_interval => interval '1 day')`);
});

const rows = (count: number, more = ''): string =>
  Array.from(
    { length: count },
    (_, i) => `${new Date(Date.UTC(2026, 0, 1, 0, i * 10)).toISOString()},${i},"a, ""b""\n${i}"\n`,
  ).join('') + more;

const copy = async (text: string, more: Partial<Copy> = {}): Promise<CopyProgress[]> => {
  const seen: CopyProgress[] = [];
  await copyRows({
    clients: [db.client],
    source: Readable.from([Buffer.from(text)]),
    table: '"m x"',
    columns: null,
    format: { csv: true, skip: 0, batchRows: 100 },
    delimiter: undefined,
    nullText: undefined,
    progress: (p) => void seen.push(p),
    ...more,
  });
  return seen;
};

test('the command loads rows in batches, and says how far it is', async () => {
  const seen = await copy(`time,v,t\n${rows(450)}`, { format: { csv: true, skip: 1, batchRows: 100 } });
  expect(seen.map((p) => p.rows)).toEqual([100, 200, 300, 400, 450]);
  expect(await db.value(`select array[count(*), sum("V v"), count(distinct t)]::int[] from "m x"`)).toEqual([
    450, 101025, 450,
  ]);
  expect(await db.value(`select t from "m x" where "V v" = 7`)).toBe('a, "b"\n7');
  expect(await db.value(`select count(*)::int from show_chunks('"m x"')`)).toBe(4);
  expect(formatCopy({ rows: 450, bytes: 2048 }, 500)).toBe('450 rows  2.0 kB  900 rows/s');
});

test('over several connections at once', async () => {
  const clients = await Promise.all([db.connect(), db.connect(), db.connect()]);
  await copy(rows(2000), { clients, format: { csv: true, skip: 0, batchRows: 50 } });
  for (const c of clients) await c.end();
  expect(await db.value(`select array[count(*), count(distinct "V v")]::int[] from "m x"`)).toEqual([2000, 2000]);
});

test('of some columns, in the text form, with signs of its own', async () => {
  await copy('5;2026-01-01\n-;2026-01-02\n', {
    columns: ['V v', 'time'],
    format: { csv: false, skip: 0, batchRows: 1 },
    delimiter: ';',
    nullText: '-',
  });
  expect(await db.query(`select "V v" as v from "m x" order by time`)).toEqual([{ v: 5 }, { v: null }]);
});

test('stops at a batch that is refused, keeps those before it, and says where to go on', async () => {
  const text = rows(250).replace(/^([^,]*),150,/m, '$1,none,');
  const failed = await copy(text).catch((e: unknown) => e);
  expect(failed).toBeInstanceOf(CopyFailed);
  expect((failed as CopyFailed).message).toMatch(
    /^rows 101 to 200 were not copied: invalid input syntax for type integer: "none"/,
  );
  expect((failed as CopyFailed).skip).toBe(100);
  expect(await db.value(`select count(*)::int from "m x"`)).toBe(100);
  await copy(rows(250), { format: { csv: true, skip: 100, batchRows: 100 } });
  expect(await db.value(`select array[count(*), count(distinct "V v")]::int[] from "m x"`)).toEqual([250, 250]);
});

test('takes nothing for a name but a name', async () => {
  for (const table of ['nowhere', '"m x" from stdin; drop table "m x"; --'])
    await expect(copy(rows(1), { table })).rejects.toThrow(/does not exist|invalid name syntax/);
  expect(await db.value(`select count(*)::int from "m x"`)).toBe(0);
});

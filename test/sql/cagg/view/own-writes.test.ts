import { from as copyFrom } from 'pg-copy-streams';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { beforeEach, describe, expect, test } from 'vitest';
import { viewDifferences, type AuditedView } from '../../../harness/cagg-views.ts';
import { useDatabase } from '../../../harness/database.ts';

const db = useDatabase();

const QUERY = (bucket: string, source = 'sale', time = 'ts', sum = 'amount'): string =>
  `select time_bucket('${bucket}', ${time}) as b, sum(${sum})::bigint as total from ${source} group by 1`;
const DAILY: AuditedView = { name: 'daily', direct: QUERY('1 day') };
const WEEKLY: AuditedView = { name: 'weekly', direct: QUERY('7 days') };

/** January is materialized; one of seven days is on top of the days. */
beforeEach(async () => {
  await db.query(`rollback; set timezone to 'UTC'; set client_min_messages = warning`);
  await db.query('drop table if exists sale cascade');
  await db.query('create table sale (ts timestamptz not null, amount int)');
  await db.query(`select create_hypertable('sale', 'ts', chunk_time_interval => interval '7 days')`);
  await db.query(
    `insert into sale select '2024-01-01'::timestamptz + i * interval '6 hours', 1 from generate_series(0, 119) i`,
  );
  await db.query(`select create_continuous_aggregate('daily', $1)`, [DAILY.direct]);
  await db.query(`select create_continuous_aggregate('weekly', $1)`, [QUERY('7 days', 'daily', 'b', 'total')]);
});

const same = async (when: string): Promise<void> => {
  for (const v of [DAILY, WEEKLY]) expect(await viewDifferences(db.client, v), `${v.name} ${when}`).toEqual([]);
};
const total = (day: string): Promise<number | null> => db.value(`select sum(total)::int from daily where b = '${day}'`);

describe.each(['read committed', 'repeatable read', 'serializable'])('at %s', (level) => {
  test('a transaction sees its own late rows, changes and deletions in the view at once', async () => {
    await db.query(`begin isolation level ${level}`);
    await db.query(`insert into sale values ('2024-01-01 02:00', 10), ('2024-05-01', 5)`);
    expect([await total('2024-01-01'), await total('2024-05-01')]).toEqual([14, 5]);
    await same('after INSERT');
    await db.query(`update sale set amount = 100 where ts = '2024-01-03 06:00'`);
    expect(await total('2024-01-03')).toBe(103);
    await db.query(`update sale set ts = '2024-01-20 01:00' where ts = '2024-01-03 06:00'`);
    await same('after a row moved to another chunk');
    await db.query(`delete from sale where ts < '2024-01-02'`);
    expect(await total('2024-01-01')).toBeNull();
    await pipeline(
      Readable.from(['2024-01-09 01:00\t7\n2023-06-01 01:00\t8\n']),
      db.client.query(copyFrom('copy sale from stdin')),
    );
    expect([await total('2024-01-09'), await total('2023-06-01')]).toEqual([11, 8]);
    await same('after COPY');
    await db.query('commit');
    await same('after COMMIT');
  });

  test('what is rolled back to a savepoint does not show, what comes after it does', async () => {
    await db.query(`begin isolation level ${level}; insert into sale values ('2024-01-01 02:00', 10); savepoint a`);
    await db.query(`insert into sale values ('2024-01-02 02:00', 20), ('2024-01-01 03:00', 30)`);
    expect([await total('2024-01-01'), await total('2024-01-02')]).toEqual([44, 24]);
    await db.query('rollback to a');
    expect([await total('2024-01-01'), await total('2024-01-02')]).toEqual([14, 4]);
    await db.query(`insert into sale values ('2024-01-02 04:00', 1)`);
    expect(await total('2024-01-02')).toBe(5);
    await db.query(`savepoint b; delete from sale where ts >= '2024-01-08'; release b`);
    await same('after RELEASE');
    await db.query('commit');
    await same('after COMMIT');
  });

  test('functions and their handlers of exceptions see theirs', async () => {
    await db.query(`create or replace function sell(at timestamptz, n int) returns bigint language plpgsql as $$
      declare found bigint;
      begin
        insert into sale values (at, n);
        begin
          insert into sale values (at, 1000);
          raise division_by_zero;
        exception when division_by_zero then null;
        end;
        select total into found from daily where b = date_trunc('day', at);
        return found;
      end $$`);
    await db.query(`begin isolation level ${level}`);
    expect(await db.value(`select sell('2024-01-05 05:00', 10)::int`)).toBe(14);
    expect(await db.value(`select sell('2024-01-05 05:00', 10)::int`)).toBe(24);
    await same('after the calls');
    await db.query('commit');
  });
});

describe('within one statement', () => {
  test('a trigger sees all rows of the statement that fired it', async () => {
    await db.query('create table seen (b timestamptz, total bigint)');
    await db.query(`create function look() returns trigger language plpgsql as $$
      begin
        insert into seen select d.b, d.total from daily d where d.b in ('2024-01-02', '2024-01-09');
        return null;
      end $$`);
    await db.query(`create trigger a_first after insert on sale for each row execute function look()`);
    await db.query(`insert into sale values ('2024-01-02 01:00', 10), ('2024-01-09 01:00', 20)`);
    expect(await db.query(`select distinct b::date::text as b, total::int as total from seen order by 1`)).toEqual([
      { b: '2024-01-02', total: 14 },
      { b: '2024-01-09', total: 24 },
    ]);
    await db.query('drop table seen');
  });

  test('a statement that reads the view while it writes, and a cursor opened before, see what was before', async () => {
    const before = await db.column('select total::int from daily order by b');
    const copied = await db.value(
      `with read as materialized (select * from daily), written as (
         insert into sale select b + interval '1 hour', total from daily returning 1)
       select (select count(*) from read)::int`,
    );
    expect(copied).toBe(before.length);
    await same('after the statement');
    await db.query('begin; declare c cursor for select b, total from daily');
    const first = await db.query('fetch 3 from c');
    await db.query(
      `insert into sale select '2024-01-01'::timestamptz + i * interval '1 day', 1000 from generate_series(0, 40) i`,
    );
    const rest = await db.query('fetch all from c');
    const fetched = [...first, ...rest].map((r) => Number(r.total)).sort((a, b) => a - b);
    expect(fetched).toEqual(before.map((n) => 2 * n).sort((a, b) => a - b));
    await same('beside the cursor');
    await db.query('commit');
  });

  test('rows that a function inserts for each row that is read do not change what is read', async () => {
    await db.query(`create or replace function echo(at timestamptz) returns int language plpgsql as $$
      begin insert into sale values (at + interval '1 hour', 500); return 1; end $$`);
    const n = await db.value('select count(*)::int from daily');
    expect((await db.query('select b, total, echo(b) from daily')).map((r) => Number(r.total))).toEqual(
      Array(n).fill(4),
    );
    await same('afterwards');
  });
});

test('rows that come after a refresh in the same transaction show, then and when it is committed', async () => {
  await db.query(`begin; insert into sale values ('2024-01-01 02:00', 10)`);
  await db.query(
    `select create_continuous_aggregate('again', 'select time_bucket(''1 day'', ts) as b, sum(amount)::bigint as total from sale group by 1')`,
  );
  const again: AuditedView = { name: 'again', direct: DAILY.direct };
  expect(await viewDifferences(db.client, again)).toEqual([]);
  await db.query(`insert into sale values ('2024-01-01 02:00', 20)`);
  expect(await viewDifferences(db.client, again)).toEqual([]);
  await db.query('commit');
  expect(await viewDifferences(db.client, again)).toEqual([]);
  await same('after COMMIT');
});

test('changes of compressed rows show, and late rows of compressed chunks', async () => {
  await db.query(`select set_compression('sale'), compress_chunk(c) from show_chunks('sale') c`);
  await db.query('begin');
  await db.query(`update sale set amount = 100 where ts = '2024-01-03 06:00'`);
  expect(await total('2024-01-03')).toBe(103);
  await db.query(`insert into sale values ('2024-01-03 07:00', 50)`);
  expect(await total('2024-01-03')).toBe(153);
  await db.query(`savepoint a; delete from sale where ts >= '2024-01-04' and ts < '2024-01-05'`);
  expect(await total('2024-01-04')).toBeNull();
  await db.query('rollback to a');
  expect(await total('2024-01-04')).toBe(4);
  await same('before COMMIT');
  await db.query('commit');
  await same('after COMMIT');
});

test('TRUNCATE, and chunks that are dropped, show', async () => {
  const [first] = await db.column(`select c::text from show_chunks('sale') c`);
  await db.query(`begin; truncate ${first}`);
  await same('after TRUNCATE of a chunk');
  await db.query('truncate sale');
  expect(await db.value('select count(*)::int from daily')).toBe(0);
  await db.query('rollback');
  await same('after ROLLBACK');
});

test('a prepared transaction is seen when it is committed', async () => {
  await db.query(`begin; insert into sale values ('2024-01-01 02:00', 10)`);
  await db.query(`prepare transaction '${db.name}'`);
  expect(await total('2024-01-01')).toBe(4);
  await db.query(`commit prepared '${db.name}'`);
  expect(await total('2024-01-01')).toBe(14);
});

test('ignored changes of old rows stay ignored', async () => {
  await db.query(`select alter_continuous_aggregate('daily', ignore_invalidation_older_than => interval '1 day')`);
  await db.query(`begin; insert into sale values ('2024-01-01 02:00', 10)`);
  expect(await total('2024-01-01')).toBe(4);
  await db.query('commit');
  expect(await total('2024-01-01')).toBe(4);
});

test('whatever a writer logs, the view is right and can be read', async () => {
  const role = await db.role('inserter');
  await db.query(`grant insert (ts) on sale to ${role}`);
  const writer = await db.as(role);
  const id = await db.value(`select id from _tessera_catalog.hypertable where table_name = 'sale'`);
  await expect(
    writer.query(`insert into _tessera_functions.own_changes values (${id}, 0, 5, 4)`),
  ).rejects.toMatchObject({ code: '44000' });
  for (const statement of ['select * from', 'delete from'])
    await expect(writer.query(`${statement} _tessera_functions.own_changes`)).rejects.toMatchObject({ code: '42501' });
  const [least, most] = ['-9223372036854775808', '9223372036854775807'];
  for (const range of [
    `${least}, -9223372036854775807`,
    `-9223372036854775807, -9223372036854775806`,
    `9223372036854775806, ${most}`,
    `${least}, ${most}`,
  ])
    for (const modified of [least, '0', most]) {
      await writer.query(`insert into _tessera_functions.own_changes values (${id}, ${modified}, ${range})`);
      await same(`with ${range}`);
    }
  await db.query(`call refresh_continuous_aggregate('daily', null, null)`);
  await same('after a refresh');
});

import { expect, test } from 'vitest';
import { useDatabase } from '../harness/database.ts';
import { waitUntil } from '../harness/wait-until.ts';

const db = useDatabase();

test('a snapshot taken before rows moved into chunks still sees what it must', async () => {
  await db.query('create table metrics (time timestamptz not null, v int)');
  await db.query(`select create_hypertable('metrics', 'time')`);
  // A row that stays in the default partition, because a reader holds it when the row is committed.
  const holder = await db.connect();
  await holder.query('begin');
  await holder.query('select count(*) from metrics');
  await db.query(`insert into metrics values ('2024-01-01', 1), ('2024-06-01', 10)`);
  await holder.query('commit');

  const old = await db.connect();
  await old.query('begin isolation level repeatable read');
  await old.query('select 1'); // takes the snapshot, and no lock on the hypertable
  await db.query('begin');
  await db.query(`update metrics set v = 2 where v = 1`);
  await db.query(`delete from metrics where v = 10`);
  await db.query(`insert into metrics values ('2024-02-01', 3)`);
  await db.query('commit');
  expect(await db.column(`select show_chunks('metrics')::text`)).toHaveLength(2);
  expect((await old.query('select v from metrics order by v')).rows).toEqual([{ v: 1 }, { v: 10 }]);
  await old.query('commit');
  expect(await db.column('select v from metrics order by v')).toEqual([2, 3]);
});

test('a statement that waits while rows of others move into chunks misses none of them', async () => {
  await db.query('create table waiting (time timestamptz not null, v int)');
  await db.query(`select create_hypertable('waiting', 'time')`);
  const holder = await db.connect();
  await holder.query('begin');
  await holder.query('select count(*) from waiting');
  await db.query(`insert into waiting values ('2024-01-01', 1), ('2024-06-01', 10)`);
  await holder.query('commit');

  const [mover, reader] = [await db.connect(), await db.connect()];
  const { rows } = await reader.query('select pg_backend_pid() as pid');
  await mover.query('begin');
  await mover.query(`insert into waiting values ('2024-03-01', 5)`);
  await mover.query(`select drain_default_partition('waiting')`);
  const counted = reader.query('select count(*)::int as n from waiting');
  await waitUntil('the reader waits', () =>
    db.value(`select wait_event_type = 'Lock' from pg_stat_activity where pid = ${rows[0].pid}`),
  );
  await mover.query('commit');
  expect((await counted).rows).toEqual([{ n: 3 }]);
});

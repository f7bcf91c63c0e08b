import { beforeEach, describe, expect, test } from 'vitest';
import { useDatabase } from '../../../harness/database.ts';

const db = useDatabase();

/** Where each row of the table is: the number of rows by the last part of the partition's name. */
const whereabouts = async (table: string): Promise<Record<string, number>> => {
  const rows = await db.query(
    `select case when tableoid::regclass::text like '%default' then 'default' else 'chunk' end as place, count(*)::int as rows
     from ${table} group by 1`,
  );
  return Object.fromEntries(rows.map((r) => [r.place, r.rows]));
};

beforeEach(async () => {
  await db.query('drop table if exists child, metrics cascade');
  await db.query('create table metrics (time timestamptz not null, k int, v int, primary key (k, time))');
  await db.query(`select create_hypertable('metrics', 'time', chunk_time_interval => interval '1 day')`);
});

describe('a row without a chunk', () => {
  test('is counted, returned and in a chunk after commit', async () => {
    const result = await db.client.query(
      `insert into metrics values ('2024-01-01', 1, 1), ('2024-02-01', 2, 2) returning k`,
    );
    expect(result.rowCount).toBe(2);
    expect(result.rows).toEqual([{ k: 1 }, { k: 2 }]);
    expect(await whereabouts('metrics')).toEqual({ chunk: 2 });
    expect(await db.column(`select show_chunks('metrics')::text`)).toHaveLength(2);
  });

  test('takes part in ON CONFLICT with the primary key before and after its chunk exists', async () => {
    await db.query(
      `insert into metrics values ('2024-01-01', 1, 1), ('2024-01-01', 1, 2) on conflict (k, time) do nothing`,
    );
    await db.query(
      `insert into metrics values ('2024-01-01', 1, 3) on conflict (k, time) do update set v = excluded.v`,
    );
    expect(await db.query('select k, v from metrics')).toEqual([{ k: 1, v: 3 }]);
    expect((await db.error(`insert into metrics values ('2024-01-01', 1, 4)`)).code).toBe('23505');
  });

  test('is visible inside its own transaction and gone after a rollback to a savepoint', async () => {
    await db.query('begin');
    await db.query(`insert into metrics values ('2024-01-01', 1, 1)`);
    await db.query('savepoint s');
    await db.query(`insert into metrics values ('2024-02-01', 2, 2)`);
    await db.query('rollback to s');
    await db.query(`insert into metrics values ('2024-03-01', 3, 3)`);
    expect(await whereabouts('metrics')).toEqual({ default: 2 });
    await db.query('commit');
    expect(await whereabouts('metrics')).toEqual({ chunk: 2 });
  });

  test('survives PREPARE TRANSACTION and is in a chunk after it', async () => {
    await db.query('begin');
    await db.query(`insert into metrics values ('2024-01-01', 1, 1)`);
    await db.query(`prepare transaction '${db.name}'`);
    await db.query(`commit prepared '${db.name}'`);
    expect(await whereabouts('metrics')).toEqual({ chunk: 1 });
  });

  for (const level of ['repeatable read', 'serializable'])
    test(`gets its chunk at isolation level ${level}`, async () => {
      await db.query(`begin isolation level ${level}`);
      await db.query(`insert into metrics values ('2024-01-01', 1, 1)`);
      await db.query('commit');
      expect(await whereabouts('metrics')).toEqual({ chunk: 1 });
    });

  test('comes there by UPDATE of the time and by MERGE as well', async () => {
    await db.query(`insert into metrics values ('2024-01-01', 1, 1)`);
    await db.query(`update metrics set time = '2030-01-01' where k = 1`);
    await db.query(
      `merge into metrics m using (values ('2040-01-01'::timestamptz, 2)) s (t, k) on m.k = s.k
       when not matched then insert values (s.t, s.k, 0)`,
    );
    expect(await whereabouts('metrics')).toEqual({ chunk: 2 });
    expect(await db.value('select count(*)::int from metrics')).toBe(2);
  });

  test('with infinite time stays readable in the default partition', async () => {
    await db.query(`insert into metrics values ('infinity', 1, 1), ('-infinity', 2, 2), ('0044-03-15 BC', 3, 3)`);
    expect(await whereabouts('metrics')).toEqual({ default: 2, chunk: 1 });
    expect(await db.value(`select drain_default_partition('metrics')`)).toBe(0n);
  });

  test('fires user triggers once, for the insert and not for the move', async () => {
    await db.query('create table if not exists fired (op text)');
    await db.query('truncate fired');
    await db.query(
      `create or replace function note() returns trigger language plpgsql as $$
       begin insert into fired values (tg_when || ' ' || tg_op); return coalesce(new, old); end $$`,
    );
    await db.query('create trigger b before insert or delete on metrics for each row execute function note()');
    await db.query('create trigger a after insert or delete on metrics for each row execute function note()');
    await db.query(`insert into metrics values ('2024-01-01', 1, 1)`);
    await db.query('begin isolation level repeatable read');
    await db.query(`insert into metrics values ('2024-02-01', 2, 2)`);
    await db.query('commit');
    expect(await db.query('select op, count(*)::int as times from fired group by 1 order by 1')).toEqual([
      { op: 'AFTER INSERT', times: 2 },
      { op: 'BEFORE INSERT', times: 2 },
    ]);
    expect(await whereabouts('metrics')).toEqual({ chunk: 2 });
  });

  test('stays where it is while a foreign key points at it, and moves when none does', async () => {
    await db.query(
      'create table child (k int, time timestamptz, foreign key (k, time) references metrics on delete cascade)',
    );
    await db.query('begin');
    await db.query(`insert into metrics values ('2024-01-01', 1, 1), ('2024-02-01', 2, 2)`);
    await db.query(`insert into child values (1, '2024-01-01')`);
    await db.query('commit');
    expect(await db.value('select count(*)::int from child')).toBe(1);
    expect(await whereabouts('metrics')).toEqual({ default: 1, chunk: 1 });
    await db.query('delete from child');
    expect(await db.value(`select drain_default_partition('metrics')`)).toBe(1n);
    expect(await whereabouts('metrics')).toEqual({ chunk: 2 });
  });

  test('stays readable while another session writes, and moves with the next commit', async () => {
    const other = await db.connect();
    await other.query('begin');
    await other.query(`insert into metrics values ('2024-05-01', 5, 5)`);
    await db.query(`insert into metrics values ('2024-01-01', 1, 1)`);
    expect(await whereabouts('metrics')).toEqual({ default: 1 });
    await other.query('commit');
    expect(await whereabouts('metrics')).toEqual({ chunk: 2 });
  });

  test('stays readable while a reader holds the default partition', async () => {
    const reader = await db.connect();
    await reader.query('begin');
    await reader.query('select count(*) from metrics');
    await db.query(`insert into metrics values ('2024-01-01', 1, 1)`);
    expect(await whereabouts('metrics')).toEqual({ default: 1 });
    await reader.query('commit');
    expect(await db.value(`select drain_default_partition('metrics')`)).toBe(1n);
  });

  test('may be inserted by a role that has nothing but INSERT', async () => {
    const writer = await db.role('writer');
    await db.query(`grant insert on metrics to ${writer}`);
    const session = await db.as(writer);
    await session.query(`insert into metrics values ('2024-01-01', 1, 1)`);
    expect(await whereabouts('metrics')).toEqual({ chunk: 1 });
    expect(
      await db.value(
        `select pg_get_userbyid(relowner) = current_user from pg_class where oid = (select show_chunks('metrics'))`,
      ),
    ).toBe(true);
  });
});

describe('COPY', () => {
  test('loads many rows into many new chunks', async () => {
    await db.query(
      `insert into metrics select '2024-01-01'::timestamptz + i * interval '1 minute', i, i from generate_series(0, 14399) i`,
    );
    expect(await whereabouts('metrics')).toEqual({ chunk: 14_400 });
    expect(await db.column(`select show_chunks('metrics')::text`)).toHaveLength(10);
    const [plan] = await db.query(
      `explain (format json) select * from metrics where time >= '2024-01-03' and time < '2024-01-04'`,
    );
    expect(JSON.stringify(plan).match(/_hyper_\d+_\d+_chunk/g)?.length).toBeGreaterThan(0);
    expect(new Set(JSON.stringify(plan).match(/_hyper_\d+_\d+_chunk/g)).size).toBe(1);
  });

  test('into chunks made beforehand never touches the default partition', async () => {
    expect(await db.column(`select create_chunks('metrics', '2024-01-01', '2024-01-04'::timestamptz)`)).toHaveLength(3);
    expect(await db.column(`select create_chunks('metrics', '2024-01-01', '2024-01-05'::timestamptz)`)).toHaveLength(1);
    await db.query('begin');
    await db.query(
      `insert into metrics select '2024-01-01'::timestamptz + i * interval '1 hour', i, i from generate_series(0, 71) i`,
    );
    expect(await whereabouts('metrics')).toEqual({ chunk: 72 });
    await db.query('commit');
  });
});

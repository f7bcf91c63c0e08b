import { beforeAll, describe, expect, test } from 'vitest';
import { useDatabase } from '../../../harness/database.ts';

const db = useDatabase();

describe('create_hypertable with migrate_data', () => {
  beforeAll(async () => {
    const reader = await db.role('reader');
    await db.query(`
      create table metrics (
        time timestamptz not null, device int, temp float8 constraint warm check (temp < 1000), note text default 'n',
        id serial, n bigint generated always as identity (start 100), dbl float8 generated always as (temp * 2) stored,
        constraint metrics_key primary key (device, time));
      create index by_note on metrics (note) where note <> 'x';
      create table kinds (note text primary key);
      insert into kinds values ('n'), ('m');
      alter table metrics add constraint kind foreign key (note) references kinds;
      comment on table metrics is 'the table';
      comment on column metrics.temp is 'degrees';
      comment on index by_note is 'the index';
      create table fired (op text);
      create function note() returns trigger language plpgsql as $$ begin insert into fired values (tg_op); return null; end $$;
      create trigger later after insert or delete on metrics for each row execute function note();
      alter table metrics disable trigger later;
      insert into metrics (time, device, temp) select '2024-01-01'::timestamptz + i * interval '1 hour', i % 3, i from generate_series(0, 499) i;
      alter table metrics enable always trigger later;
      grant select on metrics to ${reader};
      grant update (note) on metrics to ${reader};
      create view warmest with (security_barrier) as select device, max(temp) as temp from metrics group by 1;
      create table child (device int, time timestamptz, constraint parent foreign key (device, time) references metrics on delete cascade);
      insert into child select device, time from metrics limit 3;
      create policy own on metrics using (device >= 0);
      alter table metrics enable row level security;
      alter table metrics set (fillfactor = 70);
      alter table metrics alter column device set statistics 77;
      create statistics both_columns on device, note from metrics;
    `);
    await db.query(
      `select create_hypertable('metrics', 'time', migrate_data => true, chunk_time_interval => interval '7 days')`,
    );
  });

  test('keeps every row, in chunks that begin on Thursdays UTC', async () => {
    expect(await db.value('select count(*)::int from metrics')).toBe(500);
    expect(await db.column(`select range_start::text from tessera_information.chunks order by 1`)).toEqual([
      '2023-12-28 00:00:00+00',
      '2024-01-04 00:00:00+00',
      '2024-01-11 00:00:00+00',
      '2024-01-18 00:00:00+00',
    ]);
  });

  test('fires no trigger for moved rows and keeps the trigger with its state', async () => {
    expect(await db.value('select count(*)::int from fired')).toBe(0);
    expect(
      await db.value(`select tgenabled::text from pg_trigger where tgrelid = 'metrics'::regclass and tgname = 'later'`),
    ).toBe('A');
  });

  test('keeps keys, checks, indexes, statistics and comments under their names', async () => {
    expect(
      await db.column(
        `select conname::text from pg_constraint where conrelid = 'metrics'::regclass and contype <> 'n' order by 1`,
      ),
    ).toEqual(['kind', 'metrics_key', 'warm']);
    expect(await db.column(`select indexname::text from pg_indexes where tablename = 'metrics' order by 1`)).toEqual([
      'by_note',
      'metrics_key',
      'metrics_time_idx',
    ]);
    expect(await db.value(`select obj_description('metrics'::regclass)`)).toBe('the table');
    expect(await db.value(`select col_description('metrics'::regclass, 3)`)).toBe('degrees');
    expect(await db.value(`select obj_description('by_note'::regclass)`)).toBe('the index');
    expect(
      await db.value(
        `select attstattarget::int from pg_attribute where attrelid = 'metrics'::regclass and attname = 'device'`,
      ),
    ).toBe(77);
    expect(
      await db.value(
        `select count(*)::int from pg_statistic_ext where stxrelid = 'metrics'::regclass and stxname = 'both_columns'`,
      ),
    ).toBe(1);
  });

  test('goes on counting serial and identity, and computes generated columns', async () => {
    const [row] = await db.query(
      `insert into metrics (time, device, temp) values ('2025-01-01', 1, 4) returning id, n, dbl`,
    );
    expect(row).toEqual({ id: 501, n: 600n, dbl: 8 });
    expect(await db.value(`select pg_get_serial_sequence('metrics', 'id')`)).toBe('public.metrics_id_seq');
    expect(await db.value(`select pg_get_serial_sequence('metrics', 'n')`)).toBe('public.metrics_n_seq');
    expect((await db.error(`insert into metrics (time, device, temp) values (now(), 1, 1000)`)).code).toBe('23514');
  });

  test('keeps foreign keys out of it and into it', async () => {
    expect((await db.error(`insert into metrics (time, device, note) values (now(), 9, 'unknown')`)).code).toBe(
      '23503',
    );
    expect((await db.error(`insert into child values (77, now())`)).code).toBe('23503');
    await db.query(`delete from metrics where (device, time) in (select device, time from child limit 1)`);
    expect(await db.value('select count(*)::int from child')).toBe(2);
  });

  test('keeps grants, policies, views with their options and storage parameters', async () => {
    expect(
      await db.value(
        `select count(*)::int from pg_class c, aclexplode(relacl) a where c.oid = 'metrics'::regclass and privilege_type = 'SELECT'`,
      ),
    ).toBe(2);
    expect(
      await db.value(
        `select attacl is not null from pg_attribute where attrelid = 'metrics'::regclass and attname = 'note'`,
      ),
    ).toBe(true);
    expect(await db.value(`select relrowsecurity from pg_class where oid = 'metrics'::regclass`)).toBe(true);
    expect(await db.value(`select count(*)::int from pg_policy where polrelid = 'metrics'::regclass`)).toBe(1);
    expect(await db.value('select count(*)::int from warmest')).toBe(3);
    expect(await db.value(`select reloptions::text from pg_class where oid = 'warmest'::regclass`)).toBe(
      '{security_barrier=true}',
    );
    expect(
      await db.column(`select distinct reloptions::text from pg_class where oid in (select show_chunks('metrics'))`),
    ).toEqual(['{fillfactor=70}']);
  });

  test('leaves nothing of the replaced table behind', async () => {
    expect(await db.value(`select count(*)::int from pg_class where relname like 'tessera_replaced%'`)).toBe(0);
  });
});

describe('create_hypertable', () => {
  test('answers alike in both forms and refuses or skips the second time', async () => {
    await db.query('create table a (time timestamptz not null); create table b (time timestamptz not null)');
    const [first] = await db.query(`select created, schema_name, table_name from create_hypertable('a', 'time')`);
    expect(first).toEqual({ created: true, schema_name: 'public', table_name: 'a' });
    expect(await db.value(`select created from create_hypertable('b', by_range('time'))`)).toBe(true);
    expect((await db.error(`select create_hypertable('a', 'time')`)).code).toBe('TS110');
    expect(await db.notices(`select create_hypertable('a', 'time', if_not_exists => true)`)).toHaveLength(1);
    expect(await db.value(`select created from create_hypertable('b', by_range('time'), if_not_exists => true)`)).toBe(
      false,
    );
  });

  const cases: [string, string, string, string?][] = [
    ['no such column', 'create table x (time timestamptz)', `create_hypertable('x', 'nope')`, '42703'],
    ['a column of text', 'create table x (time text)', `create_hypertable('x', 'time')`, '22023'],
    ['a null column', 'create table x (time timestamptz)', `create_hypertable('x', null::name)`, '22023'],
    ['a null table', 'create table x (time timestamptz)', `create_hypertable(null::regclass, 'time')`, '22023'],
    ['a view', 'create view x as select now() as time', `create_hypertable('x', 'time')`, '42809'],
    [
      'a partitioned table',
      'create table x (time timestamptz) partition by range (time)',
      `create_hypertable('x', 'time')`,
      '42809',
    ],
    ['an unlogged table', 'create unlogged table x (time timestamptz)', `create_hypertable('x', 'time')`, '0A000'],
    ['a temporary table', 'create temp table x (time timestamptz)', `create_hypertable('x', 'time')`, '0A000'],
    [
      'a parent',
      'create table x (time timestamptz); create table y () inherits (x)',
      `create_hypertable('x', 'time')`,
      '0A000',
    ],
    [
      'a child',
      'create table y (time timestamptz); create table x () inherits (y)',
      `create_hypertable('x', 'time')`,
      '0A000',
    ],
    [
      'rules',
      'create table x (time timestamptz); create rule r as on insert to x do also select 1',
      `create_hypertable('x', 'time')`,
      '0A000',
    ],
    [
      'rows without migrate_data',
      'create table x (time timestamptz); insert into x values (now())',
      `create_hypertable('x', 'time')`,
      '0A000',
    ],
    [
      'a null time among the rows',
      'create table x (time timestamptz); insert into x values (null)',
      `create_hypertable('x', 'time', migrate_data => true)`,
      '23502',
    ],
    [
      'a key without the time',
      'create table x (time timestamptz, id int primary key)',
      `create_hypertable('x', 'time')`,
      'TS103',
    ],
    [
      'a unique index without the space column',
      'create table x (time timestamptz unique, id int)',
      `create_hypertable('x', 'time', 'id', 2)`,
      'TS103',
    ],
    [
      'a generated column',
      'create table x (a timestamp, time timestamp generated always as (a) stored)',
      `create_hypertable('x', 'time')`,
      '0A000',
    ],
    [
      'interval zero',
      'create table x (time timestamptz)',
      `create_hypertable('x', 'time', chunk_time_interval => interval '0')`,
      '22023',
    ],
    [
      'a negative interval',
      'create table x (time int)',
      `create_hypertable('x', 'time', chunk_time_interval => -1)`,
      '22023',
    ],
    [
      'months for an integer',
      'create table x (time int)',
      `create_hypertable('x', 'time', chunk_time_interval => interval '1 month')`,
      '22023',
    ],
    [
      'half days for a date',
      'create table x (time date)',
      `create_hypertable('x', 'time', chunk_time_interval => interval '12 hours')`,
      '22023',
    ],
    [
      'a hash dimension first',
      'create table x (time timestamptz)',
      `create_hypertable('x', by_hash('time', 2))`,
      '42809',
    ],
    ['no partitions', 'create table x (time timestamptz, k int)', `create_hypertable('x', 'time', 'k', 0)`, '22023'],
    [
      'a prefix too long',
      'create table x (time timestamptz)',
      `create_hypertable('x', 'time', associated_table_prefix => repeat('p', 50)::name)`,
      '42622',
    ],
    [
      'a published table',
      'create table x (time timestamptz); create publication of_x for table x',
      `create_hypertable('x', 'time')`,
      'TS101',
    ],
    [
      'a materialized view on it',
      'create table x (time timestamptz); create materialized view y as select * from x',
      `create_hypertable('x', 'time')`,
      '2BP01',
    ],
    [
      'adaptive chunking',
      'create table x (time timestamptz)',
      `create_hypertable('x', 'time', chunk_target_size => '1GB')`,
      '0A000',
    ],
    [
      'a partitioning function',
      'create table x (time timestamptz, k int)',
      `create_hypertable('x', 'time', 'k', 2, partitioning_func => 'hashint4')`,
      '0A000',
    ],
  ];
  for (const [what, setup, call, code] of cases)
    test(`refuses ${what} with ${code} and changes nothing`, async () => {
      await db.query('begin');
      await db.query(setup);
      await db.query('savepoint before');
      const shape = `select c.relname, c.relkind, c.relnatts from pg_class c where c.relnamespace in ('public'::regnamespace) order by 1`;
      const before = await db.query(shape);
      const error = await db.error(`select ${call}`);
      expect(error.code, error.message).toBe(code);
      expect(error.message).not.toMatch(/\.$/);
      await db.query('rollback to before');
      expect(await db.query(shape)).toEqual(before);
      await db.query('rollback');
    });

  test('refuses a table that somebody else owns', async () => {
    const stranger = await db.role('stranger');
    await db.query('create table theirs (time timestamptz)');
    const session = await db.as(stranger);
    await expect(session.query(`select create_hypertable('theirs', 'time')`)).rejects.toMatchObject({ code: '42501' });
  });
});

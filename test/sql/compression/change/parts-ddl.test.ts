import { beforeAll, describe, expect, test } from 'vitest';
import { useDatabase } from '../../../harness/database.ts';

const db = useDatabase();
/** Names of the parts, by what they are. */
const part: Record<string, string> = {};

beforeAll(async () => {
  await db.query(`create schema kinds; create type kinds.mood as enum ('calm', 'wild');
    create table ref (id int primary key); insert into ref values (0), (1);
    create table m (time timestamptz not null, device int, v int check (v < 1000000), o kinds.mood, moods kinds.mood[], unique (device, time, o));
    create function nothing() returns trigger language plpgsql as 'begin return null; end'`);
  await db.query(`select create_hypertable('m', 'time', chunk_time_interval => interval '1 day')`);
  await db.query(
    `insert into m select '2024-01-01'::timestamptz + i * interval '1 hour', i % 2, i, 'calm' from generate_series(0, 47) i`,
  );
  await db.query(`select set_compression('m', compress_segmentby => 'device', compress_orderby => 'time, o')`);
  await db.query(
    `select create_continuous_aggregate('daily', $q$select time_bucket('1 day', time) as day, sum(v) as v from m group by 1$q$)`,
  );
  await db.query(`select compress_chunk(c) from show_chunks('m', older_than => '2024-01-02'::timestamptz) c`);
  for (const { name } of await db.query(
    `select relname as name from pg_class where relnamespace = '_tessera_internal'::regnamespace and relkind in ('r', 'p', 'v', 'f', 'S')`,
  )) {
    const kind = /^_hyper_1_.*?(default|pending|places|noted|tail|remote|residue|rows|segments|seq)$/.exec(name)?.[1];
    if (kind !== undefined) part[kind] = `_tessera_internal.${name}`;
  }
  for (const kind of ['default', 'tail', 'segments'])
    part[`${kind} key`] = await db.value(
      `select quote_ident(conname) from pg_constraint where conrelid = $1::regclass and contype = 'u'`,
      [part[kind]],
    );
  part.holder = await db.value(`select h::text from _tessera_functions.segment_holders($1::regclass) h limit 1`, [
    part.segments,
  ]);
  [part.query, part.results, part['results chunk']] = await db.column(
    `select unnest(array[a.direct_view::text, h.relid::text, (select show_chunks(h.relid)::text limit 1)])
     from _tessera_catalog.continuous_agg a join _tessera_catalog.hypertable h on h.id = a.mat_hypertable_id`,
  );
  part.chunk = (part.tail ?? '').replace('_tail', '_chunk');
  part['plain chunk'] = await db.value(`select show_chunks('m', newer_than => '2024-01-02'::timestamptz)::text`);
});

const fill = (sql: string): string => sql.replaceAll(/<([^>]+)>/g, (_, kind: string) => part[kind] ?? `no ${kind}`);

/** That rows are read, written, noted and get chunks as before. */
const expectWorking = async (): Promise<void> => {
  const before = await db.value('select sum(v)::int from m');
  expect(await db.value('select sum(v)::int from daily')).toBe(before);
  await db.query(`insert into m values ('2024-01-01 00:30', 1, 7, 'wild'), ('2030-01-01', 1, 1, 'calm')`);
  await db.query(`update m set v = v + 1 where device = 1 and time < '2024-01-01 06:00'`);
  expect((await db.error(`insert into m values ('2024-01-01 05:00', 1, 0, 'calm')`)).code).toBe('23505');
  expect(await db.value(`select count(*)::int from show_chunks('m')`)).toBe(3);
  expect(await db.value('select sum(v)::int from m')).toBe(before + 12);
  expect(await db.value('select sum(v)::int from daily')).toBe(before + 12);
  await db.query(`delete from m where time = '2030-01-01' or o = 'wild'`);
  await db.query(`update m set v = v - 1 where device = 1 and time < '2024-01-01 06:00'`);
  await db.query(
    `select drop_chunks('m', newer_than => '2029-01-01'::timestamptz, cascade_to_materializations => true)`,
  );
  expect(await db.value('select sum(v)::int from m')).toBe(before);
};

describe('what was made for a hypertable is not changed or dropped by itself', () => {
  test.each([
    'alter table <default> rename to other',
    'alter table <default> set schema public',
    'alter table <default> enable row level security',
    'drop table <default>',
    'drop trigger tessera_note on <default>',
    'alter table m detach partition <default>',
    'alter table <chunk> detach partition <tail>',
    'alter table <chunk> detach partition <remote>',
    'alter table <pending> rename to other',
    'alter table <pending> add column x int',
    'drop table <pending>',
    'drop table <pending> cascade',
    'drop trigger tessera_place on <pending>',
    'drop table <places>',
    'alter table <places> rename to other',
    'drop foreign table <noted>',
    'alter foreign table <noted> rename to other',
    'alter function _tessera_internal._hyper_1_place() rename to other',
    'alter function _tessera_internal._hyper_1_place() security invoker',
    'drop function _tessera_internal._hyper_1_place() cascade',
    `create or replace function _tessera_internal._hyper_1_place() returns trigger language plpgsql as 'begin return null; end'`,
    'alter table <tail> rename to other',
    'alter table <tail> set schema public',
    'drop table <tail>',
    'drop trigger tessera_key on <tail>',
    'drop function <tail>_key() cascade',
    'drop function <tail>_modify() cascade',
    'alter foreign table <remote> rename to other',
    `alter foreign table <remote> options (set table_name 'other')`,
    'drop foreign table <remote>',
    'alter table <residue> rename column v to other',
    'alter table <residue> alter column v type bigint',
    'drop table <residue>',
    'alter view <rows> rename to other',
    'alter view <rows> rename column v to other',
    'drop view <rows>',
    'drop trigger modify_compressed on <rows>',
    'alter table <segments> drop column v',
    'drop table <segments> cascade',
    'drop trigger tessera_capture_1_1s_delete on <segments>',
    'alter sequence <seq> restart',
    'alter sequence <seq> rename to other',
    'drop trigger tessera_clear on m',
    'drop trigger tessera_truncated on m',
    'drop trigger tessera_capture_1_2_insert on <plain chunk>',
    'drop server tessera_loopback_postgres cascade',
    'alter table <default> add constraint x check (v > 0)',
    'alter table <default> alter column v set not null',
    'alter table <default> drop constraint <default key>',
    'create rule x as on insert to <default> do instead nothing',
    'create trigger x before insert on <default> for each row execute function nothing()',
    'alter table <tail> drop constraint <tail key>',
    'alter foreign table <remote> add constraint x check (v > 0)',
    'alter foreign table <remote> alter column v set not null',
    'create trigger x before update on <remote> for each row execute function nothing()',
    'alter table <residue> add constraint x check (v > 0)',
    'alter table <residue> add check (v > 0) not valid',
    'alter table <residue> add unique (v)',
    'alter table <residue> add foreign key (v) references ref',
    'alter table <residue> drop constraint m_v_check',
    'alter table <residue> alter column v set not null',
    'alter table <residue> alter column _ts_meta_born drop not null',
    'alter table <residue> alter column v set default 1',
    'alter table <residue> replica identity nothing',
    'create unique index on <residue> (v)',
    'create index on <residue> ((1 / v))',
    'create index on <residue> (v) where 1 / v > 0',
    'create rule x as on insert to <residue> do instead nothing',
    'create trigger x before insert on <residue> for each row execute function nothing()',
    'alter table <segments> add constraint x check (_ts_meta_count > 5)',
    'alter table <segments> drop constraint <segments key>',
    'alter table <segments> alter column _ts_meta_id drop identity',
    'alter table <segments> alter column v set storage plain',
    'alter table <segments> replica identity default',
    'create rule x as on delete to <segments> do instead nothing',
    'create trigger x before delete on <segments> execute function nothing()',
    'alter sequence <seq> increment by 5',
    'alter sequence <seq> maxvalue 1000',
    'drop type <holder> cascade',
    'alter table <pending> alter column noted_by set default null',
    'create rule x as on insert to <pending> do instead nothing',
    'alter table <places> add check (false)',
    'create or replace view <rows> as select * from (select * from <rows>) x',
    'create or replace rule "_RETURN" as on select to <rows> do instead select * from (select * from <rows>) x',
    'alter view <rows> alter column v set default 1',
    'alter view <rows> set (security_barrier)',
    'create rule x as on update to <rows> do instead nothing',
    'create trigger x instead of insert on <rows> for each row execute function nothing()',
  ])('%s', async (sql) => {
    const e = await db.error(fill(sql));
    // What PostgreSQL itself refuses, since something depends on it, it explains itself.
    expect([sql, ['0A000', '2BP01'].includes(e.code ?? ''), e.hint ?? e.detail]).toEqual([
      sql,
      true,
      expect.any(String),
    ]);
  });

  test('and is all there afterwards', expectWorking);
});

describe('what was made for a continuous aggregate is not changed by itself', () => {
  test.each([
    `create or replace view <query> as select now() as day, 1::int8 as v`,
    'alter view <query> set (security_barrier)',
    'create rule x as on insert to <query> do instead nothing',
    'alter table <results> add check (v > 0)',
    'alter table <results> add column x int',
    'alter table <results> alter column v set not null',
    'alter table <results> enable row level security',
    'alter table <results> replica identity nothing',
    `create table apart (like <results>); alter table <results> attach partition apart for values from ('1999-01-01') to ('2000-01-01')`,
    'create rule x as on delete to <results> do instead nothing',
    'create trigger x before insert on <results> for each row execute function nothing()',
    'create trigger x before insert on <results chunk> for each row execute function nothing()',
  ])('%s', async (sql) => {
    const e = await db.error(fill(sql));
    expect([sql, e.code, e.hint ?? e.detail]).toEqual([sql, '0A000', expect.any(String)]);
  });

  test.each([
    `create or replace view daily as select now() as day, 1::int8 as v`,
    `create or replace rule "_RETURN" as on select to daily do instead select now() as day, 1::int8 as v`,
  ])('nor its view: %s', async (sql) => {
    const e = await db.error(sql);
    expect([e.code, e.message, e.hint]).toEqual([
      '0A000',
      'cannot change the query of continuous aggregate "public.daily"',
      `Create it again with another query, after: select drop_continuous_aggregate('public.daily');`,
    ]);
  });

  test('and is all there afterwards', async () => {
    await db.query('alter view daily set (security_barrier); alter view daily reset (security_barrier)');
    await expectWorking();
  });
});

describe('what is done to a hypertable with compressed chunks and a continuous aggregate is followed', () => {
  test.each([
    ['alter table m disable trigger all'],
    ['alter table m disable trigger user'],
    ['alter table <default> disable trigger all'],
    ['alter table <pending> disable trigger all'],
    ['alter table <plain chunk> disable trigger all'],
    ['alter type kinds.mood rename to temper'],
    ['create schema other; alter type kinds.temper set schema other'],
    ['alter schema other rename to others'],
    ['alter schema _tessera_internal rename to held; alter schema held rename to _tessera_internal'],
    ['alter table <plain chunk> rename to named'],
    ['alter table m set schema others; set search_path = public, others'],
    ['alter table others.m set schema public'],
    [`alter type others.temper rename value 'wild' to 'mad'; alter type others.temper rename value 'mad' to 'wild'`],
    ['alter view daily set schema others; set search_path = public, others'],
  ])('%s', async (sql) => {
    await db.query(fill(sql));
    await expectWorking();
  });
});

import type pg from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import { failure, useDatabase } from '../../harness/database.ts';

const db = useDatabase();
let victim: string;
let attacker: string;
let intruder: pg.Client;

const oidOf = (name: string): Promise<number> => db.value(`select $1::regclass::oid`, [name]);
const ask = async (operation: string, payload: object): Promise<pg.DatabaseError> =>
  failure(intruder, 'insert into _tessera_catalog.request (operation, payload) values ($1, $2)', [
    operation,
    JSON.stringify(payload),
  ]);
const asked = async (operation: string, payload: object): Promise<unknown> =>
  (
    await intruder.query<{ result: unknown }>(
      'insert into _tessera_catalog.request (operation, payload) values ($1, $2) returning result',
      [operation, JSON.stringify(payload)],
    )
  ).rows[0]?.result;

/** A table of the attacker, as create_hypertable() would hand it to the request. */
const newTable = async (name: string, values: object = {}): Promise<object> => {
  await intruder.query(`create table att.${name} (time timestamptz not null, v int) partition by range (time)`);
  const relid = await oidOf(`att.${name}`);
  const id = await asked('draw_hypertable_id', { relid });
  return {
    relid,
    id,
    associated_schema_name: 'att',
    associated_table_prefix: name,
    dimensions: [{ column_name: 'time', interval_length: '86400000000' }],
    ...values,
  };
};

beforeAll(async () => {
  victim = await db.role('victim');
  attacker = await db.role('attacker');
  await db.query(
    `create schema att authorization ${attacker}; grant create on schema public to ${victim}, ${attacker}`,
  );
  const session = await db.as(victim);
  await session.query(`create table public.orders_pending (id int, secret text);
    insert into public.orders_pending values (1, 'secret');
    create function public.orders_place() returns trigger language plpgsql security definer as 'begin return null; end';
    create table public.mine (time timestamptz not null, v int, primary key (time));
    select create_hypertable('public.mine', 'time');
    insert into public.mine values ('2024-01-01', 1)`);
  intruder = await db.as(attacker);
});

const owners = (): Promise<unknown> =>
  db.query(`
    select c.relname::text as name, pg_get_userbyid(c.relowner)::text as owner from pg_class c where c.relname = 'orders_pending'
    union all
    select p.proname, pg_get_userbyid(p.proowner) from pg_proc p where p.proname = 'orders_place' order by 1`);

describe('a name in a request', () => {
  test('makes nothing of others one’s own, whatever is done to the hypertable', async () => {
    const before = await owners();
    const payload = await newTable('p', { associated_schema_name: 'public', associated_table_prefix: 'orders' });
    await asked('create_hypertable', payload);
    await intruder.query('alter table att.p add column w int');
    await db.query('select tessera.sync_catalog()');
    expect(await owners()).toEqual(before);
    await expect(intruder.query('table public.orders_pending')).rejects.toMatchObject({ code: '42501' });
    await intruder.query('drop table att.p');
    expect(await owners()).toEqual(before);
    expect(await db.value('select count(*) from public.orders_pending')).toBe(1n);
  });

  test('of a schema where the caller may not create is refused', async () => {
    await db.query('create schema dba');
    const payload = await newTable('q', { associated_schema_name: 'dba' });
    expect(await ask('create_hypertable', payload)).toMatchObject({ code: '42501' });
    expect(
      await ask('create_hypertable', {
        ...payload,
        associated_schema_name: 'att',
        associated_table_prefix: '_hyper_77',
      }),
    ).toMatchObject({ code: '42501' });
  });

  test('that is a trigger function of somebody else is no part of a compressed chunk', async () => {
    const session = await db.as(victim);
    await session.query(
      `create function public.bait_key() returns trigger language plpgsql security definer as 'begin return null; end'`,
    );
    await intruder.query(`create table att.c (time timestamptz not null, v int)`);
    await intruder.query(`select create_hypertable('att.c', 'time'); insert into att.c values ('2024-01-01', 1)`);
    await intruder.query(`select set_compression('att.c'); select compress_chunk(c) from show_chunks('att.c') c`);
    const tail = await db.value(
      `select k.tail::text from _tessera_catalog.compressed_chunk k join _tessera_catalog.chunk c on c.id = k.chunk_id
       join _tessera_catalog.hypertable h on h.id = c.hypertable_id where h.relid = 'att.c'::regclass`,
    );
    // Anybody can say that he is tessera at work.
    await intruder.query(`set tessera.maintenance = 'on'; alter table ${tail} set schema public`);
    await intruder.query(
      `alter table public.${(tail as string).split('.')[1]} rename to bait; reset tessera.maintenance`,
    );
    await intruder.query('alter table att.c add column w int');
    await intruder.query('drop table att.c');
    expect(await db.value(`select pg_get_userbyid(proowner) from pg_proc where proname = 'bait_key'`)).toBe(victim);
  });
});

describe('a hypertable is recorded as its table is', () => {
  const REFUSED: readonly (readonly [string, object, string])[] = [
    ['a dimension on no column', { dimensions: [{ column_name: 'nosuch', num_slices: 2 }] }, '22023'],
    ['a dimension beside the key', { dimensions: [{ column_name: 'v', interval_length: 10 }] }, '22023'],
    ['no dimension', { dimensions: [] }, '22023'],
    ['a negative interval', { dimensions: [{ column_name: 'time', interval_length: -1 }] }, '22023'],
    [
      'an interval beyond int8',
      { dimensions: [{ column_name: 'time', interval_length: '9999999999999999999' }] },
      '22023',
    ],
    ['storage parameters that are SQL', { chunk_reloptions: ['x) as select 1; --=1'] }, '22023'],
    ['a key nobody knows', { owner: 'postgres' }, '22023'],
    ['an id nobody drew', { id: 1_000_000 }, '42501'],
    ['an id of somebody else', { id: 1 }, '42501'],
    ['no id', { id: null }, '22023'],
    ['a table of somebody else', { relid: 'public.mine' }, '42501'],
    ['a relid that is no number', { relid: { oid: 1 } }, '22023'],
    ['a relid of nothing', { relid: 4_000_000_000 }, '42501'],
  ];
  for (const [i, [what, values, code]] of REFUSED.entries())
    test(`with ${what} it is refused`, async () => {
      const before = await db.value('select count(*) from _tessera_catalog.hypertable');
      const given =
        (values as { relid?: string }).relid === 'public.mine' ? { relid: await oidOf('public.mine') } : values;
      expect(await ask('create_hypertable', { ...(await newTable(`r${i}`)), ...given })).toMatchObject({ code });
      expect(await db.value('select count(*) from _tessera_catalog.hypertable')).toBe(before);
    });

  test('ALTER SCHEMA and sync_catalog() of others go on', async () => {
    await db.query('create schema dba1; alter schema dba1 rename to dba2');
    await db.query('select tessera.sync_catalog()');
  });
});

describe('what is wrong with one hypertable', () => {
  test('is put aside with its error, and keeps nobody from DDL', async () => {
    // As an earlier version let it be recorded.
    await intruder.query(`create table att.poisoned (time timestamptz not null, v int)`);
    await intruder.query(`select create_hypertable('att.poisoned', 'time')`);
    await db.query(`update _tessera_catalog.dimension set column_name = 'nosuch', column_type = 'int4', interval_length = null, num_slices = 2
      where hypertable_id = (select id from _tessera_catalog.hypertable where relid = 'att.poisoned'::regclass)`);
    const said = await db.notices('create schema dba3; alter schema dba3 rename to dba4');
    expect(said).toEqual([
      {
        severity: 'WARNING',
        message: expect.stringContaining('hypertable att.poisoned could not be brought in line') as string,
      },
    ]);
    expect((await db.notices('select tessera.sync_catalog()')).map((n) => n.severity)).toEqual(['WARNING']);
    const session = await db.as(victim);
    await session.query('alter table public.mine add column w int');
    expect(
      await db.query(`select status, detail from tessera.doctor() where check_name = 'hypertables'`),
    ).toMatchObject([{ status: 'error', detail: expect.stringContaining('att.poisoned') as string }]);
    await intruder.query('drop table att.poisoned');
  });

  test('a part that others depend on stays, with a warning, when its hypertable is dropped', async () => {
    await intruder.query('create table att.held (time timestamptz not null)');
    await intruder.query(
      `select create_hypertable('att.held', 'time', associated_schema_name => 'att', associated_table_prefix => 'held')`,
    );
    await intruder.query('create view att.holds as select * from att.held_pending');
    expect(await db.notices('drop table att.held')).toEqual([
      { severity: 'WARNING', message: expect.stringContaining('left over from a hypertable') as string },
    ]);
  });
});

describe('a view in the place of the default partition', () => {
  test('is not read with the rights of whoever looks after the database', async () => {
    await intruder.query(`create table att.seen (who text);
      create function att.spy() returns boolean language plpgsql as $$
        begin insert into att.seen values (current_user); return true; end $$;
      grant usage on schema att to public; grant insert on att.seen to public;
      create table att.trap (time timestamptz not null)`);
    await intruder.query(
      `select create_hypertable('att.trap', 'time', associated_schema_name => 'att', associated_table_prefix => 'trap')`,
    );
    await intruder.query(`set tessera.maintenance = 'on'; alter table att.trap_default rename to trap_aside; reset tessera.maintenance;
      create view att.trap_default as select now() as time where att.spy(); grant select on att.trap_default to public`);
    await db.query('select * from tessera.doctor()');
    await db.query(`call _tessera_functions.policy_drain(5, '{}')`);
    expect(await db.column('select who from att.seen')).toEqual([]);
    await intruder.query('drop view att.trap_default; drop table att.trap');
  });
});

describe('ids', () => {
  test('of chunks cannot be taken from another transaction that drew them', async () => {
    const other = await db.as(victim);
    await other.query('begin');
    const { rows } = await other.query<{ result: number[] }>(
      `insert into _tessera_catalog.request (operation, payload)
       select 'draw_chunk_ids', jsonb_build_object('hypertable_id', id, 'count', 1) from _tessera_catalog.hypertable where relid = 'public.mine'::regclass
       returning result`,
    );
    await intruder.query('create table att.thief (time timestamptz not null)');
    await intruder.query(`select create_hypertable('att.thief', 'time')`);
    await intruder.query(
      `create table att.part partition of att.thief for values from ('2024-01-01') to ('2024-01-02')`,
    );
    const id = await db.value(`select id from _tessera_catalog.hypertable where relid = 'att.thief'::regclass`);
    const payload = {
      hypertable_id: id,
      chunks: rows[0]?.result,
      oids: [await oidOf('att.part')],
      dimensions: [],
      starts: [],
      ends: [],
    };
    expect(await ask('add_chunks', payload)).toMatchObject({ code: '42501' });
    await other.query('rollback');
  });

  test('cannot be used up: a sequence at its end begins again and passes over what is taken', async () => {
    await db.query(`select setval('_tessera_catalog.chunk_id_seq', 2147483647)`);
    const session = await db.as(victim);
    await session.query(`insert into public.mine values ('2024-06-01', 1), ('2024-07-01', 1)`);
    expect(await db.value('select count(*) from only public.mine')).toBe(0n);
    expect(await db.value(`select count(*) from show_chunks('public.mine')`)).toBe(3n);
  });
});

describe('foreign servers', () => {
  test('that only say they are ours get no password and are not used', async () => {
    await db.query(
      `create extension if not exists postgres_fdw; grant usage on foreign data wrapper postgres_fdw to ${attacker}`,
    );
    await intruder.query(
      `create server tessera_loopback_${victim} type 'tessera loopback' version '${victim}' foreign data wrapper postgres_fdw options (host '198.51.100.1')`,
    );
    const session = await db.as(victim);
    await session.query(
      `select set_compression('public.mine'); select compress_chunk(c) from show_chunks('public.mine') c`,
    );
    expect(await db.value('select count(*) from public.mine')).toBe(3n);
    expect(await db.value(`select count(*) from pg_user_mappings where srvname = 'tessera_loopback_${victim}'`)).toBe(
      0n,
    );
    expect(
      await db.query(`select status from tessera.doctor() where detail like '"tessera_loopback_${victim}"%'`),
    ).toEqual([{ status: 'warning' }]);
  });
});

describe('the schema of the chunks', () => {
  test('is not used while it belongs to somebody who could drop what is in it', async () => {
    await db.query(`alter schema _tessera_internal owner to ${attacker}`);
    const session = await db.as(victim);
    await session.query('create table public.late (time timestamptz not null)');
    const error = await failure(session, `select create_hypertable('public.late', 'time')`);
    expect(error).toMatchObject({ code: '42501', hint: 'alter schema _tessera_internal owner to postgres;' });
    await db.query(error.hint ?? '');
    await session.query(`select create_hypertable('public.late', 'time')`);
  });
});

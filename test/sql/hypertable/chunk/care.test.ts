import { beforeAll, describe, expect, test } from 'vitest';
import { useDatabase } from '../../../harness/database.ts';

const db = useDatabase();
let owner: string;
let stranger: string;

beforeAll(async () => {
  owner = await db.role('owner');
  stranger = await db.role('stranger');
  await db.query(`create schema app authorization ${owner}`);
  await db.query(`grant usage on schema app to ${stranger}`);
  const session = await db.as(owner);
  await session.query('create table app.metrics (time timestamptz not null, k int, v int, primary key (k, time))');
  await session.query(`select create_hypertable('app.metrics', 'time', chunk_time_interval => interval '1 day')`);
  await session.query(
    `insert into app.metrics select '2024-01-01'::timestamptz + i * interval '1 hour', 99 - i, i from generate_series(0, 71) i`,
  );
});

const CALLS = [
  `drop_chunks('app.metrics', older_than => '2030-01-01')`,
  `create_chunks('app.metrics', '2024-01-01', '2024-02-01')`,
  `drain_default_partition('app.metrics')`,
  `add_dimension('app.metrics', 'k', 2)`,
  `set_chunk_time_interval('app.metrics', interval '1 day')`,
  `attach_tablespace('pg_default', 'app.metrics')`,
  `detach_tablespaces('app.metrics')`,
  `reorder_chunk('_tessera_internal._hyper_1_1_chunk', 'app.metrics_pkey')`,
  `move_chunk('_tessera_internal._hyper_1_1_chunk', 'pg_default')`,
];

describe('a stranger', () => {
  for (const call of CALLS)
    test(`is refused ${call.split('(')[0]}`, async () => {
      const session = await db.as(stranger);
      await expect(session.query(`select ${call}`)).rejects.toMatchObject({ code: '42501' });
    });

  test('cannot write the catalog, neither directly nor by a request in the name of the owner', async () => {
    const session = await db.as(stranger);
    for (const sql of [
      'delete from _tessera_catalog.chunk',
      'update _tessera_catalog.hypertable set table_name = table_name',
      `insert into _tessera_catalog.request (operation, payload, caller)
       values ('add_dimension', '{"hypertable_id": 1, "column_name": "v", "num_slices": 3}', '${owner}')`,
      `insert into _tessera_catalog.request (operation, payload, caller) values ('open_schema', '{"relid": ${await db.value(`select 'app.metrics'::regclass::oid::int8`)}}', '${owner}')`,
      'select _tessera_functions.forget_hypertables(array[1])',
    ])
      await expect(session.query(sql), sql).rejects.toMatchObject({ code: '42501' });
  });

  test('may look', async () => {
    const session = await db.as(stranger);
    expect((await session.query(`select show_chunks('app.metrics')`)).rows).toHaveLength(3);
    expect((await session.query('select * from tessera_information.chunks')).rows).toHaveLength(3);
    expect((await session.query(`select * from tessera.doctor() where status = 'error'`)).rows).toEqual([]);
  });

  test('gains nothing from code an owner planted: it runs as the owner', async () => {
    const session = await db.as(owner);
    await session.query('create table app.seen (who text)');
    await session.query(
      `create function app.spy(v int) returns boolean language plpgsql as $$ begin insert into app.seen values (current_user); return true; end $$`,
    );
    await session.query('create table app.trap (time timestamptz not null, v int check (app.spy(v)))');
    await session.query(`select create_hypertable('app.trap', 'time')`);
    await db.query('set tessera.noted_2 = $$on$$');
    await db.query(`insert into app.trap values ('2024-01-01', 1)`);
    await db.query('reset tessera.noted_2');
    await db.query('truncate app.seen');
    expect(await db.value(`select drain_default_partition('app.trap')`)).toBe(1n);
    expect(await db.column('select distinct who from app.seen')).toEqual([owner]);
  });
});

describe('the owner', () => {
  test('reorders a chunk by an index, twice, without losing a row', async () => {
    const session = await db.as(owner);
    const chunk = '_tessera_internal._hyper_1_1_chunk';
    for (let i = 0; i < 2; i++) await session.query(`select reorder_chunk('${chunk}', 'app.metrics_pkey')`);
    expect(await db.column(`select k from ${chunk} order by ctid limit 3`)).toEqual([76, 77, 78]);
    expect(await db.value('select count(*)::int from app.metrics')).toBe(72);
    expect(
      await db.value(
        `select indisclustered from pg_index where indexrelid = '_tessera_internal._hyper_1_1_chunk_pkey'::regclass`,
      ),
    ).toBe(true);
    await session.query(`select reorder_chunk('${chunk}')`);
    expect((await db.error(`select reorder_chunk('${chunk}', 'pg_class_oid_index')`)).code).toBe('22023');
    expect((await db.error(`select reorder_chunk('app.metrics')`)).code).toBe('22023');
    expect((await db.error(`select reorder_chunk('_tessera_internal._hyper_1_2_chunk')`)).code).toBe('42704');
    expect((await db.error('select reorder_chunk(null)')).code).toBe('22023');
  });

  test('spreads chunks over tablespaces and moves one', async () => {
    await db.query('set allow_in_place_tablespaces = on');
    const [one, two] = [`one_${db.name}`, `two_${db.name}`];
    for (const name of [one, two]) {
      await db.query(`create tablespace ${name} location ''`);
      await db.query(`grant create on tablespace ${name} to ${owner}`);
      await db.query(`select attach_tablespace('${name}', 'app.metrics')`);
    }
    expect(await db.column(`select show_tablespaces('app.metrics')::text`)).toEqual([one, two]);
    expect((await db.error(`select attach_tablespace('${one}', 'app.metrics')`)).code).toBe('TS140');
    expect((await db.error(`select attach_tablespace('nowhere', 'app.metrics')`)).code).toBe('42704');
    await db.query(`insert into app.metrics values ('2025-01-01', 1, 1)`);
    await db.query(`insert into app.metrics values ('2025-01-02', 1, 1)`);
    expect(
      await db.column(
        `select chunk_tablespace::text from tessera_information.chunks where range_start >= '2025-01-01' order by 1`,
      ),
    ).toEqual([one, two].sort());
    await db.query(`select move_chunk('_tessera_internal._hyper_1_2_chunk', '${one}', '${two}')`);
    expect(
      await db.value(
        `select chunk_tablespace::text from tessera_information.chunks where chunk_name = '_hyper_1_2_chunk'`,
      ),
    ).toBe(one);
    expect(
      await db.value(
        `select distinct t.spcname::text from pg_index i join pg_class c on c.oid = i.indexrelid join pg_tablespace t on t.oid = c.reltablespace where i.indrelid = '_tessera_internal._hyper_1_2_chunk'::regclass`,
      ),
    ).toBe(two);
    expect(await db.value(`select detach_tablespace('${one}', 'app.metrics')`)).toBe(1);
    expect((await db.error(`select detach_tablespace('${one}', 'app.metrics')`)).code).toBe('TS150');
    expect(await db.value(`select detach_tablespaces('app.metrics')`)).toBe(1);
    await db.query(`select drop_chunks('app.metrics', newer_than => '2025-01-01')`);
    await db.query(`select move_chunk('_tessera_internal._hyper_1_2_chunk', 'pg_default')`);
    expect(await db.value('select count(*)::int from app.metrics')).toBe(72);
    for (const name of [one, two]) await db.query(`drop tablespace ${name}`);
  });
});

describe('the catalog follows', () => {
  const names = () =>
    db.query(
      'select schema_name, table_name, column_name from _tessera_catalog.hypertable h join _tessera_catalog.dimension d on d.hypertable_id = h.id and h.id = 1',
    );

  test('renames of the table, its columns and its schema', async () => {
    await db.query('alter table app.metrics rename to readings');
    await db.query('alter table app.readings rename column time to at');
    await db.query('alter schema app rename to application');
    expect(await names()).toEqual([{ schema_name: 'application', table_name: 'readings', column_name: 'at' }]);
    await db.query(`insert into application.readings values ('2026-01-01', 1, 1)`);
    await db.query(`select drop_chunks('application.readings', newer_than => '2026-01-01')`);
    await db.query('alter table application.readings set schema public');
    expect(await names()).toEqual([{ schema_name: 'public', table_name: 'readings', column_name: 'at' }]);
  });

  test('a change of owner, down to the chunks', async () => {
    await db.query(`alter table readings owner to ${stranger}`);
    expect(
      await db.column(
        `select distinct pg_get_userbyid(c.relowner)::text from pg_partition_tree('readings') t join pg_class c on c.oid = t.relid`,
      ),
    ).toEqual([stranger]);
    const session = await db.as(stranger);
    await session.query(`insert into readings values ('2027-01-01', 1, 1)`);
    expect(await db.column(`select show_chunks('readings', newer_than => '2026-06-01')::text`)).toHaveLength(1);
  });

  test('DROP TABLE, and nothing is left', async () => {
    await db.query('drop table readings');
    expect(await db.value('select count(*)::int from _tessera_catalog.hypertable where id = 1')).toBe(0);
    expect(await db.value('select count(*)::int from _tessera_catalog.chunk where hypertable_id = 1')).toBe(0);
    expect(await db.value(`select count(*)::int from pg_class where relname like '\\_hyper\\_1\\_%'`)).toBe(0);
    expect(await db.value(`select count(*)::int from pg_proc where proname like '\\_hyper\\_1\\_%'`)).toBe(0);
  });
});

describe('maintenance by a superuser', () => {
  test('gives code in the tables of others no way to the rights of the superuser', async () => {
    const mallory = await db.role('mallory');
    await db.query(`create schema trap authorization ${mallory}`);
    const session = await db.as(mallory);
    // An index expression runs whenever a row is written, as whoever writes it.
    await session.query(`
      create function trap.climb(v int) returns void language plpgsql as $$
      begin
        perform set_config('role', 'none', false);
        execute 'alter role ${mallory} superuser';
      end $$;
      create function trap.harmless(v int) returns int language plpgsql immutable as $$
      begin
        begin
          perform trap.climb(v);
        exception when others then null;
        end;
        return v;
      end $$;
      create table trap.metrics (time timestamptz not null, v int);
      select create_hypertable('trap.metrics', 'time', chunk_time_interval => interval '1 day');
      insert into trap.metrics values ('2024-01-01', 1), ('2024-01-01', 2);
      create index on trap.metrics (trap.harmless(v))`);
    const chunk = await db.value(`select show_chunks('trap.metrics')::text`);
    const holder = await db.connect();
    await holder.query('begin; lock table trap.metrics in row exclusive mode');
    await session.query(`insert into trap.metrics values ('2024-01-05', 3)`);
    await holder.query('rollback');
    expect(await db.value(`select drain_default_partition('trap.metrics')`)).toBe(1n);
    await db.query(`select create_chunks('trap.metrics', '2024-02-01'::timestamptz, '2024-02-03'::timestamptz)`);
    await db.query(`select reorder_chunk('${chunk}', 'trap.metrics_time_idx')`);
    expect(await db.value('select rolsuper from pg_roles where rolname = $1', [mallory])).toBe(false);
    expect(await db.value('select current_user::text')).toBe('postgres');
    expect(await db.value('select count(*)::int from trap.metrics')).toBe(3);
    expect(
      await db.column(
        `select distinct tableowner::text from pg_tables where tablename like (select associated_table_prefix || '%' from _tessera_catalog.hypertable where schema_name = 'trap')`,
      ),
    ).toEqual([mallory]);
  });

  test('works for a member of the role that owns the hypertable', async () => {
    const [owner, member] = [await db.role('owning'), await db.role('member')];
    await db.query(`grant ${owner} to ${member}; create schema shared authorization ${owner}`);
    const [mine, theirs] = [await db.as(owner), await db.as(member)];
    await mine.query(`
      create table shared.metrics (time timestamptz not null);
      select create_hypertable('shared.metrics', 'time', chunk_time_interval => interval '1 day')`);
    await theirs.query(`select create_chunks('shared.metrics', '2024-02-01'::timestamptz, '2024-02-03'::timestamptz)`);
    expect((await theirs.query(`select drain_default_partition('shared.metrics') as n`)).rows).toEqual([{ n: 0n }]);
    expect(await db.value(`select count(*)::int from show_chunks('shared.metrics')`)).toBe(2);
  });
});

test('a publication of all tables hinders nothing', async () => {
  await db.query(`
    create publication everything for all tables;
    create table published (time timestamptz primary key);
    select create_hypertable('published', 'time', chunk_time_interval => interval '1 day')`);
  await db.query(`insert into published values ('2024-01-01'), ('2024-01-05'), ('2024-01-09')`);
  await db.query(`create index published_time on published (time)`);
  const id = await db.value(`select add_reorder_policy('published', 'published_time')`);
  await db.query(`call run_job(${id})`);
  expect(await db.column(`select drop_chunks('published', older_than => '2024-01-03')`)).toHaveLength(1);
  await db.query(`select remove_reorder_policy('published')`);
  await db.query('drop table published; drop publication everything');
  expect(await db.query(`select * from tessera.doctor() where status = 'error'`)).toEqual([]);
});

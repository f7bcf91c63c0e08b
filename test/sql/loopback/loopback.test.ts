import { beforeAll, describe, expect, test } from 'vitest';
import { useDatabase } from '../../harness/database.ts';

const db = useDatabase();
let owner: string;
let reader: string;
let stranger: string;
let other: string;

beforeAll(async () => {
  [owner, reader, stranger, other] = [
    await db.role('owner'),
    await db.role('reader'),
    await db.role('stranger'),
    await db.role('other'),
  ];
  for (const [role, schema] of [
    [owner, 'app'],
    [other, 'elsewhere'],
  ])
    await db.query(`create schema ${schema} authorization ${role}`);
  await db.query(`grant usage on schema app to public`);
  for (const [role, schema] of [
    [owner, 'app'],
    [other, 'elsewhere'],
  ] as const) {
    const session = await db.as(role);
    await session.query(`create table ${schema}.m (time timestamptz not null, device int, v int, secret text)`);
    await session.query(`select create_hypertable('${schema}.m', 'time', chunk_time_interval => interval '1 day')`);
    await session.query(
      `insert into ${schema}.m select '2024-01-01'::timestamptz + i * interval '1 min', i % 2, i, 'of ${schema}' from generate_series(1, 100) i`,
    );
    await session.query(`select set_compression('${schema}.m', compress_segmentby => 'device')`);
    await session.query(`select compress_chunk(c) from show_chunks('${schema}.m') c`);
    await session.end();
  }
});

const remoteOf = (table: string): Promise<string> =>
  db.value(`select k.remote::text from _tessera_catalog.compressed_chunk k join _tessera_catalog.chunk c on c.id = k.chunk_id
    join _tessera_catalog.hypertable h on h.id = c.hypertable_id where h.relid = '${table}'::regclass`);

describe('who reads compressed chunks', () => {
  test('an owner who is no superuser compresses and reads', async () => {
    const session = await db.as(owner);
    expect((await session.query('select sum(v)::int as s from app.m')).rows[0].s).toBe(5050);
    await session.query('update app.m set v = v + 1 where device = 1');
    expect((await session.query('select sum(v)::int as s from app.m')).rows[0].s).toBe(5100);
    await session.query('update app.m set v = v - 1 where device = 1');
  });

  test('a role with SELECT reads, with SELECT on some columns those, and without nothing', async () => {
    const session = await db.as(reader);
    await expect(session.query('select count(*) from app.m')).rejects.toMatchObject({ code: '42501' });
    await db.query(`grant select (time, v) on app.m to ${reader}`);
    expect((await session.query('select sum(v)::int as s from app.m')).rows[0].s).toBe(5050);
    await expect(session.query('select secret from app.m')).rejects.toMatchObject({ code: '42501' });
    await db.query(`grant select on app.m to ${reader}`);
    expect((await session.query('select min(secret) as s from app.m')).rows[0].s).toBe('of app');
    await expect(session.query('delete from app.m')).rejects.toMatchObject({ code: '42501' });
    await expect(session.query('update app.m set v = 0')).rejects.toMatchObject({ code: '42501' });
    await db.query(`grant update (v) on app.m to ${reader}`);
    await session.query('update app.m set v = 1000 where v = 100');
    await session.query('update app.m set v = 100 where v = 1000');
  });

  test('nobody reaches the parts of a chunk but its owner', async () => {
    const session = await db.as(reader);
    const parts =
      await db.column(`select unnest(array[k.tail, k.remote, k.residue, k.rows_view, s.compress_relid])::text
      from _tessera_catalog.compressed_chunk k join _tessera_catalog.compression_settings s on s.chunk_id = k.chunk_id`);
    expect(parts).toHaveLength(10);
    for (const part of parts)
      await expect(session.query(`select * from ${part}`)).rejects.toMatchObject({ code: '42501' });
  });

  test('a view of another role over the hypertable reads with the rights of its owner', async () => {
    await db.query(`create view app.summary as select sum(v)::int as s from app.m`);
    await db.query(`grant select on app.summary to ${stranger}`);
    const session = await db.as(stranger);
    expect((await session.query('select s from app.summary')).rows[0].s).toBe(5050);
  });
});

describe('a superuser', () => {
  test('enables and compresses for an owner, whose everything is then', async () => {
    const session = await db.as(owner);
    await session.query(
      'create table app.k (time timestamptz not null, device int, v int, primary key (device, time))',
    );
    await session.query(`select create_hypertable('app.k', 'time')`);
    await session.query(
      `insert into app.k select '2024-01-01'::timestamptz + i * interval '1 s', i % 2, i from generate_series(1, 10) i`,
    );
    await db.query(`select set_compression('app.k', compress_segmentby => 'device')`);
    await db.query(`select compress_chunk(c) from show_chunks('app.k') c`);
    expect(
      await db.column(`select c.relname::text from pg_class c where relnamespace = '_tessera_internal'::regnamespace
      and relkind in ('r', 'p', 'f', 'v') and relname like (select associated_table_prefix || '%' from _tessera_catalog.hypertable where relid = 'app.k'::regclass)
      and relowner <> '${owner}'::regrole`),
    ).toEqual([]);
    await expect(session.query(`insert into app.k values ('2024-01-01 00:00:01', 1, 1)`)).rejects.toMatchObject({
      code: '23505',
    });
    expect(
      (await session.query(`insert into app.k values ('2024-01-01 00:00:01', 1, 1) on conflict do nothing`)).rowCount,
    ).toBe(0);
    await db.query('update app.k set v = v + 1');
    expect((await session.query('select sum(v)::int as s from app.k')).rows[0].s).toBe(65);
    await db.query(`select compress_chunk(c) from show_chunks('app.k') c`);
    await db.query(`select decompress_chunk(c) from show_chunks('app.k') c`);
    expect((await session.query('select sum(v)::int as s from app.k')).rows[0].s).toBe(65);
    await session.query('drop table app.k');
  });

  test('does not lend its rights to code of the owner', async () => {
    const session = await db.as(owner);
    await session.query('create table app.whoami (name text)');
    await session.query(`create function app.spy(x int) returns boolean language plpgsql as
      $$ begin insert into app.whoami values (current_user); return true; end $$`);
    await session.query('create table app.trap (time timestamptz not null, v int, check (app.spy(v)))');
    await session.query(`select create_hypertable('app.trap', 'time')`);
    await session.query(
      `insert into app.trap select '2024-01-01'::timestamptz + i * interval '1 s', i from generate_series(1, 5) i`,
    );
    await db.query(`select set_compression('app.trap')`);
    for (const call of ['compress_chunk', 'decompress_chunk', 'compress_chunk'])
      await db.query(`select ${call}(c) from show_chunks('app.trap') c`);
    await db.query(`update app.trap set v = 9 where v = 3`);
    await db.query(`insert into app.trap values ('2024-01-01', 7)`);
    await db.query('truncate app.whoami');
    await db.query(`select compress_chunk(c) from show_chunks('app.trap') c`);
    await db.query(`select decompress_chunk(c) from show_chunks('app.trap') c`);
    await db.query(`alter table app.trap add column w int default 5`);
    expect(new Set(await db.column('select name from app.whoami'))).toEqual(new Set([owner]));
    await session.query('drop table app.trap');
  });
});

describe('the loopback server', () => {
  test('is usable by its owner only, and its password is shown to nobody without rights', async () => {
    const session = await db.as(reader);
    const servers = (await session.query(`select srvname from pg_foreign_server where srvtype = 'tessera loopback'`))
      .rows;
    expect(servers).toHaveLength(2);
    for (const { srvname } of servers) {
      await expect(session.query(`create foreign table pg_temp.x (v int) server ${srvname}`)).rejects.toMatchObject({
        code: '42501',
      });
      await expect(session.query(`select * from dblink('${srvname}', 'select 1') as t(x int)`)).rejects.toMatchObject({
        code: '42501',
      });
    }
    expect(
      (await session.query(`select umoptions from pg_user_mappings where srvname like 'tessera%'`)).rows.every(
        (r) => r.umoptions === null,
      ),
    ).toBe(true);
    await expect(session.query('select * from pg_user_mapping')).rejects.toMatchObject({ code: '42501' });
    const own = await db.as(owner);
    expect(
      (await own.query(`select umoptions from pg_user_mappings where srvname like 'tessera%'`)).rows.every(
        (r) => r.umoptions === null,
      ),
    ).toBe(true);
  });

  test('leads an owner who turns his foreign table elsewhere to what he may read anyway', async () => {
    const [mine, theirs] = [await remoteOf('app.m'), await remoteOf('elsewhere.m')];
    const session = await db.as(owner);
    const view = theirs.replace('_remote', '_rows').split('.')[1];
    const turn = `alter foreign table ${mine} options (set table_name '${view}')`;
    await expect(session.query(turn)).rejects.toMatchObject({ code: '0A000' });
    // As on a server where event triggers are not allowed, which keep him from it.
    await session.query(`begin; set local tessera.maintenance = 'on'`);
    await session.query(turn);
    await expect(session.query('select * from app.m')).rejects.toMatchObject({ code: '42501' });
    await session.query('rollback');
    expect((await session.query('select count(*)::int as n from app.m')).rows[0].n).toBe(100);
  });

  test('a login is a member of its owner and of nothing else', async () => {
    const rows = await db.query(`select m.rolname as login, array_agg(r.rolname::text) as of from pg_auth_members x
      join pg_roles r on r.oid = x.roleid join pg_roles m on m.oid = x.member
      where m.rolname like 'tessera\\_loopback\\_' || (select oid from pg_database where datname = current_database()) || '\\_%'
      group by 1 order by 2`);
    expect(rows.map((r) => r.of)).toEqual([[other], [owner]].sort());
  });

  test('another owner gets another server, and the chunks stay readable', async () => {
    await db.query(`grant usage, create on schema app to ${other}`);
    await db.query(`alter table app.m owner to ${other}`);
    expect(await db.value('select sum(v)::int from app.m')).toBe(5050);
    const session = await db.as(other);
    expect((await session.query('select sum(v)::int as s from app.m')).rows[0].s).toBe(5050);
    await session.query(`delete from app.m where v = 100`);
    await session.query(`select compress_chunk(c) from show_chunks('app.m') c`);
    expect((await session.query('select sum(v)::int as s from app.m')).rows[0].s).toBe(4950);
    await session.query(`insert into app.m values ('2024-01-01 01:40', 0, 100, 'of app')`);
    await db.query(`alter table app.m owner to ${owner}`);
    const back = await db.as(owner);
    expect((await back.query('select sum(v)::int as s from app.m')).rows[0].s).toBe(5050);
  });

  test('refuses to work for a session that hides who it is', async () => {
    const session = await db.connect();
    await session.query(`load 'postgres_fdw'`);
    await session.query(`set postgres_fdw.application_name = 'somebody'`);
    await expect(session.query('select count(*) from app.m')).rejects.toMatchObject({
      code: '55000',
      hint: 'Reset postgres_fdw.application_name.',
    });
    await session.end();
  });

  test('doctor says where it leads', async () => {
    const rows = await db.query(`select status, detail from tessera.doctor() where check_name = 'loopback server'`);
    expect(rows.map((r) => r.status)).toEqual(['ok', 'ok']);
  });

  test('repair is for the owner of the extension, and changes nothing but the password', async () => {
    const session = await db.as(owner);
    await expect(session.query('select tessera.repair_loopback()')).rejects.toMatchObject({ code: '42501' });
    expect(await db.value('select tessera.repair_loopback()')).toBe(2);
    expect(await db.value('select tessera.repair_loopback()')).toBe(2);
    expect(await db.value('select count(*)::int from app.m')).toBe(100);
  });
});

describe('a copy of the database', () => {
  test('does not read the database it was copied from, and reads its own chunks once repaired', async () => {
    const copy = `${db.name}_copy`;
    const admin = await db.connect();
    await db.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid not in (pg_backend_pid(), ${(await admin.query('select pg_backend_pid() as p')).rows[0].p})`,
    );
    await admin.end();
    const { default: pg } = await import('pg');
    const outside = new pg.Client({
      ...(({ host, port, user }) => ({ host, port, user }))(db.client),
      database: 'postgres',
    });
    await outside.connect();
    // Sessions of the database itself would be in the way of copying it.
    await db.client.end();
    await outside.query(`create database ${copy} template ${db.name}`);
    const inCopy = new pg.Client({ ...(({ host, port, user }) => ({ host, port, user }))(db.client), database: copy });
    await inCopy.connect();
    try {
      await expect(inCopy.query('select count(*) from app.m')).rejects.toMatchObject({ code: '08001' });
      const doctor = await inCopy.query(
        `select status, hint from tessera.doctor() where check_name = 'loopback server'`,
      );
      expect(doctor.rows[0]).toEqual({ status: 'error', hint: 'select tessera.repair_loopback();' });
      expect((await inCopy.query('select tessera.repair_loopback() as n')).rows[0].n).toBe(2);
      expect((await inCopy.query('select count(*)::int as n from app.m')).rows[0].n).toBe(100);
      await inCopy.query('delete from app.m');
      expect((await inCopy.query('select count(*)::int as n from app.m')).rows[0].n).toBe(0);
    } finally {
      await inCopy.query(`do $$ declare r record; begin for r in select rolname from pg_roles
        where rolname like 'tessera\\_loopback\\_' || (select oid from pg_database where datname = current_database()) || '\\_%'
        loop execute format('drop owned by %I; drop role %1$I', r.rolname); end loop; end $$`);
      await inCopy.end();
      await outside.query(`drop database ${copy} with (force)`);
      await outside.end();
    }
  });
});

import type pg from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import { useDatabase, failure } from '../../../harness/database.ts';
import { expectSame } from '../../../harness/twin.ts';

const db = useDatabase();

/** 4 chunks of a day, three of them compressed, of 3 hosts and 4,320 rows a host and day: slices and several segments. */
beforeAll(async () => {
  await db.query('create table m (time timestamptz not null, host text, v float8, n int, unique (host, time))');
  await db.query(`select create_hypertable('m', 'time', chunk_time_interval => interval '1 day')`);
  await db.query(
    `insert into m select '2024-01-01'::timestamptz + i / 3 * interval '20 s', 'h' || i % 3, i / 4.0, nullif(i % 7, 3)
     from generate_series(0, 51839) i`,
  );
  await db.query('create table twin as select * from m');
  await db.query(`select set_compression('m', compress_segmentby => 'host', compress_orderby => 'time desc')`);
  await db.query(`select compress_chunk(c) from show_chunks('m', older_than => '2024-01-04'::timestamptz) c`);
  await db.query('create table hosts (name text primary key, room int)');
  await db.query(`insert into hosts select 'h' || i, i from generate_series(0, 2) i`);
  await db.query('analyze m, twin, hosts');
});

const plan = async (sql: string): Promise<string> =>
  (await db.query(`explain ${sql}`)).map((r) => r['QUERY PLAN']).join('\n');

const same = async (sql: string): Promise<void> =>
  expect(await db.query(sql.replaceAll('$t', 'tessera_read.m')), sql).toEqual(
    await db.query(sql.replaceAll('$t', 'twin')),
  );

describe('a view of tessera_read', () => {
  test('has the name, the columns and the rows of the hypertable, and no loopback connection', async () => {
    await expectSame(db, 'm', 'twin');
    expect(await plan('select * from tessera_read.m')).not.toContain('Foreign Scan');
    const session = await db.connect();
    await session.query('set search_path = tessera_read, public');
    expect((await session.query('select count(*)::int as n from m')).rows).toEqual([{ n: 51840 }]);
    expect((await session.query('select count(*)::int as n from postgres_fdw_get_connections()')).rows).toEqual([
      { n: 0 },
    ]);
  });

  test('reads the chunks and slices a condition on time leaves over, with the settings a session begins with', async () => {
    const where = `time >= '2024-01-02 03:00' and time < '2024-01-02 04:00'`;
    const shown = await plan(`select * from tessera_read.m where ${where}`);
    expect(shown.match(/_segments/g)?.length).toBe(1);
    expect(shown.match(/_residue/g)?.length).toBe(1);
    await same(`select count(*), sum(n) from $t where ${where}`);
    await same(`select count(*) from $t where time = '2024-01-02 03:00'`);
    await same(`select count(*), min(time), max(time) from $t where time < '2024-01-01'`);
  });

  test('hands constants, subqueries and values of a lateral join to the index of the segments', async () => {
    // A chunk of this size has too few segments for an index to pay.
    await db.query('set enable_seqscan = off');
    for (const condition of [
      `host = 'h1'`,
      `host in ('h1', 'h2')`,
      `host = (select name from hosts where room = 1)`,
      `host = any (array(select name from hosts where room < 2))`,
    ]) {
      expect(await plan(`select * from tessera_read.m where ${condition}`), condition).toMatch(/Index Cond: \(\(?host/);
      await same(`select count(*), sum(v) from $t where ${condition}`);
    }
    const last = `select h.name, l.* from hosts h cross join lateral
      (select * from $t m where m.host = h.name order by time desc limit 1) l order by 1`;
    expect(await plan(last.replaceAll('$t', 'tessera_read.m'))).toMatch(/Index Cond: \(\(?host/);
    await db.query('reset enable_seqscan');
    await same(last);
    await same(
      `select room, count(*), sum(n) from $t join hosts on name = host where host in (select name from hosts where room > 0) group by 1`,
    );
  });

  test('decodes the columns that are asked for and no others', async () => {
    const shown = (await db.query(`explain verbose select sum(n) from tessera_read.m`))
      .map((r) => r['QUERY PLAN'])
      .join('\n');
    expect(shown).toContain('decode_int4_plain');
    expect(shown).not.toContain('decode_float8_plain');
  });

  test('is read by parallel workers, which can run its functions from 17 on', async () => {
    const session = await db.connect();
    for (const { name } of await db.query(
      'select compress_relid::text as name from _tessera_catalog.compression_settings where chunk_id is not null',
    ))
      await session.query(`alter table ${name} set (parallel_workers = 2)`);
    await session.query(
      'set parallel_setup_cost = 0; set parallel_tuple_cost = 0; set max_parallel_workers_per_gather = 2',
    );
    const shown = (await session.query('explain select sum(v), count(*) from tessera_read.m')).rows
      .map((r) => r['QUERY PLAN'])
      .join('\n');
    const workers = /(Partial Aggregate|Parallel).*_segments/s;
    if ((await db.value(`select current_setting('server_version_num')::int`)) >= 170000) expect(shown).toMatch(workers);
    expect((await session.query('select sum(v), count(*) from tessera_read.m')).rows).toEqual(
      await db.query('select sum(v), count(*) from twin'),
    );
  });

  test('shows the inserts of its transaction, and says that it does not show its changes of compressed rows', async () => {
    const session = await db.connect();
    await session.query('begin');
    await session.query(`insert into m values ('2024-01-01 00:00:05', 'h9', 1, 1)`);
    expect((await session.query(`select v from tessera_read.m where host = 'h9'`)).rows).toEqual([{ v: 1 }]);
    await session.query(`update m set v = 0 where host = 'h1' and time = '2024-01-01'`);
    await session.query('savepoint s');
    const said = await failure(session, 'select count(*) from tessera_read.m');
    expect(said).toMatchObject({
      code: '55000',
      hint: 'Commit first, or read the hypertable itself: select * from public.m;',
    });
    await session.query('rollback to s');
    await session.query('select * from public.m limit 1');
    const other = await db.connect();
    expect(
      (await other.query(`select count(*)::int as n from tessera_read.m where v = 0 and host = 'h1'`)).rows,
    ).toEqual([{ n: 0 }]);
    await session.query('commit');
    await db.query(`insert into twin values ('2024-01-01 00:00:05', 'h9', 1, 1)`);
    await db.query(`update twin set v = 0 where host = 'h1' and time = '2024-01-01'`);
    await expectSame(db, 'm', 'twin');
  });

  test('counts a change of compressed rows when it is part of the snapshot', async () => {
    const old = await db.connect();
    await old.query('begin isolation level repeatable read');
    const count = `select count(*)::int as n, sum(n)::int as s from tessera_read.m`;
    const before = (await old.query(count)).rows;
    for (const t of ['m', 'twin'])
      await db.query(`update ${t} set n = 1000 where host = 'h2' and time < '2024-01-01 01:00'`);
    for (const t of ['m', 'twin']) await db.query(`delete from ${t} where host = 'h0' and time < '2024-01-01 01:00'`);
    expect((await old.query(count)).rows).toEqual(before);
    await old.query('commit');
    expect((await old.query(count)).rows).not.toEqual(before);
    await expectSame(db, 'm', 'twin');
  });

  test('fails with 40001 rather than read too little where chunks changed after the snapshot', async () => {
    const old = await db.connect();
    const begin = async (): Promise<void> => {
      await old.query('begin isolation level repeatable read');
      await old.query('select 1 from hosts');
    };
    const expectOld = async (): Promise<void> => {
      const { code, hint, message, where } = await failure(
        old,
        `select count(*) from tessera_read.m where time < '2024-01-05'`,
      );
      expect({ code, hint }, `${message} ${where}`).toEqual({ code: '40001', hint: 'Retry the transaction.' });
      await old.query('rollback');
      expect((await old.query('select count(*) from tessera_read.m')).rows).toEqual(
        await db.query('select count(*) from twin'),
      );
    };
    await begin();
    // What was changed above goes back into segments.
    await db.query(`select compress_chunk(c) from show_chunks('m', older_than => '2024-01-02'::timestamptz) c`);
    await expectOld();
    await begin();
    await db.query(`select decompress_chunk(c) from show_chunks('m', older_than => '2024-01-02'::timestamptz) c`);
    await expectOld();
    await begin();
    await db.query(`select compress_chunk(c) from show_chunks('m', older_than => '2024-01-02'::timestamptz) c`);
    await expectOld();
  });

  test('a prepared statement goes on after chunks were compressed and decompressed', async () => {
    const session = await db.connect();
    await session.query(`prepare p as select count(*)::int as n, sum(n)::int as s from tessera_read.m`);
    const expected = await db.query('select count(*)::int as n, sum(n)::int as s from twin');
    expect((await session.query('execute p')).rows).toEqual(expected);
    for (const act of ['decompress_chunk', 'compress_chunk']) {
      await db.query(`select ${act}(c) from show_chunks('m', older_than => '2024-01-02'::timestamptz) c`);
      expect((await session.query('execute p')).rows, act).toEqual(expected);
    }
  });

  test('cannot be written to, and leaves what belongs to it alone', async () => {
    expect(await db.error(`insert into tessera_read.m values (now(), 'x', 1, 1)`)).toMatchObject({ code: '55000' });
    const { name } =
      (await db.query('select reader::text as name from _tessera_catalog.compressed_chunk limit 1'))[0] ?? {};
    expect((await db.error(`drop view ${name}`)).code).toBe('0A000');
    expect((await db.error(`alter view ${name} rename to x`)).code).toBe('0A000');
    await expectSame(db, 'm', 'twin');
  });
});

describe('whoever may read the hypertable reads the view, and nobody else', () => {
  let stranger: pg.Client;
  let name: string;

  beforeAll(async () => {
    name = await db.role('reader');
    stranger = await db.connect(name);
  });

  test('neither the view nor what it is made of, whatever is tried', async () => {
    const readers = (await db.query('select reader::text as name from _tessera_catalog.compressed_chunk')).map(
      (r) => r.name,
    );
    const source = (await db.query('select source::text as name from _tessera_catalog.read_view'))[0]?.name;
    await stranger.query(
      'create function pg_temp.leak(v anyelement) returns bool language plpgsql cost 0.0001 as $$ begin raise notice $n$%$n$, v; return true; end $$',
    );
    const heard: string[] = [];
    stranger.on('notice', (n) => heard.push(n.message ?? ''));
    for (const from of ['tessera_read.m', source, ...readers])
      for (const where of [
        'true',
        'pg_temp.leak(v)',
        'pg_temp.leak(host)',
        `time < '2024-01-02' and pg_temp.leak(n)`,
        `host = 'h1' limit 1`,
      ]) {
        const code = await stranger.query(`select * from ${from} where ${where}`).then(
          (r) => r.rows.length,
          (e: pg.DatabaseError) => e.code,
        );
        // What contradicts the chunk is not even looked for.
        expect(
          from.endsWith('_read') && where.startsWith('time') ? [0, '42501'] : ['42501'],
          `${from} ${where}`,
        ).toContain(code);
      }
    // The heap part contradicts this, and is not run.
    expect((await failure(stranger, `select * from tessera_read.m where time < '2000-01-01'`)).code).toBe('42501');
    expect(heard).toEqual([]);
  });

  test('a right to single columns does not do, the right to the table does, until it is taken away', async () => {
    await db.query(`grant select (time, host) on m to ${name}`);
    expect((await failure(stranger, 'select time from tessera_read.m')).code).toBe('42501');
    await db.query(`grant select on m to ${name}`);
    expect((await stranger.query('select count(*) from tessera_read.m')).rows).toEqual(
      await db.query('select count(*) from twin'),
    );
    await db.query(`revoke select on m from ${name}`);
    expect((await failure(stranger, 'select count(*) from tessera_read.m')).code).toBe('42501');
  });

  test('another view does not lend its owner’s rights', async () => {
    await db.query('create view lent as select * from tessera_read.m');
    await db.query(`grant select on lent to ${name}`);
    expect((await failure(stranger, 'select count(*) from lent')).code).toBe('42501');
    await db.query('drop view lent');
  });

  test('row-level security that came later is not got round', async () => {
    await db.query(`grant select on m to ${name}`);
    await db.query(
      'alter event trigger tessera_row_security disable; alter event trigger tessera_ddl_command_end disable',
    );
    await db.query('alter table m enable row level security');
    expect(await failure(stranger, 'select count(*) from tessera_read.m')).toMatchObject({
      code: '0A000',
      hint: 'alter table public.m disable row level security;',
    });
    await db.query('alter table m disable row level security');
    await db.query(
      'alter event trigger tessera_row_security enable; alter event trigger tessera_ddl_command_end enable',
    );
    expect((await stranger.query('select count(*) from tessera_read.m')).rows).toEqual(
      await db.query('select count(*) from twin'),
    );
  });

  test('a hypertable of somebody’s own schema does not take a name of another table', async () => {
    const owner = await db.role('owner');
    await db.query(`create schema own authorization ${owner}`);
    const session = await db.connect(owner);
    await session.query('create table own.hosts (time timestamptz not null, v int)');
    await session.query(`select create_hypertable('own.hosts', 'time')`);
    await session.query(`select set_compression('own.hosts')`);
    await session.query(`insert into own.hosts select now() - i * interval '1 h', i from generate_series(1, 500) i`);
    await session.query(`select compress_chunk(c) from show_chunks('own.hosts') c`);
    expect((await session.query('select count(*)::int as n from tessera_read."own.hosts"')).rows).toEqual([{ n: 500 }]);
    expect(await db.query(`select to_regclass('tessera_read.hosts') as r`)).toEqual([{ r: null }]);
    expect((await failure(session, 'create table tessera_read.x ()')).code).toBe('42501');
    await session.query('drop table own.hosts');
    expect(await db.query(`select to_regclass('tessera_read."own.hosts"') as r`)).toEqual([{ r: null }]);
  });
});

describe('the view follows its hypertable', () => {
  const relation = async (): Promise<string | null> =>
    (await db.query(`select relation::text as r from _tessera_catalog.read_view`))[0]?.r ?? null;

  test('a user’s view on it outlives what happens to chunks, and a column that is added', async () => {
    await db.query('create view on_it as select host, count(*) as n from tessera_read.m group by host');
    await db.query(`select decompress_chunk(c) from show_chunks('m', older_than => '2024-01-02'::timestamptz) c`);
    await db.query(`select compress_chunk(c) from show_chunks('m', older_than => '2024-01-02'::timestamptz) c`);
    for (const t of ['m', 'twin']) await db.query(`alter table ${t} add column extra int default 5`);
    await expectSame(db, 'm', 'twin');
    expect(await db.query('select * from on_it order by 1')).toEqual(
      await db.query('select host, count(*) as n from twin group by host order by 1'),
    );
    await db.query('drop view on_it');
    for (const t of ['m', 'twin']) await db.query(`alter table ${t} drop column extra`);
    await expectSame(db, 'm', 'twin');
  });

  test('RENAME, SET SCHEMA, a view that was dropped, and compression that ends', async () => {
    await db.query('alter table m rename to renamed');
    expect(await relation()).toBe('tessera_read.renamed');
    await expectSame(db, 'renamed', 'twin');
    await db.query(
      'create schema elsewhere; alter table renamed set schema elsewhere; alter table elsewhere.renamed rename to m',
    );
    await expectSame(db, 'elsewhere.m', 'twin');
    await db.query('alter table elsewhere.m set schema public');
    await db.query('drop view tessera_read.m');
    expect(await db.value(`select create_read_view('m')::text`)).toBe('tessera_read.m');
    await expectSame(db, 'm', 'twin');
    await db.query(`select drop_chunks('m', older_than => '2024-01-02'::timestamptz)`);
    await db.query(`delete from twin where time < '2024-01-02'`);
    await expectSame(db, 'm', 'twin');
    await db.query(`select decompress_chunk(c, true) from show_chunks('m') c`);
    await expectSame(db, 'm', 'twin');
    await db.query(`select set_compression('m', false)`);
    expect(await relation()).toBe(null);
    expect(await db.error(`select create_read_view('m')`)).toMatchObject({ code: '0A000' });
    await db.query(`select set_compression('m', compress_segmentby => 'host')`);
    expect(await relation()).toBe('tessera_read.m');
    await db.query('drop table m');
    expect(await relation()).toBe(null);
    expect(await db.query(`select oid from pg_proc where pronamespace = 'tessera_read'::regnamespace`)).toEqual([]);
  });
});

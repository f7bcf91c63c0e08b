import { beforeAll, describe, expect, test } from 'vitest';
import { useDatabase } from '../../../harness/database.ts';

const db = useDatabase();

beforeAll(async () => {
  await db.query(
    `create table m (time timestamptz not null, "Host" text, v float8, doc json, twice float8 generated always as (v * 2) stored)`,
  );
  await db.query(`select create_hypertable('m', 'time')`);
});

const settings = (): Promise<Record<string, unknown>[]> =>
  db.query(`select segmentby::text, orderby::text, orderby_desc::text, orderby_nullsfirst::text
    from _tessera_catalog.compression_settings where relid = 'm'::regclass and chunk_id is null`);

const REFUSED: readonly [string, string, string][] = [
  [`compress_segmentby => 'nix'`, '42601', 'column "nix" of compress_segmentby does not exist'],
  [`compress_segmentby => 'host'`, '42601', 'column "host" of compress_segmentby does not exist'],
  [`compress_segmentby => '"Host", "Host"'`, '42601', 'duplicate column "Host" in compress_segmentby'],
  [`compress_segmentby => '"Host"', compress_orderby => '"Host"'`, '42601', 'cannot be in both'],
  [`compress_segmentby => 'time'`, '42601', 'time column "time" cannot be in compress_segmentby'],
  [`compress_segmentby => 'upper("Host")'`, '42601', 'unable to parse compress_segmentby'],
  [`compress_segmentby => '"Host" desc'`, '42601', 'unable to parse compress_segmentby'],
  [`compress_orderby => 'v using <'`, '42601', 'unable to parse compress_orderby'],
  [`compress_orderby => 'doc'`, '42883', 'column "doc" of type json cannot be in compress_orderby'],
  [`compress_segmentby => 'doc'`, '42883', 'column "doc" of type json cannot be in compress_segmentby'],
  [`compress_orderby => 'twice'`, '0A000', 'generated column "twice"'],
  [`compress => false, compress_orderby => 'v'`, '22023', 'cannot be combined with compress => false'],
];

describe('set_compression refuses', () => {
  for (const [options, state, message] of REFUSED)
    test(options, async () => {
      const e = await db.error(`select set_compression('m', ${options})`);
      expect(e.code).toBe(state);
      expect(e.message).toContain(message);
      expect(await settings()).toEqual([]);
    });

  test('null and what is no hypertable', async () => {
    expect((await db.error('select set_compression(null)')).code).toBe('22023');
    await db.query('create table plain (time timestamptz not null)');
    expect((await db.error(`select set_compression('plain')`)).code).toBe('TS001');
  });

  test('a role that does not own the hypertable', async () => {
    const session = await db.as(await db.role('nobody'));
    await expect(session.query(`select set_compression('m')`)).rejects.toMatchObject({ code: '42501' });
  });

  test('row-level security, exclusion constraints and foreign keys to it', async () => {
    await db.query('create table r (time timestamptz primary key)');
    await db.query(`select create_hypertable('r', 'time')`);
    await db.query('alter table r enable row level security');
    expect(await db.error(`select set_compression('r')`)).toMatchObject({
      code: '0A000',
      detail: 'It has row-level security.',
    });
    await db.query('alter table r disable row level security');
    await db.query('create table child (t timestamptz references r)');
    expect(await db.error(`select set_compression('r')`)).toMatchObject({
      code: '0A000',
      hint: 'Drop that foreign key.',
    });
    await db.query('drop table child');
    await db.query(`select set_compression('r')`);
    expect(await db.error('alter table r enable row level security')).toMatchObject({ code: '0A000' });
  });

  test('unique indexes that are partial, over expressions, or take nulls for equal', async () => {
    await db.query('create table u (time timestamptz not null, a int, b text)');
    await db.query(`select create_hypertable('u', 'time')`);
    for (const index of ['(time, a) where a > 0', '(time, lower(b))', '(time, a) nulls not distinct']) {
      await db.query(`create unique index odd on u ${index}`);
      expect(await db.error(`select set_compression('u', compress_segmentby => 'a, b')`)).toMatchObject({
        code: '0A000',
        detail: 'Its unique index "odd" is partial, over expressions, or takes nulls for equal.',
      });
      await db.query('drop index odd');
    }
  });

  test('keys with columns outside the lists, and foreign keys on other columns than segmentby', async () => {
    await db.query('create table dev (id int primary key)');
    await db.query('create table k (time timestamptz, a int references dev, b int, primary key (time, b))');
    await db.query(`select create_hypertable('k', 'time')`);
    expect(await db.error(`select set_compression('k', compress_segmentby => 'a')`)).toMatchObject({
      code: '0A000',
      message: 'column "b" of key "k_pkey" must be in compress_segmentby or compress_orderby',
    });
    expect(await db.error(`select set_compression('k', compress_orderby => 'b')`)).toMatchObject({
      code: '0A000',
      message: 'column "a" of foreign key "k_a_fkey" must be in compress_segmentby',
    });
    expect(
      await db.value(
        `select count(*)::int from pg_constraint where conrelid = 'k'::regclass and contype in ('p', 'f')`,
      ),
    ).toBe(2);
    await db.query(`select set_compression('k', compress_segmentby => 'a', compress_orderby => 'b')`);
    expect(
      await db.value(
        `select count(*)::int from pg_constraint where conrelid = 'k'::regclass and contype in ('p', 'f')`,
      ),
    ).toBe(0);
    await db.query(`insert into dev values (1)`);
    await db.query(`insert into k values ('2024-01-01', 1, 1), ('2024-03-01', 1, 1)`);
    expect((await db.error(`insert into k values ('2024-01-01', 1, 1)`)).code).toBe('23505');
    expect((await db.error(`insert into k values ('2024-01-01', 2, 2)`)).code).toBe('23503');
    expect((await db.error('delete from dev')).code).toBe('23503');
    await db.query(`select set_compression('k', false)`);
    expect(
      await db.column(
        `select conname::text from pg_constraint where conrelid = 'k'::regclass and contype in ('p', 'f') order by 1`,
      ),
    ).toEqual(['k_a_fkey', 'k_pkey']);
    expect((await db.error(`insert into k values ('2024-01-01', 1, 1)`)).code).toBe('23505');
    await db.query(`insert into k values ('2024-01-01', 1, 1) on conflict (time, b) do update set a = excluded.a`);
    expect((await db.error('delete from dev')).code).toBe('23503');
  });
});

describe('set_compression', () => {
  test('orders by time, newest first, and segments by nothing unless told', async () => {
    await db.query(`select set_compression('m')`);
    expect(await settings()).toEqual([
      { segmentby: null, orderby: '{time}', orderby_desc: '{t}', orderby_nullsfirst: '{t}' },
    ]);
  });
  test('keeps an option that is null and takes one that is given', async () => {
    await db.query(`select set_compression('m', compress_segmentby => '"Host"')`);
    await db.query(`select set_compression('m', compress_orderby => 'v asc nulls first, time')`);
    expect(await settings()).toEqual([
      { segmentby: '{Host}', orderby: '{v,time}', orderby_desc: '{f,f}', orderby_nullsfirst: '{t,f}' },
    ]);
  });
  test('takes the time column as it is ordered', async () => {
    await db.query(`select set_compression('m', compress_orderby => 'time asc')`);
    expect(await settings()).toMatchObject([{ orderby: '{time}', orderby_desc: '{f}' }]);
  });
  test('an empty text is no columns', async () => {
    await db.query(`select set_compression('m', compress_segmentby => '', compress_orderby => '')`);
    expect(await settings()).toMatchObject([{ segmentby: null, orderby: '{time}', orderby_desc: '{t}' }]);
  });
  test('twice is once, and disabling it twice as well', async () => {
    await db.query(`select set_compression('m')`);
    await db.query(`select set_compression('m', false)`);
    await db.query(`select set_compression('m', false)`);
    expect(await settings()).toEqual([]);
  });
  test('does not disable it while chunks are compressed', async () => {
    await db.query(`select set_compression('m', compress_segmentby => '"Host"')`);
    await db.query(`insert into m (time, "Host", v) values ('2024-01-01', 'a', 1)`);
    await db.query(`select compress_chunk(c) from show_chunks('m') c`);
    expect(await db.error(`select set_compression('m', false)`)).toMatchObject({
      code: '0A000',
      detail: 'It has 1 compressed chunk.',
    });
    const said = await db.notices(`select set_compression('m', compress_segmentby => '')`);
    expect(said.map((n) => n.severity)).toEqual(['WARNING']);
    await db.query(`insert into m (time, "Host", v) values ('2024-01-01 00:00:01', 'b', 2)`);
    await db.query(`select compress_chunk(c) from show_chunks('m') c`);
    expect(await db.column('select v from m order by time')).toEqual([1, 2]);
    await db.query(`select compress_chunk(c, recompress => true) from show_chunks('m') c`);
    expect(await db.column('select v from m order by time')).toEqual([1, 2]);
    expect(
      await db.value(`select segmentby::text from _tessera_catalog.compression_settings where chunk_id is not null`),
    ).toBe(null);
  });
});

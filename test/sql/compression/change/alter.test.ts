import { beforeAll, describe, expect, test } from 'vitest';
import { useDatabase } from '../../../harness/database.ts';
import { expectSame } from '../../../harness/twin.ts';

const db = useDatabase();

beforeAll(async () => {
  await db.query('create table m (time timestamptz not null, host text, v float8, note text, unique (host, time))');
  await db.query(`select create_hypertable('m', 'time', chunk_time_interval => interval '1 day')`);
  await db.query(
    `insert into m select '2024-01-01'::timestamptz + i * interval '1 min', 'h' || i % 3, i, nullif('n' || i % 5, 'n2') from generate_series(0, 2879) i`,
  );
  await db.query('create table twin as select * from m');
  await db.query(
    `select set_compression('m', compress_segmentby => 'host'), compress_chunk(c) from show_chunks('m', older_than => '2024-01-02'::timestamptz) c`,
  );
  await db.query(`update m set v = -1 where host = 'h1' and time < '2024-01-01 01:00'`);
  await db.query(`update twin set v = -1 where host = 'h1' and time < '2024-01-01 01:00'`);
});

const both = async (sql: string): Promise<void> => {
  await db.query(sql.replaceAll('$m', 'm'));
  await db.query(sql.replaceAll('$m', 'twin'));
  await expectSame(db, 'm', 'twin');
};

describe('ALTER TABLE of a hypertable with compressed chunks, without decompressing them', () => {
  test('ADD COLUMN', () => both('alter table $m add column a int'));
  test('ADD COLUMN with a default', () => both(`alter table $m add column b text not null default upper('x') || 1`));
  test('ADD COLUMN with a time as default', () => both(`alter table $m add column t timestamptz default '-infinity'`));
  test('ADD COLUMN with a volatile default gives every row its own', async () => {
    await db.query('alter table m add column r float8 default random()');
    expect(await db.value('select count(distinct r)::int from m')).toBe(2880);
    await db.query('alter table m drop column r');
    await expectSame(db, 'm', 'twin');
  });
  test('rows of each kind have the new columns when they are written', () =>
    both(`insert into $m (time, host, a) values ('2024-01-01 00:00:30', 'h1', 5), ('2024-01-02 00:00:30', 'h1', 6)`));
  test('UPDATE of the new columns', () =>
    both(`update $m set a = 7, b = 'y' where host = 'h2' and time < '2024-01-01 06:00'`));
  test('RENAME COLUMN, of segmentby and key columns too', async () => {
    for (const [old, renamed] of [
      ['note', 'remark'],
      ['host', 'machine'],
      ['v', 'Value'],
      ['time', 'at'],
    ])
      await both(`alter table $m rename column ${old} to "${renamed}"`);
    expect((await db.error(`insert into m (at, machine) values ('2024-01-01 00:01', 'h1')`)).code).toBe('23505');
    expect(await db.query(`select columns::text, definition from _tessera_catalog.chunk_key`)).toEqual([
      { columns: '{machine,at}', definition: 'UNIQUE (machine, at)' },
    ]);
    await both(`update $m set "Value" = 3 where machine = 'h0' and at < '2024-01-01 02:00'`);
  });
  test('DROP COLUMN', () => both('alter table $m drop column remark'));
  test('inserting after that, new and with the key of a compressed row', async () => {
    await both(`insert into $m (at, machine) values ('2024-01-01 00:00:32', 'h1')`);
    expect((await db.error(`insert into m (at, machine) values ('2024-01-01 00:01', 'h1')`)).code).toBe('23505');
  });
  test('DROP COLUMN of what chunks are segmented or ordered by is refused', async () => {
    expect(await db.error('alter table m drop column machine')).toMatchObject({
      code: '0A000',
      message: 'cannot drop column "machine", by which chunks are compressed',
    });
    await expectSame(db, 'm', 'twin');
  });
  test('SET NOT NULL looks into the segments', async () => {
    await both(`update $m set a = null where machine = 'h0'`);
    await db.query(`update m set a = 1 where at >= '2024-01-02' or machine <> 'h0'`);
    await db.query(`update twin set a = 1 where at >= '2024-01-02' or machine <> 'h0'`);
    await db.query(`select compress_chunk(c) from show_chunks('m', older_than => '2024-01-02'::timestamptz) c`);
    expect(await db.error('alter table m alter column a set not null')).toMatchObject({ code: '23502' });
    await both('update $m set a = 2 where a is null');
    await both('alter table $m alter column a set not null');
    await both('alter table $m alter column a drop not null');
  });
  test('ADD CHECK looks into the segments, and the check holds for updates', async () => {
    expect((await db.error('alter table m add constraint small check ("Value" < 1000)')).code).toBe('23514');
    await both('alter table $m add constraint small check ("Value" < 100000)');
    expect((await db.error(`update m set "Value" = 1e9 where machine = 'h1' and at = '2024-01-01 10:07'`)).code).toBe(
      '23514',
    );
    await both('alter table $m drop constraint small');
    await both(`update $m set "Value" = 1e9 where machine = 'h1' and at = '2024-01-01 10:07'`);
  });
  test('what cannot be done says so', async () => {
    expect((await db.error('alter table m alter column "Value" type numeric')).code).toBe('0A000');
    expect((await db.error('alter table m add column g float8 generated always as ("Value" * 2) stored')).code).toBe(
      '0A000',
    );
    expect((await db.error('alter table m add column n int not null')).code).toBe('23502');
    expect((await db.error('create unique index on m (at, machine)')).code).toBe('0A000');
    await expectSame(db, 'm', 'twin');
  });
  test('an index of the hypertable is made on heaps and tails', async () => {
    await db.query('create index on m (a)');
    await expectSame(db, 'm', 'twin');
  });
  test('all of it outlives recompression and decompression', async () => {
    await both(`insert into $m (at, machine, a) values ('2024-01-01 00:00:31', 'h9', 5)`);
    await db.query(`select compress_chunk(c) from show_chunks('m') c`);
    await expectSame(db, 'm', 'twin');
    await db.query(`select decompress_chunk(c) from show_chunks('m') c`);
    await expectSame(db, 'm', 'twin');
    await db.query(`select compress_chunk(c) from show_chunks('m') c`);
  });
  test('RENAME, SET SCHEMA and another schema for the chunks', async () => {
    await db.query('create schema s');
    await db.query('alter table m rename to mm');
    await db.query('alter table mm set schema s');
    await expectSame(db, 's.mm', 'twin');
    await db.query('alter schema _tessera_internal rename to elsewhere');
    await db.query('select tessera.sync_catalog()');
    await expectSame(db, 's.mm', 'twin');
    await db.query('alter schema elsewhere rename to _tessera_internal');
    await expectSame(db, 's.mm', 'twin');
    await db.query('alter table s.mm set schema public');
  });
});

describe('tables with more than plain columns', () => {
  test('generated columns are kept, and computed again on UPDATE', async () => {
    await db.query(
      'create table g (time timestamptz not null, v int, twice int generated always as (v * 2) stored, id bigint generated always as identity)',
    );
    await db.query(`select create_hypertable('g', 'time')`);
    await db.query(
      `insert into g (time, v) select '2024-01-01'::timestamptz + i * interval '1 s', i from generate_series(1, 10) i`,
    );
    await db.query('create table g_twin as select * from g');
    await db.query(`select set_compression('g'), compress_chunk(c) from show_chunks('g') c`);
    await expectSame(db, 'g', 'g_twin');
    await db.query('update g set v = 100 where v = 5');
    await db.query('update g set v = 200 where v = 6 and random() < 2');
    expect(await db.column('select twice from g where v >= 100 order by 1')).toEqual([200, 400]);
    await db.query('update g set v = v / 100 + 4 where v >= 100');
    await db.query(`select compress_chunk(c) from show_chunks('g') c`);
    await expectSame(db, 'g', 'g_twin');
    await db.query(`select decompress_chunk(c) from show_chunks('g') c`);
    await expectSame(db, 'g', 'g_twin');
  });

  test('columns that were dropped before leave no trace', async () => {
    await db.query('create table o (gone int, time timestamptz not null, also text, v int)');
    await db.query('alter table o drop column gone');
    await db.query(`select create_hypertable('o', 'time')`);
    await db.query('alter table o drop column also');
    await db.query(
      `insert into o select '2024-01-01'::timestamptz + i * interval '1 s', i from generate_series(1, 10) i`,
    );
    await db.query(`select set_compression('o'), compress_chunk(c) from show_chunks('o') c`);
    expect(await db.value('select sum(v)::int from o')).toBe(55);
    await db.query('update o set v = 0 where v > 5');
    expect(await db.value('select sum(v)::int from o')).toBe(15);
  });

  test('a hash dimension', async () => {
    await db.query('create table h (time timestamptz not null, device int, v int, primary key (device, time))');
    await db.query(`select create_hypertable('h', 'time', 'device', 2)`);
    await db.query(
      `insert into h select '2024-01-01'::timestamptz + i * interval '1 s', i % 9, i from generate_series(1, 900) i`,
    );
    await db.query('create table h_twin as select * from h');
    await db.query(`select set_compression('h', compress_segmentby => 'device')`);
    await db.query(`select compress_chunk(c) from show_chunks('h') c`);
    await expectSame(db, 'h', 'h_twin');
    await db.query("insert into h values (timestamptz '2024-01-01' + interval '0.5 s', 3, 0)");
    expect((await db.error(`insert into h values (timestamptz '2024-01-01' + interval '3 s', 3, 0)`)).code).toBe(
      '23505',
    );
    await db.query('delete from h where v = 0');
    await db.query('update h set v = v + 1 where device = 4');
    await db.query('update h_twin set v = v + 1 where device = 4');
    await expectSame(db, 'h', 'h_twin');
    await db.query(`select compress_chunk(c) from show_chunks('h') c`);
    await db.query(`select decompress_chunk(c) from show_chunks('h') c`);
    await expectSame(db, 'h', 'h_twin');
    await db.query(`select set_compression('h', false)`);
    expect(
      await db.value(`select count(*)::int from pg_constraint where conrelid = 'h'::regclass and contype = 'p'`),
    ).toBe(1);
  });

  test('integer, date and timestamp dimensions', async () => {
    for (const [name, type, value] of [
      ['ti', 'bigint', 'i * 1000'],
      ['td', 'date', `date '2024-01-01' + i / 10`],
      ['tt', 'timestamp', `timestamp '2024-01-01' + i * interval '1 min'`],
    ]) {
      await db.query(`create table ${name} (time ${type} not null, v int)`);
      await db.query(
        `select create_hypertable('${name}', 'time', chunk_time_interval => ${type === 'bigint' ? '1000000' : `interval '1 month'`})`,
      );
      await db.query(`insert into ${name} select ${value}, i from generate_series(1, 9000) i`);
      await db.query(`create table ${name}_twin as select * from ${name}`);
      await db.query(`select set_compression('${name}'), compress_chunk(c) from show_chunks('${name}') c`);
      await expectSame(db, name ?? '', `${name}_twin`);
      await db.query(`insert into ${name} select time, -1 from ${name} where v % 100 = 0`);
      await db.query(`insert into ${name}_twin select time, -1 from ${name}_twin where v % 100 = 0`);
      await db.query(`select compress_chunk(c) from show_chunks('${name}') c`);
      await expectSame(db, name ?? '', `${name}_twin`);
    }
  });

  test('a foreign key cascades to whole segments', async () => {
    await db.query('create table dev (id int primary key)');
    await db.query('insert into dev select generate_series(1, 3)');
    await db.query('create table f (time timestamptz not null, dev int references dev on delete cascade, v int)');
    await db.query(`select create_hypertable('f', 'time')`);
    await db.query(
      `insert into f select '2024-01-01'::timestamptz + i * interval '1 s', 1 + i % 3, i from generate_series(1, 90) i`,
    );
    await db.query(
      `select set_compression('f', compress_segmentby => 'dev'), compress_chunk(c) from show_chunks('f') c`,
    );
    expect((await db.error(`insert into f values ('2024-01-01', 9, 1)`)).code).toBe('23503');
    expect((await db.error('update f set dev = 9 where v = 1')).code).toBe('23503');
    await db.query('delete from dev where id = 2');
    expect(await db.column('select distinct dev from f order by 1')).toEqual([1, 3]);
    await db.query(`select decompress_chunk(c) from show_chunks('f') c`);
    await db.query('delete from dev where id = 3');
    expect(await db.column('select distinct dev from f order by 1')).toEqual([1]);
  });
});

import { beforeAll, describe, expect, test } from 'vitest';
import { useDatabase } from '../../../harness/database.ts';
import { expectSame } from '../../../harness/twin.ts';

const db = useDatabase();

const CHUNK = `(select c from show_chunks('m') c limit 1)`;

beforeAll(async () => {
  await db.query('create table m (time timestamptz not null, device int, v float8, note text)');
  await db.query(`select create_hypertable('m', 'time', chunk_time_interval => interval '1 day')`);
  await db.query(`insert into m select '2024-01-01'::timestamptz + i * interval '10 s', i % 4, sin(i), nullif('n' || i % 3, 'n1')
    from generate_series(0, 17279) i`);
  await db.query('create table twin as select * from m');
});

describe('compress_chunk', () => {
  test('needs compression to be enabled', async () => {
    expect(await db.error(`select compress_chunk(${CHUNK})`)).toMatchObject({
      code: '0A000',
      message: 'compression is not enabled on hypertable "public.m"',
    });
  });

  test('refuses null, what is no chunk, and strangers', async () => {
    await db.query(`select set_compression('m', compress_segmentby => 'device')`);
    expect((await db.error('select compress_chunk(null)')).code).toBe('22023');
    expect((await db.error(`select compress_chunk('m')`)).code).toBe('55000');
    expect((await db.error('select decompress_chunk(null)')).code).toBe('22023');
    expect((await db.error(`select compress_chunk('no_such_table')`)).code).toBe('42P01');
    const session = await db.as(await db.role('stranger'));
    for (const call of ['compress_chunk', 'decompress_chunk'])
      await expect(session.query(`select ${call}('_tessera_internal._hyper_1_1_chunk')`)).rejects.toMatchObject({
        code: '42501',
      });
  });

  test('returns the chunk, which keeps its name and rows', async () => {
    expect(await db.value(`select compress_chunk(${CHUNK})::text`)).toBe('_tessera_internal._hyper_1_1_chunk');
    await expectSame(db, 'm', 'twin');
    await expectSame(db, '_tessera_internal._hyper_1_1_chunk', `(select * from twin where time < '2024-01-02')`);
    expect(await db.value(`select status from _tessera_catalog.chunk where id = 1`)).toBe(1);
  });

  test('a second time says so, or is an error', async () => {
    const said = await db.notices(`select compress_chunk(${CHUNK})`);
    expect(said).toEqual([
      { severity: 'NOTICE', message: 'chunk "_tessera_internal._hyper_1_1_chunk" is already compressed' },
    ]);
    expect(await db.error(`select compress_chunk(${CHUNK}, if_not_compressed => false)`)).toMatchObject({
      code: '42710',
      message: 'chunk "_tessera_internal._hyper_1_1_chunk" is already compressed',
    });
  });

  test('makes segments of one device, in order, with their ends', async () => {
    const rows = await db.query(
      `select device, _ts_meta_count as n, _ts_meta_sequence_num as seq, _ts_meta_min_1 <= _ts_meta_max_1 as ends
       from _tessera_internal._hyper_1_1_segments where device = 1 order by seq`,
    );
    expect(rows.reduce((sum, r) => sum + r.n, 0)).toBe(2160);
    expect(rows.map((r) => r.seq)).toEqual(rows.map((_, i) => 10 * (i + 1)));
    expect(rows.every((r) => r.ends && r.n <= 1000)).toBe(true);
    expect(
      await db.value(`select bool_and(a._ts_meta_min_1 > b._ts_meta_max_1) from _tessera_internal._hyper_1_1_segments a
      join _tessera_internal._hyper_1_1_segments b on a.device = b.device and b._ts_meta_sequence_num > a._ts_meta_sequence_num`),
    ).toBe(true);
  });

  test('records sizes before and after', async () => {
    const [size] = await db.query('select * from _tessera_catalog.compression_chunk_size where chunk_id = 1');
    expect(size).toMatchObject({ numrows_pre_compression: 8640n });
    expect(Number(size?.compressed_heap_size) + Number(size?.compressed_toast_size)).toBeLessThan(
      Number(size?.uncompressed_heap_size) / 4,
    );
  });

  test('2500 rows of one group become segments of 1000, 1000 and 500 rows', async () => {
    await db.query('create table v (time timestamptz not null, g int)');
    await db.query(`select create_hypertable('v', 'time')`);
    await db.query(
      `insert into v select '2024-01-01'::timestamptz + i * interval '1 s', 1 from generate_series(1, 2500) i`,
    );
    await db.query(`select set_compression('v', compress_segmentby => 'g'), compress_chunk(c) from show_chunks('v') c`);
    const table = await db.value(`select s.compress_relid::text from _tessera_catalog.compression_settings s
      join _tessera_catalog.hypertable h on h.id = s.hypertable_id where h.relid = 'v'::regclass and s.chunk_id is not null`);
    expect(await db.column(`select _ts_meta_count from ${table} order by _ts_meta_sequence_num`)).toEqual([
      1000, 1000, 500,
    ]);
  });
});

describe('decompress_chunk', () => {
  test('gives back a heap with the indexes and rows it had', async () => {
    const shape = `select c.relkind::text, (select array_agg(i.indexrelid::regclass::text order by i.indexrelid::regclass::text) from pg_index i where i.indrelid = c.oid) as indexes
      from pg_class c where c.oid = '_tessera_internal._hyper_1_2_chunk'::regclass`;
    await db.query('create index own on _tessera_internal._hyper_1_2_chunk (v) where v > 0');
    const before = await db.query(shape);
    await db.query(`select compress_chunk('_tessera_internal._hyper_1_2_chunk')`);
    expect(await db.query(shape)).not.toEqual(before);
    expect(await db.value(`select decompress_chunk('_tessera_internal._hyper_1_2_chunk')::text`)).toBe(
      '_tessera_internal._hyper_1_2_chunk',
    );
    expect(await db.query(shape)).toEqual(before);
    await expectSame(db, 'm', 'twin');
    expect(
      await db.value(
        `select count(*)::int from pg_class where relname like '\\_hyper\\_1\\_2\\_%' and relkind in ('r', 'f', 'v', 'p')`,
      ),
    ).toBe(1);
    expect(await db.value('select count(*)::int from _tessera_catalog.compressed_chunk')).toBe(2);
  });

  test('of a chunk that is not compressed says so, or is an error', async () => {
    const said = await db.notices(`select decompress_chunk('_tessera_internal._hyper_1_2_chunk')`);
    expect(said.map((n) => n.message)).toEqual(['chunk "_tessera_internal._hyper_1_2_chunk" is not compressed']);
    expect((await db.error(`select decompress_chunk('_tessera_internal._hyper_1_2_chunk', false)`)).code).toBe('55000');
  });
});

describe('recompression', () => {
  test('merges new rows into the groups they belong to and leaves the others alone', async () => {
    const segments = '_tessera_internal._hyper_1_1_segments';
    const others = await db.query(`select _ts_meta_id as id from ${segments} where device <> 2 order by 1`);
    await db.query(
      `insert into m select '2024-01-01 06:00:05'::timestamptz + i * interval '1 min', 2, i, 'late' from generate_series(1, 20) i`,
    );
    await db.query(
      `insert into twin select '2024-01-01 06:00:05'::timestamptz + i * interval '1 min', 2, i, 'late' from generate_series(1, 20) i`,
    );
    await expectSame(db, 'm', 'twin');
    await db.query(`select compress_chunk(${CHUNK})`);
    await expectSame(db, 'm', 'twin');
    expect(await db.query(`select _ts_meta_id as id from ${segments} where device <> 2 order by 1`)).toEqual(others);
    expect(await db.value('select count(*)::int from _tessera_internal._hyper_1_1_tail')).toBe(0);
    expect(
      await db.value(`select count(*)::int - count(distinct (device, _ts_meta_sequence_num))::int from ${segments}`),
    ).toBe(0);
  });

  test('compresses groups and times that were not there before', async () => {
    const row = `values ('2024-01-01 23:59:59.999999'::timestamptz, 77, null::float8, 'x'), ('2024-01-01 00:00:00', null, 1, null)`;
    await db.query(`insert into m ${row}`);
    await db.query(`insert into twin ${row}`);
    await db.query(`select compress_chunk(${CHUNK})`);
    await expectSame(db, 'm', 'twin');
    expect(await db.value('select count(*)::int from m where device is null')).toBe(1);
  });
});

describe('a compressed chunk', () => {
  test('cannot be reordered or moved', async () => {
    for (const call of [`reorder_chunk(${CHUNK}, 'm_time_idx')`, `move_chunk(${CHUNK}, 'pg_default')`])
      expect(await db.error(`select ${call}`)).toMatchObject({ code: '22023', hint: 'Decompress it first.' });
  });

  test('does not lose its parts one by one', async () => {
    for (const part of [
      'table _tessera_internal._hyper_1_1_tail',
      'foreign table _tessera_internal._hyper_1_1_remote',
      'table _tessera_internal._hyper_1_1_segments cascade',
    ])
      expect((await db.error(`drop ${part}`)).code).toBe('0A000');
    await expectSame(db, 'm', 'twin');
  });

  test('is dropped with all its parts, unless a view needs its segments', async () => {
    await db.query('create view needs as select count(*) from _tessera_internal._hyper_1_1_segments');
    for (const call of [
      `drop table _tessera_internal._hyper_1_1_chunk`,
      `select drop_chunks('m', older_than => '2024-01-02'::timestamptz)`,
    ])
      expect((await db.error(call)).code).toBe('2BP01');
    await expectSame(db, 'm', 'twin');
    await db.query(`select drop_chunks('m', older_than => '2024-01-02'::timestamptz, cascade => true)`);
    expect(await db.value(`select count(*)::int from pg_class where relname like '\\_hyper\\_1\\_1\\_%'`)).toBe(0);
    expect(await db.value(`select to_regclass('needs')`)).toBe(null);
    await db.query(`delete from twin where time < '2024-01-02'`);
    await expectSame(db, 'm', 'twin');
  });

  test('makes TRUNCATE of the hypertable an error, for which there is a function', async () => {
    await db.query(`select compress_chunk(${CHUNK})`);
    expect(await db.error('truncate m')).toMatchObject({
      code: '0A000',
      hint: `Run: select truncate_hypertable('public.m');`,
    });
    await db.query(`insert into m values ('2024-05-01', 1)`);
    await db.query(`select truncate_hypertable('m')`);
    expect(await db.value('select count(*)::int from m')).toBe(0);
    await db.query(`insert into m values ('2024-01-02', 1)`);
    expect(await db.value('select count(*)::int from m')).toBe(1);
  });

  test('goes with DROP TABLE of the hypertable', async () => {
    await db.query(`select compress_chunk(${CHUNK})`);
    await db.query('drop table m');
    expect(await db.value(`select count(*)::int from pg_class where relname like '\\_hyper\\_1\\_%'`)).toBe(0);
    expect(await db.value(`select count(*)::int from pg_proc where proname like '\\_hyper\\_1\\_%'`)).toBe(0);
    expect(
      await db.value(
        `select count(*)::int from _tessera_catalog.compressed_chunk k join _tessera_catalog.chunk c on c.id = k.chunk_id where c.hypertable_id = 1`,
      ),
    ).toBe(0);
  });
});

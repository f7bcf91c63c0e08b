import { beforeAll, describe, expect, test } from 'vitest';
import { useDatabase } from '../../../harness/database.ts';

const db = useDatabase();

/** One transaction each: chunks are there once the rows are committed. */
const inTurn = async (...statements: string[]): Promise<void> => {
  for (const sql of statements) await db.query(sql);
};

beforeAll(() =>
  inTurn(
    'create table m (time timestamptz not null, device int, v float8)',
    `select create_hypertable('m', 'time', chunk_time_interval => interval '1 day')`,
    `insert into m select '2024-01-01'::timestamptz + i * interval '1 hour', i % 3, i from generate_series(0, 239) i`,
    `select set_compression('m', compress_segmentby => 'device')`,
    'create table n (time bigint not null, v int)',
    `select create_hypertable('n', 'time', chunk_time_interval => 100)`,
    'insert into n select i, i from generate_series(0, 699) i',
    `select set_compression('n')`,
    `select compress_chunk(c) from show_chunks('n') c`,
    'create table plain (time timestamptz not null)',
  ),
);

describe('statistics and settings', () => {
  test('chunk_compression_stats and hypertable_compression_stats agree', async () => {
    await db.query(`select compress_chunk(c) from show_chunks('m') c`);
    await db.query(`select decompress_chunk(c) from show_chunks('m') c limit 1`);
    const chunks = await db.query(`select * from chunk_compression_stats('m')`);
    const [all] = await db.query(`select * from hypertable_compression_stats('m')`);
    const done = chunks.filter((c) => c.compression_status === 'Compressed');
    expect(chunks.length - done.length).toBe(1);
    expect([all?.total_chunks, all?.number_compressed_chunks]).toEqual([BigInt(chunks.length), BigInt(done.length)]);
    for (const column of [
      'before_compression_total_bytes',
      'after_compression_total_bytes',
      'after_compression_table_bytes',
    ])
      expect(all?.[column]).toBe(done.reduce((sum, c) => sum + c[column], 0n));
    expect(chunks.find((c) => c.compression_status === 'Uncompressed')?.after_compression_total_bytes).toBe(null);
    expect(await db.query(`select * from chunk_columnstore_stats('m')`)).toEqual(chunks);
    expect(await db.query(`select * from hypertable_columnstore_stats('m')`)).toEqual([all]);
    for (const f of ['chunk_compression_stats', 'hypertable_compression_stats']) {
      expect(await db.query(`select * from ${f}('plain')`)).toEqual([]);
      expect(await db.query(`select * from ${f}(null)`)).toEqual([]);
    }
    const [old] = await db.query(
      `select total_chunks, number_compressed_chunks, compressed_total_bytes like '% kB' as pretty from tessera_information.compressed_hypertable_stats where hypertable_name = 'm'::regclass`,
    );
    expect(old).toEqual({
      total_chunks: all?.total_chunks,
      number_compressed_chunks: all?.number_compressed_chunks,
      pretty: true,
    });
    expect(
      await db.value(
        `select count(*)::int from tessera_information.compressed_chunk_stats where hypertable_name = 'm'::regclass`,
      ),
    ).toBe(chunks.length);
  });

  test('sizes and row counts include segments', async () => {
    await db.query('analyze m');
    const rows = await db.value('select count(*)::int from m');
    expect(Number(await db.value(`select approximate_row_count('m')`))).toBe(rows);
    const total = await db.value(`select sum(total_bytes)::int8 from chunks_detailed_size('m')`);
    const parts = await db.value(
      `select sum(pg_total_relation_size(c.oid))::int8 from pg_class c where relname like '\\_hyper\\_1\\_%' and relkind = 'r' and relname !~ '(default|pending|places)$'`,
    );
    expect(total).toBe(parts);
    expect(
      await db.value(`select hypertable_size('m') = (select total_bytes from hypertable_detailed_size('m'))`),
    ).toBe(true);
  });

  test('views say by which columns', async () => {
    await db.query(`select set_compression('n', compress_orderby => 'v nulls first, time desc')`);
    expect(
      await db.query(`select attname, segmentby_column_index as s, orderby_column_index as o, orderby_asc as a, orderby_nullsfirst as n
      from tessera_information.compression_settings where hypertable_name = 'n' order by 3`),
    ).toEqual([
      { attname: 'v', s: null, o: 1, a: true, n: true },
      { attname: 'time', s: null, o: 2, a: false, n: true },
    ]);
    expect(
      await db.query(
        `select hypertable::text, segmentby, orderby from tessera_information.hypertable_compression_settings order by 1`,
      ),
    ).toEqual([
      { hypertable: 'm', segmentby: 'device', orderby: '"time" desc' },
      { hypertable: 'n', segmentby: null, orderby: 'v nulls first, "time" desc' },
    ]);
    expect(
      await db.value(
        `select count(*)::int from tessera_information.chunk_compression_settings where hypertable = 'n'::regclass`,
      ),
    ).toBe(7);
    expect(
      await db.value(`select compression_enabled from tessera_information.hypertables where hypertable_name = 'm'`),
    ).toBe(true);
  });
});

describe('a chunk with rows in tail, residue and segments', () => {
  const estimates = (): Promise<Record<string, unknown>[]> =>
    db.query(`select count(*) = approximate_row_count('w') as whole,
      count(*) = (select row_estimate from hypertable_approximate_row_count('w')) as older,
      count(*) = (select sum(approximate_row_count(c)) from show_chunks('w') c) as chunks from w`);
  const exact = [{ whole: true, older: true, chunks: true }];
  /** All relations of the hypertable, which ANALYZE of the root does not reach. */
  const look = async (): Promise<void> => {
    for (const table of await db.column(`select _tessera_functions.heaps_of('w')::text where true`))
      await db.query(`vacuum analyze ${table}`);
  };
  const settle = (): Promise<unknown> =>
    db.query(`select _tessera_functions.change_compression(c::oid::int8, 'settle') from show_chunks('w') c`);

  test('is estimated with all of them, settled or not, and after recompressing', async () => {
    await inTurn(
      'create table w (time timestamptz not null, device int, v float8)',
      `select create_hypertable('w', 'time', chunk_time_interval => interval '1 day')`,
      `insert into w select '2024-01-01'::timestamptz + i * interval '1 minute', i % 4, i from generate_series(0, 2879) i`,
      `select set_compression('w', compress_segmentby => 'device')`,
      `select compress_chunk(c) from show_chunks('w') c`,
    );
    await look();
    expect(await estimates()).toEqual(exact);
    await db.query(`update w set v = v + 1 where device = 1 and time < '2024-01-02'`);
    await db.query(
      `insert into w select '2024-01-01'::timestamptz + i * interval '1 s', 9, i from generate_series(1, 500) i`,
    );
    await look();
    expect(await estimates()).toEqual(exact);
    await settle();
    await look();
    expect(await estimates()).toEqual(exact);
    await db.query(`delete from w where device = 1 and time < '2024-01-02'`);
    await settle();
    await look();
    expect(await estimates()).toEqual(exact);
    await db.query(`select compress_chunk(c) from show_chunks('w') c`);
    await look();
    expect(await estimates()).toEqual(exact);
  });

  test('has the size of all of them', async () => {
    await db.query(`update w set v = v + 1 where device = 2`);
    await db.query(`insert into w values ('2024-01-01', 9, 1)`);
    const parts = await db.query(`
      select sum(pg_relation_size(t)) as heap, sum(pg_indexes_size(t)) as indexes, sum(pg_total_relation_size(t)) as total
      from _tessera_catalog.compressed_chunk k
      join _tessera_catalog.compression_settings s using (chunk_id)
      join _tessera_catalog.hypertable h on h.id = s.hypertable_id,
        lateral unnest(array[k.tail, k.residue, s.compress_relid]) t
      where h.relid = 'w'::regclass`);
    for (const f of ['chunks_detailed_size', 'chunk_relation_size'])
      expect(
        await db.query(
          `select sum(table_bytes) as heap, sum(index_bytes) as indexes, sum(total_bytes) as total from ${f}('w')`,
        ),
      ).toEqual(parts);
    expect(await db.value(`select bool_and(total_size <> '0 bytes') from chunk_relation_size_pretty('w')`)).toBe(true);
    expect(await db.value(`select hypertable_size('w') >= sum(total_bytes) from chunks_detailed_size('w')`)).toBe(true);
  });

  test('has an index of the size it has on the tail', async () => {
    await db.query('create index w_v on w (v)');
    expect(await db.value(`select hypertable_index_size('w_v')`)).toBe(
      await db.value(
        `select sum(pg_relation_size(i.indexrelid))::int8 from pg_index i
         join pg_partition_tree('w_v') t on t.relid = i.indexrelid where t.isleaf`,
      ),
    );
    expect(await db.value(`select hypertable_index_size(null)`)).toBe(null);
  });
});

describe('statistics for others', () => {
  test('can be read by every role, and not written', async () => {
    const session = await db.as(await db.role('onlooker'));
    for (const from of [
      `chunk_compression_stats('m')`,
      `chunk_columnstore_stats('m')`,
      `hypertable_compression_stats('m')`,
      `hypertable_columnstore_stats('m')`,
      'tessera_information.compressed_chunk_stats',
      'tessera_information.compressed_hypertable_stats',
      'tessera_information.compression_settings',
      'tessera_information.hypertable_compression_settings',
      'tessera_information.chunk_compression_settings',
    ])
      expect([from, (await session.query(`select from ${from}`)).rowCount]).not.toEqual([from, 0]);
    await expect(session.query('delete from _tessera_catalog.compression_chunk_size')).rejects.toMatchObject({
      code: '42501',
    });
  });

  test('of what does not exist or is no table are errors or empty', async () => {
    for (const f of ['chunk_compression_stats', 'hypertable_compression_stats']) {
      expect((await db.error(`select * from ${f}('nowhere')`)).code).toBe('42P01');
      expect((await db.error(`select * from ${f}(now())`)).code).toBe('42883');
      expect(await db.query(`select * from ${f}(0)`)).toEqual([]);
    }
  });

  test('go when the chunk is decompressed or dropped', async () => {
    const kept = (): Promise<number> =>
      db.value(`select number_compressed_chunks::int from hypertable_compression_stats('n')`);
    const before = await kept();
    await db.query(`select decompress_chunk(c) from show_chunks('n') c limit 1`);
    expect(await kept()).toBe(before - 1);
    await db.query(`select compress_chunk(c) from show_chunks('n') c limit 1`);
    await db.query(`select drop_chunks('n', older_than => 200)`);
    expect(await kept()).toBe(before - 2);
  });
});

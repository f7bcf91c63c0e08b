import { describe, expect, test } from 'vitest';
import { failure, useDatabase } from '../../../harness/database.ts';

const db = useDatabase();

describe('compression policies of plain roles', () => {
  test('work for the owner, who is no superuser, and for nobody else', async () => {
    const owner = await db.role('owner');
    const stranger = await db.as(await db.role('passer'));
    await db.query(`create schema yard authorization ${owner}`);
    const session = await db.as(owner);
    await session.query(`
      create table yard.o (time timestamptz not null, v int);
      select create_hypertable('yard.o', 'time', chunk_time_interval => interval '1 day');
      select set_compression('yard.o')`);
    await session.query(`insert into yard.o select now() - i * interval '1 hour', i from generate_series(0, 239) i`);
    await session.query(`select add_compression_policy('yard.o', interval '3 days')`);
    const id = await db.value(
      `select job_id from tessera_information.policies where hypertable = 'yard.o'::regclass and policy = 'compression'`,
    );
    await session.query(`call run_job(${id})`);
    const done = await db.column(
      `select format('%I.%I', chunk_schema, chunk_name) from tessera_information.chunks where hypertable_name = 'o' and is_compressed`,
    );
    expect(done.length).toBeGreaterThan(5);
    expect(
      await db.value(
        `select count(*)::int from pg_class c join _tessera_catalog.compressed_chunk k on k.remote = c.oid
         where c.reltuples <= 0 and c.relowner = '${owner}'::regrole`,
      ),
    ).toBe(0);
    await db.query(`grant usage on schema yard to public`);
    for (const sql of [
      `call run_job(${id})`,
      `call add_columnstore_policy('yard.o', interval '3 days')`,
      `call remove_columnstore_policy('yard.o')`,
      `select add_compress_chunks_policy('yard.o', interval '3 days', true)`,
      `select remove_compression_policy('yard.o')`,
      `select remove_compress_chunks_policy('yard.o', true)`,
      `call convert_to_columnstore('${done[0]}')`,
      `call convert_to_rowstore('${done[0]}')`,
      `call recompress_chunk('${done[0]}')`,
    ])
      expect([sql, (await failure(stranger, sql)).code]).toEqual([sql, '42501']);
    expect(await session.query(`select sum(v)::int as sum from yard.o`)).toMatchObject({ rows: [{ sum: 28_680 }] });
    await session.query(`select remove_compression_policy('yard.o')`);
  });

  test('cannot belong to an owner who cannot log in', async () => {
    await db.query(`
      create table m (time timestamptz not null);
      select create_hypertable('m', 'time');
      select set_compression('m')`);
    const owner = await db.role('sleeper');
    await db.query(`alter role ${owner} nologin; alter table m owner to ${owner}`);
    expect((await db.error(`select add_compression_policy('m', interval '3 days')`)).code).toBe('28000');
    await db.query('alter table m owner to current_user');
  });
});

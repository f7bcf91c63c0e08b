import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { useDatabase } from '../harness/database.ts';
import { onOwnHandler } from '../harness/engine.ts';
import { psql } from '../harness/psql.ts';

describe('an administrator who is no superuser', () => {
  const updated = useDatabase({ template: 'empty' });
  const plain = useDatabase({ template: 'empty' });

  test('updates from 0.5.0, with chunks that are compressed there', async () => {
    await updated.query(`create extension tessera version '0.5.0'`);
    await updated.query('create table m (time timestamptz not null, device int, v int)');
    await updated.query(`select create_hypertable('m', 'time', chunk_time_interval => interval '1 day')`);
    await updated.query(
      `insert into m select '2024-01-01'::timestamptz + i * interval '1 hour', i % 3, i from generate_series(0, 99) i`,
    );
    // The functions of 0.5.0 hand typed arrays to plv8, which dies of them.
    const enable = `select set_compression('m', compress_segmentby => 'device')`;
    if (onOwnHandler) await updated.query(enable);
    const sum = (): Promise<unknown> => updated.query('select count(*)::int as n, sum(v)::int as v from m');
    const before = await sum();
    const compress = `select compress_chunk(c) from show_chunks('m', older_than => '2024-01-03'::timestamptz) c`;
    if (onOwnHandler) await updated.query(compress);
    await updated.query('alter extension tessera update');
    if (!onOwnHandler) for (const sql of [enable, compress]) await updated.query(sql);
    expect(await updated.value('select _tessera_functions.version()')).toBe('0.6.0');
    expect(await sum()).toEqual(before);
    await updated.query(`insert into m values ('2024-01-01 00:30', 1, 1)`);
    await updated.query(`select compress_chunk(c) from show_chunks('m', newer_than => '2024-01-03'::timestamptz) c`);
    expect(await updated.value('select count(*)::int from m')).toBe(101);
    // Compressing made what the chunks of 0.5.0 wanted of it.
    expect(await updated.value('select count(*)::int from tessera_read.m')).toBe(101);
    expect(await updated.query(`select * from tessera.doctor() where status = 'error'`)).toEqual([]);
  });

  test('has lost functions made anew by reinstall', async () => {
    await updated.query('alter extension tessera drop function set_number_partitions(regclass, integer, name)');
    await updated.query('drop function set_number_partitions(regclass, integer, name)');
    const [lost] = await updated.query(`select status, hint from tessera.doctor() where check_name = 'functions'`);
    expect(lost?.status).toBe('error');
    for (const statement of String(lost?.hint).split(/(?<=;) /)) await updated.query(statement);
    expect(await updated.value(`select status from tessera.doctor() where check_name = 'functions'`)).toBe('ok');
  });

  test('installs with psql where not even CREATE EXTENSION is at hand', async () => {
    psql(plain.name, readFileSync('dist/install.sql', 'utf8'));
    await plain.query('create table m (time timestamptz not null, v int)');
    await plain.query(`select create_hypertable('m', 'time')`);
    await plain.query('insert into m values (now(), 1)');
    await plain.query(`select set_compression('m')`);
    await plain.query(`select compress_chunk(c) from show_chunks('m') c`);
    expect(await plain.value('select v from m')).toBe(1);
    expect(await plain.query(`select * from tessera.doctor() where status = 'error'`)).toEqual([]);
  });
});

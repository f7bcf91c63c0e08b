import { beforeAll, describe, expect, test } from 'vitest';
import { useDatabase } from '../../../harness/database.ts';
import { expectSame } from '../../../harness/twin.ts';

const db = useDatabase();

beforeAll(async () => {
  await db.query('create table m (time timestamptz not null, device int, v float8)');
  await db.query(`select create_hypertable('m', 'time', chunk_time_interval => interval '1 day')`);
  await db.query(`insert into m select now() - i * interval '1 hour', i % 3, i from generate_series(0, 239) i`);
  await db.query('create table twin as select * from m');
});

const compressed = (): Promise<number> =>
  db.value('select count(*)::int from tessera_information.chunks where is_compressed');
const runPolicy = async (): Promise<void> => {
  const id = await db.value(`select id from _tessera_catalog.bgw_job where proc_name = 'policy_compression'`);
  await db.query(`call run_job(${id})`);
};

describe('add_compression_policy', () => {
  test('needs compression, one age of the right kind, and the owner', async () => {
    expect(await db.error(`select add_compression_policy('m', interval '3 days')`)).toMatchObject({ code: '0A000' });
    await db.query(`select set_compression('m', compress_segmentby => 'device')`);
    expect((await db.error(`select add_compression_policy('m')`)).code).toBe('22023');
    expect((await db.error(`select add_compression_policy('m', 5)`)).code).toBe('22023');
    const never = await db.error(`select add_compression_policy('m', interval '10000 years')`);
    expect([never.code, never.hint]).toEqual(['22023', 'Give a shorter age.']);
    expect((await db.error(`select add_compression_policy(null, interval '1 day')`)).code).toBe('22023');
    expect(
      (
        await db.error(
          `select add_compression_policy('m', interval '1 day', compress_created_before => interval '1 day')`,
        )
      ).code,
    ).toBe('22023');
    const session = await db.as(await db.role('stranger'));
    await expect(session.query(`select add_compression_policy('m', interval '1 day')`)).rejects.toMatchObject({
      code: '42501',
    });
  });

  test('registers a job, once', async () => {
    const id = await db.value(`select add_compression_policy('m', interval '3 days')`);
    expect(
      await db.query(
        `select policy, hypertable::text, config->>'compress_after' as after, schedule_interval::text from tessera_information.policies where job_id = ${id}`,
      ),
    ).toEqual([{ policy: 'compression', hypertable: 'm', after: '3 days', schedule_interval: '12:00:00' }]);
    expect((await db.error(`select add_compression_policy('m', interval '3 days')`)).code).toBe('42710');
    expect(
      await db.notices(`select add_compression_policy('m', interval '3 days', if_not_exists => true)`),
    ).toMatchObject([{ severity: 'NOTICE' }]);
    expect(await db.notices(`select add_compress_chunks_policy('m', interval '4 days', true)`)).toMatchObject([
      { severity: 'WARNING' },
    ]);
    expect(await db.query('select older_than from tessera_information.compress_chunks_policies')).toEqual([
      { older_than: '3 days' },
    ]);
    expect((await db.error(`select set_compression('m', false)`)).detail).toBe('It has a compression policy.');
  });

  test('a dry run says what it would do', async () => {
    const plan = await db.query(
      `select action, reason from policy_dry_run((select job_id from tessera_information.policies where policy = 'compression'))`,
    );
    expect(plan.length).toBeGreaterThan(4);
    expect(new Set(plan.map((p) => p.action))).toEqual(new Set(['compress chunk']));
    expect(await compressed()).toBe(0);
  });
});

describe('the policy', () => {
  test('compresses every chunk that is old enough and leaves the others', async () => {
    const old = await db.value(
      `select count(*)::int from tessera_information.chunks where range_end <= now() - interval '3 days'`,
    );
    await runPolicy();
    expect(await compressed()).toBe(old);
    await expectSame(db, 'm', 'twin');
    expect(
      await db.value(
        `select count(*)::int from pg_class c join _tessera_catalog.compressed_chunk k on k.remote = c.oid where c.reltuples <= 0`,
      ),
    ).toBe(0);
    await runPolicy();
    expect(await compressed()).toBe(old);
  });

  test('recompresses chunks that were written to', async () => {
    await db.query(
      `insert into m select now() - interval '8 days' + i * interval '1 s', 1, -i from generate_series(1, 50) i`,
    );
    await db.query('insert into twin select * from m where v < 0');
    await db.query(`delete from m where v = 200`);
    await db.query(`delete from twin where v = 200`);
    const plan = await db.column(
      `select action from policy_dry_run((select job_id from tessera_information.policies where policy = 'compression'))`,
    );
    expect(new Set(plan)).toEqual(new Set(['recompress chunk']));
    await runPolicy();
    await expectSame(db, 'm', 'twin');
    expect(
      await db.column(
        `select action from policy_dry_run((select job_id from tessera_information.policies where policy = 'compression'))`,
      ),
    ).toEqual([null]);
  });

  test('takes as many chunks at a time as it is told, and none by their creation', async () => {
    const id = await db.value(`select job_id from tessera_information.policies where policy = 'compression'`);
    await db.query(`select decompress_chunk(c) from show_chunks('m', older_than => interval '3 days') c`);
    await db.query(
      `select alter_job(${id}, config => config || '{"maxchunks_to_compress": 2}') from _tessera_catalog.bgw_job where id = ${id}`,
    );
    await runPolicy();
    expect(await compressed()).toBe(2);
    expect(await db.value(`select remove_compression_policy('m')`)).toBe(true);
    await db.query(`select add_compression_policy('m', compress_created_before => interval '1 day')`);
    await runPolicy();
    expect(await compressed()).toBe(2);
    expect(
      (
        await db.error(
          `select alter_job(job_id, config => '{"hypertable_id": 1}') from tessera_information.policies where policy = 'compression'`,
        )
      ).code,
    ).toBe('22023');
  });

  test('is removed by each of its names, and by DROP TABLE', async () => {
    expect(await db.value(`select remove_compress_chunks_policy('m')`)).toBe(true);
    expect((await db.error(`select remove_compression_policy('m')`)).code).toBe('42704');
    expect(await db.value(`select remove_compression_policy('m', true)`)).toBe(false);
    await db.query(`call add_columnstore_policy('m', after => interval '3 days')`);
    await db.query(`call remove_columnstore_policy('m')`);
    await db.query(`call remove_columnstore_policy('m', true)`);
  });

  test('works on integer time', async () => {
    await db.query('create table n (time bigint not null, v int)');
    await db.query(`select create_hypertable('n', 'time', chunk_time_interval => 100)`);
    await db.query(`select set_compression('n')`);
    expect((await db.error(`select add_compression_policy('n', 200)`)).code).toBe('22023');
    await db.query(`create function n_now() returns bigint language sql stable as 'select max(time) from public.n'`);
    await db.query(`select set_integer_now_func('n', 'n_now')`);
    await db.query('insert into n select i, i from generate_series(0, 999) i');
    const id = await db.value(`select add_compression_policy('n', 200)`);
    expect(await db.value(`select schedule_interval::text from _tessera_catalog.bgw_job where id = ${id}`)).toBe(
      '1 day',
    );
    await db.query(`call run_job(${id})`);
    expect(
      await db.value(
        `select count(*)::int from tessera_information.chunks where hypertable_name = 'n' and is_compressed`,
      ),
    ).toBe(7);
    expect(await db.value('select sum(v)::int from n')).toBe(499_500);
  });
});

describe('a policy that meets trouble', () => {
  const job = async (): Promise<number> =>
    await db.value(`select job_id from tessera_information.policies where policy = 'compression'`);

  test('warns about a chunk that fails, goes on with the others, and analyzes nothing else', async () => {
    await db.query(`
      select remove_compression_policy('n', true);
      select decompress_chunk(c) from show_chunks('m') c where c::text in
        (select format('%I.%I', chunk_schema, chunk_name) from tessera_information.chunks where is_compressed);
      create table beside with (autovacuum_enabled = false) as select 1 as x;
      select add_compression_policy('m', interval '3 days')`);
    const [chunk] = await db.column(`select show_chunks('m')::text`);
    const taken = chunk.replace(/chunk$/, 'segments');
    await db.query(`create table ${taken} ()`);
    const old = await db.value(
      `select count(*)::int from tessera_information.chunks where hypertable_name = 'm' and range_end <= now() - interval '3 days'`,
    );
    const said = await db.notices(`call run_job(${await job()})`);
    expect(said.filter((n) => n.severity === 'WARNING')).toMatchObject([{ message: expect.stringContaining(chunk) }]);
    expect(
      await db.value(
        `select count(*)::int from tessera_information.chunks where hypertable_name = 'm' and is_compressed`,
      ),
    ).toBe(old - 1);
    expect(await db.value(`select reltuples from pg_class where relname = 'beside'`)).toBe(-1);
    expect(await db.error(`call run_job(${await job()})`)).toMatchObject({
      code: 'P0001',
      hint: 'The warnings before this in the log of the server say why.',
    });
    expect(await db.value(`select reltuples from pg_class where relname = 'beside'`)).toBe(-1);
    await db.query(`drop table ${taken}`);
    await db.query(`call run_job(${await job()})`);
    await expectSame(db, 'm', 'twin');
  });

  test('leaves chunks that were written to alone when recompress is false', async () => {
    await db.query(`select alter_job(${await job()}, config_merge => '{"recompress": false}')`);
    await db.query(`insert into m select now() - interval '8 days', 2, -1000`);
    await db.query(`insert into twin select * from m where v = -1000`);
    expect(await db.column(`select action from policy_dry_run(${await job()})`)).toEqual([null]);
    await db.query(`select alter_job(${await job()}, config_merge => '{"recompress": null, "verbose_log": true}')`);
    expect(await db.column(`select action from policy_dry_run(${await job()})`)).toEqual(['recompress chunk']);
    await db.query(`call run_job(${await job()})`);
    await expectSame(db, 'm', 'twin');
  });

  test('cannot be configured with what no run could follow', async () => {
    for (const config of [
      '{"maxchunks_to_compress": "2"}',
      '{"maxchunks_to_compress": -1}',
      '{"maxchunks_to_compress": 1.5}',
      '{"recompress": "no"}',
      '{"verbose_log": "maybe"}',
      '{"compress_after": null}',
    ])
      expect([config, (await db.error(`select alter_job(${await job()}, config_merge => '${config}')`)).code]).toEqual([
        config,
        '22023',
      ]);
    await db.query(`select alter_job(${await job()}, config_merge => '{"maxchunks_to_compress": 0}')`);
  });
});

describe('procedures by the newer names', () => {
  test('refuse null and what is no chunk or hypertable', async () => {
    for (const sql of [
      'call convert_to_columnstore(null)',
      'call convert_to_rowstore(null)',
      'call recompress_chunk(null)',
      `call add_columnstore_policy(null, interval '1 day')`,
      `call add_columnstore_policy('m', null)`,
      `call add_columnstore_policy('m', 'nonsense')`,
      'call remove_columnstore_policy(null)',
      'select remove_compression_policy(null)',
      `select add_compress_chunks_policy('m', null)`,
    ])
      expect([sql, (await db.error(sql)).code]).toEqual([sql, '22023']);
    for (const sql of ['convert_to_columnstore', 'convert_to_rowstore', 'recompress_chunk'])
      expect([sql, (await db.error(`call ${sql}('m')`)).code]).toEqual([sql, '55000']);
    for (const sql of [
      `select add_compression_policy('twin', interval '1 day')`,
      `select remove_compression_policy('twin')`,
    ])
      expect([sql, (await db.error(sql)).code]).toEqual([sql, 'TS001']);
  });

  test('convert chunks both ways and recompress them', async () => {
    const chunk = await db.value(`select c::text from show_chunks('m') c limit 1`);
    await db.query(`call convert_to_rowstore('${chunk}', true)`);
    await db.query(`call convert_to_columnstore('${chunk}')`);
    expect(await db.notices(`call recompress_chunk('${chunk}')`)).toMatchObject([{ severity: 'NOTICE' }]);
    expect((await db.error(`call recompress_chunk('${chunk}', false)`)).code).toBe('42710');
    await db.query(`call convert_to_rowstore('${chunk}')`);
    await db.query(`call recompress_chunk('${chunk}')`);
    await expectSame(db, 'm', 'twin');
  });
});

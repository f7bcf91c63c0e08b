import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useCluster } from '../harness/cluster.ts';
import { useDatabase } from '../harness/database.ts';
import { platform, typeHint } from '../harness/managed.ts';

interface Check {
  readonly status: string;
  readonly detail: string;
  readonly hint: string | null;
}

describe('the doctor of an administrator who is no superuser', () => {
  const db = useDatabase();
  let service: pg.Client;
  beforeAll(async () => {
    service = await platform(db.name);
    await db.query('create table m (time timestamptz not null, v int)');
    await db.query(`select create_hypertable('m', 'time', chunk_time_interval => interval '1 day')`);
    await db.query(
      `insert into m select '2024-01-01'::timestamptz + i * interval '1 hour', i from generate_series(0, 47) i`,
    );
  });
  afterAll(() => service.end());

  const checks = (name: string): Promise<Check[]> =>
    db.query('select status, detail, hint from tessera.doctor() where check_name = $1', [name]) as unknown as Promise<
      Check[]
    >;
  const check = async (name: string): Promise<Check> => (await checks(name))[0] as Check;

  test('knows the right on the foreign data wrapper before compression needs it, and so does compression', async () => {
    await service.query('revoke usage on foreign data wrapper postgres_fdw from administrator');
    const found = await check('right to make foreign servers');
    expect(found).toMatchObject({
      status: 'warning',
      hint: 'grant usage on foreign data wrapper postgres_fdw to administrator;',
    });
    const refused = await db.error(`select set_compression('m')`);
    expect(refused).toMatchObject({ code: '42501', hint: found.hint });
    expect((await db.error(`select citus_add_node('127.0.0.1', 1)`)).hint).toBe(found.hint);
    expect(await db.value('select count(*)::int from pg_foreign_server')).toBe(0);
    await typeHint(found.hint as string, db.client, db.name);
    expect(await checks('right to make foreign servers')).toEqual([]);
    await db.query(`select set_compression('m')`);
    await db.query(`select compress_chunk(c) from show_chunks('m') c`);
  });

  test('says how a loopback login that is refused gets in again', async () => {
    const login = await db.value(
      `select substr(u, 6) from pg_user_mappings, unnest(umoptions) u where u like 'user=tessera_loopback%' limit 1`,
    );
    await db.query(`alter role ${login} password 'another'`);
    const found = await check('loopback server');
    expect(found).toMatchObject({ status: 'error', hint: 'select tessera.repair_loopback();' });
    expect(found.detail).toContain('password authentication failed');
    await typeHint(found.hint as string, db.client, db.name);
    expect((await check('loopback server')).status).toBe('ok');
    expect(await db.value('select count(*)::int from m')).toBe(48);
  });

  test('says which address is wrong', async () => {
    await db.query(`select tessera.set_loopback('host=127.0.0.1 port=1'), tessera.repair_loopback()`);
    const found = await check('loopback server');
    expect(found.status).toBe('error');
    // It cannot know the right one: what is to be typed names what there is.
    expect(found.hint).toMatch(
      /^-- names another address.*\nselect tessera\.set_loopback\('host=127\.0\.0\.1 port=\d+'\); select tessera\.repair_loopback\(\);$/,
    );
    await db.query(found.hint as string);
    expect((await check('loopback server')).status).toBe('ok');
  });

  test('names the line of pg_hba.conf where a login is let in without its password, or not at all', async () => {
    const remedy = (state: string, why: string): Promise<string> =>
      db.value('select _tessera_functions.loopback_remedy((select srvname from pg_foreign_server limit 1), $1, $2)', [
        state,
        why,
      ]);
    for (const [state, why] of [
      [
        '2F003',
        "Target server's authentication method must be changed or password_required=false set in the user mapping attributes.",
      ],
      ['08001', 'FATAL:  no pg_hba.conf entry for host "127.0.0.1"'],
    ] as const) {
      const hint = await remedy(state, why);
      expect(hint).toMatch(
        /^-- in pg_hba\.conf.*\n-- host \S+ tessera_loopback_\d+_\d+ 127\.0\.0\.1\/32 scram-sha-256\nselect pg_reload_conf\(\);$/,
      );
      await service.query(hint);
    }
  });

  test('looks for newer versions where pg_tle keeps them', async () => {
    expect((await check('version')).status).toBe('ok');
    await service.query(`
      create schema pgtle; grant usage on schema pgtle to public;
      create function pgtle.available_extensions(out name name, out default_version text, out comment text) returns setof record
      language sql as $$ select 'tessera', '99.0.0', '' $$`);
    expect(await check('version')).toEqual({
      status: 'warning',
      detail: '0.6.0 is installed, 99.0.0 is available',
      hint: 'alter extension tessera update;',
    });
    await service.query('drop schema pgtle cascade');
    await db.query('alter extension tessera update');
  });

  test('gives statements, each of which can be typed', async () => {
    await db.query(`insert into m values ('infinity', 1)`);
    await db.query(`select tessera.set_setting('worker_slots', '500')`);
    const all = (await db.query(
      `select check_name, hint from tessera.doctor() where status <> 'ok' and check_name not in ('background work', 'rights on pg_cron')`,
    )) as { check_name: string; hint: string }[];
    expect(all.map((c) => c.check_name)).toEqual(
      expect.arrayContaining(['event triggers', 'default partitions', 'room for workers']),
    );
    for (const { hint } of all) await typeHint(hint, db.client, db.name);
    expect((await check('room for workers')).status).toBe('ok');
  });
});

describe('the doctor of a cluster of managed nodes', () => {
  const { db, nodes } = useCluster({ nodes: 1 });

  test('gives statements, each of which can be typed', async () => {
    await db.query('create table a (k int)');
    await db.query(`select create_distributed_table('a', 'k', shard_count => 2)`);
    await db.query('drop table a');
    const hints = async (): Promise<{ check_name: string; hint: string }[]> =>
      (await db.query(
        `select check_name, hint from tessera.doctor() where status <> 'ok' and check_name not in ('background work', 'rights on pg_cron', 'event triggers')`,
      )) as { check_name: string; hint: string }[];
    const found = await hints();
    expect(found.map((c) => c.check_name).sort()).toEqual(['catalog', 'joins on nodes']);
    for (const { hint } of found) await typeHint(hint, db.client, db.name);
    const session = await db.connect();
    expect(
      (
        await session.query(`select check_name from tessera.doctor() where check_name = any($1) and status <> 'ok'`, [
          found.map((f) => f.check_name),
        ])
      ).rows,
    ).toEqual([]);
    await db.query('call citus_cleanup_orphaned_resources()');
    expect(await nodes[0]?.value(`select count(*)::int from pg_tables where schemaname = 'public'`)).toBe(0);
  });
});

import { readFileSync } from 'node:fs';
import type pg from 'pg';
import { beforeAll, expect, test } from 'vitest';
import { failure, useDatabase } from '../../harness/database.ts';

const db = useDatabase();
let stranger: pg.Client;

beforeAll(async () => {
  const role = await db.role('stranger');
  await db.query(`create schema s authorization ${role}`);
  stranger = await db.as(role);
});

test('nobody but the owner of the extension draws numbers', async () => {
  const sequences = await db.column(
    `select oid::regclass::text from pg_class where relkind = 'S' and relnamespace = '_tessera_catalog'::regnamespace`,
  );
  expect(sequences.length).toBeGreaterThan(10);
  for (const sequence of sequences) {
    expect(await failure(stranger, `select nextval('${sequence}')`), sequence).toMatchObject({ code: '42501' });
    expect(await failure(stranger, `select setval('${sequence}', 7)`), sequence).toMatchObject({ code: '42501' });
  }
});

test('nobody but the owner of the extension writes the catalog', async () => {
  const writable = await db.column(
    `select c.oid::regclass::text from pg_class c, unnest(array['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER', 'REFERENCES', 'MAINTAIN']) p
     where c.relnamespace::regnamespace::text ~ '^_?tessera' and c.relkind in ('r', 'v', 'p', 'f')
       and (p <> 'MAINTAIN' or current_setting('server_version_num')::int >= 170000) and has_table_privilege('pg_monitor', c.oid, p)`,
  );
  // Into the second one who may write to a hypertable logs what he changes.
  expect(writable.sort()).toEqual(['_tessera_catalog.request', '_tessera_functions.own_changes']);
});

test('what everybody may not read is credentials, errors of others and what a transaction has under way', async () => {
  expect(
    await db.column(`select c.relname::text from pg_class c where c.relnamespace = '_tessera_catalog'::regnamespace and c.relkind = 'r'
      and not has_table_privilege('pg_monitor', c.oid, 'SELECT') order by 1`),
  ).toEqual([
    'bgw_job_stat_history',
    'loopback',
    'pg_dist_authinfo',
    'reference_change',
    'remote_command',
    'telemetry_report',
  ]);
});

test('every function that runs as the owner of the extension has a pinned search_path', async () => {
  expect(
    await db.column(`select p.oid::regprocedure::text from pg_proc p
      where p.prosecdef and (p.pronamespace::regnamespace::text ~ '^_?tessera' or p.oid in (select to_regprocedure(f) from unnest(_tessera_functions.function_list()) f))
        and not coalesce(p.proconfig, '{}') @> array['search_path=pg_catalog, pg_temp']`),
  ).toEqual([]);
});

test('every function that runs as the owner of the extension is in the table of docs/operations.md', async () => {
  const page = readFileSync('docs/operations.md', 'utf8');
  const names = await db.column(`select distinct p.proname::text from pg_proc p
    where p.prosecdef and (p.pronamespace::regnamespace::text ~ '^_?tessera' or p.oid in (select to_regprocedure(f) from unnest(_tessera_functions.function_list()) f))`);
  expect(names.filter((name) => !page.includes(`${name}()`))).toEqual([]);
});

test('requests are carried out for those who ask, and by nobody else', async () => {
  const functions = await db.column(
    `select p.oid::regprocedure::text from pg_proc p where p.proname ~ '^request_' and p.proargnames[1] = 'caller'`,
  );
  const shapes = await db.column(
    `select format('_tessera_functions.request_%s(name,jsonb)', replace(k, '.', '_')) from jsonb_object_keys(_tessera_functions.request_shapes()) k`,
  );
  expect([...shapes].sort()).toEqual([...functions].sort());
  for (const f of functions)
    expect(await failure(stranger, `select ${(f as string).split('(')[0]}('postgres', '{}')`), f).toMatchObject({
      code: '42501',
    });
});

test('a cast of the owner of a table does not run with the rights of the extension', async () => {
  await stranger.query(`create table s.t (a int); create table s.seen (who text); grant usage on schema s to public; grant insert on s.seen to public;
    create function s.cast_it(r s.t) returns text language plpgsql as $$ begin insert into s.seen values (current_user); return 'x'; end $$;
    create cast (s.t as text) with function s.cast_it(s.t);
    create trigger u after update on s.t for each row execute function _tessera_functions.capture_reference();
    create trigger i after insert on s.t referencing new table as new_rows for each statement execute function _tessera_functions.capture_reference();
    insert into s.t values (1); update s.t set a = 2`);
  expect((await stranger.query('select * from s.seen')).rows).toEqual([]);
  expect(await db.value('select count(*) from _tessera_catalog.reference_change')).toBe(0n);
});

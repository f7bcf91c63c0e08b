import { readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { useDatabase } from '../harness/database.ts';
import { psql } from '../harness/psql.ts';

const db = useDatabase({ template: 'empty' });
const quoted = useDatabase({ template: 'empty' });

test('install.sql installs through psql alone', async () => {
  psql(db.name, readFileSync('dist/install.sql', 'utf8'));
  await db.query('create table metrics (time timestamptz not null, value int)');
  await db.query(`select create_hypertable('metrics', 'time')`);
  await db.query('insert into metrics values (now(), 1)');
  expect(await db.column(`select show_chunks('metrics')::text`)).toHaveLength(1);
  expect(await db.query(`select * from tessera.doctor() where status = 'error'`)).toEqual([]);
});

test('pg_tle.sql carries the install script and every update path', () => {
  const text = readFileSync('dist/pg_tle.sql', 'utf8');
  expect(text).toContain(`pgtle.install_extension('tessera'`);
  expect(text).toContain(`pgtle.install_update_path('tessera', '0.1.0'`);
});

test('the build gives the same bytes for the same input', () => {
  const digest = (): string[] =>
    readdirSync('dist')
      .filter((f) => /\.(sql|js|control)$/.test(f))
      .sort()
      .map(
        (f) =>
          `${f} ${createHash('sha256')
            .update(readFileSync(`dist/${f}`))
            .digest('hex')}`,
      );
  const before = digest();
  execFileSync('npx', ['tsx', 'build/main.ts'], { stdio: 'ignore' });
  expect(digest()).toEqual(before);
});

test('create extension takes a schema whose name needs quotes', async () => {
  await quoted.query(
    'create schema "My Schema"; create extension plv8; create extension postgres_fdw; create extension dblink',
  );
  await quoted.query('create extension tessera schema "My Schema"');
  await quoted.query('create table metrics (time timestamptz not null, value int)');
  await quoted.query(`select "My Schema".create_hypertable('metrics', 'time')`);
  await quoted.query('insert into metrics values (now(), 1)');
  expect(await quoted.column(`select "My Schema".show_chunks('metrics')::text`)).toHaveLength(1);
  expect(await quoted.value(`select "My Schema".last(value, time) from metrics`)).toBe(1);
  await quoted.query('create schema app; set search_path = app');
  await quoted.query('create table m (time timestamptz primary key, v int)');
  await quoted.query(`select "My Schema".create_hypertable('m', 'time')`);
  await quoted.query(
    `insert into m select '2024-01-01'::timestamptz + i * interval '1 hour', i from generate_series(1, 100) i`,
  );
  await quoted.query(
    `select "My Schema".set_compression('m'), "My Schema".compress_chunk(c) from "My Schema".show_chunks('m') c`,
  );
  await quoted.query(`update m set v = 0 where v = 1; delete from m where v = 2`);
  await quoted.query(
    `select "My Schema".create_continuous_aggregate('daily', $$select "My Schema".time_bucket('1 day', time) as day, sum(v) as v from m group by 1$$)`,
  );
  expect(await quoted.value('select sum(v)::int from daily')).toBe(5047);
  await quoted.query('reset search_path');
  expect(
    await quoted.query(
      `select * from tessera.doctor() where status <> 'ok' and check_name not in ('background work', 'room for workers')`,
    ),
  ).toEqual([]);
});

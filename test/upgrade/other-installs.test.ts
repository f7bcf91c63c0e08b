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
  expect(
    await quoted.query(
      `select * from tessera.doctor() where status <> 'ok' and check_name not in ('background work', 'room for workers')`,
    ),
  ).toEqual([]);
});

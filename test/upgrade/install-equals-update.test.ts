import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { letMembersGo, schemaOnly } from '../harness/catalog-shape.ts';
import { useDatabase, type Database } from '../harness/database.ts';
import { dump } from '../harness/psql.ts';

const fresh = useDatabase({ template: 'empty' });
const updated = useDatabase({ template: 'empty' });
const again = useDatabase({ template: 'empty' });
const tables = useDatabase();

const shape = async (db: Database, functions: boolean): Promise<string> => {
  await letMembersGo((sql, params) => db.query(sql, params), functions);
  return schemaOnly(dump(db.name, ['--schema-only', '--no-owner']));
};

/** In any order: what an update adds is created later than in a fresh install. */
const sorted = (text: string): string[] => text.split('\n').sort();

test('installing 0.1.0 and updating gives the catalog that a fresh install gives', async () => {
  await fresh.query('create extension tessera cascade');
  await updated.query(`create extension tessera version '0.1.0' cascade`);
  await updated.query('alter extension tessera update');
  expect(await updated.value(`select extversion from pg_extension where extname = 'tessera'`)).toBe(
    await fresh.value(`select extversion from pg_extension where extname = 'tessera'`),
  );
  const configured = `
    select c::regclass::text as name, condition
    from pg_extension, unnest(extconfig, extcondition) x(c, condition)
    where extname = 'tessera'
    order by 1`;
  expect(await updated.query(configured)).toEqual(await fresh.query(configured));
  const [a, b] = [await shape(fresh, true), await shape(updated, true)];
  expect(a.length).toBeGreaterThan(10_000);
  expect(sorted(b)).toEqual(sorted(a));
});

test('the functions part can run again and changes nothing', async () => {
  await again.query('create extension tessera cascade');
  await again.query(`alter extension tessera update to 'reinstall'`);
  await again.query('alter extension tessera update');
  expect(await again.query(`select * from tessera.doctor() where status = 'error'`)).toEqual([]);
});

test('test/schema.sql is what a fresh install makes', async (context) => {
  const major = await tables.value(`select current_setting('server_version_num')::int / 10000`);
  if (major !== 17) context.skip(`PostgreSQL ${major} prints views in another way than 17, which made the file`);
  expect(await shape(tables, false), 'run make schema and look at the diff').toBe(
    readFileSync('test/schema.sql', 'utf8'),
  );
});

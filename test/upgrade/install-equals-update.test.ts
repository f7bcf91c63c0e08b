import { expect, test } from 'vitest';
import { useDatabase } from '../harness/database.ts';
import { catalogShape } from './catalog-shape.ts';

const fresh = useDatabase({ template: 'empty' });
const updated = useDatabase({ template: 'empty' });
const again = useDatabase({ template: 'empty' });

/** Lines in any order: columns added later stand at the same place, but objects are created at different times. */
const sorted = (shape: string): string[] => shape.split('\n').sort();

test('installing 0.1.0 and updating gives the catalog that a fresh install gives', async () => {
  await fresh.query('create extension tessera cascade');
  await updated.query(`create extension tessera version '0.1.0' cascade`);
  await updated.query('alter extension tessera update');
  expect(await updated.value(`select extversion from pg_extension where extname = 'tessera'`)).toBe(
    await fresh.value(`select extversion from pg_extension where extname = 'tessera'`),
  );
  const [a, b] = [await catalogShape(fresh), await catalogShape(updated)];
  expect(a.length).toBeGreaterThan(10_000);
  expect(sorted(b)).toEqual(sorted(a));
});

test('the functions part can run again and changes nothing', async () => {
  await again.query('create extension tessera cascade');
  await again.query(`alter extension tessera update to 'reinstall'`);
  await again.query('alter extension tessera update');
  expect(await again.query(`select * from tessera.doctor() where status = 'error'`)).toEqual([]);
});

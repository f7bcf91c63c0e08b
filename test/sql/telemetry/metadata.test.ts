import { expect, test } from 'vitest';
import { useDatabase } from '../../harness/database.ts';
import { dump, psql } from '../../harness/psql.ts';

const source = useDatabase();
const bare = useDatabase({ template: 'empty' });
const prepared = useDatabase();
const old = useDatabase({ template: 'empty' });
const older = useDatabase({ template: 'empty' });

const value = (of: typeof source, key: string): Promise<string> =>
  of.value('select value from _tessera_catalog.metadata where key = $1', [key]);

test.each([
  ['a new database', bare],
  ['a database that has the extension already', prepared],
])('a dump brings what was exported and what the user added to %s, not its identity', async (_, target) => {
  await source.query('call run_job(1)');
  await source.query(
    `insert into _tessera_catalog.metadata values ('mine', 'shown', true), ('yours', 'hidden', false)`,
  );
  if (target === prepared) await target.query(`insert into _tessera_catalog.metadata values ('mine', 'stale', false)`);
  // Databases made from one template start with the same rows.
  await source.query(`update _tessera_catalog.metadata set value = 'of the source'
    where key in ('uuid', 'install_timestamp', 'tessera_version')`);
  psql(target.name, dump(source.name));
  expect(await value(target, 'exported_uuid')).toMatch(/^[0-9a-f-]{36}$/);
  expect(await value(target, 'exported_uuid')).toBe(await value(source, 'exported_uuid'));
  expect(
    await target.query(`select * from _tessera_catalog.metadata where key in ('mine', 'yours') order by key`),
  ).toEqual([
    { key: 'mine', value: 'shown', include_in_telemetry: true },
    { key: 'yours', value: 'hidden', include_in_telemetry: false },
  ]);
  for (const key of ['uuid', 'install_timestamp', 'tessera_version'])
    expect(await value(target, key), key).not.toBe('of the source');
  // Default jobs are those of the new database, and reports stay where they were made.
  expect(await target.value('select count(*)::int from _tessera_catalog.bgw_job where id = 1')).toBe(1);
  expect(await target.value('select count(*)::int from _tessera_catalog.telemetry_report')).toBe(0);
});

test('a key that is there is changed by an insert, whatever the insert wants done about it', async () => {
  await source.query(`insert into _tessera_catalog.metadata values ('mine', 'again', false)`);
  expect(await value(source, 'mine')).toBe('again');
  await source.query(`insert into _tessera_catalog.metadata values ('mine', 'third', true) on conflict do nothing`);
  expect(await value(source, 'mine')).toBe('third');
});

test('an update keeps identity and install time, and notes the new version', async () => {
  await old.query(`set datestyle to 'SQL, DMY'`);
  await old.query(`create extension tessera version '0.2.0' cascade`);
  const [uuid, installed] = [await value(old, 'uuid'), await value(old, 'install_timestamp')];
  await old.query('alter extension tessera update; reset datestyle');
  expect(await value(old, 'uuid')).toBe(uuid);
  expect(await value(old, 'install_timestamp')).toBe(installed);
  expect(await value(old, 'tessera_version')).toBe(await old.value('select _tessera_functions.version()'));
  // Nobody knows which of day and month is which in what 0.2.0 wrote here.
  expect(await old.value(`select get_telemetry_report() -> 'installed_time'`)).toBeNull();
});

test('a database whose install time is not known gets the epoch with an update', async () => {
  await older.query(`create extension tessera version '0.1.0' cascade`);
  await older.query('delete from _tessera_catalog.metadata');
  await older.query('alter extension tessera update');
  expect(await older.value(`select get_telemetry_report() ->> 'installed_time'`)).toBe('1970-01-01T00:00:00+00:00');
  expect(await value(older, 'uuid')).toMatch(/^[0-9a-f-]{36}$/);
});

test('generate_uuid makes version 4, a new one every time', async () => {
  const two = await source.column('select _tessera_functions.generate_uuid() from generate_series(1, 2)');
  expect(two[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(two[0]).not.toBe(two[1]);
});

import { beforeAll, expect, test } from 'vitest';
import { useDatabase } from '../../../harness/database.ts';

const db = useDatabase();
let version = 0;

beforeAll(async () => {
  version = await db.value(`select current_setting('server_version_num')::int / 10000`);
  await db.query('create table m (time timestamptz not null, "Value" float8)');
  await db.query(`select create_hypertable('m', by_range('time', interval '1 day'))`);
  await db.query(`insert into m values ('2024-01-01', 1), ('2024-01-02', null), ('2024-01-03', 3)`);
  await db.query(`select set_compression('m')`);
});

/** Compresses all chunks, as soon as the hint was followed. */
const refusedUntilValidated = async (constraint: string): Promise<void> => {
  const error = await db.error(`select compress_chunk(c) from show_chunks('m') c`);
  expect([error.code, error.message]).toEqual([
    '55000',
    `chunk "_tessera_internal._hyper_1_1_chunk" cannot be compressed while constraint "${constraint}" is not validated`,
  ]);
  const hint = error.hint?.replace('Run: ', '') ?? '';
  expect((await db.error(hint)).code).toMatch(/^23/);
  expect(await db.value('select count(*)::int from m where "Value" is null')).toBe(1);
  await db.query('update m set "Value" = 2 where "Value" is null');
  await db.query(hint);
  await db.query(`select compress_chunk(c) from show_chunks('m') c`);
  expect(await db.value('select sum("Value") from m')).toBe(6);
  await db.query(`select decompress_chunk(c) from show_chunks('m') c`);
  await db.query(
    `alter table m drop constraint "${constraint}"; update m set "Value" = null where time = '2024-01-02'`,
  );
};

test('a chunk is not compressed while a check is not validated', async () => {
  await db.query('alter table m add constraint "Late" check ("Value" is not null) not valid');
  await refusedUntilValidated('Late');
});

test('nor while NOT NULL is not, which older versions refuse to leave so', async () => {
  const add = 'alter table m add constraint late_value not null "Value" not valid';
  if (version < 18) return void expect((await db.error(add)).code).toBe('42601');
  await db.query(add);
  await refusedUntilValidated('late_value');
});

test('a check that is not enforced hinders nothing', async () => {
  const add = 'alter table m add constraint loose check ("Value" is not null) not enforced';
  if (version < 18) return void expect((await db.error(add)).code).toBe('42601');
  await db.query(add);
  await db.query(`select compress_chunk(c) from show_chunks('m') c`);
  expect(await db.value('select count(*)::int from m where "Value" is null')).toBe(1);
});

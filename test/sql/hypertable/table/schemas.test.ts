import { describe, expect, test } from 'vitest';
import { useDatabase } from '../../../harness/database.ts';

const db = useDatabase();

const expectWorking = async (table: string): Promise<void> => {
  const before = await db.value(`select count(*)::int from ${table}`);
  await db.query(
    `insert into ${table} select '2024-01-01'::timestamptz + i * interval '1 day', i from generate_series(0, 3) i`,
  );
  expect(await db.value(`select count(*)::int from ${table}`)).toBe(before + 4);
  await db.query(`select drop_chunks('${table}', older_than => '2024-01-03'::timestamptz)`);
};

describe('DROP SCHEMA of a schema of tessera', () => {
  const refused = {
    code: '0A000',
    message: 'cannot drop schema "_tessera_internal", which is needed by hypertables',
    hint: 'To leave tessera with all that is in it: drop extension tessera cascade; drop schema _tessera_internal cascade;',
  };

  test('_tessera_internal is let go while no hypertable needs it, and made anew by the next', async () => {
    await db.query('create table first (time timestamptz not null, v int)');
    await db.query(`select create_hypertable('first', 'time')`);
    expect(await db.error('drop schema _tessera_internal cascade')).toMatchObject(refused);
    await db.query('drop table first; drop schema _tessera_internal');
  });

  test('_tessera_internal is refused with what is in it', async () => {
    await db.query('create table m (time timestamptz not null, v int)');
    await db.query(`select create_hypertable('m', 'time', chunk_time_interval => interval '1 day')`);
    await expectWorking('m');
    await db.query(`select set_compression('m'); select compress_chunk(c) from show_chunks('m') c limit 1`);
    await db.query(
      `select create_continuous_aggregate('daily', $q$select time_bucket('1 day', time) as day, sum(v) as v from m group by 1$q$)`,
    );
    expect(await db.error('drop schema _tessera_internal cascade')).toMatchObject(refused);
    expect((await db.error('drop schema _tessera_internal')).code).toBe('2BP01');
    await expectWorking('m');
  });

  test.each(['_tessera_catalog', '_tessera_functions', 'tessera_information', 'tessera'])(
    '%s is refused by PostgreSQL, since the extension needs it',
    async (schema) => {
      const e = await db.error(`drop schema ${schema} cascade`);
      expect([e.code, e.hint]).toEqual(['2BP01', 'You can drop extension tessera instead.']);
    },
  );

  test('for chunks of some hypertable is refused while that is elsewhere, and takes it along otherwise', async () => {
    await db.query('create schema rooms; create schema apart; create table apart.n (time timestamptz not null, v int)');
    await db.query(
      `select create_hypertable('apart.n', 'time', chunk_time_interval => interval '1 day', associated_schema_name => 'rooms')`,
    );
    await expectWorking('apart.n');
    await db.query(`select set_compression('apart.n'); select compress_chunk(c) from show_chunks('apart.n') c limit 1`);
    const e = await db.error('drop schema rooms cascade');
    expect([e.code, e.hint]).toEqual(['0A000', 'Alter or drop "apart.n"; what belongs to it follows.']);
    await expectWorking('apart.n');
    await db.query('drop schema rooms, apart cascade');
    expect(await db.value(`select count(*)::int from _tessera_catalog.hypertable where schema_name = 'apart'`)).toBe(0);
  });

  test('DROP OWNED BY the owner of a schema for chunks is refused likewise', async () => {
    const host = await db.role('host');
    await db.query(`create schema guests authorization ${host}; create table g (time timestamptz not null, v int)`);
    await db.query(
      `select create_hypertable('g', 'time', chunk_time_interval => interval '1 day', associated_schema_name => 'guests')`,
    );
    await expectWorking('g');
    expect(['0A000', '2BP01']).toContain((await db.error(`drop owned by ${host} cascade`)).code);
    await expectWorking('g');
    await db.query('drop table g');
    await db.query(`drop owned by ${host}`);
    expect(await db.value(`select to_regnamespace('guests')`)).toBeNull();
  });

  test('the statements of the hint leave nothing behind', async () => {
    await db.query('set client_min_messages = warning');
    await db.query('drop extension tessera cascade; drop schema _tessera_internal cascade');
    expect(
      await db.value(
        `select count(*)::int from pg_namespace where nspname ~ '^_?tessera' and nspname <> 'tessera_kept'`,
      ),
    ).toBe(0);
  });
});

import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { failure } from '../harness/database.ts';
import { PrivateServer } from '../harness/crash.ts';

let server: PrivateServer;

const embedded = process.env.TESSERA_TEST_DSN === undefined && process.env.TESSERA_TEST_SERVER !== 'docker';

beforeAll(async () => {
  if (!embedded) return;
  server = await PrivateServer.create(`locks${process.pid}`);
  const client = await server.connect();
  await client.query(`create extension tessera cascade; create table h (t date not null, k int not null);
    select create_hypertable('h', 't', 'k', 300);
    create procedure take_locks() language plpgsql as $$
    declare
      size int;
      taken int := 0;
    begin
      foreach size in array array[50000, 10000, 2000, 500] loop
        loop
          begin
            perform pg_advisory_xact_lock(taken + i) from generate_series(1, size) i;
          exception when out_of_memory then
            exit;
          end;
          taken := taken + size;
        end loop;
      end loop;
    end $$`);
  await client.end();
});

afterAll(() => server?.remove());

const one = async (client: pg.Client, sql: string): Promise<unknown> =>
  Object.values((await client.query(sql)).rows[0])[0];

// What others keep in the lock table is missing for partitions; no other test may miss it.
test.runIf(embedded)(
  'a lock table too small for all hash partitions is an error with what to do, and nothing is left',
  async () => {
    const [other, client] = [await server.connect(), await server.connect()];
    await client.query(`insert into h values ('2024-01-01', 1)`);
    await other.query('begin; call take_locks()');
    for (const sql of [
      `insert into h values ('2024-06-01', 1)`,
      `select create_chunks('h', '2024-06-01', '2024-06-02'::date)`,
    ]) {
      const { code, message, hint } = await failure(client, sql);
      expect([code, message, hint]).toEqual([
        '53200',
        'cannot make 300 hash partitions of hypertable "public.h" in this transaction: out of shared memory',
        `select set_number_partitions('public.h', 16); -- or let max_locks_per_transaction be greater`,
      ]);
    }
    await other.query('rollback');
    expect(await one(client, 'select count(*)::int from h')).toBe(1);
    await client.query(`select set_number_partitions('public.h', 16)`);
    await client.query(`insert into h values ('2024-06-01', 1)`);
    expect(await one(client, `select count(*)::int from show_chunks('h')`)).toBe(316);
    expect((await client.query(`select * from tessera.doctor() where status = 'error'`)).rows).toEqual([]);
    await client.end();
    await other.end();
  },
);

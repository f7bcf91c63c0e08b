import { expect, test } from 'vitest';
import { useDatabase } from '../harness/database.ts';
import { random } from '../harness/random.ts';

const db = useDatabase();

test('writers, a drainer, a reader and a dropper on new ranges lose no row and see no deadlock', async () => {
  await db.query('create table metrics (time timestamptz not null, writer int, n int, primary key (writer, n, time))');
  await db.query(`select create_hypertable('metrics', 'time', chunk_time_interval => interval '1 hour')`);
  const failures: string[] = [];
  const committed: number[] = [];

  const writer = async (id: number): Promise<void> => {
    const client = await db.connect();
    const next = random(id + 1);
    committed[id] = 0;
    for (let n = 0; n < 60; n++) {
      const isolation = ['read committed', 'repeatable read'][next() % 2];
      try {
        await client.query(`begin isolation level ${isolation}`);
        await client.query(
          `insert into metrics select '2024-01-01'::timestamptz + make_interval(hours => $1::int + (i % 3)), $2, $3 * 10 + i from generate_series(0, 9) i`,
          [next() % 200, id, n],
        );
        if (next() % 5 === 0) await client.query('rollback');
        else {
          await client.query('commit');
          committed[id] += 10;
        }
      } catch (e) {
        failures.push(`writer ${id}: ${(e as Error).message}`);
        await client.query('rollback');
      }
    }
  };
  let done = false;
  const others = async (sql: string, allowed: string[]): Promise<void> => {
    const client = await db.connect();
    while (!done) {
      try {
        await client.query(sql);
      } catch (e) {
        if (!allowed.includes((e as { code?: string }).code ?? '')) failures.push(`${sql}: ${(e as Error).message}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const background = [
    others(`select drain_default_partition('metrics')`, ['55P03']),
    others('select count(*), max(time) from metrics', []),
    others(`select count(*) from create_chunks('metrics', '2025-01-01', '2025-01-01 05:00'::timestamptz)`, ['55P03']),
    others(`select count(*) from drop_chunks('metrics', newer_than => '2025-01-01'::timestamptz)`, ['55P03']),
  ];
  await Promise.all([0, 1, 2, 3].map(writer));
  done = true;
  await Promise.all(background);

  expect(failures).toEqual([]);
  await db.query(`select drain_default_partition('metrics')`);
  const rows = await db.query('select writer, count(*)::int as rows from metrics group by 1 order by 1');
  expect(rows.map((r) => r.rows)).toEqual(committed);
  expect(await db.value('select count(*)::int from _tessera_internal._hyper_1_default')).toBe(0);
  expect(
    await db.query(
      `select * from tessera.doctor() where status <> 'ok' and check_name not in ('background work', 'room for workers')`,
    ),
  ).toEqual([]);
});

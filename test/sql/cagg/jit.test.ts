import { expect, test } from 'vitest';
import { useDatabase } from '../../harness/database.ts';

const db = useDatabase();

interface Plan {
  readonly Plan: { readonly 'Total Cost': number };
  readonly JIT?: unknown;
}

/** What jit compiles depends on the estimate alone, so that statistics may be made up. */
const planned = async (query: string): Promise<Plan> => (await db.value(`explain (format json) ${query}`))[0] as Plan;

test('the view of a continuous aggregate over 86 million raw rows is read without jit', async () => {
  await db.query('set client_min_messages = warning');
  await db.query('create table m (time timestamptz not null, device int, v float8)');
  await db.query(`select create_hypertable('m', 'time', chunk_time_interval => interval '1 day')`);
  await db.query(
    `insert into m select '2024-01-01 00:00+00'::timestamptz + i * interval '1 minute', i % 50, i from generate_series(0, 43199) i`,
  );
  await db.query(
    `select create_continuous_aggregate('hourly', $q$select time_bucket('1 hour', time) as hour, device, avg(v) as v, count(*) as n from m group by 1, 2$q$)`,
  );
  await db.query('vacuum analyze');
  await db.query(`insert into m values ('2024-01-05 00:30', 1, 5)`);
  await db.query(`update pg_class set reltuples = reltuples * 2000
    where relnamespace = '_tessera_internal'::regnamespace and oid in (select show_chunks('m'))`);
  await db.query('set jit = on; reset jit_above_cost');
  const above = Number(await db.value('show jit_above_cost'));
  expect((await planned('select count(*) from m where v > 0')).JIT !== undefined).toBe(
    await db.value('select pg_jit_available()'),
  );
  for (const query of [
    'select count(*) from hourly',
    'select * from hourly order by hour desc limit 100',
    `select device, max(v) from hourly where hour >= '2024-01-20' group by 1`,
    `select * from hourly where device = 5`,
  ]) {
    const plan = await planned(query);
    expect([query, plan.JIT], String(plan.Plan['Total Cost'])).toEqual([query, undefined]);
    expect(plan.Plan['Total Cost'], query).toBeLessThan(above);
  }
});

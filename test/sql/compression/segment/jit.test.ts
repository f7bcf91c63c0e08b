import { expect, test } from 'vitest';
import { useDatabase } from '../../../harness/database.ts';

const db = useDatabase();

interface Plan {
  readonly Plan: { readonly 'Total Cost': number };
  readonly JIT?: unknown;
}

/** What jit compiles depends on the estimate alone, so that no time need be measured. */
const planned = async (query: string): Promise<Plan> => (await db.value(`explain (format json) ${query}`))[0] as Plan;

test('a compressed chunk costs the planner about what a heap of the same rows does', async () => {
  await db.query(`set client_min_messages = warning`);
  await db.query('create table m (time timestamptz not null, device int not null, v float8, note text)');
  await db.query(`select create_hypertable('m', 'time', chunk_time_interval => interval '10 days')`);
  await db.query(
    `insert into m select '2024-01-01 00:00+00'::timestamptz + i * interval '20 seconds', i % 5, i, 'x' || i % 7 from generate_series(0, 39999) i`,
  );
  await db.query('create table heap as select * from m');
  await db.query(
    `select set_compression('m', compress_segmentby => 'device'), compress_chunk(c) from show_chunks('m') c`,
  );
  await db.query('vacuum analyze heap');
  await db.query('analyze m');
  // As low as it takes that a tenfold estimate shows.
  const heap = (await planned('select count(*), max(v) from heap')).Plan['Total Cost'];
  await db.query(`set jit = on; set jit_above_cost = ${3 * heap}`);
  const views = await db.column(
    `select relname::text from pg_class where relnamespace = '_tessera_internal'::regnamespace and relkind = 'v' and relname ~ '_rows$'`,
  );
  expect(views.length).toBeGreaterThan(0);
  for (const source of ['m', ...views.map((v) => `_tessera_internal.${v}`)]) {
    const plan = await planned(`select count(*), max(v) from ${source}`);
    expect(plan.Plan['Total Cost'], source).toBeLessThan(3 * heap);
    expect(plan.JIT, source).toBeUndefined();
  }
  const dear = await planned('select count(*), max(v) from heap a cross join generate_series(1, 10)');
  expect(dear.JIT !== undefined).toBe(await db.value('select pg_jit_available()'));
});

test('sessions of tessera itself run without jit', async () => {
  await db.query(`alter database ${db.name} set jit = on`);
  const [server] = await db.column(`select srvname::text from pg_foreign_server where srvtype = 'tessera loopback'`);
  await db.query(`create view shown as select current_setting('jit') as jit`);
  await db.query(
    `create foreign table far (jit text) server ${server} options (schema_name 'public', table_name 'shown')`,
  );
  expect(await db.value('select jit from far')).toBe('off');
  const worker = await db.connect();
  await worker.query('select _tessera_functions.settle_worker(77)');
  expect((await worker.query('show jit')).rows).toEqual([{ jit: 'off' }]);
});

import { beforeAll, describe, expect, test } from 'vitest';
import { viewDifferences } from '../../../harness/cagg-views.ts';
import { failure, useDatabase } from '../../../harness/database.ts';

const db = useDatabase();
const DAILY = `select time_bucket('1 day', time) as day, device, sum(n) as total from m group by 1, 2`;
const WEEKLY = `select time_bucket('7 days', day) as week, sum(total) as total from daily group by 1`;
/** Names of the tables with results. */
const table: Record<string, string> = {};
let owner = '';

const refresh = async (): Promise<void> => {
  await db.query('call refresh_continuous_aggregate($1, null, null)', ['daily']);
  await db.query('call refresh_continuous_aggregate($1, null, null)', ['weekly']);
};
const stale = (): Promise<number> =>
  db.value(`select count(*)::int from _tessera_catalog.continuous_agg a, _tessera_functions.stale_parts(a.mat_hypertable_id) s, unnest(s) r
    where lower(r) is null or lower(r) < _tessera_functions.cagg_watermark(a.mat_hypertable_id)`);

const expectRight = async (): Promise<void> => {
  expect(await viewDifferences(db.client, { name: 'daily', direct: DAILY })).toEqual([]);
  expect(
    await viewDifferences(db.client, { name: 'weekly', direct: WEEKLY.replace('from daily', `from (${DAILY}) daily`) }),
  ).toEqual([]);
};

beforeAll(async () => {
  owner = await db.role('owner');
  await db.query(`grant create on schema public to ${owner}; set client_min_messages = warning; set role ${owner}`);
  await db.query('create table m (time timestamptz not null, device int, n int)');
  await db.query(`select create_hypertable('m', 'time', chunk_time_interval => interval '1 day')`);
  await db.query(
    `insert into m select '2024-01-01'::timestamptz + i * interval '1 hour', i % 2, i from generate_series(0, 999) i`,
  );
  await db.query(`select create_continuous_aggregate('daily', $q$${DAILY}$q$)`);
  await db.query(`select create_continuous_aggregate('weekly', $q$${WEEKLY}$q$)`);
  table.results =
    await db.value(`select h.relid::text from _tessera_catalog.hypertable h join _tessera_catalog.continuous_agg a
    on a.mat_hypertable_id = h.id and a.user_view = 'daily'::regclass`);
  await db.query(`select set_compression($1, compress_segmentby => 'device', compress_orderby => 'day')`, [
    table.results,
  ]);
  const chunks = await db.column(`select c::text from show_chunks($1) c order by 1`, [table.results]);
  expect(chunks.length).toBeGreaterThan(3);
  await db.query('select compress_chunk($1)', [chunks[0]]);
  await db.query('select compress_chunk($1), decompress_chunk($1)', [chunks[1]]);
  await db.query(`select move_chunk($1, 'pg_default', 'pg_default')`, [chunks[2]]);
  Object.assign(table, { compressed: chunks[0], decompressed: chunks[1], moved: chunks[2], chunk: chunks[3] });
  for (const part of ['tail', 'remote'] as const)
    table[part] = await db.value(`select ${part}::text from _tessera_catalog.compressed_chunk`);
  table.default = await db.value(
    `select c.oid::regclass::text from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = $1::regclass and pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT'`,
    [table.results],
  );
  await refresh();
});

const fill = (sql: string): string => sql.replaceAll(/<(\w+)>/g, (_, part: string) => table[part] ?? `no ${part}`);

describe('what the owner changes among the results of a continuous aggregate leaves its view right', () => {
  test.each([
    'update <results> set total = -1',
    'delete from <results> where device = 1',
    'insert into <results> select day, device, total + 1 from <results> limit 3',
    'truncate <chunk>',
    'delete from <chunk>',
    'update <decompressed> set total = 0',
    'delete from <moved>',
    'delete from <compressed> where device = 0',
    'update <remote> set total = total + 1',
    `insert into <tail> select day, device, total from <compressed> limit 1`,
    `insert into <default> values ('2030-01-01', 1, 1)`,
    `merge into <chunk> r using (select 1 as device) s on r.device = s.device when matched then update set total = 7`,
  ])('%s', async (sql) => {
    await refresh();
    expect(await stale()).toBe(0);
    await db.query('begin');
    await db.query(fill(sql));
    await expectRight();
    await db.query('commit');
    await expectRight();
    await refresh();
    await expectRight();
    expect(await stale()).toBe(0);
  });

  test('and says so, with the call that computes them anew', async () => {
    const seen: [string | undefined, string | undefined][] = [];
    const heard = (n: { message?: string | undefined; hint?: string | undefined }): void => {
      seen.push([n.message, n.hint]);
    };
    await db.query('set client_min_messages = notice');
    db.client.on('notice', heard);
    await db.query(fill('update <chunk> set total = 1'));
    db.client.off('notice', heard);
    await db.query('set client_min_messages = warning');
    expect(seen).toEqual([
      [
        'results of continuous aggregate "public.daily" were changed by hand: it computes them anew',
        `Run: call refresh_continuous_aggregate('public.daily', null, null);`,
      ],
    ]);
    await refresh();
  });

  test('truncate of them all, which drops their chunks', async () => {
    await db.query(fill('select decompress_chunk($$<compressed>$$)'));
    await db.query(fill('truncate <results>'));
    await expectRight();
    await refresh();
    await expectRight();
    expect(await stale()).toBe(0);
  });

  test('results whose raw rows were dropped stay as they were made to be', async () => {
    await db.query(`select drop_chunks('m', older_than => '2024-01-08'::timestamptz)`);
    await db.query(fill(`update <results> set total = -5 where day = '2024-01-02' and device = 1`));
    expect(await db.value(`select total::int from daily where day = '2024-01-02' and device = 1`)).toBe(-5);
    await db.query('call refresh_continuous_aggregate($1, null, null)', ['daily']);
    expect(await db.value(`select total::int from daily where day = '2024-01-02' and device = 1`)).toBe(-5);
  });
});

test('a refresh writes results without making any stale', async () => {
  await db.query(`insert into m values ('2024-01-20 00:30', 1, 5)`);
  await db.query('call refresh_continuous_aggregate($1, null, null)', ['daily']);
  expect(
    await db.value(`select count(*)::int from unnest(_tessera_functions.stale_parts(
    (select mat_hypertable_id from _tessera_catalog.continuous_agg where user_view = 'daily'::regclass))) r
    where lower(r) < _tessera_functions.cagg_watermark(
      (select mat_hypertable_id from _tessera_catalog.continuous_agg where user_view = 'daily'::regclass))`),
  ).toBe(0);
});

test('the trigger on a table of somebody else does nothing', async () => {
  const stranger = await db.connect(
    await (async (): Promise<string> => {
      await db.query('reset role');
      const name = await db.role('stranger');
      await db.query(`create schema strange authorization ${name}`);
      await db.query(`set role ${owner}`);
      return name;
    })(),
  );
  const before = await db.value(
    'select count(*) from _tessera_catalog.continuous_aggs_materialization_invalidation_log',
  );
  await stranger.query(`create table strange.t (a int);
    create trigger x after insert on strange.t execute function _tessera_functions.results_changed();
    insert into strange.t values (1)`);
  expect(await db.value('select count(*) from _tessera_catalog.continuous_aggs_materialization_invalidation_log')).toBe(
    before,
  );
  expect((await failure(stranger, 'select _tessera_functions.results_changed()')).code).toBe('0A000');
});

import { expect, test } from 'vitest';
import { formatRefresh, refreshAggregate, type RefreshProgress } from '../../../../src/cli/refresh-aggregate.ts';
import { useDatabase } from '../../../harness/database.ts';

const db = useDatabase();

test('the command refreshes and shows how far it is', async () => {
  await db.query('set client_min_messages = warning');
  await db.query('create table m (time timestamptz not null, v int)');
  await db.query(`select create_hypertable('m', 'time', chunk_time_interval => interval '1 day')`);
  await db.query(
    `insert into m select '2024-01-01'::timestamptz + i * interval '10 min', i from generate_series(0, 2879) i`,
  );
  await db.query(
    `select create_continuous_aggregate('hourly', 'select time_bucket(''1 hour'', time) as hour, count(*) as n from m group by 1', with_data => false, materialized_only => true)`,
  );
  const watcher = await db.connect();
  const run = async (options: object = {}): Promise<RefreshProgress[]> => {
    const seen: RefreshProgress[] = [];
    const progress = (p: RefreshProgress): void => void seen.push(p);
    await refreshAggregate({
      client: db.client,
      watcher,
      view: 'hourly',
      force: false,
      progress,
      everyMs: 1,
      ...options,
    });
    return seen;
  };
  const part = await run({ from: '2024-01-02', to: '2024-01-03', bucketsPerBatch: 1 });
  expect(part.at(-1)).toEqual({ done: 24, total: 24 });
  expect(part.length).toBeGreaterThan(2);
  expect(part.map((p) => p.done)).toEqual([...part.map((p) => p.done)].sort((a, b) => a - b));
  expect(await db.value('select sum(n)::int from hourly')).toBe(144);
  await run();
  expect(await db.value('select sum(n)::int from hourly')).toBe(2880);
  expect((await run()).at(-1)).toEqual({ done: 0, total: 0 });
  await expect(run({ from: 'nonsense' })).rejects.toMatchObject({ code: '22023' });
});

test('the line shows a bar, the batches and the time left', () => {
  expect(formatRefresh({ done: 5, total: 20 }, 10_000)).toBe(
    '[########                      ] 5/20 batches  30 s left',
  );
  expect(formatRefresh({ done: 0, total: 0 }, 5)).toBe('[##############################] 0/0 batches');
});

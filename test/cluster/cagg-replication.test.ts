/** A hypertable with a continuous aggregate that gets its rows by logical replication. */
import { describe, expect, it } from 'vitest';
import { viewDifferences, materializedDifferences, type AuditedView } from '../harness/cagg-views.ts';
import { hasWorkers, useCluster } from '../harness/cluster.ts';
import { serverAddress } from '../harness/server.ts';
import { waitUntil } from '../harness/wait-until.ts';

// A subscription needs another server to subscribe to.
describe.runIf(hasWorkers())('changes that a subscription applies', () => {
  const { db, nodes } = useCluster({ nodes: 1, added: 0 });

  it('are noticed below what is materialized, and need no note above', async () => {
    const [publisher] = nodes;
    const table = 'create table readings (time timestamptz primary key, v int)';
    await publisher?.query(`${table}; create publication readings for table readings`);
    await db.query(`set client_min_messages = warning; ${table}`);
    await db.query(`select create_hypertable('readings', 'time', chunk_time_interval => interval '1 day')`);
    await db.query(
      `insert into readings select timestamptz '2024-01-01' + i * interval '1 hour', i from generate_series(0, 100) i`,
    );
    const direct = `select time_bucket('1 hour', time) as hour, count(*) as n, sum(v) as total from readings group by 1`;
    await db.query(`select create_continuous_aggregate('hourly', $$${direct}$$)`);
    const { host, user } = serverAddress();
    await db.query(
      `create subscription ${db.name} connection 'host=${host} port=${publisher?.port} user=${user} dbname=${db.name}'
       publication readings with (copy_data = false)`,
    );
    const log = (): Promise<number> =>
      db.value('select count(*)::int from _tessera_catalog.continuous_aggs_hypertable_invalidation_log');
    const has = (what: string, condition: string): Promise<void> =>
      waitUntil(what, () => db.value(`select ${condition} from readings`));

    await publisher?.query(`insert into readings values ('2024-02-01', 1)`);
    await has('the row above is there', `max(time) = '2024-02-01'`);
    expect(await log()).toBe(0);
    await publisher?.query(`insert into readings values ('2024-01-02 00:30', 1), ('2024-01-03 00:30', 2)`);
    await has('the rows below are there', 'count(*) = 104');
    expect(await log()).toBe(2);
    const hourly: AuditedView = { name: 'hourly', direct };
    expect(await viewDifferences(db.client, hourly)).toEqual([]);
    await publisher?.query(`update readings set v = 9 where v = 1; delete from readings where v = 2`);
    await has(
      'what was changed is changed',
      `count(*) = 103 and count(*) filter (where v = 9 and time in ('2024-01-02 00:30', '2024-02-01')) = 2`,
    );
    expect(await viewDifferences(db.client, hourly)).toEqual([]);
    await db.query(`call refresh_continuous_aggregate('hourly', null, null)`);
    expect(await materializedDifferences(db.client, hourly)).toEqual([]);
    await db.query(`drop subscription ${db.name}`);
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useDatabase } from '../../harness/database.ts';
import { waitUntil } from '../../harness/wait-until.ts';
import { DRIVERS, Workers } from '../../harness/workers.ts';

const TASKS = 500;

/** A repeatable graph: every task depends on up to three earlier ones. */
const randomGraph = (): number[][] => {
  let seed = 11;
  const random = (n: number): number => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed % n;
  };
  return Array.from({ length: TASKS }, (_, i) => [
    ...new Set(Array.from({ length: i === 0 ? 0 : random(4) }, () => Math.max(0, i - 1 - random(40)))),
  ]);
};

describe.each(DRIVERS)('%s', (driver) => {
  const db = useDatabase();
  let workers: Workers;

  beforeAll(async () => {
    workers = new Workers(db, driver);
    await db.query(`
      create table done (n int, began timestamptz default clock_timestamp(), pid int default pg_backend_pid(), who name default session_user);
      grant insert, select on done to public`);
    await db.query(`select tessera.set_setting('poll_interval', '20')`);
    await workers.start();
  });
  afterAll(() => workers.stop());

  const newJob = (): Promise<bigint> => db.value(`select create_background_job('test')`);
  const add = (job: bigint, command: string, dependsOn: readonly bigint[] = []): Promise<bigint> =>
    db.value('select add_background_task($1, $2, $3)', [job, command, dependsOn]);
  const state = (job: bigint): Promise<string> =>
    db.value('select state from citus_job_list() where job_id = $1', [job]);

  test('a task runs once as its owner, and citus_job_wait returns when it is done', async () => {
    const owner = await db.role('ann');
    const session = await db.as(owner);
    const { job } = (await session.query(`select create_background_job('of ann') as job`)).rows[0];
    await session.query('select add_background_task($1, $2)', [job, 'insert into done (n) values (-1)']);
    await session.query('select citus_job_wait($1)', [job]);
    expect(await db.query('select who from done where n = -1')).toEqual([{ who: owner }]);
    expect(await state(job)).toBe('finished');
  });

  test('several statements are one transaction, and COMMIT is refused with a reason', async () => {
    const job = await newJob();
    await add(job, 'insert into done (n) values (-2); insert into done (n) values (-3)');
    await waitUntil('it is done', async () => (await state(job)) === 'finished');
    const xmins = await db.column('select distinct xmin::text from done where n in (-2, -3)');
    expect(xmins).toHaveLength(1);
    const bad = await newJob();
    const task = await add(bad, 'insert into done (n) values (-4); commit');
    await waitUntil('it failed', () =>
      db.value('select retry_count > 0 from tessera_information.background_tasks where task_id = $1', [task]),
    );
    expect(
      await db.value('select message from tessera_information.background_tasks where task_id = $1', [task]),
    ).toMatch(/transaction/);
    expect(await db.value('select count(*)::int from done where n = -4')).toBe(0);
    await db.query('select citus_job_cancel($1)', [bad]);
  });

  test('cancelling a job ends its running task and what waits for it', async () => {
    const job = await newJob();
    const first = await add(job, 'select pg_sleep(600)');
    await add(job, 'insert into done (n) values (-5)', [first]);
    await waitUntil('it runs', async () => (await state(job)) === 'running');
    await db.query('select citus_job_cancel($1)', [job]);
    await waitUntil('it is cancelled', async () => (await state(job)) === 'cancelled');
    expect(
      await db.column(
        'select status::text from tessera_information.background_tasks where job_id = $1 order by task_id',
        [job],
      ),
    ).toEqual(['cancelled', 'cancelled']);
  });

  test(`${TASKS} tasks with random dependencies and random kills: every effect once, in an order that respects them`, async () => {
    const job = await newJob();
    const graph = randomGraph();
    const ids: bigint[] = [];
    await db.query('begin');
    for (const [n, needs] of graph.entries())
      ids.push(
        await add(
          job,
          `insert into done (n) values (${n}); select pg_sleep(0.01)`,
          needs.map((d) => ids[d] as bigint),
        ),
      );
    await db.query('commit');
    let kills = 0;
    await waitUntil(
      'all tasks are done',
      async () => {
        const done = await db.value('select count(*)::int from done where n >= 0');
        if (done >= (kills + 1) * 60)
          kills += (
            await db.query(
              `select pg_terminate_backend(pid) from tessera_information.workers where state = 'running' order by random() limit 1`,
            )
          ).length;
        return (await state(job)) === 'finished';
      },
      120_000,
    );
    const rows = await db.query('select n, began from done where n >= 0 order by n');
    expect(rows.map((r) => r.n)).toEqual(Array.from({ length: TASKS }, (_, i) => i));
    const began = (n: number): string => String(rows[n]?.began);
    for (const [n, needs] of graph.entries())
      for (const d of needs) expect(began(d) < began(n), `${d} before ${n}`).toBe(true);
    expect(await db.value('select count(distinct pid)::int from done where n >= 0')).toBeGreaterThan(1);
    expect(kills).toBeGreaterThan(2);
  });
});

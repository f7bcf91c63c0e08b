import { beforeEach, expect, test } from 'vitest';
import { failure, useDatabase } from '../../harness/database.ts';
import { Executor } from '../../harness/executor.ts';
import { backendPid } from '../../harness/sessions.ts';
import { waitUntil } from '../../harness/wait-until.ts';

const db = useDatabase();
const TASK = '_tessera_catalog.pg_dist_background_task';

beforeEach(async () => {
  await db.query(`delete from ${TASK}; delete from _tessera_catalog.pg_dist_background_job`);
});

const newJob = (): Promise<bigint> => db.value(`select create_background_job('test')`);
const add = (job: bigint, command = 'select 1'): Promise<bigint> =>
  db.value('select add_background_task($1, $2)', [job, command]);

/** Waits in a session of its own; returns once that session sleeps. */
const waiter = async (sql: string, params: unknown[]): Promise<{ pid: number; outcome: Promise<string> }> => {
  const client = await db.connect();
  const pid = await backendPid(client);
  const outcome = client.query(sql, params).then(
    () => 'returned',
    (e: { code: string; message: string }) => `${e.code} ${e.message}`,
  );
  await waitUntil('the session waits', () =>
    db.value(`select wait_event is not distinct from 'PgSleep' from pg_stat_activity where pid = $1`, [pid]),
  );
  return { pid, outcome };
};

test('citus_job_wait and citus_task_wait return when another session has done the work', async () => {
  const job = await newJob();
  const task = await add(job);
  const waits = [
    await waiter('select citus_job_wait($1)', [job]),
    await waiter(`select citus_job_wait($1, 'finished')`, [job]),
    await waiter('select citus_task_wait($1)', [task]),
    await waiter(`select citus_task_wait($1, desired_status => 'done')`, [task]),
  ];
  const running = [
    await waiter(`select citus_job_wait($1, 'running')`, [job]),
    await waiter(`select citus_task_wait($1, 'running')`, [task]),
  ];
  const executor = await Executor.start(db);
  const claim = await executor.claim();
  for (const w of running) expect(await w.outcome).toBe('returned');
  await executor.run(claim!);
  for (const w of waits) expect(await w.outcome).toBe('returned');
  await db.query('select citus_job_wait($1), citus_task_wait($2)', [job, task]);
});

test('a wait for a state ends with an error when another end is reached', async () => {
  const job = await newJob();
  const task = await add(job);
  const waits = [
    await waiter(`select citus_job_wait($1, 'finished')`, [job]),
    await waiter(`select citus_task_wait($1, 'done')`, [task]),
  ];
  await db.query('select citus_job_cancel($1)', [job]);
  expect(await waits[0]?.outcome).toBe(
    `55000 background job ${job} has ended as "cancelled" and will not become "finished"`,
  );
  expect(await waits[1]?.outcome).toBe(
    `55000 background task ${task} has ended as "cancelled" and will not become "done"`,
  );
});

test('the error of a wait for a job that failed says which task failed and why', async () => {
  const job = await newJob();
  const task = await add(job, 'select 1/0');
  await db.query(`update ${TASK} set retry_count = 32 where task_id = $1`, [task]);
  await (await Executor.start(db)).step();
  const error = await db.error(`select citus_job_wait($1, 'finished')`, [job]);
  expect(error.detail).toMatch(new RegExp(`^Task ${task}: ERROR: division by zero\n`));
  await db.query('select citus_job_wait($1)', [job]);
});

test('a wait can be cancelled', async () => {
  const job = await newJob();
  await add(job);
  const wait = await waiter('select citus_job_wait($1)', [job]);
  await db.query('select pg_cancel_backend($1)', [wait.pid]);
  expect(await wait.outcome).toMatch(/^57014 /);
});

test('what is not there cannot be waited for, and what goes away ends the wait', async () => {
  expect((await db.error('select citus_job_wait(-1)')).code).toBe('42704');
  expect((await db.error('select citus_task_wait(-1)')).code).toBe('42704');
  expect((await db.error('select citus_job_wait(null)')).code).toBe('22023');
  expect((await db.error('select citus_task_wait(null)')).code).toBe('22023');
  const job = await newJob();
  const wait = await waiter('select citus_task_wait($1)', [await add(job)]);
  await db.query(`delete from ${TASK} where job_id = $1`, [job]);
  expect(await wait.outcome).toMatch(/^42704 /);
});

test('waiting is refused where it would last for ever', async () => {
  const job = await newJob();
  const task = await add(job);
  const client = await db.connect();
  for (const level of ['repeatable read', 'serializable'])
    for (const [sql, id] of [
      ['select citus_job_wait($1)', job],
      ['select citus_task_wait($1)', task],
    ] as const) {
      await client.query(`begin isolation level ${level}`);
      const error = await failure(client, sql, [id]);
      expect([error.code, error.hint]).toEqual(['25001', "set default_transaction_isolation = 'read committed';"]);
      await client.query('rollback');
    }
  await client.query('begin');
  const own = (await client.query(`select create_background_job('uncommitted') as id`)).rows[0].id as bigint;
  expect(await failure(client, 'select citus_job_wait($1)', [own])).toMatchObject({
    code: '55000',
    hint: 'Commit before you wait.',
  });
  await client.query('rollback');

  const executor = await Executor.start(db);
  await executor.claim();
  expect((await failure(executor.client, 'select citus_job_wait($1)', [job])).code).toBe('55000');
  expect((await failure(executor.client, 'select citus_task_wait($1)', [task])).code).toBe('55000');
});

test('a state that is reached already needs no waiting, at any isolation level', async () => {
  const job = await newJob();
  const task = await add(job);
  await (await Executor.start(db)).step();
  const client = await db.connect();
  await client.query('begin isolation level serializable');
  await client.query('select citus_job_wait($1), citus_task_wait($2)', [job, task]);
  await client.query('commit');
});

import { beforeEach, expect, test } from 'vitest';
import { jobState, TASK_STATES, type TaskState } from '../../../src/tasks/job-state-plan.ts';
import { useDatabase, type Row } from '../../harness/database.ts';
import { Executor } from '../../harness/executor.ts';
import { waitUntil } from '../../harness/wait-until.ts';

const db = useDatabase();
const TASK = '_tessera_catalog.pg_dist_background_task';

beforeEach(async () => {
  await db.query(
    `delete from ${TASK}; delete from _tessera_catalog.pg_dist_background_job; delete from _tessera_catalog.setting`,
  );
});

const newJob = (): Promise<bigint> => db.value(`select create_background_job('test')`);
const add = (job: bigint, command = 'select 1', dependsOn: bigint[] = []): Promise<bigint> =>
  db.value('select add_background_task($1, $2, $3)', [job, command, dependsOn]);
const task = async (id: bigint): Promise<Row> =>
  (
    await db.query(
      `select *, status::text as status, not_before > now() as later,
     extract(epoch from not_before - now())::float8 as wait from ${TASK} where task_id = $1`,
      [id],
    )
  )[0] as Row;
const status = async (id: bigint): Promise<string> => (await task(id)).status as string;
const state = (job: bigint): Promise<string> =>
  db.value('select state::text from citus_job_list() where job_id = $1', [job]);
const start = (): Promise<Executor> => Executor.start(db);
const heal = (): Promise<number> => db.value('select _tessera_functions.heal_tasks()');
const sleeping = (pid: number): Promise<void> =>
  waitUntil('the session sleeps', () =>
    db.value(`select wait_event is not distinct from 'PgSleep' from pg_stat_activity where pid = $1`, [pid]),
  );
const dueNow = (id: bigint): Promise<unknown> =>
  db.query(`update ${TASK} set not_before = null where task_id = $1`, [id]);

test('job_state in SQL is jobState in TypeScript, for every set of states and for lists of tasks', async () => {
  for (let bits = 0; bits < 1 << TASK_STATES.length; bits++) {
    const set: TaskState[] = TASK_STATES.filter((_, i) => (bits >> i) & 1);
    const list = [...set, ...set.slice(0, bits % 5), ...set].reverse();
    expect(
      await db.value('select _tessera_functions.job_state($1::_tessera_catalog.citus_task_status[])::text', [list]),
      list.join(),
    ).toBe(jobState(list));
  }
});

test('a task goes from runnable over running to done, and its job from scheduled to finished', async () => {
  await db.query('create table if not exists effect (n int)');
  const job = await newJob();
  const id = await add(job, 'insert into effect values (1); insert into effect values (2)');
  expect([await status(id), await state(job)]).toEqual(['runnable', 'scheduled']);

  const executor = await start();
  const claim = await executor.claim();
  expect(claim).toMatchObject({ task_id: id, job_id: job });
  expect(await task(id)).toMatchObject({ status: 'running', pid: await executor.pid(), retry_count: null });
  expect(await state(job)).toBe('running');

  expect(await executor.run(claim!)).toBe('done');
  expect(await task(id)).toMatchObject({ status: 'done', pid: null, message: 'SELECT 1\n' });
  expect(await db.column('select n from effect order by n')).toEqual([1, 2]);
  const [row] = await db.query('select state, started_at <= finished_at as ordered from citus_job_list()');
  expect(row).toEqual({ state: 'finished', ordered: true });
  expect(await executor.claim()).toBeUndefined();
});

test('rows inserted into the tables by hand run like any other', async () => {
  await db.query(
    `insert into _tessera_catalog.pg_dist_background_job (job_id, job_type, description) values (900, 'x', 'by hand')`,
  );
  await db.query(
    `insert into ${TASK} (job_id, task_id, command, status) values (900, 901, 'select 1', 'runnable'), (900, 902, 'select 1', 'blocked')`,
  );
  await db.query('insert into _tessera_catalog.pg_dist_background_task_depend values (900, 902, 901)');
  const executor = await start();
  expect((await executor.step())?.task_id).toBe(901n);
  expect((await executor.step())?.task_id).toBe(902n);
  expect(await state(900n)).toBe('finished');
});

test('a failed task is tried again after 5, 20 and 60 seconds, and given up at the 33rd failure', async () => {
  const job = await newJob();
  const id = await add(job, 'select 1/0');
  const dependent = await add(job, 'select 1', [id]);
  const last = await add(job, 'select 1', [dependent]);
  const other = await add(job, 'select 1');
  await db.query(`update ${TASK} set not_before = now() + interval '1 day' where task_id = $1`, [other]);
  const executor = await start();
  for (let failures = 1; failures <= 32; failures++) {
    expect((await executor.step())?.task_id).toBe(id);
    const row = await task(id);
    expect(row).toMatchObject({ status: 'runnable', pid: null, retry_count: failures, later: true });
    const wanted = failures === 1 ? 5 : failures === 2 ? 20 : 60;
    expect(Math.abs(row.wait - wanted)).toBeLessThan(2);
    expect(await executor.claim()).toBeUndefined();
    await dueNow(id);
  }
  expect((await task(id)).message).toMatch(/^ERROR: division by zero\nCONTEXT: .*\/postgres for \(\d+\/\d+\)\n$/s);
  await executor.step();
  expect(await task(id)).toMatchObject({ status: 'error', pid: null, retry_count: 33, not_before: null });
  expect([await status(dependent), await status(last)]).toEqual(['unscheduled', 'unscheduled']);
  expect(await state(job)).toBe('failing');
  expect((await db.query('select * from citus_job_list()'))[0]?.finished_at).toBeNull();
  await dueNow(other);
  expect((await executor.step())?.task_id).toBe(other);
  expect(await state(job)).toBe('failed');
  const refused = await db.error('select add_background_task($1, $2, $3)', [job, 'select 1', [id]]);
  expect([refused.code, refused.message]).toEqual(['55000', `background task ${id} will never be done`]);
});

test('a task starts when all it depends on is done, not before', async () => {
  const job = await newJob();
  const [a, b] = [await add(job), await add(job)];
  const c = await add(job, 'select 1', [a, b, a]);
  const executor = await start();
  expect(await status(c)).toBe('blocked');
  await executor.step();
  expect(await status(c)).toBe('blocked');
  await executor.step();
  expect(await status(c)).toBe('runnable');
  expect((await executor.step())?.task_id).toBe(c);
  expect(await state(job)).toBe('finished');
  const late = await add(job, 'select 1', [c]);
  expect([await status(late), await state(job)]).toEqual(['runnable', 'running']);
});

test('a task that waits or fails holds up no other', async () => {
  const job = await newJob();
  const early = await db.value(`select add_background_task($1, 'select 1', not_before => now() + interval '1 hour')`, [
    job,
  ]);
  const next = await add(job);
  const executor = await start();
  expect((await executor.step())?.task_id).toBe(next);
  expect(await executor.claim()).toBeUndefined();
  expect(await status(early)).toBe('runnable');
});

test('transaction control in a task is reported as what it is', async () => {
  const id = await add(await newJob(), 'commit');
  const executor = await start();
  await executor.claim();
  expect(await executor.fail(id, { code: '2D000', message: 'invalid transaction termination' })).toBe(true);
  expect((await task(id)).message).toMatch(
    /^ERROR: transaction control is not supported in a background task\nDETAIL: invalid transaction termination\nHINT: /,
  );
  await executor.unlock(id);
});

test('no more tasks run than max_background_task_executors says, read live', async () => {
  const job = await newJob();
  const ids: bigint[] = [];
  for (let i = 0; i < 6; i++) ids.push(await add(job));
  const executors = await Promise.all(ids.map(start));
  const claimAll = async (): Promise<number> =>
    (await Promise.all(executors.map((e) => e.claim()))).filter(Boolean).length;
  await db.query(`insert into _tessera_catalog.setting values ('max_background_task_executors', '1')`);
  expect(await claimAll()).toBe(1);
  await db.query('update _tessera_catalog.setting set value = 3');
  // A session that claims again has left its run behind; only the idle ones may ask here.
  const running = await db.column(`select pid from ${TASK} where pid is not null`);
  const idle: Executor[] = [];
  for (const e of executors) if (!running.includes(await e.pid())) idle.push(e);
  expect((await Promise.all(idle.map((e) => e.claim()))).filter(Boolean)).toHaveLength(2);
  expect(await db.value(`select count(*)::int from ${TASK} where status = 'running'`)).toBe(3);
  expect(await db.value('select running from _tessera_functions.task_demand()')).toBe(3);
});

test('no more tasks that involve a node run than the limit per node says; others pass by', async () => {
  await db.query(`insert into _tessera_catalog.setting values ('max_background_task_executors_per_node', '1')`);
  const job = await newJob();
  const on = (nodes: number[] | null): Promise<bigint> =>
    db.value('select _tessera_functions.schedule_background_task($1, $2, nodes_involved => $3)', [
      job,
      'select 1',
      nodes,
    ]);
  const [first, blocked, both, elsewhere, nowhere] = [
    await on([1, 2]),
    await on([2]),
    await on([3, 1]),
    await on([3]),
    await on([]),
  ];
  expect((await task(nowhere)).nodes_involved).toBeNull();
  expect(await db.value('select runnable from _tessera_functions.task_demand()')).toBe(5);
  const [a, b, c, d] = await Promise.all([start(), start(), start(), start()]);
  const claimed = await a.claim();
  expect(claimed?.task_id).toBe(first);
  expect((await b.claim())?.task_id).toBe(elsewhere);
  expect((await c.claim())?.task_id).toBe(nowhere);
  expect(await d.claim()).toBeUndefined();
  expect(await db.query('select runnable, running from _tessera_functions.task_demand()')).toEqual([
    { runnable: 0, running: 3 },
  ]);
  expect(await db.value('select reason from tessera_information.background_tasks where task_id = $1', [both])).toMatch(
    /node/,
  );
  // A task that is being cancelled still uses its nodes.
  await db.query(`update ${TASK} set status = 'cancelling' where task_id = $1`, [first]);
  expect(await d.claim()).toBeUndefined();
  await db.query(`update ${TASK} set status = 'running' where task_id = $1`, [first]);
  await a.run(claimed!);
  expect((await d.claim())?.task_id).toBe(blocked);
  await db.query(
    `update _tessera_catalog.setting set value = '2' where name = 'max_background_task_executors_per_node'`,
  );
  expect((await a.claim())?.task_id).toBe(both);
});

test('a queue interval of -1 switches the queue off', async () => {
  await add(await newJob());
  await db.query(`insert into _tessera_catalog.setting values ('background_task_queue_interval', '-1')`);
  const executor = await start();
  expect(await executor.claim()).toBeUndefined();
  expect(await db.query('select * from _tessera_functions.task_demand()')).toEqual([]);
  await db.query('delete from _tessera_catalog.setting');
  expect(await executor.claim()).toBeDefined();
});

test('cancel ends waiting tasks at once and running ones when their executor gave up', async () => {
  await db.query('create table if not exists cancelled_effect (n int)');
  const job = await newJob();
  const running = await add(job, 'insert into cancelled_effect values (1); select pg_sleep(60)');
  const runnable = await add(job);
  const blocked = await add(job, 'select 1', [running]);
  const executor = await start();
  const pid = await executor.pid();
  const work = executor.run((await executor.claim())!);
  await sleeping(pid);
  await db.query('select citus_job_cancel($1)', [job]);
  expect([await status(runnable), await status(blocked)]).toEqual(['cancelled', 'cancelled']);
  expect(await work).toBe('failed');
  expect(await task(running)).toMatchObject({ status: 'cancelled', pid: null, retry_count: null });
  expect((await task(running)).message).toMatch(/^ERROR: canceling statement due to user request\n/);
  expect(await state(job)).toBe('cancelled');
  expect(await db.value('select count(*)::int from cancelled_effect')).toBe(0);
  expect(await executor.claim()).toBeUndefined();
  expect((await db.error(`select add_background_task($1, 'select 1')`, [job])).code).toBe('55000');
});

test('a task that swallows its cancellation gets another one', async () => {
  const job = await newJob();
  const id = await add(
    job,
    'do $$ begin perform pg_sleep(60); exception when query_canceled then perform pg_sleep(61); end $$',
  );
  const executor = await start();
  const pid = await executor.pid();
  const work = executor.run((await executor.claim())!);
  await sleeping(pid);
  await db.query('select citus_job_cancel($1)', [job]);
  await waitUntil('the task is cancelled', async () => {
    await heal();
    return (await status(id)) === 'cancelled';
  });
  expect(await work).toBe('failed');
});

test('work that ends while it is being cancelled is undone', async () => {
  await db.query('create table if not exists undone (n int)');
  const job = await newJob();
  const id = await add(job, 'insert into undone values (1)');
  const executor = await start();
  const claim = await executor.claim();
  await db.query(`update ${TASK} set status = 'cancelling' where task_id = $1`, [id]);
  expect(await executor.run(claim!)).toBe('failed');
  expect([await status(id), await db.value('select count(*)::int from undone')]).toEqual(['cancelled', 0]);
});

test('cancel twice gives up on an executor that does not react, whose work is undone', async () => {
  await db.query('create table if not exists stubborn (n int)');
  const job = await newJob();
  const id = await add(job, 'insert into stubborn values (1)');
  const executor = await start();
  const claim = await executor.claim();
  await db.query('select citus_job_cancel($1)', [job]);
  expect([await status(id), await state(job)]).toEqual(['cancelling', 'cancelling']);
  await db.query('select citus_job_cancel($1)', [job]);
  expect([await status(id), await state(job)]).toEqual(['cancelled', 'cancelled']);
  expect(await executor.run(claim!)).toBe('failed');
  expect([await status(id), await db.value('select count(*)::int from stubborn')]).toEqual(['cancelled', 0]);
});

test('cancel changes nothing of what has ended, and knows no job that is not there', async () => {
  const job = await newJob();
  const id = await add(job);
  await (await start()).step();
  await db.query('select citus_job_cancel($1)', [job]);
  expect([await status(id), await state(job)]).toEqual(['done', 'finished']);
  expect((await db.error('select citus_job_cancel(-1)')).code).toBe('42704');
});

test('a task whose executor is gone runs again at once, and later and later when that repeats', async () => {
  const job = await newJob();
  const id = await add(job);
  for (const [deaths, wait] of [
    [1, 0],
    [2, 5],
    [3, 20],
  ] as const) {
    const executor = await start();
    await executor.claim();
    expect(await heal()).toBe(0);
    const gone = new Promise((resolve) => executor.client.once('end', resolve));
    await db.query('select pg_terminate_backend($1, 10000)', [await executor.pid()]);
    await gone;
    expect(await heal()).toBe(1);
    const row = await task(id);
    expect(row).toMatchObject({ status: 'runnable', pid: null, retry_count: deaths });
    expect(row.message).toMatch(/^ERROR: the executor of the task ended without a result\n/);
    if (wait === 0) expect(row.not_before).toBeNull();
    else expect(Math.abs(row.wait - wait)).toBeLessThan(2);
    await dueNow(id);
  }
  expect(await heal()).toBe(0);
  await db.query(`update ${TASK} set status = 'running', pid = 1, retry_count = 32 where task_id = $1`, [id]);
  expect(await heal()).toBe(1);
  expect([await status(id), await state(job)]).toEqual(['error', 'failed']);
});

test('a task in cancelling whose executor is gone becomes cancelled', async () => {
  const job = await newJob();
  const id = await add(job);
  await db.query(`update ${TASK} set status = 'running', pid = 1 where task_id = $1`, [id]);
  await db.query('select citus_job_cancel($1)', [job]);
  expect([await status(id), await state(job)]).toEqual(['cancelling', 'cancelling']);
  expect(await heal()).toBe(1);
  expect([await status(id), await state(job)]).toEqual(['cancelled', 'cancelled']);
});

test('a pid that is somebody else now is neither signalled nor taken for an executor', async () => {
  const job = await newJob();
  const id = await add(job);
  const stranger = await start();
  const pid = await stranger.pid();
  const busy = stranger.client.query('select pg_sleep(0.5)');
  await sleeping(pid);
  await db.query(`update ${TASK} set status = 'running', pid = $2 where task_id = $1`, [id, pid]);
  await db.query('select citus_job_cancel($1)', [job]);
  await busy;
  expect(await heal()).toBe(1);
  expect(await status(id)).toBe('cancelled');
});

test('tasks of a dropped role end in error with all that depends on them', async () => {
  const role = await db.role('leaving');
  const client = await db.as(role);
  const job = (await client.query(`select create_background_job('left behind') as id`)).rows[0].id as bigint;
  const id = (await client.query(`select add_background_task($1, 'select 1') as id`, [job])).rows[0].id as bigint;
  const dependent = (
    await client.query(`select add_background_task($1, 'select 1', array[$2::bigint]) as id`, [job, id])
  ).rows[0].id as bigint;
  await client.end();
  expect(await heal()).toBe(0);
  await db.query(`drop role ${role}`);
  expect(await db.query('select * from _tessera_functions.task_demand()')).toEqual([]);
  expect(await heal()).toBe(1);
  expect([await status(id), await status(dependent), await state(job)]).toEqual(['error', 'unscheduled', 'failed']);
  expect((await task(id)).message).toMatch(/^ERROR: the role that owned the task does not exist\n/);
});

test('a blocked task that waits for nothing is released, one that waits for a failure is given up', async () => {
  const job = await newJob();
  const [free, hopeless, last, failed] = [await add(job), await add(job), await add(job), await add(job)];
  await db.query(`insert into _tessera_catalog.pg_dist_background_task_depend values ($1, $2, $3), ($1, $4, $2)`, [
    job,
    hopeless,
    failed,
    last,
  ]);
  await db.query(`update ${TASK} set status = 'blocked'`);
  await db.query(`update ${TASK} set status = 'error' where task_id = $1`, [failed]);
  expect(await heal()).toBe(2);
  expect([await status(free), await status(hopeless), await status(last)]).toEqual([
    'runnable',
    'unscheduled',
    'unscheduled',
  ]);
});

test('a session that claims again after an error gives back what it had', async () => {
  const job = await newJob();
  const [first, second] = [await add(job), await add(job)];
  const executor = await start();
  expect((await executor.claim())?.task_id).toBe(first);
  expect((await executor.claim())?.task_id).toBe(first);
  expect((await task(first)).retry_count).toBe(1);
  expect(await status(second)).toBe('runnable');
});

test('a run that was taken away cannot be ended any more, and its work is undone', async () => {
  await db.query('create table if not exists lost_run (n int)');
  const id = await add(await newJob(), 'select pg_advisory_unlock_all(); insert into lost_run values (1)');
  const [slow, fast] = [await start(), await start()];
  const claim = await slow.claim();
  await slow.client.query('begin');
  await slow.client.query(claim!.command);
  expect(await heal()).toBe(1);
  const again = await fast.claim();
  expect(again?.task_id).toBe(id);
  await expect(slow.client.query('select _tessera_functions.finish_task($1, true)', [id])).rejects.toMatchObject({
    code: '55000',
  });
  await slow.client.query('rollback');
  expect(await slow.fail(id, { message: 'too late' })).toBe(false);
  expect(await status(id)).toBe('running');
  expect(await fast.run(again!)).toBe('done');
  expect(await db.value('select count(*)::int from lost_run')).toBe(1);
});

test('a claim does not wait for a job that somebody is changing', async () => {
  const [held, free] = [await newJob(), await newJob()];
  await add(held);
  const id = await add(free);
  const holder = await db.connect();
  await holder.query('begin');
  await holder.query('select add_background_task($1, $2)', [held, 'select 1']);
  expect((await (await start()).step())?.task_id).toBe(id);
  await holder.query('rollback');
});

test('a claim at a stricter isolation level is refused', async () => {
  await add(await newJob());
  const executor = await start();
  await executor.client.query('begin isolation level repeatable read');
  await expect(executor.claim()).rejects.toMatchObject({ code: '0A000' });
  await executor.client.query('rollback');
});

test('citus_job_status counts tasks by state and lists those that failed', async () => {
  const job = await newJob();
  expect(await db.value('select details from citus_job_status($1)', [job])).toEqual({
    task_state_counts: null,
    tasks: [],
  });
  const [bad] = [await add(job, 'select 1/0'), await add(job)];
  const executor = await start();
  await executor.step();
  await executor.step();
  const [row] = await db.query('select * from citus_job_status($1, true)', [job]);
  expect(row).toMatchObject({
    job_id: job,
    state: 'running',
    job_type: 'user',
    description: 'test',
    details: {
      task_state_counts: { runnable: 1, done: 1 },
      tasks: [{ state: 'runnable', retried: 1, command: 'select 1/0', task_id: Number(bad) }],
    },
  });
  expect(await db.query('select * from citus_job_status(-1)')).toEqual([]);
  expect(await db.query('select * from citus_job_status(null)')).toEqual([]);
});

test('creating jobs and tasks refuses what makes no sense and leaves nothing behind', async () => {
  const job = await newJob();
  const other = await add(await newJob());
  const codes: [string, unknown[], string][] = [
    ['select create_background_job(null)', [], '22023'],
    ['select add_background_task(null, $1)', ['select 1'], '22023'],
    ['select add_background_task($1, null)', [job], '22023'],
    ['select add_background_task($1, $2)', [job, ' ;\n'], '22023'],
    ['select add_background_task($1, $2, array[null]::bigint[])', [job, 'select 1'], '22023'],
    ['select add_background_task(-1, $1)', ['select 1'], '42704'],
    ['select add_background_task($1, $2, array[$3::bigint])', [job, 'select 1', other], '42704'],
  ];
  for (const [sql, params, code] of codes) expect((await db.error(sql, params)).code, sql).toBe(code);
  expect(await db.value(`select count(*)::int from ${TASK}`)).toBe(1);
  expect(await db.value('select add_background_task($1, $2, null)', [job, 'select 1'])).toBeGreaterThan(0n);
});

test('tessera_information.background_tasks says why a task does not run', async () => {
  const job = await newJob();
  const first = await add(job);
  const second = await add(job, 'select 1', [first]);
  const reason = (id: bigint): Promise<string> =>
    db.value('select reason from tessera_information.background_tasks where task_id = $1', [id]);
  expect(await reason(first)).toBe('waits for an executor');
  expect(await reason(second)).toBe(`waits for task ${first}`);
  await db.query(`update ${TASK} set not_before = now() + interval '1 hour' where task_id = $1`, [first]);
  expect(await reason(first)).toBe('its time has not come');
});

import type pg from 'pg';
import { beforeAll, expect, test } from 'vitest';
import { failure, useDatabase } from '../../harness/database.ts';
import { Executor } from '../../harness/executor.ts';

const db = useDatabase();
const TASK = '_tessera_catalog.pg_dist_background_task';
let alice: string;
let bob: string;
let signaller: string;
let asAlice: pg.Client;
let asBob: pg.Client;

beforeAll(async () => {
  [alice, bob, signaller] = [await db.role('alice'), await db.role('bob'), await db.role('signaller')];
  await db.query(`grant pg_signal_backend to ${signaller}`);
  [asAlice, asBob] = [await db.as(alice), await db.as(bob)];
});

const one = async (client: pg.Client, sql: string, params: unknown[] = []): Promise<bigint> =>
  Object.values((await client.query(sql, params)).rows[0] as object)[0] as bigint;
const job = (client: pg.Client): Promise<bigint> => one(client, `select create_background_job('test')`);
const add = (client: pg.Client, id: bigint): Promise<bigint> =>
  one(client, `select add_background_task($1, 'select 1')`, [id]);
const cancelled = (task: bigint): Promise<boolean> =>
  db.value(`select status = 'cancelled' from ${TASK} where task_id = $1`, [task]);

test('a task belongs to the user who added it, and only he gets it to run', async () => {
  const id = await add(asAlice, await job(asAlice));
  expect(await db.value(`select owner::text from ${TASK} where task_id = $1`, [id])).toBe(alice);
  expect(await new Executor(asBob).claim()).toBeUndefined();
  expect(await (await Executor.start(db)).claim()).toBeUndefined();
  expect((await new Executor(asAlice).step())?.task_id).toBe(id);
});

test('a superuser in the role of somebody does not get his tasks, nor he those of the superuser', async () => {
  const id = await add(asAlice, await job(asAlice));
  const executor = await Executor.start(db);
  await executor.client.query(`set role ${alice}`);
  expect(await executor.claim()).toBeUndefined();
  await executor.client.query('reset role');
  const own = await add(executor.client, await job(executor.client));
  expect((await new Executor(asAlice).step())?.task_id).toBe(id);
  expect(await new Executor(asAlice).claim()).toBeUndefined();
  expect((await executor.step())?.task_id).toBe(own);
});

test('a run can be ended only by the session that has it', async () => {
  const id = await add(asAlice, await job(asAlice));
  const executor = new Executor(asAlice);
  const claim = await executor.claim();
  for (const client of [asBob, await db.as(alice), db.client]) {
    const error = await failure(client, 'select _tessera_functions.finish_task($1, true)', [id]);
    expect([error.code, error.message]).toEqual(['55000', `background task ${id} is not run by this session`]);
    expect(await new Executor(client).fail(id, { message: 'not mine' })).toBe(false);
  }
  expect(await db.value(`select status::text from ${TASK} where task_id = $1`, [id])).toBe('running');
  expect(await executor.run(claim!)).toBe('done');
});

test('nobody but the owner of a job and his members adds tasks to it', async () => {
  const id = await job(asAlice);
  const refused = await failure(asBob, `select add_background_task($1, 'select 1')`, [id]);
  expect([refused.code, refused.message]).toEqual(['42501', `must be owner of background job ${id}`]);
  await db.query(`grant ${alice} to ${bob}`);
  const task = await add(asBob, id);
  expect(await db.value(`select owner::text from ${TASK} where task_id = $1`, [task])).toBe(bob);
  await db.query(`revoke ${alice} from ${bob}`);
  await asAlice.query('select citus_job_cancel($1)', [await job(asAlice)]);
});

test('nobody has tasks run as a role he could not become', async () => {
  const id = await job(asAlice);
  const schedule = '_tessera_functions.schedule_background_task';
  const refused = await failure(asAlice, `select ${schedule}($1, 'select 1', owner => 'postgres')`, [id]);
  expect(refused.code).toBe('42501');
  expect((await failure(asAlice, `select ${schedule}($1, 'select 1', owner => $2::regrole)`, [id, bob])).code).toBe(
    '42501',
  );
  expect(
    (await failure(asAlice, `select ${schedule}($1, 'select 1', owner => 4294967295::oid::regrole)`, [id])).code,
  ).toBe('42501');
  expect(await db.value(`select count(*)::int from ${TASK} where job_id = $1`, [id])).toBe(0);
  expect(await one(db.client, `select ${schedule}($1, 'select 1', owner => $2::regrole)`, [id, bob])).toBeGreaterThan(
    0n,
  );
  expect(await new Executor(asBob).step()).toBeDefined();
});

test('a role that cannot log in cannot own tasks, and the error says what to do', async () => {
  const id = await job(asAlice);
  await db.query(`alter role ${alice} nologin`);
  const refused = await failure(asAlice, `select add_background_task($1, 'select 1')`, [id]);
  expect([refused.code, refused.hint]).toEqual(['55000', `Run: alter role ${alice} login`]);
  await db.query(`alter role ${alice} login`);
});

test('cancelling takes the rights of pg_cancel_backend', async () => {
  const id = await job(asAlice);
  const task = await add(asAlice, id);
  const refused = await failure(asBob, 'select citus_job_cancel($1)', [id]);
  expect([refused.code, refused.message]).toEqual(['42501', `permission denied to cancel background task ${task}`]);
  expect(await cancelled(task)).toBe(false);
  await asAlice.query('select citus_job_cancel($1)', [id]);
  expect(await cancelled(task)).toBe(true);

  const second = await job(asAlice);
  const another = await add(asAlice, second);
  await (await db.as(signaller)).query('select citus_job_cancel($1)', [second]);
  expect(await cancelled(another)).toBe(true);
});

test('tasks of a superuser are cancelled by superusers only', async () => {
  const id = await job(db.client);
  const task = await add(db.client, id);
  for (const client of [asAlice, await db.as(signaller)])
    expect((await failure(client, 'select citus_job_cancel($1)', [id])).code).toBe('42501');
  expect(await cancelled(task)).toBe(false);
  await db.query('select citus_job_cancel($1)', [id]);
  expect(await cancelled(task)).toBe(true);
});

test('a job with one task that may not be cancelled is left as it was', async () => {
  const id = await job(asAlice);
  const own = await add(asAlice, id);
  await db.query('select add_background_task($1, $2)', [id, 'select 1']);
  expect((await failure(asAlice, 'select citus_job_cancel($1)', [id])).code).toBe('42501');
  expect(await cancelled(own)).toBe(false);
  await db.query('select citus_job_cancel($1)', [id]);
});

test('everybody sees jobs and tasks, nobody writes them, and healing is for the owner of the extension', async () => {
  for (const sql of [
    'select * from citus_job_list()',
    'select * from citus_job_status(1)',
    'select * from tessera_information.background_tasks',
    'select * from _tessera_functions.task_demand()',
    `select * from ${TASK}`,
    'select * from _tessera_catalog.pg_dist_background_task_depend',
    'select last_value from _tessera_catalog.pg_dist_background_job_job_id_seq',
  ])
    await asBob.query(sql);
  const id = await add(asAlice, await job(asAlice));
  for (const sql of [
    `update ${TASK} set owner = 'postgres' where task_id = ${id}`,
    `insert into _tessera_catalog.pg_dist_background_job (job_type, description) values ('x', 'x')`,
    `select _tessera_functions.request_task_cancel_job('postgres', '{"job_id": 1}')`,
    `select _tessera_functions.heal_task(${id})`,
    `select _tessera_functions.unschedule_dependents(1, ${id})`,
  ])
    expect((await failure(asBob, sql)).code, sql).toBe('42501');
  await db.query(`update ${TASK} set status = 'running', pid = 1 where task_id = $1`, [id]);
  expect((await failure(asBob, 'select _tessera_functions.heal_tasks()')).code).toBe('42501');
  expect(await db.value('select _tessera_functions.heal_tasks()')).toBe(1);
});

test('a caller named in a request is not believed', async () => {
  const id = await job(db.client);
  await db.query('select add_background_task($1, $2)', [id, 'select 1']);
  const refused = await failure(
    asBob,
    `insert into _tessera_catalog.request (caller, operation, payload) values ('postgres', 'task.cancel_job', $1)`,
    [JSON.stringify({ job_id: Number(id) })],
  );
  expect(refused.code).toBe('42501');
});

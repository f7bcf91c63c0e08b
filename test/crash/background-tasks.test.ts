import { afterAll, beforeAll, expect, test } from 'vitest';
import type pg from 'pg';
import { PrivateServer } from '../harness/crash.ts';
import { Executor } from '../harness/executor.ts';

const embedded = process.env.TESSERA_TEST_DSN === undefined && process.env.TESSERA_TEST_SERVER !== 'docker';
let server: PrivateServer;

beforeAll(async () => {
  if (!embedded) return;
  server = await PrivateServer.create(`tasks${process.pid}`);
  const client = await server.connect();
  await client.query('create extension tessera cascade');
  await client.query('create table effect (round int)');
  await client.end();
});

afterAll(() => server?.remove());

const one = async (client: pg.Client, sql: string, params: unknown[] = []): Promise<unknown> =>
  Object.values((await client.query(sql, params)).rows[0])[0];

/** Each way to lose an executor, at two moments: the work is not done yet, and it is done but not committed. */
const losses = [
  ['SIGKILL of the executor', (pid: number) => server.killBackend(pid)],
  [
    'an immediate stop of the server',
    async () => {
      server.restartImmediately();
      await server.ready();
    },
  ],
] as const;

for (const [round, [name, lose]] of losses.entries())
  for (const moment of ['after the claim', 'before the commit'] as const)
    test.runIf(embedded)(`${name} ${moment} has the task run again, with its effect once`, async () => {
      const number = round * 2 + (moment === 'after the claim' ? 0 : 1);
      const setup = await server.connect();
      const job = await one(setup, `select create_background_job('crash')`);
      const task = await one(setup, 'select add_background_task($1, $2)', [
        job,
        `insert into effect values (${number})`,
      ]);
      await setup.end();

      const executor = new Executor(await server.connect());
      const claim = await executor.claim();
      expect(claim?.task_id).toBe(task);
      if (moment === 'before the commit') {
        await executor.client.query('begin');
        await executor.client.query(claim!.command);
        await executor.client.query('select _tessera_functions.finish_task($1, true)', [task]);
      }
      await lose(await executor.pid());
      await executor.client.end().catch(() => undefined);

      const after = await server.connect();
      await after.query('select _tessera_functions.heal_tasks()');
      expect((await new Executor(after).step())?.task_id).toBe(task);
      await after.query(`select citus_job_wait($1, 'finished')`, [job]);
      expect(await one(after, 'select count(*)::int from effect where round = $1', [number])).toBe(1);
      await after.end();
    });

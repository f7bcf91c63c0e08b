import pg from 'pg';
import type { Measurement } from './measurement.ts';

const TASKS = 1200;

/** What an executor does, as the worker procedure does it, until the queue is empty. */
const SETUP = `
  create table effect (n int);
  create table plain (n int);
  create procedure run_tasks() language plpgsql as $$
  declare
    claim record;
  begin
    while exists (select from _tessera_catalog.pg_dist_background_task where status = 'runnable') loop
      select * into claim from _tessera_functions.claim_task();
      commit;
      continue when claim.task_id is null;
      begin
        execute claim.command;
        perform _tessera_functions.finish_task(claim.task_id, true, tags => 'INSERT 0 1');
      end;
      commit;
      perform _tessera_functions.unlock_task(claim.task_id);
    end loop;
  end $$;
  create procedure run_plain(rows int) language plpgsql as $$
  begin
    for i in 1..rows loop
      execute 'insert into plain values (1)';
      commit;
    end loop;
  end $$;
  create procedure repeat_statement(statement text, times int) language plpgsql as $$
  begin
    for i in 1..times loop
      execute statement;
      commit;
    end loop;
  end $$`;

const elapsed = async (work: () => Promise<unknown>): Promise<number> => {
  const began = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - began) / 1e6;
};

const fill = async (client: pg.Client, jobs: number, tasks: number): Promise<void> => {
  await client.query(
    'truncate _tessera_catalog.pg_dist_background_job, _tessera_catalog.pg_dist_background_task, _tessera_catalog.pg_dist_background_task_depend',
  );
  await client.query(
    `insert into _tessera_catalog.pg_dist_background_job (job_id, job_type, description) select i, 'bench', '' from generate_series(1, $1) i`,
    [jobs],
  );
  await client.query(
    `insert into _tessera_catalog.pg_dist_background_task (job_id, command) select 1 + i % $1, 'insert into effect values (1)' from generate_series(1, $2) i`,
    [jobs, tasks],
  );
};

/** Milliseconds per task; the anchor is the same INSERT with a COMMIT of its own, in as many sessions. */
export const measureTasks = async (client: pg.Client, config: pg.ClientConfig): Promise<Measurement[]> => {
  await client.query(SETUP);
  const sessions = await Promise.all(
    [0, 1, 2, 3].map(async () => {
      const session = new pg.Client(config);
      await session.connect();
      return session;
    }),
  );
  const results: Measurement[] = [];
  for (const jobs of [1, 50])
    for (const count of [1, 2, 4]) {
      const used = sessions.slice(0, count);
      const plain = await elapsed(() =>
        Promise.all(used.map((s) => s.query('call run_plain($1::int)', [TASKS / count]))),
      );
      await fill(client, jobs, TASKS);
      const ours = await elapsed(() => Promise.all(used.map((s) => s.query('call run_tasks()'))));
      results.push({
        name: `task of ${jobs} job(s), ${count} sessions / insert, commit`,
        anchor: plain / TASKS,
        ours: ours / TASKS,
        goal: undefined,
      });
    }

  const CALLS = 1000;
  const perCall = async (statement: string): Promise<number> =>
    (await elapsed(() => client.query('call repeat_statement($1, $2)', [statement, CALLS]))) / CALLS;
  const nothing = await perCall('select 1');
  const idle = async (state: string): Promise<void> => {
    for (const name of ['claim_task', 'heal_tasks', 'task_demand'])
      results.push({
        name: `${name}, ${state} / select 1`,
        anchor: nothing,
        ours: await perCall(`select * from _tessera_functions.${name}()`),
        goal: undefined,
      });
  };
  await fill(client, 1, 0);
  await idle('no tasks');
  await fill(client, 1, 10_000);
  await client.query(`update _tessera_catalog.pg_dist_background_task set status = 'done'`);
  await idle('10000 done');
  for (const session of sessions) await session.end();
  return results;
};

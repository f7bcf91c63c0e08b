import { expect, test } from 'vitest';
import { useDatabase, type Database } from '../harness/database.ts';
import { Executor } from '../harness/executor.ts';

const TASK = '_tessera_catalog.pg_dist_background_task';
const dag = useDatabase();
const limits = useDatabase();
const cancels = useDatabase();

/** Deterministic numbers below 2^32 (xorshift, Marsaglia 2003). */
const random = (seed: number): (() => number) => {
  let x = seed;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Crew {
  readonly pids: Set<number>;
  kills: number;
}

/** Runs tasks until the end of the test; a killed session is followed by a new one, as the scheduler would have it. */
const work = async (db: Database, role: string, crew: Crew, over: () => boolean): Promise<void> => {
  while (!over()) {
    const executor = await Executor.start(db, role);
    const pid = await executor.pid();
    crew.pids.add(pid);
    try {
      while (!over()) if ((await executor.step()) === undefined) await pause(5);
    } catch {
      // The session is gone, at any point between claim and unlock.
    }
    crew.pids.delete(pid);
    await executor.client.end().catch(() => undefined);
  }
};

const monitor = async (db: Database, over: () => boolean): Promise<void> => {
  const client = await db.connect();
  while (!over()) {
    await client.query('select _tessera_functions.heal_tasks()');
    // The test has no minutes to spare for retries.
    await client.query(`update ${TASK} set not_before = null where status = 'runnable' and not_before is not null`);
    await pause(50);
  }
};

const killer = async (db: Database, crew: Crew, next: () => number, over: () => boolean): Promise<void> => {
  const client = await db.connect();
  while (!over()) {
    await pause(20 + (next() % 60));
    const victims = [...crew.pids];
    if (victims.length === 0) continue;
    await client.query('select pg_terminate_backend($1)', [victims[next() % victims.length]]);
    crew.kills++;
  }
};

test('500 tasks in a random graph, 4 executors that get killed: order kept, every effect once', async () => {
  const db = dag;
  const next = random(42);
  const role = await db.role('worker');
  await db.query(
    `create table effect (task int, at bigint generated always as identity); grant insert on effect to ${role}`,
  );
  const owner = await db.as(role);
  const job = (await owner.query(`select create_background_job('graph') as id`)).rows[0].id as bigint;
  const ids: bigint[] = [];
  await owner.query('begin');
  for (let i = 0; i < 500; i++) {
    const needed = new Set<bigint>();
    for (let k = next() % 4; k > 0 && i > 0; k--) needed.add(ids[Math.max(0, i - 1 - (next() % 40))] as bigint);
    // One in ten takes longer, so that kills hit tasks as well as the calls around them.
    const command = `insert into effect (task) values (${i})${next() % 10 === 0 ? '; select pg_sleep(0.03)' : ''}`;
    const added = await owner.query('select add_background_task($1, $2, $3) as id', [job, command, [...needed]]);
    ids.push(added.rows[0].id as bigint);
  }
  await owner.query('commit');

  let finished = false;
  const over = (): boolean => finished;
  const crew: Crew = { pids: new Set(), kills: 0 };
  const running = [
    ...[0, 1, 2, 3].map(() => work(db, role, crew, over)),
    monitor(db, over),
    killer(db, crew, next, over),
  ];
  await db.query(`select citus_job_wait($1, 'finished')`, [job]);
  finished = true;
  await Promise.all(running);

  expect(crew.kills).toBeGreaterThan(5);
  expect(await db.query(`select status::text, count(*)::int from ${TASK} group by 1`)).toEqual([
    { status: 'done', count: 500 },
  ]);
  expect(await db.column('select task from effect order by 1')).toEqual(ids.map((_, i) => i));
  // The sequence is drawn when the work begins, which is after every task it depends on was committed.
  const disorder = await db.value(
    `select count(*)::int from _tessera_catalog.pg_dist_background_task_depend d
       join effect e on e.task = d.task_id - $1 join effect p on p.task = d.depends_on - $1
     where e.at < p.at`,
    [ids[0]],
  );
  expect(disorder).toBe(0);
  expect(await db.value('select count(*)::int from _tessera_catalog.pg_dist_background_task_depend')).toBeGreaterThan(
    400,
  );
});

test('claims at the same moment never exceed a limit', async () => {
  const db = limits;
  await db.query(`insert into _tessera_catalog.setting values ('max_background_task_executors', '3'),
    ('max_background_task_executors_per_node', '1')`);
  const job: bigint = await db.value(`select create_background_job('limits')`);
  for (let i = 0; i < 200; i++)
    await db.query(
      `select _tessera_functions.schedule_background_task($1, 'select pg_sleep(0.002)', nodes_involved => $2)`,
      [job, i % 4 < 2 ? [i % 4] : null],
    );
  const seen = { all: 0, node0: 0, node1: 0 };
  let over = false;
  const watch = async (): Promise<void> => {
    const client = await db.connect();
    while (!over) {
      const { rows } = await client.query(
        `select count(*)::int as all, count(*) filter (where 0 = any(nodes_involved))::int as node0,
           count(*) filter (where 1 = any(nodes_involved))::int as node1 from ${TASK} where status = 'running'`,
      );
      for (const key of ['all', 'node0', 'node1'] as const) seen[key] = Math.max(seen[key], rows[0][key]);
    }
  };
  const watching = watch();
  const runAll = async (): Promise<void> => {
    const executor = await Executor.start(db);
    const left = `select exists (select from ${TASK} where status = 'runnable') as left`;
    while ((await executor.client.query(left)).rows[0].left) await executor.step();
  };
  await Promise.all(Array.from({ length: 8 }, runAll));
  over = true;
  await watching;
  expect(seen).toEqual({ all: 3, node0: 1, node1: 1 });
  await db.query(`select citus_job_wait($1, 'finished')`, [job]);
});

test('jobs cancelled while they run end as cancelled, and only what is done left an effect', async () => {
  const db = cancels;
  const next = random(7);
  const role = await db.role('worker');
  await db.query(`create table effect (task bigint); grant insert on effect to ${role}`);
  const owner = await db.as(role);
  let finished = false;
  const over = (): boolean => finished;
  const crew: Crew = { pids: new Set(), kills: 0 };
  const running = [
    ...[0, 1, 2, 3].map(() => work(db, role, crew, over)),
    monitor(db, over),
    killer(db, crew, next, over),
  ];
  for (let round = 0; round < 15; round++) {
    const job = (await owner.query(`select create_background_job('round') as id`)).rows[0].id as bigint;
    let last: bigint | undefined;
    for (let i = 0; i < 10; i++) {
      const id: bigint = await db.value(`select last_value + is_called::int from ${TASK}_task_id_seq`);
      const command = `insert into effect values (${id}); select pg_sleep(0.005)`;
      const needed = last !== undefined && next() % 2 === 0 ? [last] : [];
      last = (await owner.query('select add_background_task($1, $2, $3) as id', [job, command, needed])).rows[0]
        .id as bigint;
      expect(last).toBe(id);
    }
    await pause(next() % 60);
    await owner.query('select citus_job_cancel($1)', [job]);
    await owner.query('select citus_job_wait($1)', [job]);
  }
  finished = true;
  await Promise.all(running);
  expect(await db.query(`select status::text from ${TASK} group by 1 order by 1`)).toEqual([
    { status: 'cancelled' },
    { status: 'done' },
  ]);
  expect(await db.column('select task from effect order by 1')).toEqual(
    await db.column(`select task_id from ${TASK} where status = 'done' order by 1`),
  );
  expect(
    await db.column(`select distinct state::text from citus_job_list() where state not in ('cancelled', 'finished')`),
  ).toEqual([]);
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useDatabase, type Row } from '../../harness/database.ts';
import { waitUntil } from '../../harness/wait-until.ts';
import { DRIVERS, Workers } from '../../harness/workers.ts';

const TASK = '_tessera_catalog.pg_dist_background_task';

for (const driver of DRIVERS)
  describe(driver, () => {
    const db = useDatabase();
    const workers = new Workers(db, driver);
    let role: string;

    beforeAll(async () => {
      role = await db.role('worker');
      await db.query(`create table effect (what text, who text default session_user, pid int default pg_backend_pid());
        grant insert, select on effect to ${role}`);
      await workers.start();
    });
    afterAll(() => workers.stop());

    const newJob = (): Promise<bigint> => db.value(`select create_background_job('test')`);
    const add = (job: bigint, command: string, dependsOn: bigint[] = [], owner = role): Promise<bigint> =>
      db.value('select _tessera_functions.schedule_background_task($1, $2, $3, owner => $4::regrole)', [
        job,
        command,
        dependsOn,
        owner,
      ]);
    const task = async (id: bigint): Promise<Row> =>
      (await db.query(`select *, status::text from ${TASK} where task_id = $1`, [id]))[0] as Row;
    const failedOnce = (id: bigint): Promise<void> =>
      waitUntil('the task has failed', async () => (await task(id)).retry_count === 1);

    test('tasks run as their owners, one after the other as they depend on each other', async () => {
      const job = await newJob();
      const first = await add(job, `insert into effect (what) values ('first')`);
      const second = await add(job, `insert into effect (what) select 'second' from effect where what = 'first'`, [
        first,
      ]);
      await add(
        job,
        `insert into effect (what) select 'third' from effect where what = 'second'`,
        [second],
        'postgres',
      );
      await db.query(`select citus_job_wait($1, 'finished')`, [job]);
      expect(await db.query('select what, who from effect order by what')).toEqual([
        { what: 'first', who: role },
        { what: 'second', who: role },
        { what: 'third', who: 'postgres' },
      ]);
    });

    test('a failure leaves its message, and the task is tried again', async () => {
      const id = await add(await newJob(), `insert into effect (what) values ('undone'); select 1/0`);
      await failedOnce(id);
      expect(await task(id)).toMatchObject({ status: 'runnable', pid: null });
      expect((await task(id)).message).toMatch(/^ERROR: division by zero\nCONTEXT: (.*\n)*background task executor: /);
      expect(await db.value(`select count(*)::int from effect where what = 'undone'`)).toBe(0);
    });

    test('a task cannot end its transaction, called or not', async () => {
      await db.query(`create procedure committing() language plpgsql as $$
        begin insert into effect (what) values ('committed'); commit; end $$`);
      const job = await newJob();
      const [bare, called] = [await add(job, 'commit'), await add(job, 'call committing()')];
      await failedOnce(bare);
      await failedOnce(called);
      expect((await task(bare)).message).toMatch(/^ERROR: EXECUTE of transaction commands is not implemented\n/);
      expect((await task(called)).message).toMatch(
        /^ERROR: transaction control is not supported in a background task\n/,
      );
      expect(await db.value(`select count(*)::int from effect where what = 'committed'`)).toBe(0);
      await db.query('select citus_job_cancel($1)', [job]);
    });

    test('citus_job_cancel interrupts a running task', async () => {
      const job = await newJob();
      const id = await add(job, `insert into effect (what) values ('cancelled'); select pg_sleep(60)`);
      await db.query(`select citus_task_wait($1, 'running')`, [id]);
      await db.query('select citus_job_cancel($1)', [job]);
      await db.query(`select citus_job_wait($1, 'cancelled')`, [job]);
      expect((await task(id)).status).toBe('cancelled');
      expect(await db.value(`select count(*)::int from effect where what = 'cancelled'`)).toBe(0);
    });

    test('a task that ends its own session is tried again and in the end given up', async () => {
      const job = await newJob();
      const id = await add(job, 'select pg_terminate_backend(pg_backend_pid())');
      await failedOnce(id);
      await db.query(`update ${TASK} set retry_count = 32, not_before = null where task_id = $1`, [id]);
      await db.query(`select citus_task_wait($1, 'error')`, [id]);
      expect((await task(id)).message).toMatch(/^ERROR: the executor of the task ended without a result\n/);
    });

    test('a task that gives its locks away still has its effect once', async () => {
      const job = await newJob();
      const id = await add(
        job,
        `select pg_advisory_unlock_all(); insert into effect (what) values ('once'); select pg_sleep(1.5)`,
      );
      await waitUntil('the run was taken away', async () => (await task(id)).retry_count !== null);
      await db.query(`update ${TASK} set command = $2, not_before = null where task_id = $1`, [
        id,
        `insert into effect (what) values ('once')`,
      ]);
      await db.query(`select citus_job_wait($1, 'finished')`, [job]);
      expect(await db.value(`select count(*)::int from effect where what = 'once'`)).toBe(1);
    });
  });

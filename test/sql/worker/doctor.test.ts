import { afterAll, expect, test } from 'vitest';
import { useDatabase } from '../../harness/database.ts';
import { waitUntil } from '../../harness/wait-until.ts';
import { Workers } from '../../harness/workers.ts';

const db = useDatabase();
const workers = new Workers(db, 'node');
afterAll(() => workers.stop());

const check = async (name: string): Promise<Record<string, unknown>> =>
  (await db.query('select status, detail, hint from tessera.doctor() where check_name = $1', [name]))[0] ?? {};

test('the doctor says that workers are off, and what turns them on', async () => {
  expect(await check('background work')).toEqual({
    status: 'warning',
    detail: 'background workers are off in this database, so jobs and policies do not run',
    hint: 'select start_background_workers();',
  });
});

test('the doctor says that workers are wanted but nobody started them', async () => {
  await db.query(`select tessera.set_setting('background_workers', 'on')`);
  // What is said further depends on the pg_cron the server has.
  const found = await check('background work');
  expect(found.status).toMatch(/warning|error/);
  expect(found.detail).toMatch(/^no scheduler runs/);
  expect(found.hint).not.toBeNull();
});

test('with a scheduler at work all is well', async () => {
  await workers.start();
  await waitUntil('there is a sign of life', () =>
    db.value('select heartbeat is not null from tessera_information.scheduler'),
  );
  expect((await check('background work')).status).toBe('ok');
  expect((await check('background work')).detail).toContain('the scheduler runs (node)');
});

test('the doctor counts jobs that fail', async () => {
  await waitUntil('no job is late', async () => (await check('jobs')).status === 'ok');
  await db.query(
    `create procedure fails(job_id int, config jsonb) language plpgsql as $$ begin raise exception 'no'; end $$`,
  );
  await db.query(`select add_job('fails', '1 hour')`);
  await waitUntil('it failed', async () => (await check('jobs')).status === 'warning');
  expect((await check('jobs')).detail).toBe('1 jobs are late or failed the last time');
});

test('too few sessions for the slots is a warning', async () => {
  await db.query(`select tessera.set_setting('worker_slots', '500')`);
  expect(await check('room for workers')).toMatchObject({ status: 'warning' });
  expect((await check('room for workers')).hint).toContain('506');
});

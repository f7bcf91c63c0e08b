import { afterAll, describe, expect, test } from 'vitest';
import { useDatabase } from '../harness/database.ts';
import { forgetRole, logIn, platform, typeHint } from '../harness/managed.ts';
import { waitUntil } from '../harness/wait-until.ts';
import { hasCron, Workers } from '../harness/workers.ts';

const LOOPBACK = (password: string, user?: string): string =>
  `select tessera.set_loopback('host=127.0.0.1${user === undefined ? '' : ` user=${user}`} password=${password}')`;

describe.skipIf(!hasCron)('an owner of the extension without any right on pg_cron', () => {
  const db = useDatabase({ template: 'empty' });
  const owner = `bare_${db.name.slice(-10)}`;
  afterAll(async () => {
    const session = await platform(db.name);
    await session.query('drop extension if exists tessera cascade').catch(() => undefined);
    await session.query(`reassign owned by ${owner} to administrator; drop owned by ${owner}`);
    await session.end();
    await forgetRole(owner);
  });

  const jobsOf = async (role: string): Promise<number> => {
    const session = await platform('postgres');
    const { rows } = await session.query('select count(*)::int as n from cron.job where username = $1', [role]);
    await session.end();
    return rows[0].n;
  };

  test('is told of all that is missing at once, in statements, and nothing is changed', async () => {
    await db.query(`create role ${owner} login createrole password '${owner}'`);
    await db.query(`grant ${owner} to current_user; alter database ${db.name} owner to ${owner}`);
    const session = await logIn({ user: owner, password: owner }, db.name);
    try {
      await session.query('create extension tessera');
      let said: { code?: string; hint?: string; detail?: string } = {};
      await session.query('select start_background_workers()').catch((e) => (said = e));
      expect(said.code).toBe('42501');
      expect(said.hint?.split('\n')).toEqual([
        `-- in database "${db.name}"`,
        `select tessera.set_loopback('host=127.0.0.1 user=${owner} password=...');`,
        `grant pg_read_all_settings to ${owner};`,
        `grant pg_read_all_stats to ${owner};`,
        `grant pg_signal_backend to ${owner};`,
        '-- in database "postgres"',
        'create extension if not exists pg_cron;',
        `grant usage on schema cron to ${owner};`,
        `grant execute on function cron.schedule_in_database to ${owner};`,
      ]);
      expect((await session.query('select wanted from tessera_information.scheduler')).rows).toEqual([
        { wanted: false },
      ]);
      expect(await jobsOf(owner)).toBe(0);
      const doctor = await session.query(
        `select status, hint from tessera.doctor() where check_name = 'rights on pg_cron'`,
      );
      expect(doctor.rows).toEqual([{ status: 'warning', hint: said.hint }]);
      // What needs a server-wide role and what is a statement in this database, by who may type it.
      const hint = (said.hint as string).replace('password=...', `password=${owner}`);
      const own = hint.split('\n')[1] as string;
      await session.query(own);
      await typeHint(hint.replace(`${own}\n`, ''), session, db.name);
      expect((await session.query('select start_background_workers() as started')).rows).toEqual([{ started: true }]);
      await waitUntil(
        'the scheduler runs',
        async () => (await session.query('select running from tessera_information.scheduler')).rows[0].running,
      );
      expect(
        (await session.query(`select status from tessera.doctor() where check_name = 'rights on pg_cron'`)).rows,
      ).toEqual([{ status: 'ok' }]);
      expect((await session.query('select restart_background_workers() as started')).rows).toEqual([{ started: true }]);
      expect((await session.query('select stop_background_workers() as stopped')).rows).toEqual([{ stopped: true }]);
      expect(await jobsOf(owner)).toBe(1); // the one that tidies up
    } finally {
      await session.end();
    }
  });

  test('is told that the extension is not created, not that pg_cron is not loaded', async () => {
    const session = await platform(db.name);
    const { rows } = await session.query(
      `select _tessera_functions.cron_state() as state, _tessera_functions.cron_database()::text as database`,
    );
    await session.end();
    expect(rows).toEqual([{ state: 'loaded', database: 'postgres' }]);
  });

  test('cannot stop or restart without the connection by which they were started, and is told so', async () => {
    const session = await logIn({ user: owner, password: owner }, db.name);
    try {
      await session.query(LOOPBACK('wrong', owner));
      for (const act of ['stop', 'restart']) {
        let said: { code?: string; hint?: string; message?: string } = {};
        await session.query(`select ${act}_background_workers()`).catch((e) => (said = e));
        expect(said).toMatchObject({ code: '42501', message: `permission denied to ${act} background workers` });
        expect(said.hint).toContain('tessera.set_loopback');
      }
      await session.query(LOOPBACK(owner, owner));
      expect((await session.query('select stop_background_workers() as stopped')).rows).toEqual([{ stopped: true }]);
    } finally {
      await session.end();
    }
  });
});

describe.skipIf(!hasCron)('roles beside the owner of the extension under pg_cron', () => {
  const db = useDatabase();
  const workers = new Workers(db, 'pg_cron');
  let role = '';
  afterAll(async () => {
    await workers.stop();
    if (role !== '') await forgetRole(role);
  });

  test('start a worker for themselves by what they and the doctor are told', async () => {
    role = await db.role('app');
    await workers.start();
    const session = await db.as(role);
    await db.query(`grant create on schema public to ${role}`);
    await session.query(`
      create table ran (who name default session_user);
      create procedure act(job_id int, config jsonb) language plpgsql as $$ begin insert into ran default values; commit; end $$`);
    const job = (await session.query(`select add_job('act', interval '1 hour') as id`)).rows[0].id;
    const task = (await session.query(`select create_background_job('of the role') as id`)).rows[0].id;
    await session.query('select add_background_task($1, $2)', [task, 'insert into ran default values']);
    const reason = (): Promise<string> =>
      db.value('select reason from tessera_information.job_states where job_id = $1', [job]);
    expect(await reason()).toBe(
      `role "${role}" has no worker: as that role, start_background_workers() says how it starts one`,
    );
    const refused = await session.query('select start_background_workers()').then(
      () => undefined,
      (e) => e,
    );
    expect(refused.code).toBe('42501');
    const [check] = await db.query(
      `select status, detail, hint from tessera.doctor() where check_name = 'workers of roles'`,
    );
    expect(check).toEqual({ status: 'warning', detail: `role "${role}" has work and no worker`, hint: refused.hint });
    expect(refused.hint).toContain(`grant usage on schema cron to ${role};`);
    await typeHint(refused.hint, session, db.name);
    await waitUntil('both have run', async () => (await session.query('select from ran')).rowCount === 2);
    expect((await session.query('select distinct who from ran')).rows).toEqual([{ who: role }]);
    await waitUntil('the run is recorded', () =>
      db.value(`select last_run_status = 'Success' from tessera_information.job_stats where job_id = $1`, [job]),
    );
    expect(await db.query(`select from tessera.doctor() where check_name = 'workers of roles'`)).toEqual([]);
    // The owner of the extension goes on having workers of his own.
    expect(
      await db.value('select count(distinct owner)::int from tessera_information.workers where pid is not null'),
    ).toBe(2);
  });

  test('cannot be dropped while they have one', async () => {
    expect((await db.error(`drop role ${role}`)).code).toBe('2BP01');
  });
});

describe('roles beside the owner of the extension under the command tessera worker', () => {
  const db = useDatabase();
  const workers = new Workers(db, 'node');
  let own: Workers | undefined;
  afterAll(async () => {
    await own?.stop().catch(() => undefined);
    await workers.stop();
  });

  test('are passed by while it has no password of theirs, and work in a process of their own', async () => {
    await db.query(`select tessera.set_setting('worker_slots', '2')`);
    const role = await db.role('app');
    await db.query(`grant create on schema public to ${role}`);
    const session = await db.as(role);
    await session.query(`
      create table ran (who name default session_user);
      create procedure act(job_id int, config jsonb) language plpgsql as $$ begin insert into ran default values; commit; end $$;
      create procedure fails(job_id int, config jsonb) language plpgsql as $$
      begin commit; raise exception 'no' using errcode = '22012'; end $$`);
    const job = (await session.query(`select add_job('act', interval '1 hour') as id`)).rows[0].id;
    const failing = (await session.query(`select add_job('fails', interval '1 hour') as id`)).rows[0].id;
    await workers.start();
    const reason = (): Promise<string> =>
      db.value('select reason from tessera_information.job_states where job_id = $1', [job]);
    await waitUntil('a login was refused', async () => workers.log.join('\n').includes(`role ${role}: `));
    await waitUntil('its job is passed by', async () => (await reason()).startsWith(`role "${role}" has no worker`));
    const [check] = await db.query(`select status, hint from tessera.doctor() where check_name = 'workers of roles'`);
    expect(check).toEqual({
      status: 'warning',
      hint: `-- run the command tessera worker as role "${role}", or give the one that runs its password in a password file`,
    });
    own = new Workers(db, 'node', role);
    await own.start();
    await waitUntil('it has run', async () => (await session.query('select from ran')).rowCount === 1);
    await waitUntil('the failure is recorded', async () =>
      (
        await session.query(`select sqlerrcode, err_message from tessera_information.job_errors where job_id = $1`, [
          failing,
        ])
      ).rows.some((r) => r.sqlerrcode === '22012' && r.err_message === 'no'),
    );
  });
});

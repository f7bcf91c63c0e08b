import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { failure, useDatabase } from '../../harness/database.ts';
import { waitUntil } from '../../harness/wait-until.ts';
import { Workers } from '../../harness/workers.ts';

const db = useDatabase();
const workers = new Workers(db, 'node');
let attacker: string;
let intruder: pg.Client;
let job: number;

beforeAll(async () => {
  attacker = await db.role('attacker');
  await db.query(`create schema a authorization ${attacker}`);
  intruder = await db.as(attacker);
  await intruder.query(`create procedure a.j(job_id int, config jsonb) language sql as 'select 1'`);
  job = (await intruder.query<{ id: number }>(`select add_job('a.j', '1 day') as id`)).rows[0]?.id ?? 0;
});
afterAll(() => workers.stop());

const update = (changes: object): Promise<pg.DatabaseError> =>
  failure(intruder, `insert into _tessera_catalog.request (operation, payload) values ('job.update', $1)`, [
    JSON.stringify({ job_id: job, changes }),
  ]);

describe('a job whose next start nobody could compute is refused', () => {
  const CALLS: readonly (readonly [string, string, string])[] = [
    ['an interval of ages', `add_job('a.j', '178000000 years', fixed_schedule => false)`, '22023'],
    ['an interval beyond all', `add_job('a.j', '200000 years')`, '22023'],
    ['a first start before the calendar', `add_job('a.j', '1 day', initial_start => '-infinity')`, '22023'],
    ['a first start at the end of time', `add_job('a.j', '1 day', initial_start => 'infinity')`, '22023'],
    ['a time zone nobody knows', `add_job('a.j', '1 day', timezone => 'foo/bar')`, '22023'],
    ['parts that run backwards', `add_job('a.j', '1 month -29 days', fixed_schedule => false)`, '22023'],
    ['a retry period of ages', `alter_job(JOB, retry_period => '100000 years')`, '22023'],
    ['a longest run of ages', `alter_job(JOB, max_runtime => '100000 years')`, '22023'],
  ];
  for (const [what, call, code] of CALLS)
    test(`with ${what}, by function`, async () => {
      expect(await failure(intruder, `select ${call.replace('JOB', String(job))}`)).toMatchObject({ code });
    });

  const CHANGES: readonly (readonly [string, object])[] = [
    ['a time zone nobody knows', { timezone: 'foo/bar', fixed_schedule: true, initial_start: '2020-01-01' }],
    ['no interval', { schedule_interval: '0' }],
    ['an interval that is none', { schedule_interval: 'soon' }],
    ['an owner', { owner: 'postgres' }],
    ['another procedure', { proc_name: 'pg_sleep' }],
    ['half a check', { check_name: 'x' }],
  ];
  for (const [what, changes] of CHANGES)
    test(`with ${what}, by request`, async () => {
      expect((await update(changes)).code).toMatch(/^2[23]/);
    });

  test('with another owner or a policy of tessera for oneself, by request', async () => {
    const base = { name: 'x', schedule_interval: '1 s', proc_schema: 'a', proc_name: 'j' };
    for (const payload of [
      { ...base, owner: 'postgres' },
      { ...base, job_type: 'reorder' },
      { ...base, proc_schema: '_tessera_functions', proc_name: 'policy_drain', owner: 'postgres' },
      { ...base, max_retries: -2 },
    ])
      expect(
        (
          await failure(
            intruder,
            `insert into _tessera_catalog.request (operation, payload) values ('job.insert', $1)`,
            [JSON.stringify(payload)],
          )
        ).code,
        JSON.stringify(payload),
      ).toMatch(/^(22|23|42501)/);
  });
});

describe('a job that an earlier version let in', () => {
  test('is paused with its error in the history, and the scheduler serves everybody else', async () => {
    await db.query(
      `update _tessera_catalog.bgw_job set timezone = 'foo/bar', fixed_schedule = true, initial_start = '2020-01-01' where id = ${job}`,
    );
    await db.query(
      `update _tessera_catalog.bgw_job_stat set last_start = now(), last_finish = '-infinity', flags = 0, pid = 1 where job_id = ${job}`,
    );
    await workers.start();
    await waitUntil('the job is paused', () =>
      db.value(`select not scheduled from _tessera_catalog.bgw_job where id = ${job}`),
    );
    expect(
      (
        await intruder.query(
          `select sqlerrcode, err_message from tessera_information.job_errors where job_id = ${job} and sqlerrcode is not null`,
        )
      ).rows,
    ).toEqual([{ sqlerrcode: '22023', err_message: 'time zone "foo/bar" not recognized' }]);
    await db.query(`create table ran (who name); create procedure note(job_id int, config jsonb) language sql as 'insert into public.ran values (current_user)';
      select add_job('note', '1 s')`);
    await waitUntil('another job runs', () => db.value('select count(*) > 1 from ran'));
    expect(await db.value('select running from tessera_information.scheduler')).toBe(true);
  });

  test('whose run cannot be looked after keeps the scheduler from no other', async () => {
    await db.query(
      `update _tessera_catalog.bgw_job set max_runtime = '178000000 years', timezone = null where id = ${job}`,
    );
    await db.query(`select tessera.set_setting('cancel_grace', '1')`);
    expect(await db.value(`select _tessera_functions.supervise_step('no_such_step()')`)).toBe(false);
    expect(
      await db.query(
        `select status from tessera.doctor() where detail like 'the scheduler could not carry out no_such_step%'`,
      ),
    ).toEqual([{ status: 'error' }]);
    expect(await db.value('select running from tessera_information.scheduler')).toBe(true);
  });
});

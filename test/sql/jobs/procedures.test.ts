import { beforeEach, expect, test } from 'vitest';
import { useDatabase } from '../../harness/database.ts';

const db = useDatabase();
let id: number;

const named = async (): Promise<unknown> =>
  (
    await db.query(
      'select proc_schema, proc_name, check_schema, check_name from tessera_information.jobs where job_id = $1',
      [id],
    )
  )[0];

beforeEach(async () => {
  await db.query(`drop schema if exists tasks, chores cascade; drop table if exists ran;
    create schema tasks; create table ran (job int);
    create procedure tasks.act(job_id int, config jsonb) language sql as 'insert into ran values (job_id)';
    create function tasks.fits(config jsonb) returns void language sql as 'select'`);
  id = await db.value(`select add_job('tasks.act', '1 hour', check_config => 'tasks.fits')`);
  await db.query(`create procedure tasks.act(name text) language sql as 'select 1'`);
});

test.each([
  ['alter procedure tasks.act(int, jsonb) rename to "do it"', 'tasks', 'do it', 'tasks', 'fits'],
  ['alter procedure tasks.act(int, jsonb) set schema public', 'public', 'act', 'tasks', 'fits'],
  ['alter routine tasks.fits rename to suits', 'tasks', 'act', 'tasks', 'suits'],
  ['alter function tasks.fits set schema public', 'tasks', 'act', 'public', 'fits'],
  ['alter schema tasks rename to chores', 'chores', 'act', 'chores', 'fits'],
  ['alter procedure tasks.act(text) rename to other', 'tasks', 'act', 'tasks', 'fits'],
])('a job runs on after %s', async (ddl, schema, name, checkSchema, checkName) => {
  await db.query(ddl);
  expect(await named()).toEqual({
    proc_schema: schema,
    proc_name: name,
    check_schema: checkSchema,
    check_name: checkName,
  });
  await db.query(`call run_job(${id})`);
  expect(await db.column('select job from ran')).toEqual([id]);
  await db.query(
    `select delete_job(${id}); drop procedure if exists "do it", public.act(int, jsonb); drop function if exists public.fits`,
  );
});

test('the procedure of a job is not dropped without a word', async () => {
  for (const ddl of ['drop procedure tasks.act(int, jsonb)', 'drop routine tasks.act(int, jsonb)'])
    expect(await db.error(ddl)).toMatchObject({
      code: '2BP01',
      message: `cannot drop tasks.act(integer,pg_catalog.jsonb) because job ${id} depends on it`,
      hint: `select delete_job(${id});`,
    });
  await db.query('drop procedure tasks.act(text)');
  await db.query(`call run_job(${id})`);
  await db.query(`select delete_job(${id}); drop procedure tasks.act(int, jsonb)`);
});

test.each(['drop procedure tasks.act(int, jsonb) cascade', 'drop schema tasks cascade'])(
  '%s takes the job along',
  async (ddl) => {
    expect(await db.notices(ddl)).toContainEqual({ severity: 'NOTICE', message: `drop cascades to job ${id}` });
    expect(await named()).toBeUndefined();
  },
);

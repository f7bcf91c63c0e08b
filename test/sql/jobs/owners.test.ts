import { beforeEach, expect, test } from 'vitest';
import { useDatabase } from '../../harness/database.ts';

const db = useDatabase();
let [first, second, count] = ['', '', 0];

const ownerOf = (id: number): Promise<string> =>
  db.value(
    `select coalesce((select rolname::text from pg_roles r where r.oid = j.owner), 'gone') from _tessera_catalog.bgw_job j where id = $1`,
    [id],
  );
const doctor = (): Promise<unknown> =>
  db.query(`select status, detail, hint from tessera.doctor() where check_name = 'owners of jobs'`);
const WELL = [
  { status: 'ok', detail: 'each job belongs to a role, and to that which has its procedure, if it did', hint: null },
];

/** A job of `first` of a procedure of the role, and one of a procedure of somebody else. */
const make = async (): Promise<[own: number, foreign: number]> => {
  await db.query(`create procedure act_${count}(job_id int, config jsonb) language sql as 'insert into public.ran values (current_user)';
    create function of_all_${count}(job_id int, config jsonb) returns void language sql as 'select'`);
  await db.query(`alter procedure act_${count} owner to ${first}`);
  const session = await db.as(first);
  const add = async (name: string): Promise<number> =>
    (await session.query(`select add_job($1, '1 hour') as id`, [`${name}_${count}`])).rows[0].id;
  return [await add('act'), await add('of_all')];
};

beforeEach(async () => {
  count++;
  first = await db.role(`first${count}`);
  second = await db.role(`second${count}`);
  await db.query(`delete from _tessera_catalog.bgw_job where id >= 1000; drop table if exists ran; create table ran (role name);
    grant insert on ran to public; grant create on schema public to ${first}, ${second}`);
});

test('a job follows its procedure after REASSIGN OWNED, and its former owner can be dropped', async () => {
  const [own, foreign] = await make();
  expect(await doctor()).toEqual(WELL);
  await db.query(`reassign owned by ${first} to ${second}`);
  expect(await doctor()).toEqual([
    {
      status: 'warning',
      detail: `job ${own} belongs to role ${first}, its procedure public.act_${count}(integer,jsonb) to role ${second}`,
      hint: 'select tessera.sync_catalog();',
    },
  ]);
  await db.query('select tessera.sync_catalog()');
  expect([await ownerOf(own), await ownerOf(foreign)]).toEqual([second, first]);
  expect(await doctor()).toEqual(WELL);
  await db.query(`call run_job(${own})`);
  expect(await db.column('select role::text from ran')).toEqual([second]);
  await db.query(`revoke create on schema public from ${first}; drop role ${first}`);
  expect(await doctor()).toEqual([
    { status: 'warning', detail: `the role that owns job ${foreign} is gone`, hint: `select delete_job(${foreign});` },
  ]);
  await db.query(`select delete_job(${foreign})`);
});

test('also when that was dropped at once, by what the scheduler does', async () => {
  const [own] = await make();
  await db.query(
    `reassign owned by ${first} to ${second}; revoke create on schema public from ${first}; drop role ${first}`,
  );
  expect(await ownerOf(own)).toBe('gone');
  expect(await db.value(`select _tessera_functions.supervise_step('follow_owners()')`)).toBe(true);
  expect(await ownerOf(own)).toBe(second);
});

test('ALTER PROCEDURE OWNER gives the job away with it, ALTER ROLE RENAME leaves it', async () => {
  const [own, foreign] = await make();
  await db.query(`alter procedure act_${count} owner to ${second}; alter function of_all_${count} owner to ${second}`);
  expect([await ownerOf(own), await ownerOf(foreign)]).toEqual([second, first]);
  await db.query(`alter role ${second} rename to ${second}_renamed`);
  expect(await ownerOf(own)).toBe(`${second}_renamed`);
  await db.query(`call run_job(${own}); alter role ${second}_renamed rename to ${second}`);
});

test('it follows to nobody who may do more than who wrote it', async () => {
  const [own] = await make();
  await db.query(`reassign owned by ${first} to current_user; select tessera.sync_catalog()`);
  expect(await ownerOf(own)).toBe(first);
  const [found] = (await doctor()) as { status: string; hint: string }[];
  expect(found?.status).toBe('warning');
  expect(found?.hint).toMatch(new RegExp(`^select delete_job\\(${own}\\);\\n-- Look at the procedure before`));
  await db.query(found?.hint ?? '');
  expect(await doctor()).toEqual(WELL);
});

test('a procedure of the same name is not the one that was given away', async () => {
  const [own] = await make();
  await db.query('alter event trigger tessera_procedure_drop disable');
  await db.query(`drop procedure act_${count}; create procedure act_${count}(job_id int, config jsonb) language sql as 'select';
    alter procedure act_${count} owner to ${second}`);
  await db.query('alter event trigger tessera_procedure_drop enable; select tessera.sync_catalog()');
  expect(await ownerOf(own)).toBe(first);
});

test.each([
  (role: string): string => `drop owned by ${role}`,
  (role: string): string => `DROP OWNED BY nobody_there_${count}, "${role}" CASCADE`,
  (role: string): string => `set role ${role}; drop owned by current_user; reset role`,
])('DROP OWNED takes jobs along: %#', async (ddl) => {
  const [own, foreign] = await make();
  const other = await db.role(`nobody_there_${count}`.slice(0, 40));
  const sql = ddl(first).replace(`nobody_there_${count}`, other);
  expect(await db.notices(sql)).toContainEqual({ severity: 'NOTICE', message: `drop cascades to job ${foreign}` });
  expect(
    await db.value('select count(*)::int from _tessera_catalog.bgw_job where id in ($1, $2)', [own, foreign]),
  ).toBe(0);
});

test('what somebody says beside DROP OWNED deletes no jobs of others', async () => {
  const [, foreign] = await make();
  const stranger = await db.as(second);
  await stranger.query(`drop owned by ${second} /* drop owned by ${first} */`);
  expect(await ownerOf(foreign)).toBe(first);
});

test('the catalog has the procedure under the name that a dump can bring back', async () => {
  const [own] = await make();
  expect(await db.value('select own_procedure::text from _tessera_catalog.bgw_job where id = $1', [own])).toBe(
    `act_${count}(integer,jsonb)`,
  );
});

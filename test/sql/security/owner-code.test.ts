import type pg from 'pg';
import { beforeAll, expect, test } from 'vitest';
import { useDatabase } from '../../harness/database.ts';

const db = useDatabase();
let evil: string;
let session: pg.Client;

beforeAll(async () => {
  evil = await db.role('evil');
  await db.query(`create schema e authorization ${evil}`);
  session = await db.as(evil);
  await session.query(`create table e.seen (what text, who text); grant usage on schema e to public; grant insert on e.seen to public;
    create function e.spy(what text) returns void language plpgsql as $$ begin insert into e.seen values (what, current_user); end $$;
    create function e.g(x int) returns int language plpgsql immutable as $$ begin perform e.spy('generated'); return x; end $$;
    create function e.i(x int) returns int language plpgsql immutable as $$ begin perform e.spy('index'); return x; end $$;
    create function e.c(x int) returns bool language plpgsql immutable as $$ begin perform e.spy('check'); return true; end $$;
    create procedure e.j(job_id int, config jsonb) language plpgsql as $$ begin perform e.spy('job'); end $$;
    create procedure e.commits(job_id int, config jsonb) language plpgsql as $$ begin perform e.spy('commits'); commit; end $$;
    create function e.f(job_id int, config jsonb) returns int language plpgsql as $$ begin perform e.spy('function'); return 1; end $$`);
});

const seen = (): Promise<unknown[]> => db.query(`select distinct what, who from e.seen order by what`);

test('create_hypertable by a superuser runs the code in a table as its owner', async () => {
  await session.query(`create table e.t (time timestamptz not null, v int check (e.c(v)), g int generated always as (e.g(v)) stored);
    create index t_v on e.t (e.i(v)); insert into e.t (time, v) values (now(), 1), ('infinity', 2); truncate e.seen`);
  await db.query(`select create_hypertable('e.t', 'time', migrate_data => true)`);
  expect(await seen()).toEqual([
    { what: 'check', who: evil },
    { what: 'generated', who: evil },
    { what: 'index', who: evil },
  ]);
  expect(await db.value('select count(*) from e.t')).toBe(2n);
  expect(
    await db.column(
      `select distinct pg_get_userbyid(c.relowner)::text from pg_partition_tree('e.t') t join pg_class c on c.oid = t.relid`,
    ),
  ).toEqual([evil]);
});

test('run_job by a superuser runs a procedure or function as its owner', async () => {
  await db.query('truncate e.seen');
  for (const name of ['j', 'f']) {
    const id = (
      await session.query<{ id: number }>(`select add_job('e.${name}', '1 day', config => '{"a": "it''s"}') as id`)
    ).rows[0]?.id;
    await db.query(`call run_job(${id})`);
  }
  expect(await seen()).toEqual([
    { what: 'function', who: evil },
    { what: 'job', who: evil },
  ]);
});

test('run_job by a superuser refuses a procedure that commits, and says how it runs as its owner', async () => {
  const id = (await session.query<{ id: number }>(`select add_job('e.commits', '1 day') as id`)).rows[0]?.id;
  await db.query('truncate e.seen');
  const error = await db.error(`call run_job(${id})`);
  expect(error).toMatchObject({ code: '0A000', hint: `select alter_job(${id}, next_start => now());` });
  await db.query(error.hint ?? '');
  expect(await seen()).toEqual([]);
  await session.query(`call run_job(${id})`);
  expect(await seen()).toEqual([{ what: 'commits', who: evil }]);
});

test('a member who is no superuser runs it as the owner where that may create, and is told how else', async () => {
  const member = await db.role('member');
  await db.query(`grant ${evil} to ${member}; truncate e.seen`);
  const id = (await session.query<{ id: number }>(`select add_job('e.j', '1 day') as id`)).rows[0]?.id;
  const other = await db.as(member);
  await other.query(`call run_job(${id})`);
  expect(await seen()).toEqual([{ what: 'job', who: evil }]);
  await db.query(
    'create schema shut; create procedure shut.j(job_id int, config jsonb) language sql as $$select 1$$; grant usage on schema shut to public',
  );
  const shut = (await session.query<{ id: number }>(`select add_job('shut.j', '1 day') as id`)).rows[0]?.id;
  await expect(other.query(`call run_job(${shut})`)).rejects.toMatchObject({ code: '0A000' });
});

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { useDatabase, type Database } from '../../harness/database.ts';
import { psql } from '../../harness/psql.ts';

const extension = useDatabase({ template: 'empty' });
const updated = useDatabase({ template: 'empty' });
const script = useDatabase({ template: 'empty' });

/** Operators that fit better than those of PostgreSQL for what the views compare, by a role that may create in public. */
const plant = async (db: Database): Promise<string> => {
  const role = await db.role('plant');
  await db.query(`grant create on schema public to ${role}`);
  const session = await db.as(role);
  for (const right of ['regclass', 'regrole'])
    await session.query(
      `create function public.eq(a oid, b ${right}) returns bool language plpgsql as $$
       begin raise warning 'planted code runs as %', current_user; return a::int8 = b::oid::int8; end $$;
       create operator public.= (leftarg = oid, rightarg = ${right}, function = public.eq)`,
    );
  return role;
};

/** What objects of ours, and what belongs to them, depend on outside of PostgreSQL, the extension and those it requires. */
const FOREIGN = `
  with recursive members(classid, objid) as (
    select d.classid, d.objid from pg_depend d join pg_extension e on e.oid = d.refobjid
    where d.refclassid = 'pg_extension'::regclass and d.deptype = 'e' and e.extname in ('tessera', 'plv8', 'dblink', 'postgres_fdw')
    union
    select 'pg_class'::regclass::oid, c.oid from pg_class c where c.relnamespace::regnamespace::text ~ '^_?tessera'
    union
    select 'pg_proc'::regclass::oid, p.oid from pg_proc p where p.pronamespace::regnamespace::text ~ '^_?tessera'
      or p.oid in (select to_regprocedure(f) from unnest(_tessera_functions.function_list()) f)
    union
    select 'pg_type'::regclass::oid, t.oid from pg_type t where t.typnamespace::regnamespace::text ~ '^_?tessera'
  ), parts(classid, objid) as (
    select * from members
    union
    select d.classid, d.objid from parts p join pg_depend d on (d.refclassid, d.refobjid) = (p.classid, p.objid)
    where d.deptype in ('i', 'a', 'P', 'S')
  )
  select pg_describe_object(d.classid, d.objid, d.objsubid) as ours, pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid) as theirs
  from pg_depend d join parts p on (p.classid, p.objid) = (d.classid, d.objid)
  where d.refobjid >= 16384 and d.refclassid not in ('pg_namespace'::regclass, 'pg_extension'::regclass)
    and not exists (select from parts q where (q.classid, q.objid) = (d.refclassid, d.refobjid))`;

const foreign = async (db: Database): Promise<unknown[]> => {
  await db.query('set search_path to pg_catalog');
  const found = await db.query(FOREIGN);
  await db.query('reset search_path');
  return found;
};

const checkNothingForeign = async (db: Database): Promise<void> => {
  expect(await foreign(db)).toEqual([]);
  await db.query(`create table public.ht (time timestamptz not null); select public.create_hypertable('public.ht', 'time');
    insert into public.ht values (now())`);
  const views = await db.column(
    `select oid::regclass::text from pg_class where relnamespace = 'tessera_information'::regnamespace and relkind = 'v'`,
  );
  await db.query('set search_path to pg_catalog');
  for (const view of views) expect(await db.notices(`select count(*) from ${view}`), view).toEqual([]);
  expect(await db.notices('select count(*) from tessera.doctor()')).toEqual([]);
  await db.query('reset search_path');
};

test('operators planted in the target schema are not what a fresh extension is made of', async () => {
  await plant(extension);
  await extension.query('create extension tessera cascade');
  await checkNothingForeign(extension);
  await extension.query(
    `drop table public.ht; alter extension tessera update to 'reinstall'; alter extension tessera update`,
  );
  await checkNothingForeign(extension);
});

test('an update takes those an earlier version was made of out of the views', async () => {
  await plant(updated);
  await updated.query(`create extension tessera version '0.5.0' cascade`);
  expect(await foreign(updated)).not.toEqual([]);
  await updated.query('alter extension tessera update');
  await checkNothingForeign(updated);
});

test('the script for psql does not find them either', async () => {
  await plant(script);
  psql(script.name, readFileSync('dist/install.sql', 'utf8'));
  await checkNothingForeign(script);
});

import { ident, literal } from '../lib/quote.ts';
import { one, query, run } from './spi.ts';

const setting = (name: string): string | null =>
  one<{ value: string | null }>('select current_setting($1, true) as value', [name]).value;

const setLocal = (name: string, value: string): void => {
  run('select set_config($1, $2, true)', [name, value]);
};

/** Runs the body with settings changed. An error needs no repair: its (sub)transaction takes the settings back. */
export const withSettings = <T>(settings: Readonly<Record<string, string>>, body: () => T): T => {
  const saved = Object.keys(settings).map((name) => [name, setting(name) ?? ''] as const);
  for (const [name, value] of Object.entries(settings)) setLocal(name, value);
  const result = body();
  for (const [name, value] of saved) setLocal(name, value);
  return result;
};

/** The schema that the functions for users are in. */
export const apiSchema = (): string =>
  one<{ name: string }>('select _tessera_functions.api_schema()::text as name').name;

export const currentUser = (): string => one<{ name: string }>('select current_user::text as name').name;

/** What names of passing objects of this session end in. */
export const backendPid = (): number => one<{ pid: number }>('select pg_backend_pid() as pid').pid;

interface Caller {
  readonly name: string;
  readonly quoted: string;
  readonly superuser: boolean;
}

const caller = (): Caller =>
  one<Caller>(
    `select current_user::text as name, quote_ident(current_user) as quoted, rolsuper as superuser
     from pg_roles where rolname = current_user`,
  );

/**
 * Calls one of tessera's functions as another role and returns what it gives as text. Expressions in a user's table
 * (checks, indexes, generated columns) run then, and SET ROLE would be no fence: they could RESET it. Nothing can
 * change the role inside a SECURITY DEFINER function, so one of that role's is made for the moment.
 */
export const callAs = (role: string, schema: string, call: string): (string | null)[] => {
  const me = caller();
  // A superuser may give a function in pg_temp away; others need a schema where the role may create.
  const place = me.superuser ? 'pg_temp' : ident(schema);
  const name = `${place}.${ident(`tessera_call_${backendPid()}`)}`;
  run(
    `create or replace function ${name}() returns setof text language plpgsql security definer
     set search_path to pg_catalog, pg_temp
     as ${literal(`begin return query select x::text from ${call} x; end`)}`,
  );
  run(`alter function ${name}() owner to ${ident(role)}`);
  const result = query<{ x: string | null }>(`select x from ${name}() x`).map((r) => r.x);
  run(`drop function ${name}()`);
  return result;
};

/**
 * Runs a statement as another role, by the same means; a CALL too, though not of a procedure that ends transactions. False,
 * and nothing done, where the role may create nothing in the schema and we are no superuser.
 */
export const runAs = (role: string, schema: string, statement: string): boolean => {
  const me = caller();
  const { may } = one<{ may: boolean }>(
    `select coalesce((select has_schema_privilege($1::name, n.oid, 'create') and has_schema_privilege(n.oid, 'create')
       from pg_namespace n where n.nspname = $2), false) as may`,
    [role, schema],
  );
  if (!me.superuser && !may) return false;
  const place = me.superuser ? 'pg_temp' : ident(schema);
  const name = `${place}.${ident(`tessera_run_${backendPid()}`)}`;
  run(
    `create or replace function ${name}() returns void language plpgsql security definer
     set search_path to pg_catalog, pg_temp
     as ${literal(`begin ${statement}; end`)}`,
  );
  run(`alter function ${name}() owner to ${ident(role)}`);
  run(`select ${name}()`);
  run(`drop function ${name}()`);
  return true;
};

/** Event triggers of tessera leave alone what tessera itself is doing. */
export const inMaintenance = <T>(body: () => T): T => withSettings({ 'tessera.maintenance': 'on' }, body);

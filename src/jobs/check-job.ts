import { callAs } from '../engine/session.ts';
import { one, maybeOne, query } from '../engine/spi.ts';
import { displayed, literal, qualified, type RelationName } from '../lib/quote.ts';
import {
  badInterval,
  badTimezone,
  longName,
  mixedInterval,
  noExecute,
  procedureMissing,
  unsuitableCheck,
  unsuitableProcedure,
} from './failures.ts';

interface Routine extends RelationName {
  readonly suitable: boolean;
  readonly kind: 'f' | 'p' | 'a' | 'w';
  readonly allowed: boolean;
}

const findRoutine = (oid: bigint, role: string, types: string): Routine | undefined =>
  maybeOne<Routine>(
    `select n.nspname as schema, p.proname as name, p.prokind::text as kind,
       (oidvectortypes(p.proargtypes) = $3 and not p.proretset) as suitable,
       has_function_privilege($2::text::regrole::oid, p.oid, 'execute') as allowed
     from pg_proc p join pg_namespace n on n.oid = p.pronamespace where p.oid = $1::int8::oid`,
    [oid, role, types],
  );

/** The function or procedure (job_id int, config jsonb) of a job that the role will run. */
export const checkAction = (oid: bigint, role: string): RelationName => {
  const found = findRoutine(oid, role, 'integer, jsonb');
  if (found === undefined) throw procedureMissing(oid);
  if (!found.suitable || (found.kind !== 'f' && found.kind !== 'p')) throw unsuitableProcedure(displayed(found));
  if (!found.allowed) throw noExecute(displayed(found), role);
  return found;
};

export const checkCheck = (oid: bigint, role: string): RelationName => {
  const found = findRoutine(oid, role, 'jsonb');
  if (found === undefined) throw procedureMissing(oid);
  if (!found.suitable || found.kind !== 'f') throw unsuitableCheck(displayed(found));
  if (!found.allowed) throw noExecute(displayed(found), role);
  return found;
};

/**
 * Runs the check of a configuration; its error is the user's. A superuser who alters the job of another role must not run
 * that role's code with his own rights.
 */
export const runCheck = (check: RelationName, config: object | null, owner: string): void => {
  const call = `${qualified(check)}(${literal(config === null ? null : JSON.stringify(config))}::jsonb)`;
  const me = one<{ name: string; superuser: boolean; owner: string | null }>(
    `select current_user::text as name, rolsuper as superuser,
       (select rolname::text from pg_roles where oid = $1::text::regrole) as owner
     from pg_roles where rolname = current_user`,
    [owner],
  );
  if (me.superuser && me.owner !== null && me.owner !== me.name) callAs(me.owner, check.schema, call);
  else query(`select ${call}`);
};

interface IntervalParts {
  readonly months: number;
  readonly seconds: number;
  readonly positive: boolean;
}

export const checkScheduleInterval = (interval: string, fixed: boolean): void => {
  const parts = one<IntervalParts>(
    `select (extract(year from i) * 12 + extract(month from i))::int as months,
       extract(epoch from i - make_interval(years => extract(year from i)::int, months => extract(month from i)::int))::float8 as seconds,
       i > interval '0' as positive
     from (select $1::text::interval as i) x`,
    [interval],
  );
  if (!parts.positive) throw badInterval('schedule_interval', interval);
  if (fixed && parts.months !== 0 && parts.seconds !== 0) throw mixedInterval(interval);
};

export const checkTimezone = (timezone: string): void => {
  if (maybeOne('select from pg_timezone_names where lower(name) = lower($1)', [timezone]) === undefined)
    throw badTimezone(timezone);
};

/** Room for " [2147483647]" within the 63 bytes of a name. */
export const checkName = (name: string): void => {
  if (one<{ bytes: number }>('select octet_length($1) as bytes', [name]).bytes > 63 - 13) throw longName(name);
};

create function _tessera_functions.job_of_request(caller name, payload jsonb) returns _tessera_catalog.bgw_job
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  found _tessera_catalog.bgw_job;
begin
  select * into found from _tessera_catalog.bgw_job where id = (payload ->> 'job_id')::int;
  if found.id is null then
    raise exception using errcode = '42704', message = format('job %s not found', payload ->> 'job_id');
  end if;
  if not pg_has_role(caller, found.owner, 'USAGE') then
    raise exception using
      errcode = '42501', message = format('insufficient permissions to change job %s', found.id),
      detail = format('Job %s is owned by role %s but role "%s" is not a member of it.', found.id, found.owner, caller);
  end if;
  return found;
end
$$;
comment on function _tessera_functions.job_of_request(name, jsonb) is 'the job a request is about, after its owner was checked';

create function _tessera_functions.require_login(role regrole) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  if not coalesce((select rolcanlogin from pg_roles where oid = role), false) then
    raise exception using
      errcode = '28000', message = format('permission denied to start background process as role %s', role),
      hint = format('The owner of a job must be able to log in: alter role %s login', role);
  end if;
end
$$;
comment on function _tessera_functions.require_login(regrole) is 'raises 28000 unless the role may log in: jobs run in sessions of their owner';

create function _tessera_functions.check_job(job _tessera_catalog.bgw_job) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  wrong text;
begin
  select format('"%s" must %sbe more than 0 and at most 1000 years', i.name, case when i.zero then 'not be negative, or ' else '' end) into wrong
  from (values ('schedule_interval', job.schedule_interval, false), ('max_runtime', job.max_runtime, true), ('retry_period', job.retry_period, true))
    i(name, value, zero)
  -- A negative part would have a schedule run backwards.
  where i.value is null or i.value > interval '1000 years' or i.value < interval '0' or i.value = interval '0' and not i.zero
    or extract(year from i.value) < 0 or extract(month from i.value) < 0 or extract(day from i.value) < 0 or extract(epoch from i.value) < 0
  limit 1;
  if wrong is null and job.timezone is not null and not exists (select from pg_timezone_names z where lower(z.name) = lower(job.timezone)) then
    wrong := format('time zone "%s" not recognized', job.timezone);
  end if;
  if wrong is null and job.initial_start is not null
    and job.initial_start not between '1000-01-01 00:00+00'::timestamptz and '10000-01-01 00:00+00'::timestamptz
  then
    wrong := '"initial_start" must be between the years 1000 and 9999';
  end if;
  if wrong is null and job.max_retries < -1 then
    wrong := '"max_retries" must be -1 or more';
  end if;
  if wrong is null and (job.check_schema is null) <> (job.check_name is null) then
    wrong := 'the check of a configuration needs a schema and a name';
  end if;
  if wrong is not null then
    raise exception using errcode = '22023', message = wrong;
  end if;
  -- What could not be computed when a run has ended is refused now.
  perform clock_timestamp() + job.schedule_interval * 5 + job.retry_period * 20 + job.max_runtime,
    case when job.initial_start is not null
      then _tessera_functions.next_regular_start(job.schedule_interval, job.initial_start, job.timezone, clock_timestamp()) end;
end
$$;
comment on function _tessera_functions.check_job(_tessera_catalog.bgw_job) is
  'raises 22023 or 22008 unless the schedule of a job is one by which a next start can always be found';

create function _tessera_functions.check_next_start(moment timestamptz) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  if moment = '-infinity' then
    raise exception using errcode = '22023', message = 'cannot set next start to -infinity';
  end if;
end
$$;
comment on function _tessera_functions.check_next_start(timestamptz) is 'raises 22023 for a next start that stands for none';

create function _tessera_functions.request_job_insert(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  job_owner regrole := coalesce(payload ->> 'owner', quote_ident(caller))::regrole;
  parent _tessera_catalog.hypertable;
  policy boolean;
  made _tessera_catalog.bgw_job;
  new_id int;
begin
  if not pg_has_role(caller, job_owner, 'USAGE') then
    raise exception using
      errcode = '42501', message = format('permission denied to create a job owned by role %s', job_owner);
  end if;
  policy := payload ->> 'proc_schema' = '_tessera_functions' and payload ->> 'proc_name' ~ '^policy_' and payload ->> 'hypertable_id' is not null;
  if payload ->> 'hypertable_id' is not null then
    parent := _tessera_functions.hypertable_of_request(caller, payload);
    policy := policy and job_owner::oid = (select c.relowner from pg_class c where c.oid = parent.relid);
  end if;
  -- To have any procedure run in sessions of a role is to become that role; a policy of tessera does only what the owner
  -- of the hypertable may have done anyway.
  if not policy and not pg_has_role(caller, job_owner,
    case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end) then
    raise exception using
      errcode = '42501', message = format('permission denied to run jobs as role %s', job_owner);
  end if;
  if not policy and payload ->> 'job_type' is not null then
    raise exception using errcode = '22023', message = 'only a policy of a hypertable has a job type';
  end if;
  perform _tessera_functions.require_login(job_owner);
  perform _tessera_functions.check_next_start((payload ->> 'first_start')::timestamptz);
  new_id := _tessera_functions.draw_id('bgw_job');
  insert into _tessera_catalog.bgw_job as j (
    id, application_name, job_type, schedule_interval, max_runtime, max_retries, retry_period, proc_schema, proc_name, owner,
    scheduled, fixed_schedule, initial_start, hypertable_id, config, check_schema, check_name, timezone, own_procedure)
  values (
    new_id, format('%s [%s]', payload ->> 'name', new_id), payload ->> 'job_type', (payload ->> 'schedule_interval')::interval,
    coalesce((payload ->> 'max_runtime')::interval, '0'), coalesce((payload ->> 'max_retries')::int, -1),
    coalesce((payload ->> 'retry_period')::interval, '5 minutes'), payload ->> 'proc_schema', payload ->> 'proc_name', job_owner,
    coalesce((payload ->> 'scheduled')::boolean, true), coalesce((payload ->> 'fixed_schedule')::boolean, false),
    (payload ->> 'initial_start')::timestamptz, (payload ->> 'hypertable_id')::int, nullif(payload -> 'config', 'null'),
    payload ->> 'check_schema', payload ->> 'check_name', payload ->> 'timezone',
    (select p.oid from pg_proc p
     where p.oid = to_regprocedure(format('%I.%I(integer, jsonb)', payload ->> 'proc_schema', payload ->> 'proc_name'))
       and p.proowner = job_owner and payload ->> 'proc_schema' <> '_tessera_functions'))
  returning j.* into made;
  perform _tessera_functions.check_job(made);
  insert into _tessera_catalog.bgw_job_stat (job_id, last_start, next_start)
  values (new_id, '-infinity', coalesce((payload ->> 'first_start')::timestamptz, '-infinity'));
  return to_jsonb(new_id);
end
$$;
comment on function _tessera_functions.request_job_insert(name, jsonb) is 'records a job of the caller or of a role the caller is a member of';

create function _tessera_functions.request_job_update(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  job _tessera_catalog.bgw_job := _tessera_functions.job_of_request(caller, payload);
  changes jsonb := payload -> 'changes';
begin
  -- The row lock of the job comes before that of its statistics, here and wherever both are taken.
  perform from _tessera_catalog.bgw_job where id = job.id for update;
  update _tessera_catalog.bgw_job b
  set (application_name, schedule_interval, max_runtime, max_retries, retry_period, scheduled, fixed_schedule, initial_start,
      config, check_schema, check_name, timezone)
    = (select n.application_name, n.schedule_interval, n.max_runtime, n.max_retries, n.retry_period, n.scheduled,
        n.fixed_schedule, n.initial_start, n.config, n.check_schema, n.check_name, n.timezone
      from jsonb_populate_record(b, changes - array['id', 'owner', 'proc_schema', 'proc_name', 'hypertable_id', 'job_type']) n)
  where b.id = job.id
  returning b.* into job;
  perform _tessera_functions.check_job(job);
  if payload ->> 'next_start' is not null then
    perform _tessera_functions.request_job_set_next_start(caller, payload);
  end if;
  return null;
end
$$;
comment on function _tessera_functions.request_job_update(name, jsonb) is 'changes columns of a job';

create function _tessera_functions.request_job_set_next_start(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  job _tessera_catalog.bgw_job := _tessera_functions.job_of_request(caller, payload);
  moment timestamptz := (payload ->> 'next_start')::timestamptz;
begin
  perform _tessera_functions.check_next_start(moment);
  insert into _tessera_catalog.bgw_job_stat (job_id, last_start, next_start)
  values (job.id, '-infinity', moment)
  on conflict (job_id) do update set next_start = excluded.next_start;
  return null;
end
$$;
comment on function _tessera_functions.request_job_set_next_start(name, jsonb) is
  'sets when a job starts next; a run under way keeps that when it ends';

create function _tessera_functions.request_job_delete(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  job _tessera_catalog.bgw_job := _tessera_functions.job_of_request(caller, payload);
  holder int;
begin
  -- The advisory lock of the job comes before any lock on its rows.
  if not pg_try_advisory_xact_lock(_tessera_functions.lock_class('job'), job.id) then
    holder := _tessera_functions.job_runner(job.id);
    if holder is not null then
      raise notice 'cancelling the background worker for job % (pid %)', job.id, holder;
      perform pg_cancel_backend(holder);
    end if;
    perform pg_advisory_xact_lock(_tessera_functions.lock_class('job'), job.id);
  end if;
  delete from _tessera_catalog.bgw_job where id = job.id;
  return null;
end
$$;
comment on function _tessera_functions.request_job_delete(name, jsonb) is 'deletes a job; a run under way is cancelled and waited for';

create function _tessera_functions.request_job_note_run(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  job _tessera_catalog.bgw_job := _tessera_functions.job_of_request(caller, payload);
begin
  if (payload ->> 'began')::timestamptz not between clock_timestamp() - interval '100 years' and clock_timestamp() then
    raise exception using errcode = '22023', message = 'a run began before it ended';
  end if;
  if _tessera_functions.setting('enable_job_execution_logging')::boolean then
    insert into _tessera_catalog.bgw_job_stat_history (job_id, pid, execution_start, execution_finish, succeeded, data)
    values (job.id, pg_backend_pid(), (payload ->> 'began')::timestamptz, clock_timestamp(), true,
      jsonb_build_object('job', _tessera_functions.job_definition(job)));
  end if;
  return null;
end
$$;
comment on function _tessera_functions.request_job_note_run(name, jsonb) is
  'writes a successful run by run_job() to the history, when successes are logged';

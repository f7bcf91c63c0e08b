create function _tessera_functions.database_is_wanted() returns boolean
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  -- DROP DATABASE, RENAME, SET TABLESPACE and use as a template lock the database; connecting to it takes a weaker lock.
  select exists (
    select from pg_locks l
    where l.locktype = 'object' and l.classid = 'pg_database'::regclass
      and l.objid = (select oid from pg_database where datname = current_database())
      and l.mode in ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'))
$$;
comment on function _tessera_functions.database_is_wanted() is
  'whether somebody drops, renames, moves or copies this database, which sessions in it would hinder';

create function _tessera_functions.dismiss_workers(patience interval default '5 seconds') returns boolean
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  until constant timestamptz := clock_timestamp() + patience;
  others int[];
begin
  loop
    select array_agg(distinct p) into others
    from (
      select l.pid as p
      from pg_locks l
      where l.locktype = 'advisory' and l.granted and l.objsubid = 2
        and l.classid::bigint in (_tessera_functions.lock_class('slot'), _tessera_functions.lock_class('scheduler'),
          _tessera_functions.lock_class('pause'))
        and l.database = (select oid from pg_database where datname = current_database())
        and l.pid <> pg_backend_pid()
    ) x;
    exit when others is null or clock_timestamp() > until;
    perform pg_terminate_backend(p) from unnest(others) p;
    perform pg_sleep(0.02);
  end loop;
  -- What was under way was interrupted by us: it counts as never begun and starts again at once.
  update _tessera_catalog.bgw_job_stat s
  set last_finish = case when total_runs = 1 then '-infinity' else last_start end,
    last_start = case when total_runs = 1 then '-infinity' else last_start end,
    total_runs = total_runs - 1, total_crashes = total_crashes - 1, consecutive_crashes = consecutive_crashes - 1,
    next_start = clock_timestamp(), pid = null
  where s.last_start > '-infinity' and s.last_finish = '-infinity' and s.flags & 1 = 0
    and s.pid is distinct from pg_backend_pid()
    and not exists (select from _tessera_functions.lock_holders(_tessera_functions.lock_class('job'), s.job_id));
  return others is null;
end
$$;
comment on function _tessera_functions.dismiss_workers(interval) is
  'ends the scheduler and the workers of this database; runs they had under way start again when there are workers again';

create function _tessera_functions.parse_cron_message(report text) returns jsonb
language plpgsql immutable
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
declare
  rest text := regexp_replace(report, '^ERROR:\s+', '');
  part text;
  at int;
  found jsonb := '{}';
begin
  -- From the back, since a context may quote anything.
  foreach part in array array['context', 'hint', 'detail'] loop
    at := strpos(rest, format(E'\n%s: ', upper(part)));
    if at > 0 then
      found := found || jsonb_build_object(part, substr(rest, at + length(part) + 3));
      rest := left(rest, at - 1);
    end if;
  end loop;
  return found || jsonb_build_object('message', rest);
end
$$;
comment on function _tessera_functions.parse_cron_message(text) is 'the parts of an error as pg_cron logs it, which has no SQLSTATE';

create function _tessera_functions.reap_run(dead_job int, driver text) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
declare
  run record;
  report text;
begin
  select s.* into run
  from _tessera_catalog.bgw_job_stat s
  where s.job_id = dead_job and s.last_start > '-infinity' and s.last_finish = '-infinity' and s.flags & 1 = 0
  for update skip locked;
  if run.job_id is null or run.pid in (select _tessera_functions.lock_holders(_tessera_functions.lock_class('job'), dead_job)) then
    return;
  end if;
  if run.autonomous then
    if driver = 'pg_cron' then
      select x into report
      from _tessera_functions.in_cron_database(format(
        'select status || E''\n'' || coalesce(return_message, '''') from cron.job_run_details where job_pid = %s and start_time <= %L order by runid desc limit 1',
        run.pid, run.last_start)) x;
      if report ~ '^(starting|running|sending|connecting)' then
        return; -- pg_cron has not noticed yet
      end if;
      report := substring(report from '\n(ERROR:.*)$');
      if report is not null then
        perform _tessera_functions.mark_job_end(dead_job, false, _tessera_functions.parse_cron_message(report));
        return;
      end if;
    elsif run.lost_at is null or clock_timestamp() < run.lost_at + interval '2 seconds' then
      -- The process that drove the session knows the error and reports it in a moment.
      update _tessera_catalog.bgw_job_stat set lost_at = coalesce(lost_at, clock_timestamp()) where job_id = dead_job;
      return;
    end if;
  end if;
  raise log 'job % crashed: its session % is gone', dead_job, run.pid;
  perform _tessera_functions.mark_job_crash(dead_job);
end
$$;
comment on function _tessera_functions.reap_run(int, text) is 'records what became of a run whose session is gone';

create function _tessera_functions.supervise_runs(driver text) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  run record;
begin
  for run in
    select s.job_id, s.pid, s.last_start, s.cancelled_at, j.max_runtime, j.application_name,
      s.pid in (select _tessera_functions.lock_holders(_tessera_functions.lock_class('job'), s.job_id)) as alive
    from _tessera_catalog.bgw_job_stat s
    join _tessera_catalog.bgw_job j on j.id = s.job_id
    where s.last_start > '-infinity' and s.last_finish = '-infinity' and s.flags & 1 = 0
  loop
    begin
      if run.alive is not true then
        perform _tessera_functions.reap_run(run.job_id, driver);
      elsif run.max_runtime > interval '0' and clock_timestamp() - run.last_start > run.max_runtime then
        if run.cancelled_at is null then
          raise warning 'terminating background worker "%" due to timeout', run.application_name;
          update _tessera_catalog.bgw_job_stat set cancelled_at = clock_timestamp()
          where job_id = run.job_id and last_finish = '-infinity';
          perform pg_cancel_backend(run.pid);
        elsif clock_timestamp() > run.cancelled_at
            + make_interval(secs => _tessera_functions.setting('cancel_grace')::int) then
          perform pg_terminate_backend(run.pid);
        end if;
      end if;
    exception when others then
      -- Of this run alone; the others are looked after.
      raise warning 'job % cannot be supervised: %', run.job_id, sqlerrm using errcode = sqlstate;
    end;
  end loop;
end
$$;
comment on function _tessera_functions.supervise_runs(text) is
  'ends runs that take longer than max_runtime, and records runs whose session is gone';

create function _tessera_functions.work_demand(
  out owner text, out due int, out running int, out has_slots int, out waiting_since timestamptz
) returns setof record
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  with work as (
    select j.owner,
      s.next_start <= clock_timestamp() and not (s.last_start > '-infinity' and s.last_finish = '-infinity' and s.flags & 1 = 0)
        as due,
      s.last_start > '-infinity' and s.last_finish = '-infinity' and s.flags & 1 = 0 as running,
      s.next_start
    from _tessera_catalog.bgw_job j
    join _tessera_catalog.bgw_job_stat s on s.job_id = j.id
    where j.scheduled or (s.last_start > '-infinity' and s.last_finish = '-infinity')
  ), needs as (
    select w.owner, count(*) filter (where w.due)::int as due, count(*) filter (where w.running)::int as running,
      min(w.next_start) filter (where w.due) as since
    from work w
    group by w.owner
    union all
    select t.owner, t.runnable, t.running, case when t.runnable > 0 then clock_timestamp() end
    from _tessera_functions.task_demand() t
  )
  select w.owner::oid::text, sum(w.due)::int, sum(w.running)::int,
    (select count(*)::int from _tessera_catalog.worker_slot x where x.owner = w.owner),
    min(w.since)
  from needs w
  join pg_roles r on r.oid = w.owner and r.rolcanlogin
  where _tessera_functions.role_is_served(r.oid, (select s.driver from _tessera_catalog.scheduler_state s))
  group by w.owner
$$;
comment on function _tessera_functions.work_demand() is 'roles that have work for which sessions can be had, and how much of it is due or under way';

create function _tessera_functions.complete_statistics() returns void
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  insert into _tessera_catalog.bgw_job_stat (job_id, last_start, next_start)
  select j.id, '-infinity', coalesce(greatest(j.initial_start, '-infinity'), '-infinity')
  from _tessera_catalog.bgw_job j
  where not exists (select from _tessera_catalog.bgw_job_stat s where s.job_id = j.id)
  on conflict do nothing
$$;
comment on function _tessera_functions.complete_statistics() is 'jobs that came with a dump have no statistics yet; they are due at once or at their initial start';

create function _tessera_functions.supervise_step(step text) returns boolean
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  execute format('select _tessera_functions.%s', step);
  update _tessera_catalog.scheduler_state s set problem = null where starts_with(s.problem, step || ': ');
  return true;
exception when others then
  insert into _tessera_catalog.scheduler_state (heartbeat, problem)
  values (clock_timestamp(), format('%s: %s', step, sqlerrm))
  on conflict (only_row) do update set problem = excluded.problem;
  raise warning 'the scheduler could not carry out %: %', step, sqlerrm using errcode = sqlstate;
  return false;
end
$$;
comment on function _tessera_functions.supervise_step(text) is
  'one of the things the scheduler does in a round; what is wrong with one keeps it from nothing else';

create function _tessera_functions.supervise(driver text, round bigint) returns boolean
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  if _tessera_functions.database_is_wanted() then
    perform _tessera_functions.dismiss_workers();
    if driver = 'pg_cron' then
      -- If it is dropped, nothing of its roles must stay behind; if not, they are back in a second.
      delete from _tessera_catalog.worker_slot;
      perform _tessera_functions.sync_cron();
    end if;
    return false;
  end if;
  if round % 2 = 0 and not _tessera_functions.setting('background_workers')::boolean then
    return false;
  end if;
  perform _tessera_functions.supervise_step(format('supervise_runs(%L)', driver)),
    _tessera_functions.supervise_step('heal_tasks()');
  -- Two rounds are a second.
  if round % 20 = 0 then
    perform _tessera_functions.supervise_step('complete_statistics()');
  end if;
  if round % 60 = 0 then
    perform _tessera_functions.supervise_step('complete_parts()'), _tessera_functions.supervise_step('mend_loopback()'),
      _tessera_functions.supervise_step('follow_owners()'),
      _tessera_functions.supervise_step('cut_off_copy()');
  end if;
  -- Before slots are arranged, which depends on the driver.
  if round % 8 = 0 then
    insert into _tessera_catalog.scheduler_state (heartbeat, started_at, pid, driver)
    values (clock_timestamp(), clock_timestamp(), pg_backend_pid(), driver)
    on conflict (only_row) do update
    set heartbeat = excluded.heartbeat, pid = excluded.pid, driver = excluded.driver,
      started_at = case when round = 0 then excluded.started_at else scheduler_state.started_at end;
  end if;
  if round % 2 = 0 and _tessera_functions.arrange_slots() or round % 60 = 0 then
    if driver = 'pg_cron' then
      perform _tessera_functions.sync_cron();
    else
      notify tessera_workers;
    end if;
  end if;
  return true;
end
$$;
comment on function _tessera_functions.supervise(text, bigint) is
  'one round of the scheduler; false when it is to leave: the database is wanted by somebody, or workers were switched off';

create procedure _tessera_functions.scheduler(driver text)
language plpgsql
as $$
declare
  round bigint := 0;
  go_on boolean;
begin
  perform _tessera_functions.require_extension_owner('run the scheduler');
  -- One scheduler a database, and none while the extension is updated or dropped.
  if not pg_catalog.pg_try_advisory_lock_shared(_tessera_functions.lock_class('pause'), 0)
    or not pg_catalog.pg_try_advisory_lock(_tessera_functions.lock_class('scheduler'), 0) then
    perform pg_catalog.pg_advisory_unlock_all();
    return;
  end if;
  perform pg_catalog.set_config('application_name', 'tessera scheduler', false),
    pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false),
    pg_catalog.set_config('default_transaction_isolation', 'read committed', false);
  commit;
  loop
    go_on := _tessera_functions.supervise(driver, round);
    commit;
    exit when not go_on;
    round := round + 1;
    perform pg_catalog.pg_sleep(0.5);
    commit;
  end loop;
  -- Of the session of a Node process this would be a leftover.
  perform pg_catalog.pg_advisory_unlock_all();
end
$$;
comment on procedure _tessera_functions.scheduler(text) is
'The scheduler of a database: supervises runs, decides which sessions work there, and shows that it is alive.
driver: pg_cron or node, which says who starts the sessions
Privileges: members of the role that owns the extension';

create function _tessera_functions.report_run_failure(
  session int, state text, message text, detail text, hint text, context text
) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  run record;
begin
  -- The session was closed a moment ago; its locks go with it.
  for attempt in 1..100 loop
    select s.job_id, j.owner, j.proc_schema, j.proc_name,
      s.pid in (select _tessera_functions.lock_holders(_tessera_functions.lock_class('job'), s.job_id)) as alive
    into run
    from _tessera_catalog.bgw_job_stat s
    join _tessera_catalog.bgw_job j on j.id = s.job_id
    where s.pid = session and s.autonomous and s.last_start > '-infinity' and s.last_finish = '-infinity' and s.flags & 1 = 0;
    exit when run.alive is not true;
    perform pg_sleep(0.01);
  end loop;
  -- Who connected: inside of this function the current role is always the owner of the extension.
  if run.job_id is not null and not pg_has_role(session_user, run.owner, 'USAGE')
    and not pg_has_role(session_user, _tessera_functions.extension_owner(), 'USAGE') then
    raise exception using errcode = '42501', message = 'permission denied to report the failure of a run';
  end if;
  if run.job_id is not null and not run.alive then
    perform _tessera_functions.mark_job_end(run.job_id, false, jsonb_strip_nulls(jsonb_build_object(
      'sqlerrcode', state, 'message', message, 'detail', detail, 'hint', hint, 'context', context,
      'proc_schema', run.proc_schema, 'proc_name', run.proc_name)));
  end if;
end
$$;
comment on function _tessera_functions.report_run_failure(int, text, text, text, text, text) is
'How the command tessera worker tells what ended a session in which a job committed by itself.
Privileges: members of the role that owns the extension, or the job';

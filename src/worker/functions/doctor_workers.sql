create function _tessera_functions.doctor_workers(
  out check_name text, out status text, out detail text, out hint text
) returns setof record
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  shown tessera_information.scheduler;
  late int;
  needed int;
begin
  select * into shown from tessera_information.scheduler;
  check_name := 'background work';
  status := 'ok';
  hint := null;
  if shown.running then
    detail := format('the scheduler runs (%s), its last sign of life is %s old, %s of %s workers are there',
      shown.driver, date_trunc('second', shown.heartbeat_age), shown.workers, shown.worker_slots);
    if shown.heartbeat_age > interval '1 minute' then
      status := 'warning';
      hint := format(E'-- what it waits for\nselect * from pg_stat_activity where pid = %s;\nselect restart_background_workers();', shown.pid);
    end if;
  elsif not shown.wanted then
    status := 'warning';
    detail := 'background workers are off in this database, so jobs and policies do not run';
    hint := 'select start_background_workers();';
  elsif not exists (select from pg_available_extensions where name = 'pg_cron') then
    status := 'warning';
    detail := 'no scheduler runs, and pg_cron is not installed on this server';
    hint := '-- install pg_cron, or run the command tessera worker';
  elsif _tessera_functions.cron_state() = 'not loaded' then
    status := 'warning';
    detail := 'no scheduler runs: pg_cron is installed but not loaded';
    hint := E'-- add pg_cron to these and restart the server, or run the command tessera worker\nshow shared_preload_libraries;';
  elsif _tessera_functions.cron_setting('use_background_workers') = 'off' then
    status := 'error';
    detail := 'no scheduler runs: pg_cron connects as a client, which needs a password for every owner of a job';
    hint := case when (select r.rolsuper from pg_roles r where r.rolname = current_user)
      then E'-- and restart the server\nalter system set cron.use_background_workers = on;'
      else '-- have the service set cron.use_background_workers = on, or run the command tessera worker' end;
  elsif not _tessera_functions.cron_knows_seconds() then
    status := 'error';
    detail := 'no scheduler runs: pg_cron is older than 1.5 and knows no seconds';
    hint := '-- install pg_cron 1.5 or later, or run the command tessera worker';
  else
    status := 'warning';
    detail := 'no scheduler runs';
    hint := E'-- if it fails for want of a connection, tessera.set_loopback() names one\nselect start_background_workers();';
  end if;
  return next;
  select s.problem into detail from _tessera_catalog.scheduler_state s where s.problem is not null;
  if found then
    status := 'error';
    detail := 'the scheduler could not carry out ' || detail;
    hint := '-- that is not looked after until it is put right; everything else is';
    return next;
  end if;

  return query select * from _tessera_functions.doctor_cron(coalesce(shown.running and shown.driver = 'node', false));

  if _tessera_functions.cron_database() is not null then
    check_name := 'room for workers';
    needed := shown.worker_slots + 2; -- the scheduler, and the launcher now and then
    if least(current_setting('max_worker_processes')::int, _tessera_functions.cron_setting('max_running_jobs')::int) < needed then
      status := 'warning';
      detail := format('max_worker_processes is %s and cron.max_running_jobs %s, which is less than the %s sessions of this database alone',
        current_setting('max_worker_processes'), _tessera_functions.cron_setting('max_running_jobs'), needed);
      hint := case when (select r.rolsuper from pg_roles r where r.rolname = current_user)
        then format(E'-- and restart the server, or lower the setting worker_slots\nalter system set max_worker_processes = %1$s; alter system set cron.max_running_jobs = %1$s;', needed + 4)
        else format(E'-- or have the service raise max_worker_processes and cron.max_running_jobs to %s\nselect tessera.set_setting(''worker_slots'', %L);', needed + 4,
          greatest(least(current_setting('max_worker_processes')::int, _tessera_functions.cron_setting('max_running_jobs')::int) - 2, 1)) end;
    else
      status := 'ok';
      detail := format('max_worker_processes is %s, cron.max_running_jobs is %s',
        current_setting('max_worker_processes'), _tessera_functions.cron_setting('max_running_jobs'));
      hint := null;
    end if;
    return next;
  end if;

  check_name := 'jobs';
  select count(*) into late
  from tessera_information.job_states
  where lag > interval '1 minute'
    or (state = 'scheduled' and reason like 'its last%');
  if late = 0 then
    status := 'ok'; detail := 'no job is late or failing'; hint := null;
  else
    status := 'warning'; detail := late || ' jobs are late or failed the last time';
    hint := 'select * from tessera_information.job_states; select * from tessera_information.job_errors;';
  end if;
  return next;
end
$$;
comment on function _tessera_functions.doctor_workers() is 'the part of tessera.doctor() about scheduler, workers and jobs';

create function _tessera_functions.doctor_cron(
  node boolean, out check_name text, out status text, out detail text, out hint text
) returns setof record
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  role name;
begin
  -- Whoever has no say over the extension cannot ask in the database of pg_cron.
  if not pg_has_role(_tessera_functions.extension_owner(), 'USAGE') then
    return;
  end if;
  if not node and _tessera_functions.cron_state() <> 'not loaded' and not _tessera_functions.cron_starts_anybody() then
    check_name := 'rights on pg_cron';
    begin
      perform _tessera_functions.require_rights_of_workers('start');
      status := 'ok'; detail := 'nothing is missing'; hint := null;
    exception when insufficient_privilege then
      get stacked diagnostics detail = pg_exception_detail, hint = pg_exception_hint;
      status := 'warning';
    end;
    return next;
  end if;
  check_name := 'workers of roles';
  for role in
    select distinct r.rolname
    from tessera_information.job_states j
    join pg_roles r on r.oid = j.owner and r.rolcanlogin
    where j.state = 'due'
      and not _tessera_functions.role_is_served(r.oid, (select s.driver from _tessera_catalog.scheduler_state s))
    union
    select r.rolname
    from _tessera_functions.task_demand() t
    join pg_roles r on r.oid = t.owner and r.rolcanlogin
    where t.runnable > 0 and not _tessera_functions.role_is_served(r.oid, (select s.driver from _tessera_catalog.scheduler_state s))
    order by 1
  loop
    status := 'warning';
    detail := format('role "%s" has work and no worker', role);
    hint := case when node
      then format('-- run the command tessera worker as role "%s", or give the one that runs its password in a password file', role)
      else _tessera_functions.own_worker_statements(role) end;
    return next;
  end loop;
end
$$;
comment on function _tessera_functions.doctor_cron(boolean) is
  'the part of tessera.doctor() about rights on pg_cron and roles for which nobody starts workers; node: the command tessera worker does the work';

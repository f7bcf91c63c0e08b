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
      hint := format('Look what session %s waits for, or call restart_background_workers().', shown.pid);
    end if;
  elsif not shown.wanted then
    status := 'warning';
    detail := 'background workers are off in this database, so jobs and policies do not run';
    hint := 'Call start_background_workers().';
  elsif not exists (select from pg_available_extensions where name = 'pg_cron') then
    status := 'warning';
    detail := 'no scheduler runs, and pg_cron is not installed on this server';
    hint := 'Install pg_cron, or run the command tessera worker.';
  elsif _tessera_functions.cron_database() is null then
    status := 'warning';
    detail := 'no scheduler runs: pg_cron is installed but not loaded';
    hint := 'Add pg_cron to shared_preload_libraries and restart the server, or run the command tessera worker.';
  elsif _tessera_functions.cron_setting('use_background_workers') is distinct from 'on' then
    status := 'error';
    detail := 'no scheduler runs: pg_cron connects as a client, which needs a password for every owner of a job';
    hint := 'Set cron.use_background_workers = on and restart the server.';
  elsif not _tessera_functions.cron_knows_seconds() then
    status := 'error';
    detail := 'no scheduler runs: pg_cron is older than 1.5 and knows no seconds';
    hint := 'Install pg_cron 1.5 or later, or run the command tessera worker.';
  else
    status := 'warning';
    detail := 'no scheduler runs';
    hint := 'Call start_background_workers(); if it fails for want of a connection, tessera.set_loopback() names one.';
  end if;
  return next;

  if _tessera_functions.cron_database() is not null then
    check_name := 'room for workers';
    needed := shown.worker_slots + 2; -- the scheduler, and the launcher now and then
    if least(current_setting('max_worker_processes')::int, _tessera_functions.cron_setting('max_running_jobs')::int) < needed then
      status := 'warning';
      detail := format('max_worker_processes is %s and cron.max_running_jobs %s, which is less than the %s sessions of this database alone',
        current_setting('max_worker_processes'), _tessera_functions.cron_setting('max_running_jobs'), needed);
      hint := format('Raise both to %s or more and restart the server, or lower the setting worker_slots.', needed + 4);
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
    hint := 'See select * from tessera_information.job_states and job_errors.';
  end if;
  return next;
end
$$;
comment on function _tessera_functions.doctor_workers() is 'the part of tessera.doctor() about scheduler, workers and jobs';

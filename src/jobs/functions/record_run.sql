create function _tessera_functions.job_definition(job _tessera_catalog.bgw_job) returns jsonb
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select jsonb_build_object(
    'owner', job.owner::text, 'proc_schema', job.proc_schema, 'proc_name', job.proc_name,
    'application_name', job.application_name, 'schedule_interval', job.schedule_interval, 'max_runtime', job.max_runtime,
    'max_retries', job.max_retries, 'retry_period', job.retry_period, 'scheduled', job.scheduled,
    'fixed_schedule', job.fixed_schedule, 'initial_start', job.initial_start, 'timezone', job.timezone,
    'hypertable_id', job.hypertable_id, 'config', job.config)
$$;
comment on function _tessera_functions.job_definition(_tessera_catalog.bgw_job) is 'what the job history keeps of a job';

create function _tessera_functions.mark_job_start(job_id int, autonomous boolean) returns void
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  -- Counted as a crash until its end is recorded.
  update _tessera_catalog.bgw_job_stat s
  set last_start = clock_timestamp(), last_finish = '-infinity', next_start = '-infinity',
    total_runs = total_runs + 1, last_run_success = false,
    total_crashes = total_crashes + 1, consecutive_crashes = consecutive_crashes + 1,
    flags = flags & ~1, pid = pg_backend_pid(), autonomous = $2, cancelled_at = null, lost_at = null
  where s.job_id = $1
$$;
comment on function _tessera_functions.mark_job_start(int, boolean) is 'records that a run begins; to be committed before it does';

create function _tessera_functions.mark_job_end(
  ended_job int, succeeded boolean, error_data jsonb default null
) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  job _tessera_catalog.bgw_job;
  stat _tessera_catalog.bgw_job_stat;
  finish timestamptz := clock_timestamp();
  failures int;
begin
  select * into job from _tessera_catalog.bgw_job where id = ended_job;
  select * into stat from _tessera_catalog.bgw_job_stat where job_id = ended_job for update;
  if job.id is null or stat.last_finish <> '-infinity' or stat.last_start = '-infinity' then
    return; -- deleted meanwhile, or its end is recorded already
  end if;
  failures := case when succeeded then 0 else stat.consecutive_failures + 1 end;
  update _tessera_catalog.bgw_job_stat
  set last_finish = finish,
    last_run_success = succeeded,
    total_duration = total_duration + case when succeeded then finish - last_start else interval '0' end,
    total_duration_failures = total_duration_failures + case when succeeded then interval '0' else finish - last_start end,
    total_crashes = total_crashes - 1,
    consecutive_crashes = 0,
    total_successes = total_successes + succeeded::int,
    total_failures = total_failures + (not succeeded)::int,
    consecutive_failures = failures,
    last_successful_finish = case when succeeded then finish else last_successful_finish end,
    -- A job may have set its own next start while it ran.
    next_start = case
      when stat.next_start <> '-infinity' then stat.next_start
      else _tessera_functions.start_or_pause(job, finish, succeeded, failures)
    end,
    pid = null
  where job_id = ended_job;
  if not succeeded or _tessera_functions.setting('enable_job_execution_logging')::boolean then
    insert into _tessera_catalog.bgw_job_stat_history (job_id, pid, execution_start, execution_finish, succeeded, data)
    values (ended_job, stat.pid, stat.last_start, finish, succeeded,
      jsonb_strip_nulls(jsonb_build_object('job', _tessera_functions.job_definition(job), 'error_data', error_data)));
  end if;
  if not succeeded and job.max_retries >= 0 and failures >= job.max_retries then
    update _tessera_catalog.bgw_job set scheduled = false where id = ended_job;
    raise warning using
      errcode = '53400', message = format('job %s reached max_retries after %s failures in a row', ended_job, failures),
      detail = 'It is no longer scheduled.',
      hint = format('Call alter_job(%s, scheduled => true) to schedule it again.', ended_job);
  end if;
end
$$;
comment on function _tessera_functions.mark_job_end(int, boolean, jsonb) is 'records the end of a run and when the next one starts';

create function _tessera_functions.mark_job_crash(crashed_job int) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  job _tessera_catalog.bgw_job;
  stat _tessera_catalog.bgw_job_stat;
  wait interval := make_interval(secs => _tessera_functions.setting('crash_restart_wait')::int);
begin
  select * into job from _tessera_catalog.bgw_job where id = crashed_job;
  select * into stat from _tessera_catalog.bgw_job_stat where job_id = crashed_job for update;
  if job.id is null or stat.last_finish <> '-infinity' or stat.flags & 1 = 1 then
    return;
  end if;
  insert into _tessera_catalog.bgw_job_stat_history (job_id, execution_start, data)
  values (crashed_job, stat.last_start, jsonb_build_object('job', _tessera_functions.job_definition(job)));
  -- The run stays one that began and never ended; it only is no longer under way.
  update _tessera_catalog.bgw_job_stat
  set flags = flags | 1, pid = null,
    next_start = greatest(
      clock_timestamp() + wait,
      _tessera_functions.start_or_pause(job, clock_timestamp(), false, stat.consecutive_crashes))
  where job_id = crashed_job;
end
$$;
comment on function _tessera_functions.mark_job_crash(int) is
  'deduced: the run began, its end was never recorded, and its session is gone; the next start is five minutes away at least';

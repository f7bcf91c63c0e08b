create function _tessera_functions.next_regular_start(
  schedule_interval interval, initial_start timestamptz, timezone text, after timestamptz
) returns timestamptz
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  zone text := coalesce(timezone, 'UTC');
  origin timestamp := initial_start at time zone zone;
  reached timestamp := after at time zone zone;
  months int := (extract(year from schedule_interval) * 12 + extract(month from schedule_interval))::int;
  steps bigint;
  candidate timestamptz;
begin
  -- A schedule lives in local time, so that "every day at three" survives a change of the clocks.
  if months > 0 then
    steps := floor(((extract(year from reached) - extract(year from origin)) * 12
      + extract(month from reached) - extract(month from origin)) / months)::bigint - 1;
  else
    steps := floor(extract(epoch from reached - origin) / extract(epoch from schedule_interval))::bigint - 1;
  end if;
  loop
    candidate := (origin + schedule_interval * steps) at time zone zone;
    exit when candidate > after;
    steps := steps + 1;
  end loop;
  return candidate;
end
$$;
comment on function _tessera_functions.next_regular_start(interval, timestamptz, text, timestamptz) is
  'the first slot initial_start + k * schedule_interval, in local time of the zone, that lies after the given moment';

create function _tessera_functions.failure_delay(
  retry_period interval, schedule_interval interval, failures int, jitter double precision
) returns interval
language sql immutable parallel safe
set search_path to pg_catalog, pg_temp
as $$
  select least(retry_period * least(greatest(failures, 1), 20), schedule_interval * 5) * (1 + jitter)
$$;
comment on function _tessera_functions.failure_delay(interval, interval, int, double precision) is
  'linear backoff: retry_period times the number of failures in a row (20 at most), capped at five schedule intervals, times 1 + jitter';

create function _tessera_functions.retry_jitter() returns double precision
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  select (16 - floor(random() * 32)) / 128
$$;
comment on function _tessera_functions.retry_jitter() is 'between -0.1172 and 0.125, so that jobs that failed together do not retry together';

create function _tessera_functions.start_after_success(job _tessera_catalog.bgw_job, finish timestamptz) returns timestamptz
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select case
    when job.fixed_schedule and job.initial_start is not null then
      _tessera_functions.next_regular_start(job.schedule_interval, job.initial_start, job.timezone, finish)
    else finish + job.schedule_interval
  end
$$;
comment on function _tessera_functions.start_after_success(_tessera_catalog.bgw_job, timestamptz) is 'when a job runs again after a success';

create function _tessera_functions.start_after_failure(
  job _tessera_catalog.bgw_job, finish timestamptz, failures int
) returns timestamptz
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  retry timestamptz;
begin
  begin
    retry := finish
      + _tessera_functions.failure_delay(job.retry_period, job.schedule_interval, failures, _tessera_functions.retry_jitter());
  exception when data_exception then
    raise log 'job %: next start after a failure is out of range, using the retry period', job.id;
    return finish + job.retry_period;
  end;
  if job.fixed_schedule and job.initial_start is not null then
    retry := least(retry, _tessera_functions.next_regular_start(job.schedule_interval, job.initial_start, job.timezone, finish));
  end if;
  return retry;
end
$$;
comment on function _tessera_functions.start_after_failure(_tessera_catalog.bgw_job, timestamptz, int) is
  'when a job runs again after a failure: not later than its next regular start';

create function _tessera_functions.start_or_pause(
  job _tessera_catalog.bgw_job, finish timestamptz, succeeded boolean, failures int
) returns timestamptz
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  state text;
  said text;
begin
  if succeeded then
    return _tessera_functions.start_after_success(job, finish);
  end if;
  return _tessera_functions.start_after_failure(job, finish, failures);
exception when others then
  -- A schedule nobody can follow is the trouble of its job alone.
  get stacked diagnostics state = returned_sqlstate, said = message_text;
  update _tessera_catalog.bgw_job j set scheduled = false where j.id = job.id;
  insert into _tessera_catalog.bgw_job_stat_history (job_id, execution_start, execution_finish, succeeded, data)
  values (job.id, finish, finish, false, jsonb_build_object('job', _tessera_functions.job_definition(job),
    'error_data', jsonb_build_object('sqlerrcode', state, 'message', said,
      'detail', 'The next start of the job cannot be computed. It is no longer scheduled.',
      'hint', format('select alter_job(%s, schedule_interval => ''1 day'', scheduled => true);', job.id),
      'proc_schema', job.proc_schema, 'proc_name', job.proc_name)));
  raise warning 'job % is no longer scheduled, its next start cannot be computed: %', job.id, said;
  return 'infinity';
end
$$;
comment on function _tessera_functions.start_or_pause(_tessera_catalog.bgw_job, timestamptz, boolean, int) is
  'when a job runs again; where that cannot be computed the job is paused and its history says why';

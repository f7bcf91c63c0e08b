create function @extschema@.alter_job(
  job_id integer,
  schedule_interval interval default null,
  max_runtime interval default null,
  max_retries integer default null,
  retry_period interval default null,
  scheduled boolean default null,
  config jsonb default null,
  next_start timestamptz default null,
  if_exists boolean default false,
  check_config regproc default null,
  fixed_schedule boolean default null,
  initial_start timestamptz default null,
  timezone text default null,
  job_name text default null,
  config_merge jsonb default null
) returns table(
  job_id integer, schedule_interval interval, max_runtime interval, max_retries integer, retry_period interval,
  scheduled boolean, config jsonb, next_start timestamptz, check_config text, fixed_schedule boolean,
  initial_start timestamptz, timezone text, application_name name)
language sql volatile
set search_path to pg_catalog, pg_temp
set intervalstyle to 'postgres'
set datestyle to 'iso, ymd'
as $$
  select _tessera_functions.alter_job(jsonb_build_object(
    'job_id', $1, 'schedule_interval', $2::text, 'max_runtime', $3::text, 'max_retries', $4, 'retry_period', $5::text,
    'scheduled', $6, 'config', $7, 'next_start', $8::text, 'if_exists', $9, 'check_config', $10::oid::text,
    'fixed_schedule', $11, 'initial_start', $12::text, 'timezone', $13, 'job_name', $14, 'config_merge', $15));
  -- A row of nulls stands for a job that does not exist.
  select j.id, j.schedule_interval, j.max_runtime, j.max_retries, j.retry_period, j.scheduled, j.config, s.next_start,
    case when j.check_name is not null then format('%I.%I', j.check_schema, j.check_name) end, j.fixed_schedule,
    j.initial_start, j.timezone, j.application_name
  from (values (1)) one(row)
  left join _tessera_catalog.bgw_job j on j.id = $1
  left join _tessera_catalog.bgw_job_stat s on s.job_id = j.id
$$;
comment on function @extschema@.alter_job(integer, interval, interval, integer, interval, boolean, jsonb, timestamptz, boolean, regproc, boolean, timestamptz, text, text, jsonb) is
'Changes a job and returns it as it is now. An argument that is null keeps what is there.
job_id: the job, as add_job or a policy function returned it
schedule_interval: time between runs; the next start is computed anew
max_runtime: a run that takes longer is cancelled; 0 means no limit
max_retries: failures in a row after which the job is no longer scheduled; -1 means no limit
retry_period: wait after a failure, times the number of failures in a row, with some jitter
scheduled: whether it runs at all
config: replaces the configuration
next_start: when it runs next; infinity means not before this is changed
if_exists: a NOTICE and a row of nulls instead of an error when there is no such job
check_config: function that checks the configuration; 0 removes it
fixed_schedule, initial_start, timezone: as in add_job; the next start is computed anew
job_name: shown as application_name while it runs
config_merge: keys of the configuration to replace
Privileges: owner of the job
Errors: 42704 no such job, 42501 not the owner, 22023 bad argument or both config and config_merge, 0A000 months mixed with days in a fixed schedule';

create function @extschema@.alter_job_schedule(
  job_id integer,
  schedule_interval interval default null,
  max_runtime interval default null,
  max_retries integer default null,
  retry_period interval default null,
  if_exists boolean default false,
  next_start timestamptz default null
) returns table(
  job_id integer, schedule_interval interval, max_runtime interval, max_retries integer, retry_period interval,
  next_start timestamptz)
language sql volatile
as $$
  select a.job_id, a.schedule_interval, a.max_runtime, a.max_retries, a.retry_period, a.next_start
  from @extschema@.alter_job(
    $1, schedule_interval => $2, max_runtime => $3, max_retries => $4, retry_period => $5, if_exists => $6,
    next_start => $7) a
$$;
comment on function @extschema@.alter_job_schedule(integer, interval, interval, integer, interval, boolean, timestamptz) is
'The older name of alter_job, with the arguments it had then.
Privileges: owner of the job';

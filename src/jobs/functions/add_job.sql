create function @extschema@.add_job(
  proc regproc,
  schedule_interval interval,
  config jsonb default null,
  initial_start timestamptz default null,
  scheduled boolean default true,
  check_config regproc default null,
  fixed_schedule boolean default true,
  timezone text default null,
  job_name text default null
) returns integer
language sql volatile
set search_path to pg_catalog, pg_temp
set intervalstyle to 'postgres'
set datestyle to 'iso, ymd'
as $$
  select _tessera_functions.add_job(jsonb_build_object(
    'proc', $1::oid::text, 'schedule_interval', $2::text, 'config', $3, 'initial_start', $4::text, 'scheduled', $5,
    'check_config', nullif($6::oid::text, '0'), 'fixed_schedule', $7, 'timezone', $8, 'job_name', $9))
$$;
comment on function @extschema@.add_job(regproc, interval, jsonb, timestamptz, boolean, regproc, boolean, text, text) is
'Has a function or procedure run again and again by the workers of this database, as the role that calls add_job, and returns the id of the job.
proc: a function or procedure (job_id int, config jsonb); a procedure may end transactions
schedule_interval: time between runs; with a fixed schedule either months alone, or days and times
config: handed to the procedure as it is
initial_start: first run, and the moment a fixed schedule is counted from; null means now
scheduled: false registers the job without running it
check_config: a function (config jsonb) that raises an error when the configuration is no good; called here and by alter_job
fixed_schedule: true runs at initial_start + k * schedule_interval, false schedule_interval after the end of the last run
timezone: in which days and months of a fixed schedule are counted; null means UTC
job_name: shown as application_name while it runs; null means User-Defined Action
Privileges: EXECUTE on proc and check_config; the caller must be a role that can log in
Errors: 22023 null or bad argument, 42883 wrong arguments of proc, 42501 no EXECUTE, 28000 no login, 0A000 months mixed with days in a fixed schedule, 42622 long name';

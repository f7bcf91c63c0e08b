create function @extschema@.add_continuous_aggregate_policy(
  continuous_aggregate regclass,
  start_offset anycompatible,
  end_offset anycompatible,
  schedule_interval interval,
  if_not_exists boolean default false,
  initial_start timestamptz default null,
  timezone text default null,
  include_tiered_data boolean default null,
  buckets_per_batch integer default null,
  max_batches_per_execution integer default null,
  refresh_newest_first boolean default null
) returns integer
language sql volatile
set search_path to pg_catalog, pg_temp
set intervalstyle to 'postgres'
set datestyle to 'iso, ymd'
as $$
  select _tessera_functions.add_continuous_aggregate_policy($1::oid::int8, jsonb_build_object(
    'start_offset', $2::text, 'end_offset', $3::text, 'type', pg_typeof($2)::text, 'schedule_interval', $4::text,
    'if_not_exists', $5, 'initial_start', $6::text, 'timezone', $7, 'buckets_per_batch', $9,
    'max_batches_per_execution', $10, 'refresh_newest_first', $11))
$$;
comment on function @extschema@.add_continuous_aggregate_policy(regclass, anycompatible, anycompatible, interval, boolean, timestamptz, text, boolean, integer, integer, boolean) is
'Has a continuous aggregate refreshed by a job, from start_offset to end_offset before now, and returns the id of the job; -1 when there is one already and if_not_exists was given.
continuous_aggregate: its view
start_offset, end_offset: ages, intervals or for an integer time column integers; null leaves the side open
schedule_interval: how often it runs
if_not_exists: a NOTICE when there is the same policy already, a WARNING when there is another one, instead of an error
initial_start: first run, and from then on a fixed schedule
timezone: of that schedule
include_tiered_data: accepted for callers of TimescaleDB; there is no tiered storage
buckets_per_batch, max_batches_per_execution, refresh_newest_first: as the options of refresh_continuous_aggregate()
Privileges: owner of the continuous aggregate, who must be able to log in
Errors: 0A000 no continuous aggregate, 22023 bad offset, less than two buckets between them, no schedule, 42710 there is one already, 28000 the owner cannot log in';

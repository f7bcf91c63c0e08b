create function @extschema@.add_reorder_policy(
  hypertable regclass,
  index_name name,
  if_not_exists boolean default false,
  initial_start timestamptz default null,
  timezone text default null
) returns integer
language sql volatile
set search_path to pg_catalog, pg_temp
set datestyle to 'iso, ymd'
as $$
  select _tessera_functions.add_reorder_policy($1::oid::int8, $2, $3, $4::text, $5)
$$;
comment on function @extschema@.add_reorder_policy(regclass, name, boolean, timestamptz, text) is
'Has chunks rewritten in the order of an index by a job, each once, when two newer time slices exist; returns the id of the job, -1 when there is a policy already and if_not_exists was given.
hypertable: the hypertable
index_name: a btree index of the hypertable, without its schema
if_not_exists: a NOTICE when there is the same policy already, a WARNING when there is another one, instead of an error
initial_start: first run, and from then on a fixed schedule
timezone: of that schedule
Privileges: owner of the hypertable, who must be able to log in
Errors: TS001 not a hypertable, 22023 no such index, 42710 there is one already, 28000 the owner cannot log in';

create function _tessera_functions.request_job_note_chunk(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  job _tessera_catalog.bgw_job := _tessera_functions.job_of_request(caller, payload);
begin
  insert into _tessera_catalog.bgw_policy_chunk_stats (job_id, chunk_id, num_times_job_run, last_time_job_run)
  select job.id, c.id, 1, clock_timestamp()
  from _tessera_catalog.chunk c
  where c.id = (payload ->> 'chunk_id')::int and c.hypertable_id = job.hypertable_id and not c.dropped
  on conflict (job_id, chunk_id) do update
  set num_times_job_run = bgw_policy_chunk_stats.num_times_job_run + 1, last_time_job_run = excluded.last_time_job_run;
  return null;
end
$$;
comment on function _tessera_functions.request_job_note_chunk(name, jsonb) is 'records that a policy treated a chunk';

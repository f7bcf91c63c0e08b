create function @extschema@.citus_job_list() returns table (
  job_id bigint,
  state _tessera_catalog.citus_job_status,
  job_type name,
  description text,
  started_at timestamptz,
  finished_at timestamptz
)
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select j.job_id, j.state, j.job_type, j.description, j.started_at, j.finished_at
  from _tessera_catalog.pg_dist_background_job j
  order by j.job_id
$$;
comment on function @extschema@.citus_job_list() is
'All background jobs, the oldest first.
Privileges: anybody';

create function @extschema@.citus_job_status(job_id bigint, raw boolean default false) returns table (
  job_id bigint,
  state _tessera_catalog.citus_job_status,
  job_type name,
  description text,
  started_at timestamptz,
  finished_at timestamptz,
  details jsonb
)
language sql stable strict
set search_path to pg_catalog, pg_temp
as $$
  select j.job_id, j.state, j.job_type, j.description, j.started_at, j.finished_at,
    jsonb_build_object(
      'task_state_counts', (
        select jsonb_object_agg(c.status, c.tasks)
        from (
          select t.status, count(*) as tasks from _tessera_catalog.pg_dist_background_task t
          where t.job_id = j.job_id
          group by t.status
        ) c),
      'tasks', coalesce((
        select jsonb_agg(
          jsonb_build_object(
            'state', t.status,
            'retried', coalesce(t.retry_count, 0),
            'message', t.message,
            'command', t.command,
            'task_id', t.task_id)
          order by t.task_id)
        from _tessera_catalog.pg_dist_background_task t
        where t.job_id = j.job_id and (t.status = 'error' or (t.status = 'runnable' and t.retry_count > 0))
      ), '[]'))
  from _tessera_catalog.pg_dist_background_job j
  where j.job_id = $1
$$;
comment on function @extschema@.citus_job_status(bigint, boolean) is
'One background job with details: how many of its tasks are in which state, and those that failed or will be tried again.
job_id: the job; no row when there is none
raw: sizes in bytes instead of text, for tasks that report progress; none do yet
Privileges: anybody';

create function _tessera_functions.job_state(states _tessera_catalog.citus_task_status[])
returns _tessera_catalog.citus_job_status
language plpgsql immutable strict parallel safe
set search_path to pg_catalog, pg_temp
as $$
begin
  return case
    when 'cancelling' = any(states) then 'cancelling'
    when 'cancelled' = any(states) then 'cancelled'
    when states && '{error,unscheduled}' then
      case when states && '{blocked,runnable,running}' then 'failing' else 'failed' end
    when states && '{blocked,runnable,running}' then 'running'
    else 'finished'
  end;
end
$$;
comment on function _tessera_functions.job_state(_tessera_catalog.citus_task_status[]) is
  'state of a job whose first task has started, from the states its tasks are in; twin of src/tasks/job-state-plan.ts';

create function _tessera_functions.recompute_job(job bigint) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
as $$
declare
  computed _tessera_catalog.citus_job_status;
begin
  -- One index probe per state, so that the cost does not grow with the number of tasks; EXISTS would become a join.
  computed := _tessera_functions.job_state(array(
    select s from unnest(enum_range(null::_tessera_catalog.citus_task_status)) s
    where (
      select true from _tessera_catalog.pg_dist_background_task t where t.job_id = job and t.status = s limit 1)));
  update _tessera_catalog.pg_dist_background_job j
  set state = computed,
    started_at = case when computed = 'running' then coalesce(j.started_at, clock_timestamp()) else j.started_at end,
    finished_at = case when computed in ('finished', 'cancelled', 'failed') then coalesce(j.finished_at, clock_timestamp())
      else j.finished_at end
  where j.job_id = job and j.state <> computed;
end
$$;
comment on function _tessera_functions.recompute_job(bigint) is
  'brings the state of a job in line with its tasks; the caller holds the row of the job locked';

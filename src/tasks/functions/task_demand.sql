create function _tessera_functions.task_demand(out owner regrole, out runnable int, out running int) returns setof record
language plpgsql stable
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
as $$
#variable_conflict use_column
begin
  if not exists (
    select from _tessera_catalog.pg_dist_background_task t where t.status in ('runnable', 'running', 'cancelling')
  ) then
    return;
  end if;
  return query
  with busy as (
    select t.owner::oid as owner, count(*)::int as tasks
    from _tessera_catalog.pg_dist_background_task t
    where t.status in ('running', 'cancelling')
    group by 1
  ), waiting as (
    select o.owner, (
      select count(*)::int from (
        select from _tessera_catalog.pg_dist_background_task t
          join _tessera_catalog.pg_dist_background_job j on j.job_id = t.job_id
        where t.status = 'runnable' and t.owner = o.owner and (t.not_before is null or t.not_before <= clock_timestamp())
          and j.state not in ('cancelling', 'cancelled')
          and _tessera_functions.task_may_start(t.job_id, t.task_id, t.nodes_involved)
        limit 1000
      ) x) as tasks
    from _tessera_functions.task_owners() o(owner)
    where _tessera_functions.task_limit('background_task_queue_interval') >= 0
  )
  select owner::regrole, coalesce(w.tasks, 0), coalesce(b.tasks, 0)
  from waiting w full join busy b using (owner)
  where coalesce(w.tasks, 0) + coalesce(b.tasks, 0) > 0 and exists (select from pg_roles r where r.oid = owner);
end
$$;
comment on function _tessera_functions.task_demand() is
  'per owner: tasks that could start now, counted up to 1000, and tasks that run; the limit of executors is not applied';

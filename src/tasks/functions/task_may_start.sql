create function _tessera_functions.task_may_start(job bigint, task bigint, nodes int[]) returns boolean
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  per_node int;
begin
  if exists (
    select from _tessera_catalog.pg_dist_background_task_depend d
      join _tessera_catalog.pg_dist_background_task p on p.job_id = d.job_id and p.task_id = d.depends_on
    where d.job_id = job and d.task_id = task and p.status <> 'done'
  ) then
    return false;
  end if;
  if nodes is null then
    return true;
  end if;
  per_node := _tessera_functions.task_limit('max_background_task_executors_per_node');
  return not exists (
    select from unnest(nodes) n
    where (
      select count(*) from _tessera_catalog.pg_dist_background_task r
      where r.status in ('running', 'cancelling') and n = any(r.nodes_involved)) >= per_node);
end
$$;
comment on function _tessera_functions.task_may_start(bigint, bigint, int[]) is
  'whether everything a runnable task depends on is done and no node it involves is at its limit';

create view tessera_information.background_tasks as
select t.job_id, t.task_id, t.owner, t.status, t.pid, t.retry_count, t.not_before, t.message, t.command,
  case
    when t.status = 'blocked' then 'waits for task ' || coalesce((
      select pg_catalog.string_agg(d.depends_on::text, ', ' order by d.depends_on)
      from _tessera_catalog.pg_dist_background_task_depend d
        join _tessera_catalog.pg_dist_background_task p on p.job_id = d.job_id and p.task_id = d.depends_on
      where d.job_id = t.job_id and d.task_id = t.task_id and p.status <> 'done'), 'nothing any more; about to be released')
    when t.status = 'cancelling' then 'waits for its executor to give up'
    when t.status <> 'runnable' then null
    when _tessera_functions.task_limit('background_task_queue_interval') < 0 then 'the queue is switched off'
    when j.state in ('cancelling', 'cancelled') then 'its job is cancelled'
    when r.rolcanlogin is null then 'its owner does not exist'
    when not r.rolcanlogin then 'its owner is not permitted to log in'
    when t.not_before > pg_catalog.clock_timestamp() then
      case when t.retry_count > 0 then 'failed, will be tried again later' else 'its time has not come' end
    when not _tessera_functions.task_may_start(t.job_id, t.task_id, t.nodes_involved)
      then 'a node it involves is busy, or a task it depends on is not done'
    when (
      select pg_catalog.count(*) from _tessera_catalog.pg_dist_background_task b where b.status in ('running', 'cancelling')
    ) >= _tessera_functions.task_limit('max_background_task_executors') then 'all executors are busy'
    else 'waits for an executor'
  end as reason
from _tessera_catalog.pg_dist_background_task t
  join _tessera_catalog.pg_dist_background_job j on j.job_id = t.job_id
  left join pg_catalog.pg_roles r on r.oid = t.owner;
comment on view tessera_information.background_tasks is
  'tasks of background jobs; reason says why a task that has not ended does not run';
grant select on tessera_information.background_tasks to public;

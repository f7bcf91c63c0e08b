create function _tessera_functions.heal_task(lost_task bigint) returns boolean
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  task _tessera_catalog.pg_dist_background_task;
begin
  -- Row lock on the job: from here on no executor can end the run. A job that is locked waits for the next time.
  perform from _tessera_catalog.pg_dist_background_job j
  where j.job_id = (select t.job_id from _tessera_catalog.pg_dist_background_task t where t.task_id = lost_task)
  for no key update skip locked;
  if not found then
    return false;
  end if;
  select t.* into task from _tessera_catalog.pg_dist_background_task t
  where t.task_id = lost_task and t.status in ('running', 'cancelling')
  for no key update skip locked;
  if not found or _tessera_functions.is_executor_alive(task.task_id, task.pid) then
    return false;
  end if;
  if task.status = 'cancelling' then
    update _tessera_catalog.pg_dist_background_task t
    set status = 'cancelled', pid = null, not_before = null
    where t.task_id = task.task_id;
  else
    perform _tessera_functions.record_task_failure(task, format(
      E'ERROR: the executor of the task ended without a result\nDETAIL: The session of the executor, process %s, is gone.\n',
      coalesce(task.pid::text, '(unknown)')), true);
  end if;
  perform _tessera_functions.recompute_job(task.job_id);
  return true;
end
$$;
comment on function _tessera_functions.heal_task(bigint) is
  'ends the run of a task whose executor is gone: to be retried, or cancelled if that was under way';

create function _tessera_functions.repeat_cancel(cancelled_task bigint) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  task _tessera_catalog.pg_dist_background_task;
begin
  -- Row lock on the job, as for the first signal: the run cannot end meanwhile, so no other task is hit.
  perform from _tessera_catalog.pg_dist_background_job j
  where j.job_id = (select t.job_id from _tessera_catalog.pg_dist_background_task t where t.task_id = cancelled_task)
  for no key update skip locked;
  if not found then
    return;
  end if;
  select t.* into task from _tessera_catalog.pg_dist_background_task t
  where t.task_id = cancelled_task and t.status = 'cancelling';
  -- An executor that waits for the lock taken above is about to report the end.
  if found and _tessera_functions.is_executor_alive(task.task_id, task.pid)
    and not pg_backend_pid() = any(pg_blocking_pids(task.pid)) then
    perform pg_cancel_backend(task.pid);
  end if;
exception
  when insufficient_privilege then
    null; -- citus_job_cancel() has warned of it
end
$$;
comment on function _tessera_functions.repeat_cancel(bigint) is
  'signals the executor of a task in cancelling again: the task may have swallowed the first signal';

create function _tessera_functions.task_owners() returns setof oid
language sql stable
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
set enable_sort to off
as $$
  -- From one owner to the next in the index: thousands of tasks cost as much as one.
  with recursive owners(owner) as (
    (select t.owner::oid from _tessera_catalog.pg_dist_background_task t where t.status = 'runnable' order by t.owner limit 1)
    union all
    select (
      select t.owner::oid from _tessera_catalog.pg_dist_background_task t
      where t.status = 'runnable' and t.owner > o.owner
      order by t.owner
      limit 1)
    from owners o
    where o.owner is not null
  )
  select o.owner from owners o where o.owner is not null
$$;
comment on function _tessera_functions.task_owners() is 'roles that own runnable tasks';

create function _tessera_functions.heal_blocked_tasks() returns int
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  healed int := 0;
  stuck record;
begin
  for stuck in
    select t.job_id, t.task_id, coalesce(bool_or(p.status in ('error', 'unscheduled', 'cancelled')), false) as hopeless
    from _tessera_catalog.pg_dist_background_task t
      left join (_tessera_catalog.pg_dist_background_task_depend d
        join _tessera_catalog.pg_dist_background_task p on p.job_id = d.job_id and p.task_id = d.depends_on)
      on d.job_id = t.job_id and d.task_id = t.task_id
    where t.status = 'blocked'
    group by t.job_id, t.task_id
    having bool_and(p.status is null or p.status = 'done') or bool_or(p.status in ('error', 'unscheduled', 'cancelled'))
    order by t.task_id
  loop
    perform from _tessera_catalog.pg_dist_background_job j where j.job_id = stuck.job_id for no key update skip locked;
    continue when not found;
    -- What a dependency came to is final, so what was read before the lock still holds.
    update _tessera_catalog.pg_dist_background_task t
    set status = case when stuck.hopeless then 'unscheduled' else 'runnable' end::_tessera_catalog.citus_task_status
    where t.task_id = stuck.task_id and t.status = 'blocked';
    if stuck.hopeless then
      perform _tessera_functions.unschedule_dependents(stuck.job_id, stuck.task_id);
      perform _tessera_functions.recompute_job(stuck.job_id);
    end if;
    healed := healed + 1;
  end loop;
  return healed;
end
$$;
comment on function _tessera_functions.heal_blocked_tasks() is
  'releases tasks that wait for nothing, and gives up those that wait for what will never be done';

create function _tessera_functions.heal_tasks() returns int
language plpgsql
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
as $$
declare
  healed int := 0;
  run record;
  task _tessera_catalog.pg_dist_background_task;
begin
  for run in
    select t.task_id, t.status, exists (
        select from pg_locks l
        where l.locktype = 'advisory' and l.classid = _tessera_functions.task_lock_class()::oid
          and l.database = (select d.oid from pg_database d where d.datname = current_database())
          and l.objid = _tessera_functions.task_lock_key(t.task_id)::oid
          and l.objsubid = 2 and l.granted and l.pid = t.pid) as alive
    from _tessera_catalog.pg_dist_background_task t
    where t.status in ('running', 'cancelling')
    order by t.task_id
  loop
    if not run.alive then
      healed := healed + _tessera_functions.heal_task(run.task_id)::int;
    elsif run.status = 'cancelling' then
      perform _tessera_functions.repeat_cancel(run.task_id);
    end if;
  end loop;

  for task in
    select t.* from _tessera_functions.task_owners() o(owner)
      join _tessera_catalog.pg_dist_background_task t on t.owner = o.owner and t.status = 'runnable'
    where not exists (select from pg_roles r where r.oid = o.owner)
    order by t.task_id
  loop
    perform from _tessera_catalog.pg_dist_background_job j where j.job_id = task.job_id for no key update skip locked;
    continue when not found;
    update _tessera_catalog.pg_dist_background_task t
    set status = 'error', not_before = null, message = format(
      E'ERROR: the role that owned the task does not exist\nDETAIL: Its OID was %s.\n', task.owner::oid)
    where t.task_id = task.task_id and t.status = 'runnable';
    if found then
      perform _tessera_functions.unschedule_dependents(task.job_id, task.task_id);
      perform _tessera_functions.recompute_job(task.job_id);
      healed := healed + 1;
    end if;
  end loop;

  -- Nothing of ours leaves a task blocked for ever, but rows written by hand may. Looking through all that is blocked
  -- takes time when there is much of it, so on a busy queue it is done every twentieth time.
  if exists (select from _tessera_catalog.pg_dist_background_task t where t.status = 'blocked')
    and (random() < 0.05 or not exists (
      select from _tessera_catalog.pg_dist_background_task t where t.status in ('runnable', 'running', 'cancelling')))
  then
    healed := healed + _tessera_functions.heal_blocked_tasks();
  end if;
  return healed;
end
$$;
comment on function _tessera_functions.heal_tasks() is
'Puts right what lost executors, dropped roles and hands in the catalog left behind; returns how many tasks that were.
Privileges: owner of the extension
Locks: the row of the job, then rows of its tasks; jobs that are locked are left for the next time';

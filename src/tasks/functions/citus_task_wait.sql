create function @extschema@.citus_task_wait(
  taskid bigint,
  desired_status _tessera_catalog.citus_task_status default null
) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  task record;
  pause float8 := 0.01;
  checked boolean := false;
begin
  if taskid is null then
    raise exception using errcode = '22023', message = '"taskid" must not be null';
  end if;
  loop
    select t.status, t.pid, t.message, t.xmin into task from _tessera_catalog.pg_dist_background_task t where t.task_id = taskid;
    if not found then
      raise exception using errcode = '42704', message = format('background task %s does not exist', taskid);
    end if;
    if task.status = desired_status
      or (desired_status is null and task.status in ('done', 'error', 'unscheduled', 'cancelled')) then
      return;
    end if;
    if task.status in ('done', 'error', 'unscheduled', 'cancelled') then
      raise exception using
        errcode = '55000',
        message = format('background task %s has ended as "%s" and will not become "%s"', taskid, task.status, desired_status),
        detail = coalesce(nullif(rtrim(task.message, E'\n'), ''), 'It left no message.');
    end if;
    if not checked then
      checked := true;
      perform _tessera_functions.require_fresh_snapshots('citus_task_wait');
      if task.xmin = pg_current_xact_id_if_assigned()::xid then
        raise exception using
          errcode = '55000',
          message = format('background task %s was changed by this transaction', taskid),
          detail = 'Executors do not see it before the transaction is committed.',
          hint = 'Commit before you wait.';
      end if;
      if task.status in ('running', 'cancelling') and task.pid = pg_backend_pid() then
        raise exception using errcode = '55000', message = format('background task %s cannot wait for itself', taskid);
      end if;
    end if;
    perform pg_sleep(pause);
    pause := least(pause * 1.5, 0.25);
  end loop;
end
$$;
comment on function @extschema@.citus_task_wait(bigint, _tessera_catalog.citus_task_status) is
'Waits until a background task has ended, or has reached a state. Can be cancelled.
taskid: the task
desired_status: the state to wait for; null for done, error, unscheduled or cancelled
Privileges: anybody
Errors: 42704 no such task, 55000 it ended in another state, or this session is what it waits for, 25001 isolation level above read committed';

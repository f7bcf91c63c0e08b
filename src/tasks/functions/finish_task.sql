create function _tessera_functions.task_message(
  job_id bigint, task_id bigint, message text, detail text, hint text, context text
) returns text
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select left(concat(
    'ERROR: ' || coalesce(nullif(message, ''), 'unknown error') || E'\n',
    'DETAIL: ' || nullif(detail, '') || E'\n',
    'HINT: ' || nullif(hint, '') || E'\n',
    'CONTEXT: ', nullif(context, '') || E'\n',
    format('background task executor: %s/%s for (%s/%s)', current_database(), session_user, job_id, task_id), E'\n'
  ), 65536)
$$;
comment on function _tessera_functions.task_message(bigint, bigint, text, text, text, text) is
  'what the column message says of a failed attempt';

create function _tessera_functions.record_task_failure(
  task _tessera_catalog.pg_dist_background_task, report text, crashed boolean
) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  failures int := coalesce(task.retry_count, 0) + 1;
  final boolean := _tessera_functions.task_backoff(failures) is null;
begin
  update _tessera_catalog.pg_dist_background_task t
  set status = case when final then 'error' else 'runnable' end::_tessera_catalog.citus_task_status,
    pid = null,
    retry_count = failures,
    -- A lost executor is rarely the fault of the task, so its first retry starts at once; a task that takes its executor
    -- down every time is slowed down and given up all the same.
    not_before = case when not final and failures > crashed::int
      then clock_timestamp() + _tessera_functions.task_backoff(failures - crashed::int) end,
    message = report
  where t.task_id = task.task_id;
  if final then
    perform _tessera_functions.unschedule_dependents(task.job_id, task.task_id);
  end if;
end
$$;
comment on function _tessera_functions.record_task_failure(_tessera_catalog.pg_dist_background_task, text, boolean) is
  'has a failed task retried later, or gives it up with all that depends on it; the row of the job is locked';

create function _tessera_functions.unschedule_dependents(job bigint, task bigint) returns void
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  with recursive dependents as (
    select d.task_id from _tessera_catalog.pg_dist_background_task_depend d where d.job_id = job and d.depends_on = task
    union
    select d.task_id
    from dependents x join _tessera_catalog.pg_dist_background_task_depend d on d.job_id = job and d.depends_on = x.task_id
  )
  update _tessera_catalog.pg_dist_background_task t
  set status = 'unscheduled', not_before = null
  where t.job_id = job and t.task_id in (select x.task_id from dependents x) and t.status in ('blocked', 'runnable')
$$;
comment on function _tessera_functions.unschedule_dependents(bigint, bigint) is
  'gives up whatever depends on a task that will never be done';

create function _tessera_functions.finish_task(
  task_id bigint,
  succeeded boolean,
  sqlstate text default null,
  message text default null,
  detail text default null,
  hint text default null,
  context text default null,
  tags text default null
) returns boolean
language plpgsql security definer
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
as $$
#variable_conflict use_column
declare
  task _tessera_catalog.pg_dist_background_task;
  report text;
begin
  -- Row locks: the job first, then its tasks. What happens to the tasks of a job happens one after the other.
  perform from _tessera_catalog.pg_dist_background_job j
  where j.job_id = (select t.job_id from _tessera_catalog.pg_dist_background_task t where t.task_id = finish_task.task_id)
  for no key update;
  select t.* into task from _tessera_catalog.pg_dist_background_task t
  where t.task_id = finish_task.task_id and t.status in ('running', 'cancelling')
    and t.pid = pg_backend_pid() and t.owner = quote_ident(session_user)::regrole
  for no key update;
  if not found then
    if succeeded is not true then
      return false;
    end if;
    -- The work must go with the run it belongs to, or it would be done twice.
    raise exception using
      errcode = '55000',
      message = format('background task %s is not run by this session', finish_task.task_id),
      detail = 'It was taken away from this session, or never belonged to it.';
  end if;
  if succeeded and task.status = 'cancelling' then
    raise exception using errcode = '57014', message = 'canceling background task due to user request';
  end if;

  if succeeded then
    update _tessera_catalog.pg_dist_background_task t
    set status = 'done', pid = null, message = coalesce(finish_task.tags, '')
    where t.task_id = task.task_id;
    update _tessera_catalog.pg_dist_background_task t
    set status = 'runnable'
    from _tessera_catalog.pg_dist_background_task_depend d
    where d.job_id = task.job_id and d.depends_on = task.task_id
      and t.job_id = d.job_id and t.task_id = d.task_id and t.status = 'blocked'
      and not exists (
        select from _tessera_catalog.pg_dist_background_task_depend o
          join _tessera_catalog.pg_dist_background_task p on p.job_id = o.job_id and p.task_id = o.depends_on
        where o.job_id = t.job_id and o.task_id = t.task_id and p.status <> 'done');
  else
    report := case when finish_task.sqlstate = '2D000'
      then _tessera_functions.task_message(task.job_id, task.task_id,
        'transaction control is not supported in a background task', finish_task.message,
        'The commands of a task run in one transaction, which is committed at its end.', finish_task.context)
      else _tessera_functions.task_message(task.job_id, task.task_id,
        finish_task.message, finish_task.detail, finish_task.hint, finish_task.context)
    end;
    if task.status = 'cancelling' then
      update _tessera_catalog.pg_dist_background_task t
      set status = 'cancelled', pid = null, not_before = null, message = report
      where t.task_id = task.task_id;
    else
      perform _tessera_functions.record_task_failure(task, report, false);
    end if;
  end if;
  perform _tessera_functions.recompute_job(task.job_id);
  return true;
end
$$;
comment on function _tessera_functions.finish_task(bigint, boolean, text, text, text, text, text, text) is
'Ends a run of this session: done, or to be retried, given up or cancelled. When the task succeeded it is called in the transaction of the task, so that the work and its end are one. False: the run failed, and was taken away from this session before.
Privileges: the session that claimed the task
Locks: the row of the job, then rows of its tasks
Errors: 55000 a success of a run this session does not have, 57014 a success of a run that is being cancelled; both undo the work';

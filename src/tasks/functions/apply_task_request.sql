create function _tessera_functions.lock_background_job(job bigint) returns _tessera_catalog.pg_dist_background_job
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  found_job _tessera_catalog.pg_dist_background_job;
begin
  select j.* into found_job from _tessera_catalog.pg_dist_background_job j where j.job_id = job for no key update;
  if not found then
    raise exception using errcode = '42704', message = format('background job %s does not exist', job);
  end if;
  return found_job;
end
$$;
comment on function _tessera_functions.lock_background_job(bigint) is
  'the job, its row locked: what happens to the tasks of a job happens one after the other';

create function _tessera_functions.request_task_create_job(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  new_id bigint;
begin
  -- Only what tessera itself queues looks like a rebalance, of which there is one at a time.
  if payload ->> 'job_type' <> 'user' and not pg_has_role(caller, current_user, 'USAGE') then
    raise exception using errcode = '42501', message = format('permission denied to make a background job of type "%s"', payload ->> 'job_type');
  end if;
  insert into _tessera_catalog.pg_dist_background_job (job_type, description, owner)
  values ((payload ->> 'job_type')::name, payload ->> 'description', quote_ident(caller)::regrole)
  returning job_id into new_id;
  return to_jsonb(new_id);
end
$$;
comment on function _tessera_functions.request_task_create_job(name, jsonb) is 'records a background job of the caller';

create function _tessera_functions.request_task_add_task(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  job _tessera_catalog.pg_dist_background_job;
  task_owner oid := (payload ->> 'owner')::oid;
  needed bigint[] := array(select distinct e::bigint from jsonb_array_elements_text(payload -> 'depends_on') e order by 1);
  stranger bigint;
  hopeless record;
  new_id bigint;
begin
  job := _tessera_functions.lock_background_job((payload ->> 'job_id')::bigint);
  if not coalesce(pg_has_role(caller, job.owner, 'USAGE'), false) then
    raise exception using
      errcode = '42501', message = format('must be owner of background job %s', job.job_id);
  end if;
  if btrim(payload ->> 'command', E' \t\r\n;') = '' then
    raise exception using errcode = '22023', message = 'the command of a background task must not be empty';
  end if;
  -- Others wait for a node whose limit is reached.
  if coalesce(payload -> 'nodes_involved', 'null') <> 'null' and not pg_has_role(caller, current_user, 'USAGE') then
    raise exception using errcode = '42501', message = 'permission denied to say which nodes a task involves';
  end if;
  -- To have a command run in a session of a role is to become that role.
  if not coalesce(pg_has_role(caller, task_owner,
    case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end), false) then
    raise exception using
      errcode = '42501',
      message = format('permission denied to run tasks as role "%s"', coalesce(pg_get_userbyid(task_owner), task_owner::text));
  end if;
  if not (select r.rolcanlogin from pg_roles r where r.oid = task_owner) then
    raise exception using
      errcode = '55000',
      message = format('role "%s" cannot own tasks', pg_get_userbyid(task_owner)),
      detail = 'A task runs in a session of its owner, and this role is not permitted to log in.',
      hint = format('Run: alter role %I login', pg_get_userbyid(task_owner));
  end if;
  if job.state in ('cancelling', 'cancelled') then
    raise exception using errcode = '55000', message = format('background job %s is cancelled', job.job_id);
  end if;
  select e into stranger from unnest(needed) e
  where not exists (
    select from _tessera_catalog.pg_dist_background_task t where t.job_id = job.job_id and t.task_id = e)
  limit 1;
  if found then
    raise exception using
      errcode = '42704',
      message = format('background job %s has no task %s to depend on', job.job_id, stranger),
      detail = 'A task can depend on earlier tasks of its own job.';
  end if;
  select t.task_id, t.status into hopeless from _tessera_catalog.pg_dist_background_task t
  where t.job_id = job.job_id and t.task_id = any(needed) and t.status in ('error', 'unscheduled')
  limit 1;
  if found then
    raise exception using
      errcode = '55000',
      message = format('background task %s will never be done', hopeless.task_id),
      detail = format('Its status is "%s", so a task that depends on it could never run.', hopeless.status);
  end if;

  insert into _tessera_catalog.pg_dist_background_task (job_id, owner, status, command, not_before, nodes_involved)
  values (
    job.job_id,
    task_owner,
    case when exists (
      select from _tessera_catalog.pg_dist_background_task t
      where t.job_id = job.job_id and t.task_id = any(needed) and t.status <> 'done')
    then 'blocked' else 'runnable' end::_tessera_catalog.citus_task_status,
    payload ->> 'command',
    (payload ->> 'not_before')::timestamptz,
    (select array_agg(e::int order by o) from jsonb_array_elements_text(nullif(payload -> 'nodes_involved', 'null'))
      with ordinality x(e, o)))
  returning task_id into new_id;
  insert into _tessera_catalog.pg_dist_background_task_depend (job_id, task_id, depends_on)
  select job.job_id, new_id, e from unnest(needed) e;
  -- A job is scheduled until its first task starts.
  if job.state <> 'scheduled' then
    perform _tessera_functions.recompute_job(job.job_id);
  end if;
  return to_jsonb(new_id);
end
$$;
comment on function _tessera_functions.request_task_add_task(name, jsonb) is 'records a task and what it depends on';

create function _tessera_functions.request_task_cancel_job(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  job _tessera_catalog.pg_dist_background_job;
  task _tessera_catalog.pg_dist_background_task;
  executors bigint[] := '{}';
  is_superuser boolean := (select r.rolsuper from pg_roles r where r.rolname = caller);
  executor record;
begin
  job := _tessera_functions.lock_background_job((payload ->> 'job_id')::bigint);
  -- Row locks on all that has not ended; a claim in progress is waited for.
  for task in
    select t.* from _tessera_catalog.pg_dist_background_task t
    where t.job_id = job.job_id and t.status in ('blocked', 'runnable', 'running', 'cancelling')
    order by t.task_id
    for no key update
  loop
    if not is_superuser and coalesce((select r.rolsuper from pg_roles r where r.oid = task.owner), false) then
      raise exception using
        errcode = '42501',
        message = format('permission denied to cancel background task %s', task.task_id),
        detail = 'Only roles with the SUPERUSER attribute may cancel tasks of roles with the SUPERUSER attribute.';
    end if;
    if not coalesce(pg_has_role(caller, task.owner, 'USAGE'), false)
      and not pg_has_role(caller, 'pg_signal_backend', 'USAGE') then
      raise exception using
        errcode = '42501',
        message = format('permission denied to cancel background task %s', task.task_id),
        detail = format('Only roles with privileges of the role "%s" or with privileges of the role "pg_signal_backend" may cancel it.',
          pg_get_userbyid(task.owner));
    end if;
    if task.pid is not null and _tessera_functions.is_executor_alive(task.task_id, task.pid) then
      executors := executors || task.task_id;
    end if;
  end loop;

  -- While the row of the job is locked none of these sessions can end its run and go on to something else, so the signal
  -- reaches the task it is meant for.
  for executor in
    select t.task_id, t.pid from _tessera_catalog.pg_dist_background_task t where t.task_id = any(executors) order by t.task_id
  loop
    begin
      if not pg_cancel_backend(executor.pid) then
        raise warning 'could not cancel the executor of background task %, process %', executor.task_id, executor.pid;
      end if;
    exception
      when insufficient_privilege then
        raise warning 'could not cancel the executor of background task %, process %: %',
          executor.task_id, executor.pid, sqlerrm;
    end;
  end loop;
  update _tessera_catalog.pg_dist_background_task t
  set status = case when t.status = 'running' and t.pid is not null then 'cancelling' else 'cancelled' end::_tessera_catalog.citus_task_status,
    pid = case when t.status = 'running' then t.pid end,
    not_before = null
  where t.job_id = job.job_id and t.status in ('blocked', 'runnable', 'running', 'cancelling');
  if found then
    perform _tessera_functions.recompute_job(job.job_id);
  end if;
  return null;
end
$$;
comment on function _tessera_functions.request_task_cancel_job(name, jsonb) is
  'cancels what has not ended of a job, with the rights pg_cancel_backend() asks for';

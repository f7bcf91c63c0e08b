create function _tessera_functions.claim_work(
  slot int,
  out kind text, out id bigint, out command text, out autonomous boolean, out config jsonb, out application_name name
) returns record
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
as $$
declare
  -- Who connected, which nobody can pretend: a session only ever gets work of its own role.
  me constant regrole := quote_ident(session_user)::regrole;
  moment constant timestamptz := clock_timestamp();
  candidate int;
begin
  if not exists (select from _tessera_catalog.worker_slot w where w.owner = me and w.slot = claim_work.slot) then
    kind := 'stop';
    return;
  end if;
  for candidate in
    select s.job_id
    from _tessera_catalog.bgw_job_stat s
    join _tessera_catalog.bgw_job j on j.id = s.job_id
    where s.next_start <= moment
      and not (s.last_start > '-infinity' and s.last_finish = '-infinity' and s.flags & 1 = 0)
      and j.scheduled and j.owner = me
    order by s.next_start, s.job_id
    limit 8
    for update of s skip locked
  loop
    continue when not pg_try_advisory_lock(_tessera_functions.lock_class('job'), candidate);
    kind := 'job';
    id := candidate;
    begin
      select c.command, c.autonomous, c.config, c.application_name
      into command, autonomous, config, application_name
      from _tessera_functions.job_command(candidate) c;
    exception when undefined_function then
      -- Raised again where it is recorded as the failure of the run.
      command := format('select _tessera_functions.job_command(%s)', candidate);
      autonomous := false;
      application_name := format('job [%s]', candidate);
    end;
    perform _tessera_functions.mark_job_start(candidate, autonomous);
    return;
  end loop;
  select t.task_id, t.command into id, command from _tessera_functions.claim_task() t;
  if id is not null then
    kind := 'task';
    autonomous := false;
    application_name := format('tessera task %s', id);
  end if;
end
$$;
comment on function _tessera_functions.claim_work(int) is
'What a worker is to do next: a job whose start is recorded with this, a background task, nothing (kind null), or stop.
slot: the slot of the calling session
Privileges: anybody; only work of the role that connected is given out';

create function _tessera_functions.finish_job(
  job_id int, state text, message text, detail text, hint text, context text
) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  run record;
begin
  select s.pid, s.cancelled_at, j.max_runtime, j.proc_schema, j.proc_name into run
  from _tessera_catalog.bgw_job_stat s
  join _tessera_catalog.bgw_job j on j.id = s.job_id
  where s.job_id = finish_job.job_id
  for update of s; -- the scheduler may just be noting why it cancelled
  -- Only the session that began the run can end it.
  if run.pid is distinct from pg_backend_pid() then
    return;
  end if;
  if state = '57014' and run.cancelled_at is not null then
    detail := format('The run took longer than max_runtime, which is %s.', run.max_runtime);
  end if;
  if state is not null then
    raise log 'job % threw an error: %', finish_job.job_id, message;
  end if;
  perform _tessera_functions.mark_job_end(
    finish_job.job_id, state is null,
    case when state is not null then
      jsonb_build_object('sqlerrcode', state, 'message', message, 'detail', nullif(detail, ''), 'hint', nullif(hint, ''),
        'context', nullif(context, ''), 'proc_schema', run.proc_schema, 'proc_name', run.proc_name)
    end);
end
$$;
comment on function _tessera_functions.finish_job(int, text, text, text, text, text) is
'Records the end of the run this session began; state is the SQLSTATE of its error, null for a success.
Privileges: the session that began the run';

create function _tessera_functions.run_is_autonomous(job_id int) returns void
language sql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
  update _tessera_catalog.bgw_job_stat s set autonomous = true where s.job_id = $1 and s.pid = pg_backend_pid()
$$;
comment on function _tessera_functions.run_is_autonomous(int) is 'records that the run under way in this session ends transactions by itself';

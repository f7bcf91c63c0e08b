create function _tessera_functions.claim_task(out task_id bigint, out job_id bigint, out command text) returns record
language plpgsql security definer
set search_path to pg_catalog, pg_temp
-- Statistics of a table that empties and fills by the second say nothing. The queries for runnable tasks are written so
-- that only the index of runnable tasks by owner has their order; without sorts it is the only plan. Bitmap scans look
-- at every version a row ever had, where index scans skip what they once found dead: 20000 tasks took 61 s with them,
-- and 6 s without.
set enable_seqscan to off
set enable_bitmapscan to off
set enable_sort to off
as $$
#variable_conflict use_column
declare
  -- The role that logged in, whatever SET ROLE and this function made of it.
  me oid := quote_ident(session_user)::regrole;
  executors int;
  busy bigint;
  abandoned bigint[];
  candidate record;
  last_seen bigint := -9223372036854775808;
begin
  if (
    select true from _tessera_catalog.pg_dist_background_task t
    where t.status = 'runnable' and (t.owner::oid, t.task_id) > (me, last_seen) and t.owner <= me
      and (t.not_before is null or t.not_before <= clock_timestamp())
    order by t.owner, t.task_id
    limit 1
  ) is null or pg_is_in_recovery() or _tessera_functions.task_limit('background_task_queue_interval') < 0 then
    return;
  end if;
  if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
    raise exception using
      errcode = '0A000',
      message = format('tasks cannot be claimed in a transaction with isolation level %s', current_setting('transaction_isolation')),
      hint = 'set default_transaction_isolation = ''read committed'';';
  end if;

  select count(*), array_agg(t.task_id) filter (where t.pid = pg_backend_pid() and t.owner = me) into busy, abandoned
  from _tessera_catalog.pg_dist_background_task t
  where t.status in ('running', 'cancelling');
  if abandoned is not null then
    -- Whoever claims is not running anything: a run this session still has was left behind by an error.
    foreach last_seen in array abandoned loop
      while pg_advisory_unlock(_tessera_functions.task_lock_class(), _tessera_functions.task_lock_key(last_seen)) loop
      end loop;
      busy := busy - _tessera_functions.heal_task(last_seen)::int;
    end loop;
    last_seen := -9223372036854775808;
  end if;
  executors := _tessera_functions.task_limit('max_background_task_executors');
  if busy >= executors then
    return;
  end if;

  -- Advisory lock OPERATION, operation 100: one claim at a time in this database, until it is committed, so that two
  -- never take the last place. Whoever sits on it does not hold up the others for ever.
  if not pg_try_advisory_xact_lock(1414725641, 100) then
    declare
      waits text := current_setting('lock_timeout');
    begin
      perform set_config('lock_timeout', '1s', true);
      perform pg_advisory_xact_lock(1414725641, 100);
      perform set_config('lock_timeout', waits, true);
    exception
      when lock_not_available then
        return;
    end;
  end if;
  if (select count(*) from _tessera_catalog.pg_dist_background_task t where t.status in ('running', 'cancelling')) >= executors then
    return;
  end if;

  loop
    -- Row lock on the task; rows and jobs that somebody works on are passed by, so a claim never waits for them.
    select t.task_id, t.job_id, t.command, j.state into candidate
    from _tessera_catalog.pg_dist_background_task t
      join _tessera_catalog.pg_dist_background_job j on j.job_id = t.job_id
    where t.status = 'runnable' and (t.owner::oid, t.task_id) > (me, last_seen) and t.owner <= me
      and (t.not_before is null or t.not_before <= clock_timestamp())
      and j.state not in ('cancelling', 'cancelled')
      and _tessera_functions.task_may_start(t.job_id, t.task_id, t.nodes_involved)
    order by t.owner, t.task_id
    limit 1
    for no key update of t skip locked;
    exit when not found;
    last_seen := candidate.task_id;

    -- A start changes the state of the job only when it is the first one.
    if candidate.state not in ('running', 'failing') then
      perform from _tessera_catalog.pg_dist_background_job j
      where j.job_id = candidate.job_id
      for no key update skip locked;
      continue when not found;
    end if;
    continue when not pg_try_advisory_lock(
      _tessera_functions.task_lock_class(), _tessera_functions.task_lock_key(candidate.task_id));

    update _tessera_catalog.pg_dist_background_task t
    set status = 'running', pid = pg_backend_pid()
    where t.task_id = candidate.task_id;
    if candidate.state not in ('running', 'failing') then
      perform _tessera_functions.recompute_job(candidate.job_id);
    end if;
    -- A claim that a crash takes back has cost nothing: the end of the task flushes the log for both.
    perform set_config('synchronous_commit', 'off', true);
    task_id := candidate.task_id;
    job_id := candidate.job_id;
    command := candidate.command;
    return;
  end loop;
end
$$;
comment on function _tessera_functions.claim_task() is
'Takes the first task that may start now of those the session user owns, for this session to run; null when there is none. Commit before you run it.
Privileges: anybody, for his own tasks
Locks: OPERATION(100) to the end of the transaction, BG_TASK to the end of the run, the row of the task
Errors: 0A000 isolation level above read committed';

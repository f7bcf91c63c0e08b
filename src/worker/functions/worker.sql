create function _tessera_functions.settle_worker(slot int) returns boolean
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  -- Nothing a job left behind in the session may reach the next one.
  perform pg_advisory_unlock_all();
  unlisten *;
  deallocate all;
  discard sequences;
  discard temporary;
  reset all;
  reset role;
  if not pg_try_advisory_lock_shared(_tessera_functions.lock_class('pause'), 0)
    or not pg_try_advisory_lock(_tessera_functions.lock_class('slot'), slot) then
    return false;
  end if;
  perform set_config('application_name', format('tessera worker %s', slot), false);
  -- Workers are background work already; they leave the parallel workers to users' queries.
  perform set_config('max_parallel_workers_per_gather', '0', false);
  perform set_config('max_parallel_maintenance_workers', '0', false);
  -- Plans over many chunks cost more to compile than to run.
  perform set_config('jit', 'off', false);
  -- The loop must see what others commit, whatever the default of the database is.
  perform set_config('default_transaction_isolation', 'read committed', false);
  -- For the loop alone: a look for due work must cost the same with a thousand jobs as with one.
  perform set_config('enable_seqscan', 'off', false);
  return true;
end
$$;
comment on function _tessera_functions.settle_worker(int) is
  'brings a worker session back to the state it began in; false when its slot is taken or workers are not wanted now';

create procedure _tessera_functions.worker(slot int)
language plpgsql
as $$
declare
  began constant timestamptz := pg_catalog.clock_timestamp();
  -- The timer of the CALL that runs this loop; a worker leaves in time by itself and is started again.
  deadline constant interval := case
    when (pg_catalog.current_setting('statement_timeout')::interval) operator(pg_catalog.>) interval '0'
    then pg_catalog.current_setting('statement_timeout')::interval operator(pg_catalog./) 2
  end;
  poll double precision;
  moment timestamptz;
  next_full timestamptz := '-infinity';
  work record;
  kind text;
  state text;
  message text;
  detail text;
  hint text;
  context text;
begin
  if not _tessera_functions.settle_worker(slot) then
    return;
  end if;
  commit;
  loop
    -- Once a second it asks in full, which also tells whether the slot is still wanted; between it only looks whether
    -- anything is due for anybody, which costs a tenth of that.
    moment := pg_catalog.clock_timestamp();
    if moment operator(pg_catalog.>=) next_full
      or exists (
        select from _tessera_catalog.bgw_job_stat s
        where s.next_start operator(pg_catalog.<=) moment
          and not (s.last_start > '-infinity' and s.last_finish = '-infinity' and s.flags & 1 = 0))
      or exists (
        select from _tessera_catalog.pg_dist_background_task t
        where t.status operator(pg_catalog.=) 'runnable'
          and (t.not_before is null or t.not_before operator(pg_catalog.<=) moment)) then
      select w.* into work from _tessera_functions.claim_work(slot) w;
      kind := work.kind;
      exit when kind = 'stop';
      if moment operator(pg_catalog.>=) next_full then
        poll := _tessera_functions.setting('poll_interval')::double precision / 1000;
        next_full := moment operator(pg_catalog.+) interval '1 second';
      end if;
    else
      kind := null;
    end if;
    commit;
    if kind is null then
      exit when pg_catalog.clock_timestamp() operator(pg_catalog.-) began operator(pg_catalog.>) deadline;
      perform pg_catalog.pg_sleep(poll);
      continue;
    end if;

    reset enable_seqscan;
    state := null;
    perform pg_catalog.set_config('application_name', work.application_name, false);
    if work.config operator(pg_catalog.->>) 'work_mem' is not null then
      perform pg_catalog.set_config('work_mem', work.config operator(pg_catalog.->>) 'work_mem', false);
    end if;
    if not work.autonomous then
      begin
        execute work.command;
        set constraints all immediate;
        if kind = 'task' then
          -- The work and its end are one transaction.
          perform _tessera_functions.finish_task(work.id, true);
        end if;
      exception when query_canceled or assert_failure or others then
        get stacked diagnostics state = returned_sqlstate, message = message_text, detail = pg_exception_detail,
          hint = pg_exception_hint, context = pg_exception_context;
      end;
      if kind = 'job' and state = '2D000' and work.command like 'call %' then
        -- It did end a transaction; all it had done is undone, so it starts over without a handler around it.
        state := null;
        work.autonomous := true;
        perform _tessera_functions.run_is_autonomous(work.id::int);
      end if;
    end if;
    if work.autonomous then
      -- No handler can stand around COMMIT: an error ends this session, and the scheduler records it.
      execute pg_catalog.format(
        'create or replace procedure pg_temp.tessera_run() language plpgsql as %L',
        pg_catalog.format('begin %s; end', work.command));
      commit;
      call pg_temp.tessera_run();
      commit;
    end if;
    if kind = 'job' then
      perform _tessera_functions.finish_job(work.id::int, state, message, detail, hint, context);
    elsif state is not null then
      perform _tessera_functions.finish_task(work.id, false, state, message, detail, hint, context);
    end if;
    commit;
    exit when not _tessera_functions.settle_worker(slot);
    commit;
  end loop;
end
$$;
comment on procedure _tessera_functions.worker(int) is
'Runs due jobs and background tasks of the role that connected, one after the other, until its slot is taken away. A background worker of pg_cron or the command tessera worker calls it.
slot: number of the slot
Privileges: anybody; only work of the role that connected is run';

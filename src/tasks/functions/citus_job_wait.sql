create function _tessera_functions.require_fresh_snapshots(waiter text) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  if current_setting('transaction_isolation') in ('repeatable read', 'serializable') then
    raise exception using
      errcode = '25001',
      message = format('%s cannot wait in a transaction with isolation level %s', waiter, current_setting('transaction_isolation')),
      detail = 'Such a transaction never sees what others commit after it began.',
      hint = 'set default_transaction_isolation = ''read committed'';';
  end if;
end
$$;
comment on function _tessera_functions.require_fresh_snapshots(text) is 'raises 25001 where waiting would last for ever';

create function @extschema@.citus_job_wait(
  jobid bigint,
  desired_status _tessera_catalog.citus_job_status default null
) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  job record;
  pause float8 := 0.01;
  checked boolean := false;
  first_message text;
begin
  if jobid is null then
    raise exception using errcode = '22023', message = '"jobid" must not be null';
  end if;
  loop
    select j.state, j.xmin into job from _tessera_catalog.pg_dist_background_job j where j.job_id = jobid;
    if not found then
      raise exception using errcode = '42704', message = format('background job %s does not exist', jobid);
    end if;
    if job.state = desired_status or (desired_status is null and job.state in ('finished', 'cancelled', 'failed')) then
      return;
    end if;
    if job.state in ('finished', 'cancelled', 'failed') then
      select format('Task %s: %s', t.task_id, rtrim(t.message, E'\n')) into first_message
      from _tessera_catalog.pg_dist_background_task t
      where t.job_id = jobid and t.status in ('error', 'cancelled') and t.message <> ''
      order by t.task_id
      limit 1;
      raise exception using
        errcode = '55000',
        message = format('background job %s has ended as "%s" and will not become "%s"', jobid, job.state, desired_status),
        detail = coalesce(first_message, 'Its tasks left no message.');
    end if;
    if not checked then
      checked := true;
      perform _tessera_functions.require_fresh_snapshots('citus_job_wait');
      if job.xmin = pg_current_xact_id_if_assigned()::xid then
        raise exception using
          errcode = '55000',
          message = format('background job %s was changed by this transaction', jobid),
          detail = 'Executors do not see it before the transaction is committed.',
          hint = 'Commit before you wait.';
      end if;
      if exists (
        select from _tessera_catalog.pg_dist_background_task t
        where t.job_id = jobid and t.status in ('running', 'cancelling') and t.pid = pg_backend_pid()
      ) then
        raise exception using
          errcode = '55000', message = format('a task of background job %s cannot wait for that job', jobid);
      end if;
    end if;
    perform pg_sleep(pause);
    pause := least(pause * 1.5, 0.25);
  end loop;
end
$$;
comment on function @extschema@.citus_job_wait(bigint, _tessera_catalog.citus_job_status) is
'Waits until a background job has ended, or has reached a state. Can be cancelled.
jobid: the job
desired_status: the state to wait for; null for finished, cancelled or failed
Privileges: anybody
Errors: 42704 no such job, 55000 it ended in another state, or this session is what it waits for, 25001 isolation level above read committed';

create function @extschema@.citus_job_cancel(jobid bigint) returns void
language plpgsql strict
set search_path to pg_catalog, pg_temp
as $$
begin
  perform _tessera_functions.send_request('task.cancel_job', jsonb_build_object('job_id', jobid));
end
$$;
comment on function @extschema@.citus_job_cancel(bigint) is
'Cancels what has not ended of a background job: waiting tasks at once, running ones by a query cancel. What a cancelled task did is undone. A second call gives up waiting for tasks that do not react.
jobid: the job; null does nothing
Privileges: those of the owners of its tasks, or pg_signal_backend; tasks of superusers only superusers
Locks: the row of the job and its tasks to the end of the transaction
Errors: 42704 no such job, 42501 not permitted';

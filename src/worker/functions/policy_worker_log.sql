create procedure _tessera_functions.policy_worker_log(job_id int, config jsonb)
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  if _tessera_functions.cron_drives() then
    raise log 'job %: deleted % rows from the log of pg_cron', job_id, _tessera_functions.purge_cron_log();
  end if;
end
$$;
comment on procedure _tessera_functions.policy_worker_log(int, jsonb) is
  'what job 2 runs: deletes what sessions of tessera left in the log of pg_cron longer than the setting run_log_retention ago';

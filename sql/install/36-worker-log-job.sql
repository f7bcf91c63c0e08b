insert into _tessera_catalog.bgw_job
  (id, application_name, schedule_interval, max_runtime, retry_period, proc_schema, proc_name, fixed_schedule)
values
  (2, 'Worker Log Retention [2]', '6 hours', '5 minutes', '1 hour', '_tessera_functions', 'policy_worker_log', false)
on conflict (id) do nothing;

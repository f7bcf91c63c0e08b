insert into _tessera_catalog.bgw_job
  (id, application_name, job_type, schedule_interval, max_runtime, retry_period, proc_schema, proc_name, fixed_schedule)
values
  (1, 'Telemetry Reporter [1]', 'telemetry_and_version_check_if_enabled', '24 hours', '100 seconds', '1 hour',
    '_tessera_functions', 'policy_telemetry', false)
on conflict (id) do nothing;

insert into _tessera_catalog.bgw_job
  (id, application_name, schedule_interval, max_runtime, retry_period, proc_schema, proc_name, fixed_schedule, config)
values
  (2, 'Worker Log Retention [2]', '6 hours', '5 minutes', '1 hour', '_tessera_functions', 'policy_worker_log', false, null),
  (3, 'Job History Log Retention [3]', '6 hours', '5 minutes', '1 hour', '_tessera_functions',
    'policy_job_stat_history_retention', false,
    '{"drop_after": "1 month", "max_successes_per_job": 1000, "max_failures_per_job": 1000}'),
  (4, 'Chunk Pre-creation [4]', '10 minutes', '5 minutes', '1 minute', '_tessera_functions', 'policy_precreate_chunks', false,
    '{"ahead": 1, "active_within": 3, "except": []}'),
  (5, 'Default Partition Drain [5]', '1 minute', '5 minutes', '1 minute', '_tessera_functions', 'policy_drain', false,
    '{"except": []}')
on conflict (id) do nothing;

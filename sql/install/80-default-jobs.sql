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

-- Runs only where there are nodes.
insert into _tessera_catalog.bgw_job
  (id, application_name, schedule_interval, max_runtime, retry_period, proc_schema, proc_name, fixed_schedule, scheduled)
values
  (6, 'Cluster Maintenance [6]', '15 seconds', '0', '15 seconds', '_tessera_functions', 'policy_cluster', false, false)
on conflict (id) do nothing;
insert into _tessera_catalog.pg_dist_rebalance_strategy
  (name, default_strategy, shard_cost_function, node_capacity_function, shard_allowed_on_node_function,
    default_threshold, minimum_threshold, improvement_threshold)
values
  ('by_shard_count', false, '@extschema@.citus_shard_cost_1', '@extschema@.citus_node_capacity_1',
    '@extschema@.citus_shard_allowed_on_node_true', 0, 0, 0),
  ('by_disk_size', true, '@extschema@.citus_shard_cost_by_disk_size', '@extschema@.citus_node_capacity_1',
    '@extschema@.citus_shard_allowed_on_node_true', 0.1, 0.01, 0.5)
on conflict (name) do nothing;

-- Triggers that an earlier version did not have; their functions exist only now.
do $triggers$
begin
  if not exists (select from pg_catalog.pg_event_trigger where evtname = 'tessera_ddl_command_start') then
    create event trigger tessera_ddl_command_start on ddl_command_start
      when tag in ('ALTER EXTENSION', 'DROP EXTENSION')
      execute function _tessera_functions.pause_workers();
  end if;
exception
  when insufficient_privilege then
    raise warning 'event triggers could not be created: %', sqlerrm
      using hint = 'Call stop_background_workers() before you update or drop the extension.';
end
$triggers$;

do $announce$
begin
  if not exists (
    select from pg_catalog.pg_trigger
    where tgname = 'announce' and tgrelid = '_tessera_catalog.scheduler_state'::pg_catalog.regclass
  ) then
    create constraint trigger announce after insert on _tessera_catalog.scheduler_state
      deferrable initially deferred
      for each row execute function _tessera_functions.announce();
  end if;
end
$announce$;
create or replace trigger merge_metadata before insert on _tessera_catalog.metadata
  for each row execute function _tessera_functions.merge_metadata();
delete from _tessera_catalog.scheduler_state;
insert into _tessera_catalog.scheduler_state default values;
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

-- A database that had the extension before it kept these.
insert into _tessera_catalog.metadata (key, value, include_in_telemetry)
select v.key, v.value, true
from (values
  ('uuid', pg_catalog.gen_random_uuid()::text),
  ('install_timestamp', '1970-01-01T00:00:00+00:00')) v(key, value)
where not exists (select from _tessera_catalog.metadata m where m.key = v.key);

insert into _tessera_catalog.metadata (key, value, include_in_telemetry)
values ('tessera_version', _tessera_functions.version(), true);

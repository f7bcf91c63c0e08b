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
delete from _tessera_catalog.scheduler_state;
insert into _tessera_catalog.scheduler_state default values;
insert into _tessera_catalog.bgw_job
  (id, application_name, schedule_interval, max_runtime, retry_period, proc_schema, proc_name, fixed_schedule)
values
  (2, 'Worker Log Retention [2]', '6 hours', '5 minutes', '1 hour', '_tessera_functions', 'policy_worker_log', false)
on conflict (id) do nothing;

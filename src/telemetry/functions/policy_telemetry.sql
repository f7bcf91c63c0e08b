create function _tessera_functions.telemetry_enabled() returns boolean
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  -- A configuration parameter can hold anything; what is no level means none. no_functions is a level of TimescaleDB.
  select lower(_tessera_functions.setting('telemetry_level')) in ('basic', 'no_functions')
$$;
comment on function _tessera_functions.telemetry_enabled() is 'whether telemetry_level lets reports be stored';

create procedure _tessera_functions.policy_telemetry(job_id int, config jsonb)
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  if _tessera_functions.telemetry_enabled() then
    insert into _tessera_catalog.metadata (key, value, include_in_telemetry)
    select 'exported_uuid', _tessera_functions.generate_uuid()::text, true
    where not exists (select from _tessera_catalog.metadata where key = 'exported_uuid')
    on conflict do nothing;
    insert into _tessera_catalog.telemetry_report (report) values (_tessera_functions.telemetry_report());
    delete from _tessera_catalog.telemetry_report
    where id <= (select id from _tessera_catalog.telemetry_report order by id desc offset 30 limit 1);
  end if;
  -- A new installation changes by the hour.
  update _tessera_catalog.bgw_job_stat s
  set next_start = s.last_start + interval '1 hour'
  where s.job_id = policy_telemetry.job_id and s.pid = pg_backend_pid() and s.total_runs < 12;
end
$$;
comment on procedure _tessera_functions.policy_telemetry(int, jsonb) is
'What job 1 runs: stores a report in this database unless telemetry_level is off; every hour for its first twelve runs.';

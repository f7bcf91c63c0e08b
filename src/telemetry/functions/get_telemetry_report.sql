create function @extschema@.get_telemetry_report(always_display_report boolean default false) returns jsonb
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  perform _tessera_functions.require_extension_owner('see the telemetry report');
  if not _tessera_functions.telemetry_enabled() and always_display_report is not true then
    raise info using
      message = 'telemetry is disabled',
      hint = 'Call get_telemetry_report(always_display_report => true) to see the report all the same.';
    return null;
  end if;
  return _tessera_functions.telemetry_report();
end
$$;
comment on function @extschema@.get_telemetry_report(boolean) is
'The report that job 1 would store now: counts and sizes, no names and no data. Nothing is sent.
always_display_report: show it although telemetry_level is off; null means false
Privileges: members of the role that owns the extension, since it sums up the job history
Errors: 42501';

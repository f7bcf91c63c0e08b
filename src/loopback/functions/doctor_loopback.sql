create function _tessera_functions.doctor_loopback(
  out check_name text, out status text, out detail text, out hint text
) returns setof record
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  server name;
  home text;
begin
  for server in select s.srvname from pg_foreign_server s where s.srvtype = 'tessera loopback' order by 1 loop
    check_name := 'loopback server';
    begin
      -- Found by name in whatever schema dblink was installed in.
      execute format('select x from %s.dblink(%L, %L) as t(x text)',
        (select quote_ident(n.nspname) from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'dblink'),
        server, 'select format(''%s of %s'', current_database(), pg_postmaster_start_time())')
      into home;
      if home = format('%s of %s', current_database(), pg_postmaster_start_time()) then
        status := 'ok'; detail := format('"%s" leads to this database', server); hint := null;
      else
        status := 'error'; detail := format('"%s" leads to another database', server);
        hint := 'Run: select tessera.repair_loopback()';
      end if;
    exception when others then
      status := 'error'; detail := format('"%s": %s', server, sqlerrm);
      hint := 'Run: select tessera.repair_loopback(); where the server is not reached that way, tessera.set_loopback() names host and port.';
    end;
    return next;
  end loop;
end
$$;
comment on function _tessera_functions.doctor_loopback() is 'the part of tessera.doctor() about connections to this server itself';

create function _tessera_functions.doctor_loopback(
  out check_name text, out status text, out detail text, out hint text
) returns setof record
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  server name;
  home text;
  why text;
  missing constant text := _tessera_functions.missing_rights_of_loopback();
begin
  if missing is not null then
    check_name := 'right to make foreign servers'; status := 'warning';
    detail := format('role "%s", which owns the extension, cannot make what compressed chunks and shards are read through',
      _tessera_functions.extension_owner());
    hint := missing || ';';
    return next;
  end if;
  check_name := 'loopback server';
  for server in
    select s.srvname from pg_foreign_server s where s.srvtype = 'tessera loopback' and not _tessera_functions.is_trusted(s.srvowner) order by 1
  loop
    status := 'warning'; detail := format('"%s" says of itself that it is one, and belongs to somebody else; it is not used', server);
    hint := format(E'-- if it came with a dump:\nalter server %I owner to %I;', server, _tessera_functions.extension_owner());
    return next;
  end loop;
  for server in
    select s.srvname from pg_foreign_server s where s.srvtype = 'tessera loopback' and _tessera_functions.is_trusted(s.srvowner) order by 1
  loop
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
        hint := 'select tessera.repair_loopback();';
      end if;
    exception when others then
      get stacked diagnostics why = pg_exception_detail;
      status := 'error'; detail := format('"%s": %s', server, concat_ws(': ', sqlerrm, nullif(trim(E' \n' from why), '')));
      hint := _tessera_functions.loopback_remedy(server, sqlstate, why);
    end;
    return next;
  end loop;
end
$$;
comment on function _tessera_functions.doctor_loopback() is 'the part of tessera.doctor() about connections to this server itself';

create function _tessera_functions.loopback_remedy(server name, state text, why text) returns text
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  -- A rule that asks for no password is of no use to the server of somebody who is no superuser: postgres_fdw wants proof
  -- that the password was needed.
  select case
    when state = '42501' and missing is not null then missing || ';'
    when state = '2F003' or why ~ 'no pg_hba.conf entry|pg_hba.conf rejects|Ident authentication failed|Peer authentication failed' then format(
      E'-- in pg_hba.conf, before other lines that fit:\n-- host %I %s %s/%s scram-sha-256\nselect pg_reload_conf();',
      current_database(), coalesce(quote_ident(login), 'all'), host, case when host like '%:%' then 128 else 32 end)
    when why ~ 'password authentication failed|does not exist' then 'select tessera.repair_loopback();'
    else format(
      E'-- names another address at which this server reaches itself\nselect tessera.set_loopback(%L); select tessera.repair_loopback();',
      format('host=%s port=%s', host, current_setting('port')))
  end
  from (
    select _tessera_functions.missing_rights_of_loopback() as missing,
      -- What tessera.set_loopback() was given is nobody else's business.
      coalesce(case when pg_has_role(_tessera_functions.extension_owner(), 'USAGE') then _tessera_functions.conninfo_part('host') end,
        _tessera_functions.loopback_host()) as host,
      (select substr(u, 6) from pg_user_mappings m, unnest(m.umoptions) u where m.srvname = server and u like 'user=%' limit 1) as login
  ) x
$$;
comment on function _tessera_functions.loopback_remedy(name, text, text) is
  'what helps when a loopback server refuses a connection, by SQLSTATE and by what libpq said';

-- A plv8 function loads its code by SPI, in a subtransaction. Before 17 PostgreSQL lets nobody begin one while there are parallel workers.
do $parallel$
declare
  f regprocedure;
begin
  if pg_catalog.current_setting('server_version_num')::int operator(pg_catalog.<) 170000 then
    for f in
      select p.oid from pg_catalog.pg_proc p join pg_catalog.pg_language l on l.oid operator(pg_catalog.=) p.prolang
      where p.pronamespace operator(pg_catalog.=) '_tessera_functions'::pg_catalog.regnamespace and p.proparallel operator(pg_catalog.=) 's'
        -- Others of this name call those in plv8.
        and (l.lanname operator(pg_catalog.=) 'plv8' or p.proname operator(pg_catalog.~) '^decode_')
    loop
      execute pg_catalog.format('alter function %s parallel unsafe', f);
    end loop;
  end if;
end
$parallel$;

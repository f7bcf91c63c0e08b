create function _tessera_functions.end_node_sessions() returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  dblink text := (
    select quote_ident(n.nspname) from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'dblink');
begin
  -- dblink lets anybody use what is open in a session, so a second cancel must not keep one open either.
  loop
    begin
      execute format('select count(%1$s.dblink_disconnect(name))
        from (
          select name, case when %1$s.dblink_is_busy(name) = 1 then %1$s.dblink_cancel_query(name) end as cancelled
          from unnest(%1$s.dblink_get_connections()) name where name like ''tessera session %%'' offset 0) open', dblink);
      return;
    exception
      when query_canceled then
        null;
    end;
  end loop;
end
$$;
comment on function _tessera_functions.end_node_sessions() is
  'ends the sessions on nodes that a cancelled statement has left open';

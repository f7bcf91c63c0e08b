create function _tessera_functions.cut_off_nodes(servers oid[] default null) returns integer
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  server record;
  n int := 0;
begin
  -- Statements on distributed tables of a copy would otherwise read and write the shards of the original. No name below
  -- .invalid is ever found (RFC 2606).
  for server in
    select s.srvname, exists (select from unnest(s.srvoptions) o where o like 'host=%') as named
    from pg_foreign_server s
    where s.srvtype = 'tessera node' and (servers is null or s.oid = any(servers))
      and not 'host=copy-see-tessera-adopt-nodes.invalid' = any(coalesce(s.srvoptions, '{}'))
  loop
    execute format('alter server %I options (%s host %L)', server.srvname, case when server.named then 'set' else 'add' end,
      'copy-see-tessera-adopt-nodes.invalid');
    n := n + 1;
  end loop;
  return n;
end
$$;
comment on function _tessera_functions.cut_off_nodes(oid[]) is
  'makes foreign servers of nodes lead nowhere, in a database that came to them by being copied or restored; null: all of them';

create function _tessera_functions.on_server_created() returns event_trigger
language plpgsql security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  -- Whoever makes such a server without us restores a dump.
  if current_setting('tessera.maintenance', true) is distinct from 'on' then
    perform _tessera_functions.cut_off_nodes(array(
      select e.objid from pg_event_trigger_ddl_commands() e where e.classid = 'pg_foreign_server'::regclass));
  end if;
end
$$;
comment on function _tessera_functions.on_server_created() is 'event trigger: servers of nodes that come out of a dump lead nowhere';

create function _tessera_functions.cut_off_copy() returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  if exists (select from _tessera_catalog.pg_dist_origin o where o.origin <> _tessera_functions.cluster_origin())
    and _tessera_functions.cut_off_nodes() > 0
  then
    raise warning 'this database is a copy: it is cut off from the nodes of the original'
      using hint = 'If the original is gone for good: select tessera.adopt_nodes();';
  end if;
end
$$;
comment on function _tessera_functions.cut_off_copy() is 'what the scheduler does first in a copy of a database: cuts it off from the nodes';

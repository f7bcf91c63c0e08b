create function _tessera_functions.doctor_nodes(
  out check_name text, out status text, out detail text, out hint text
) returns setof record
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  node record;
  pending bigint;
  stuck text;
begin
  if not exists (select from _tessera_catalog.pg_dist_node union all select from _tessera_catalog.removed_node) or not pg_has_role(_tessera_functions.extension_owner(), 'USAGE') then
    return;
  end if;
  for node in
    select n.nodeid, format('%s:%s', n.nodename, n.nodeport) as address from _tessera_catalog.pg_dist_node n
    where n.isactive order by n.nodeid
  loop
    check_name := 'node';
    begin
      select format('%s, wal_level %s', c.result, w.result),
        case when w.result = 'logical' then 'ok' else 'warning' end,
        case when w.result <> 'logical' then E'-- there, and restart that server; without it shards are moved away only while their writes are blocked\nalter system set wal_level = logical;' end
      into strict detail, status, hint
      from _tessera_functions.run_command_on_nodes(array[node.nodeid], array['select version()']) c,
        _tessera_functions.run_command_on_nodes(array[node.nodeid], array['show wal_level']) w
      where c.success and w.success;
      detail := format('%s answers: %s', node.address, substring(detail from '^PostgreSQL [^ ]+') || substring(detail from ', wal_level .*$'));
    exception when others then
      status := 'error'; detail := format('%s does not answer', node.address);
      hint := E'-- says more\nselect * from run_command_on_all_nodes(''select 1'');';
    end;
    return next;
  end loop;

  check_name := 'commits on nodes';
  select count(*) into pending from _tessera_catalog.remote_txn;
  if pending = 0 then
    status := 'ok'; detail := 'no decision waits to be carried out'; hint := null;
  else
    status := 'warning'; detail := format('%s decisions may not have been carried out yet', pending);
    hint := 'select tessera.heal_nodes();';
  end if;
  return next;

  check_name := 'leftovers on nodes';
  select c.message into stuck from _tessera_catalog.pg_dist_cleanup c where c.message <> '' limit 1;
  if stuck is null then
    status := 'ok'; detail := 'nothing that could not be dropped'; hint := null;
  else
    status := 'warning'; detail := format('something could not be dropped: %s', stuck);
    hint := 'call citus_cleanup_orphaned_resources();';
  end if;
  return next;

  check_name := 'removed nodes';
  for node in
    select r.nodename, r.nodeport, count(*) as objects from _tessera_catalog.removed_node r
    join _tessera_catalog.pg_dist_cleanup c on c.node_group_id = r.groupid group by 1, 2 order by 1, 2
  loop
    status := 'warning';
    detail := format('%s:%s did not answer when it was removed: %s objects are left there, slots and subscriptions among them or shards',
      node.nodename, node.nodeport, node.objects);
    hint := format(E'select citus_add_node(%L, %s); call citus_cleanup_orphaned_resources(); select citus_remove_node(%1$L, %2$s);\n-- if that server is gone for good:\nselect tessera.forget_removed_node(%1$L, %2$s);',
      node.nodename, node.nodeport);
    return next;
  end loop;

  check_name := 'joins on nodes';
  if current_setting('enable_partitionwise_join')::boolean and current_setting('enable_partitionwise_aggregate')::boolean then
    status := 'ok'; detail := 'nodes join and group colocated tables themselves'; hint := null;
  else
    status := 'warning'; detail := 'enable_partitionwise_join or enable_partitionwise_aggregate is off';
    hint := format('alter database %I set enable_partitionwise_join = on; alter database %1$I set enable_partitionwise_aggregate = on;', current_database());
  end if;
  return next;
end
$$;
comment on function _tessera_functions.doctor_nodes() is 'the part of tessera.doctor() about nodes';

create function _tessera_functions.require_distributed(relation regclass) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
begin
  perform _tessera_functions.require_extension_owner('run commands on nodes');
  if relation is null then
    raise exception using errcode = '22023', message = '"table_name" must not be null';
  end if;
  if not exists (select from _tessera_catalog.pg_dist_partition p where p.logicalrelid = relation) then
    raise exception using errcode = '42P16', message = format('table "%s" is not distributed', relation);
  end if;
end
$$;
comment on function _tessera_functions.require_distributed(regclass) is 'raises 42501, 22023 or 42P16 unless the caller may run commands on the shards of a table';

create function _tessera_functions.placements_of(relation regclass)
returns table (place bigint, nodeid integer, nodename text, nodeport integer, shardid bigint, remainder integer, name text)
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  -- On the coordinator a reference table is its own copy.
  select row_number() over (order by s.shardid, n.nodename collate "C", n.nodeport), n.nodeid, n.nodename, n.nodeport, s.shardid, s.remainder,
    case when t.repmodel = 't' and n.groupid = 0 then s.logicalrelid::text else format('%I.%I', s.shard_schema, s.shard_name) end
  from _tessera_catalog.pg_dist_shard s
  join _tessera_catalog.pg_dist_partition t on t.logicalrelid = s.logicalrelid
  join _tessera_catalog.pg_dist_placement p on p.shardid = s.shardid and p.shardstate = 1
  join _tessera_catalog.pg_dist_node n on n.groupid = p.groupid and n.isactive
  where s.logicalrelid = relation
$$;
comment on function _tessera_functions.placements_of(regclass) is 'placements of a table on active nodes';

create function @extschema@.run_command_on_placements(
  table_name regclass, command text, parallel boolean default true,
  out nodename text, out nodeport integer, out shardid bigint, out success boolean, out result text
) returns setof record
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  perform _tessera_functions.require_distributed(table_name);
  return query
    select p.nodename, p.nodeport, p.shardid, r.success, r.result
    from (
      select array_agg(x.nodeid order by x.place) as nodes, array_agg(format(command, x.name) order by x.place) as commands
      from _tessera_functions.placements_of(table_name) x) a,
      rows from (_tessera_functions.run_command_on_nodes(a.nodes, a.commands || null::text)) with ordinality r(nodeid, success, result, o)
    join _tessera_functions.placements_of(table_name) p on p.place = r.o
    order by p.place;
end
$$;
comment on function @extschema@.run_command_on_placements(regclass, text, boolean) is
'Runs a command on every placement of a table, each in a transaction of its own.
table_name: a distributed or reference table
command: one statement in which %s stands for the shard; a literal % is written twice
parallel: for old callers; placements are visited one after the other
Privileges: members of the role that owns the extension';

create function @extschema@.run_command_on_shards(
  table_name regclass, command text, parallel boolean default true, out shardid bigint, out success boolean, out result text
) returns setof record
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  select distinct on (p.shardid) p.shardid, p.success, p.result
  from @extschema@.run_command_on_placements($1, $2, $3) p
  order by p.shardid, p.nodename collate "C", p.nodeport
$$;
comment on function @extschema@.run_command_on_shards(regclass, text, boolean) is
'As run_command_on_placements(), one row for each shard.
table_name, command, parallel: as there
Privileges: members of the role that owns the extension';

create function @extschema@.run_command_on_colocated_placements(
  table_name1 regclass, table_name2 regclass, command text, parallel boolean default true,
  out nodename text, out nodeport integer, out shardid1 bigint, out shardid2 bigint, out success boolean, out result text
) returns setof record
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  perform _tessera_functions.require_distributed(table_name1);
  perform _tessera_functions.require_distributed(table_name2);
  if (select count(distinct t.colocationid) from _tessera_catalog.pg_dist_partition t where t.logicalrelid in (table_name1, table_name2)) > 1 then
    raise exception using errcode = 'P0001', message = format('tables %s and %s are not colocated', table_name1, table_name2);
  end if;
  return query
    with pairs as (
      select a.place, a.nodeid, a.nodename, a.nodeport, a.shardid as first, b.shardid as second, format(command, a.name, b.name) as command
      from _tessera_functions.placements_of(table_name1) a
      join _tessera_functions.placements_of(table_name2) b on b.nodeid = a.nodeid and b.remainder is not distinct from a.remainder)
    select p.nodename, p.nodeport, p.first, p.second, r.success, r.result
    from (select array_agg(x.nodeid order by x.place) as nodes, array_agg(x.command order by x.place) as commands from pairs x) a,
      rows from (_tessera_functions.run_command_on_nodes(a.nodes, a.commands || null::text)) with ordinality r(nodeid, success, result, o)
    join pairs p on p.place = r.o
    order by p.place;
end
$$;
comment on function @extschema@.run_command_on_colocated_placements(regclass, regclass, text, boolean) is
'As run_command_on_placements(), on pairs of shards of colocated tables.
table_name1, table_name2: the tables
command: one statement in which the first %s stands for the shard of the one, the second for that of the other table
parallel: for old callers
Privileges: members of the role that owns the extension
Errors: P0001 the tables are not colocated';

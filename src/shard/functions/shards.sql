create function @extschema@.get_shard_id_for_distribution_column(table_name regclass, distribution_value anyelement default null::text) returns bigint
language plpgsql stable
as $$
declare
  t _tessera_catalog.pg_dist_partition;
  key_type pg_catalog.text;
  found pg_catalog.int8;
begin
  if table_name is null then
    raise exception using errcode = '22004', message = 'relation cannot be NULL';
  end if;
  select p.* into t from _tessera_catalog.pg_dist_partition p
  where p.logicalrelid operator(pg_catalog.=) table_name;
  if t.logicalrelid is null then
    raise exception using errcode = '42P16', message = pg_catalog.format('table "%s" is not distributed', table_name);
  end if;
  if not pg_catalog.has_table_privilege(table_name, 'SELECT') then
    raise exception using errcode = '42501', message = pg_catalog.format('permission denied for table %s', table_name);
  end if;
  if t.partkey is null then
    return (select s.shardid from _tessera_catalog.pg_dist_shard s where s.logicalrelid operator(pg_catalog.=) table_name);
  end if;
  if distribution_value is null then
    raise exception using errcode = '22004', message = 'distribution value cannot be NULL for tables with a distribution column';
  end if;
  select pg_catalog.format_type(a.atttypid, a.atttypmod) into key_type
  from pg_catalog.pg_attribute a
  where a.attrelid operator(pg_catalog.=) table_name and a.attname operator(pg_catalog.=) t.partkey;
  execute pg_catalog.format(
    'select s.shardid from _tessera_catalog.pg_dist_shard s where s.logicalrelid = $1
     and pg_catalog.satisfies_hash_partition($1::pg_catalog.oid, s.modulus, s.remainder, %L::%s)', distribution_value::pg_catalog.text, key_type)
  into found using table_name;
  return coalesce(found, 0);
end
$$;
comment on function @extschema@.get_shard_id_for_distribution_column(regclass, anyelement) is
'The shard that rows with a value of the distribution column are in.
table_name: a distributed or reference table
distribution_value: the value, of any type that can be cast to that of the column
Privileges: SELECT on the table
Errors: 22004 null where a value is needed, 42P16 the table is not distributed';

create function _tessera_functions.require_readable(relation regclass) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
begin
  if not exists (select from _tessera_catalog.pg_dist_partition p where p.logicalrelid = relation) then
    raise exception using errcode = '42P16', message = format('cannot calculate the size because relation "%s" is not distributed', relation);
  end if;
  if not has_table_privilege(relation, 'SELECT') then
    raise exception using errcode = '42501', message = format('permission denied for table %s', relation);
  end if;
end
$$;
comment on function _tessera_functions.require_readable(regclass) is 'raises 42P16 or 42501 unless the caller may ask about a distributed table';

create function _tessera_functions.distributed_size(relation regclass, kind text) returns bigint
language sql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
  select sum(case kind when 'relation' then z.relation when 'table' then z."table" else z.total end)::int8
  from _tessera_functions.shard_sizes(array(select s.shardid from _tessera_catalog.pg_dist_shard s where s.logicalrelid = relation)) z
$$;
comment on function _tessera_functions.distributed_size(regclass, text) is 'bytes of all placements of a distributed table';

create function _tessera_functions.citus_size(relation regclass, kind text, fail_on_error boolean) returns bigint
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  if relation is null then
    return null;
  end if;
  perform _tessera_functions.require_readable(relation);
  return _tessera_functions.distributed_size(relation, kind);
exception
  when connection_exception or sqlclient_unable_to_establish_sqlconnection or connection_failure then
    if fail_on_error then
      raise;
    end if;
    raise warning '%', sqlerrm;
    return null;
end
$$;
comment on function _tessera_functions.citus_size(regclass, text, boolean) is 'work behind the size functions of distributed tables';

create function @extschema@.citus_relation_size(relation regclass, fail_on_error boolean default true) returns bigint
language sql volatile
set search_path to pg_catalog, pg_temp
as $$select _tessera_functions.citus_size($1, 'relation', $2)$$;
comment on function @extschema@.citus_relation_size(regclass, boolean) is
'Bytes of the main fork of all placements of a distributed or reference table. fail_on_error: false for a warning and null when a node does not answer. Privileges: SELECT on the table';

create function @extschema@.citus_table_size(relation regclass, fail_on_error boolean default true) returns bigint
language sql volatile
set search_path to pg_catalog, pg_temp
as $$select _tessera_functions.citus_size($1, 'table', $2)$$;
comment on function @extschema@.citus_table_size(regclass, boolean) is
'As citus_relation_size(), with TOAST and maps. Privileges: SELECT on the table';

create function @extschema@.citus_total_relation_size(relation regclass, fail_on_error boolean default true) returns bigint
language sql volatile
set search_path to pg_catalog, pg_temp
as $$select _tessera_functions.citus_size($1, 'total', $2)$$;
comment on function @extschema@.citus_total_relation_size(regclass, boolean) is
'As citus_table_size(), with indexes. Privileges: SELECT on the table';

create function _tessera_functions.visible_shard_sizes() returns table (shardid bigint, groupid integer, total bigint)
language sql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
  select z.shardid, z.groupid, z.total
  from _tessera_functions.shard_sizes(array(select s.shardid from _tessera_catalog.pg_dist_shard s)) z
$$;
comment on function _tessera_functions.visible_shard_sizes() is 'bytes of all placements of all shards';

create function @extschema@.citus_shard_sizes(out shard_id bigint, out size bigint) returns setof record
language sql volatile
set search_path to pg_catalog, pg_temp
as $$select z.shardid, z.total from _tessera_functions.visible_shard_sizes() z$$;
comment on function @extschema@.citus_shard_sizes() is 'bytes of every placement, indexes included';

create function @extschema@.citus_shard_cost_by_disk_size(shardid bigint) returns real
language sql volatile strict security definer
set search_path to pg_catalog, pg_temp
as $$
  -- An empty group still spreads by number.
  select (coalesce(sum(z.total), 0) + 104857600)::real
  from _tessera_functions.shard_sizes(array(
    select o.shardid from _tessera_catalog.pg_dist_shard s
    join _tessera_catalog.pg_dist_partition t on t.logicalrelid = s.logicalrelid
    join _tessera_catalog.pg_dist_partition u on u.colocationid = t.colocationid
    join _tessera_catalog.pg_dist_shard o on o.logicalrelid = u.logicalrelid and o.remainder is not distinct from s.remainder
    where s.shardid = $1)) z
$$;
comment on function @extschema@.citus_shard_cost_by_disk_size(bigint) is
  'cost of a shard for strategy by_disk_size: bytes of all shards that move with it, and 100 MiB';

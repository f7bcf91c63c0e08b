create function @extschema@.by_hash(
  column_name name,
  number_partitions integer,
  partition_func regproc default null
) returns _tessera_functions.dimension_info
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select row('hash', $1, null::text, null::regtype, $2, $3)::_tessera_functions.dimension_info
$$;
comment on function @extschema@.by_hash(name, integer, regproc) is
'Describes a hash dimension for add_dimension().
column_name: the column
number_partitions: 1 to 32767
partition_func: accepted for old callers, must be null';

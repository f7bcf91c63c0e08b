create function @extschema@.by_range(
  column_name name,
  partition_interval anycompatible default null::bigint,
  partition_func regproc default null
) returns _tessera_functions.dimension_info
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select row('range', $1, $2::text, pg_typeof($2), null::int, $3)::_tessera_functions.dimension_info
$$;
comment on function @extschema@.by_range(name, anycompatible, regproc) is
'Describes a range dimension for create_hypertable() and add_dimension().
column_name: the column
partition_interval: width of a chunk, an interval or an integer; null takes the default of the column type
partition_func: accepted for old callers, must be null';

create function @extschema@.set_chunk_time_interval(
  hypertable regclass,
  chunk_time_interval anycompatible,
  dimension_name name default null
) returns void
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  select _tessera_functions.set_chunk_time_interval($1::oid::int8, $2::text, pg_typeof($2)::text, $3)
$$;
comment on function @extschema@.set_chunk_time_interval(regclass, anycompatible, name) is
'Sets the width of chunks that will be created. Existing chunks stay as they are; a new chunk gives way to them.
hypertable: the hypertable
chunk_time_interval: an interval, or an integer: microseconds, or units of an integer column
dimension_name: column of the dimension; null for the only one
Privileges: owner of the hypertable
Errors: TS001 not a hypertable, TS002 no such dimension, 22023 null or bad interval';

create function @extschema@.set_partitioning_interval(
  hypertable regclass,
  partition_interval anycompatible,
  dimension_name name default null
) returns void
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  select _tessera_functions.set_chunk_time_interval($1::oid::int8, $2::text, pg_typeof($2)::text, $3)
$$;
comment on function @extschema@.set_partitioning_interval(regclass, anycompatible, name) is
'The same as set_chunk_time_interval().';

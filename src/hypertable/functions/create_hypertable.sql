create function @extschema@.create_hypertable(
  relation regclass,
  time_column_name name,
  partitioning_column name default null,
  number_partitions integer default null,
  associated_schema_name name default null,
  associated_table_prefix name default null,
  chunk_time_interval anycompatible default null::bigint,
  create_default_indexes boolean default true,
  if_not_exists boolean default false,
  partitioning_func regproc default null,
  migrate_data boolean default false,
  chunk_target_size text default null,
  chunk_sizing_func regproc default null,
  time_partitioning_func regproc default null
) returns table (hypertable_id integer, schema_name name, table_name name, created boolean)
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  select c.hypertable_id, c.schema_name, c.table_name, c.created
  from _tessera_functions.create_hypertable(
    $1::oid::int8,
    jsonb_build_object(
      'time_column', $2, 'partitioning_column', $3, 'number_partitions', $4, 'associated_schema_name', $5,
      'associated_table_prefix', $6, 'interval', $7::text, 'interval_type', pg_typeof($7)::text,
      'create_default_indexes', $8, 'if_not_exists', $9, 'partitioning_func', $10::text, 'migrate_data', $11,
      'adaptive', $12 is not null or $13 is not null, 'time_function', $14::text)) as c
$$;
comment on function @extschema@.create_hypertable(regclass, name, name, integer, name, name, anycompatible, boolean, boolean, regproc, boolean, text, regproc, regproc) is
'Turns a table into a hypertable, divided by ranges of a time column and, if partitioning_column is given, by hash.
relation: the table, which must be owned by the caller
time_column_name: column of type timestamptz, timestamp, date, smallint, integer or bigint
partitioning_column, number_partitions: a second column and its number of hash partitions, 1 to 32767; 1 may stand without a column
associated_schema_name: schema for chunks, made if missing; default _tessera_internal
associated_table_prefix: what names of chunks begin with; default _hyper_<id>
chunk_time_interval: an interval, or an integer: microseconds, or units of an integer column; default 7 days, or 10000, 100000 and 1000000 for smallint, integer and bigint
create_default_indexes: make indexes on (time desc) and (space, time desc) unless there are such
if_not_exists: a notice instead of an error when it is a hypertable already
migrate_data: move the rows of a table that is not empty; otherwise it must be empty
partitioning_func, time_partitioning_func, chunk_target_size, chunk_sizing_func: accepted for old callers, must be null
Privileges: owner of the table, CREATE on its schema
Locks: ACCESS EXCLUSIVE on the table
Errors: TS110 already a hypertable, 0A000 and 42809 for tables that cannot become one, TS103 a unique index lacks a dimension, 22023 bad interval, 42703 no such column';

create function @extschema@.create_hypertable(
  relation regclass,
  dimension _tessera_functions.dimension_info,
  create_default_indexes boolean default true,
  if_not_exists boolean default false,
  migrate_data boolean default false
) returns table (hypertable_id integer, created boolean)
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  select c.hypertable_id, c.created
  from _tessera_functions.create_hypertable(
    $1::oid::int8,
    jsonb_build_object(
      'time_column', $2.column_name, 'dimension_kind', $2.kind, 'interval', $2.partition_interval,
      'interval_type', $2.interval_type::text, 'time_function', $2.partition_func::text,
      'create_default_indexes', $3, 'if_not_exists', $4, 'migrate_data', $5)) as c
$$;
comment on function @extschema@.create_hypertable(regclass, _tessera_functions.dimension_info, boolean, boolean, boolean) is
'Turns a table into a hypertable, divided by the ranges that by_range() describes.
relation: the table, which must be owned by the caller
dimension: by_range(column, interval); a hash dimension is added with add_dimension()
create_default_indexes, if_not_exists, migrate_data: as in the other form
Privileges: owner of the table, CREATE on its schema
Locks: ACCESS EXCLUSIVE on the table
Errors: as in the other form; 42809 when the dimension is not a range';

create function @extschema@.add_dimension(
  hypertable regclass,
  column_name name,
  number_partitions integer default null,
  chunk_time_interval anycompatible default null::bigint,
  partitioning_func regproc default null,
  if_not_exists boolean default false
) returns table (dimension_id integer, schema_name name, table_name name, column_name name, created boolean)
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  select a.dimension_id, a.schema_name, a.table_name, a.column_name, a.created
  from _tessera_functions.add_dimension(
    $1::oid::int8,
    jsonb_build_object(
      'column_name', $2, 'kind', null, 'number_partitions', $3, 'interval', $4::text, 'partitioning_func', $5::text,
      'if_not_exists', $6)) as a
$$;
comment on function @extschema@.add_dimension(regclass, name, integer, anycompatible, regproc, boolean) is
'Divides the chunks that will be created further by hash of a column. Existing chunks stay whole.
hypertable: the hypertable
column_name: the column; every unique index must contain it
number_partitions: 1 to 32767
chunk_time_interval: for a second range dimension, which is not supported; must be null
partitioning_func: accepted for old callers, must be null
if_not_exists: a notice instead of an error when the column is a dimension already
Privileges: owner of the hypertable
Errors: TS001 not a hypertable, TS160 already a dimension, TS103 a unique index lacks the column, 22023 both or neither of partitions and interval, 0A000 a second range or hash dimension, 42703 no such column';

create function @extschema@.add_dimension(
  hypertable regclass,
  dimension _tessera_functions.dimension_info,
  if_not_exists boolean default false
) returns table (dimension_id integer, created boolean)
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  select a.dimension_id, a.created
  from _tessera_functions.add_dimension(
    $1::oid::int8,
    jsonb_build_object(
      'column_name', $2.column_name, 'kind', $2.kind, 'number_partitions', $2.number_partitions,
      'interval', $2.partition_interval, 'partitioning_func', $2.partition_func::text, 'if_not_exists', $3)) as a
$$;
comment on function @extschema@.add_dimension(regclass, _tessera_functions.dimension_info, boolean) is
'Divides the chunks that will be created further, as by_hash() describes.
hypertable: the hypertable
dimension: by_hash(column, number_partitions)
if_not_exists: a notice instead of an error when the column is a dimension already
Privileges: owner of the hypertable
Errors: as in the other form';

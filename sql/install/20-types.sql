create type _tessera_functions.dimension_info as (
  kind text,
  column_name name,
  partition_interval text,
  interval_type regtype,
  number_partitions int,
  partition_func regproc
);
comment on type _tessera_functions.dimension_info is
  'a dimension described by by_range() or by_hash(), for create_hypertable() and add_dimension()';

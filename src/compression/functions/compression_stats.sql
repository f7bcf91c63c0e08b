create function @extschema@.chunk_compression_stats(
  hypertable regclass,
  out chunk_schema name, out chunk_name name, out compression_status text,
  out before_compression_table_bytes bigint, out before_compression_index_bytes bigint,
  out before_compression_toast_bytes bigint, out before_compression_total_bytes bigint,
  out after_compression_table_bytes bigint, out after_compression_index_bytes bigint,
  out after_compression_toast_bytes bigint, out after_compression_total_bytes bigint,
  out node_name name
) returns setof record
language sql stable strict
set search_path to pg_catalog, pg_temp
as $$
  select c.schema_name, c.table_name, case when z.chunk_id is null then 'Uncompressed' else 'Compressed' end,
    z.uncompressed_heap_size, z.uncompressed_index_size, z.uncompressed_toast_size,
    z.uncompressed_heap_size + z.uncompressed_index_size + z.uncompressed_toast_size,
    z.compressed_heap_size, z.compressed_index_size, z.compressed_toast_size,
    z.compressed_heap_size + z.compressed_index_size + z.compressed_toast_size, null::name
  from _tessera_catalog.hypertable h
  join _tessera_catalog.chunk c on c.hypertable_id = h.id and not c.dropped
  left join _tessera_catalog.compression_chunk_size z on z.chunk_id = c.id
  where h.relid = _tessera_functions.hypertable_behind(hypertable)
  order by c.id
$$;
comment on function @extschema@.chunk_compression_stats(regclass) is
'Bytes of every chunk of a hypertable before it was compressed and just after; null where it is not.
hypertable: the hypertable; no rows for anything else';

create function @extschema@.hypertable_compression_stats(
  hypertable regclass,
  out total_chunks bigint, out number_compressed_chunks bigint,
  out before_compression_table_bytes bigint, out before_compression_index_bytes bigint,
  out before_compression_toast_bytes bigint, out before_compression_total_bytes bigint,
  out after_compression_table_bytes bigint, out after_compression_index_bytes bigint,
  out after_compression_toast_bytes bigint, out after_compression_total_bytes bigint,
  out node_name name
) returns setof record
language sql stable strict
set search_path to pg_catalog, pg_temp
as $$
  select count(*), count(*) filter (where s.compression_status = 'Compressed'),
    sum(s.before_compression_table_bytes)::int8, sum(s.before_compression_index_bytes)::int8,
    sum(s.before_compression_toast_bytes)::int8, sum(s.before_compression_total_bytes)::int8,
    sum(s.after_compression_table_bytes)::int8, sum(s.after_compression_index_bytes)::int8,
    sum(s.after_compression_toast_bytes)::int8, sum(s.after_compression_total_bytes)::int8, null::name
  from @extschema@.chunk_compression_stats(hypertable) s
  having exists (select from _tessera_catalog.compression_settings c where c.relid = _tessera_functions.hypertable_behind(hypertable))
$$;
comment on function @extschema@.hypertable_compression_stats(regclass) is
'Chunks of a hypertable, how many are compressed, and the bytes of those before and just after.
hypertable: a hypertable with compression enabled; no row for anything else';

create function @extschema@.chunk_columnstore_stats(
  hypertable regclass,
  out chunk_schema name, out chunk_name name, out compression_status text,
  out before_compression_table_bytes bigint, out before_compression_index_bytes bigint,
  out before_compression_toast_bytes bigint, out before_compression_total_bytes bigint,
  out after_compression_table_bytes bigint, out after_compression_index_bytes bigint,
  out after_compression_toast_bytes bigint, out after_compression_total_bytes bigint,
  out node_name name
) returns setof record
language sql stable strict
set search_path to pg_catalog, pg_temp
as $$
  select * from @extschema@.chunk_compression_stats(hypertable)
$$;
comment on function @extschema@.chunk_columnstore_stats(regclass) is
'The newer name of chunk_compression_stats().
hypertable: as there';

create function @extschema@.hypertable_columnstore_stats(
  hypertable regclass,
  out total_chunks bigint, out number_compressed_chunks bigint,
  out before_compression_table_bytes bigint, out before_compression_index_bytes bigint,
  out before_compression_toast_bytes bigint, out before_compression_total_bytes bigint,
  out after_compression_table_bytes bigint, out after_compression_index_bytes bigint,
  out after_compression_toast_bytes bigint, out after_compression_total_bytes bigint,
  out node_name name
) returns setof record
language sql stable strict
set search_path to pg_catalog, pg_temp
as $$
  select * from @extschema@.hypertable_compression_stats(hypertable)
$$;
comment on function @extschema@.hypertable_columnstore_stats(regclass) is
'The newer name of hypertable_compression_stats().
hypertable: as there';

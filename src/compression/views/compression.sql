create view tessera_information.compression_settings as
select h.schema_name as hypertable_schema,
  h.table_name as hypertable_name,
  a.attname,
  pg_catalog.array_position(s.segmentby, a.attname)::smallint as segmentby_column_index,
  pg_catalog.array_position(s.orderby, a.attname)::smallint as orderby_column_index,
  s.orderby_desc[pg_catalog.array_position(s.orderby, a.attname)] = false as orderby_asc,
  s.orderby_nullsfirst[pg_catalog.array_position(s.orderby, a.attname)] as orderby_nullsfirst
from _tessera_catalog.compression_settings s
join _tessera_catalog.hypertable h on h.id = s.hypertable_id
join pg_catalog.pg_attribute a on a.attrelid = h.relid and a.attname = any(coalesce(s.segmentby, '{}') || s.orderby)
where s.chunk_id is null;
comment on view tessera_information.compression_settings is 'one row per column by which a hypertable segments or orders what it compresses';
grant select on tessera_information.compression_settings to public;

create view tessera_information.hypertable_compression_settings as
select s.relid as hypertable,
  (select pg_catalog.string_agg(pg_catalog.quote_ident(c), ', ' order by o) from pg_catalog.unnest(s.segmentby) with ordinality x(c, o)) as segmentby,
  _tessera_functions.orderby_text(s.orderby, s.orderby_desc, s.orderby_nullsfirst) as orderby,
  null::interval as compress_interval_length,
  null::jsonb as index
from _tessera_catalog.compression_settings s
where s.chunk_id is null;
comment on view tessera_information.hypertable_compression_settings is 'how each hypertable with compression enabled compresses';
grant select on tessera_information.hypertable_compression_settings to public;

create view tessera_information.chunk_compression_settings as
select h.relid as hypertable,
  s.relid as chunk,
  (select pg_catalog.string_agg(pg_catalog.quote_ident(c), ', ' order by o) from pg_catalog.unnest(s.segmentby) with ordinality x(c, o)) as segmentby,
  _tessera_functions.orderby_text(s.orderby, s.orderby_desc, s.orderby_nullsfirst) as orderby,
  null::jsonb as index
from _tessera_catalog.compression_settings s
join _tessera_catalog.hypertable h on h.id = s.hypertable_id
where s.chunk_id is not null;
comment on view tessera_information.chunk_compression_settings is 'how each compressed chunk was compressed';
grant select on tessera_information.chunk_compression_settings to public;

create view tessera_information.compressed_chunk_stats as
select h.relid as hypertable_name,
  c.relid as chunk_name,
  case when z.chunk_id is null then 'Uncompressed' else 'Compressed' end as compression_status,
  pg_catalog.pg_size_pretty(z.uncompressed_heap_size) as uncompressed_heap_bytes,
  pg_catalog.pg_size_pretty(z.uncompressed_index_size) as uncompressed_index_bytes,
  pg_catalog.pg_size_pretty(z.uncompressed_toast_size) as uncompressed_toast_bytes,
  pg_catalog.pg_size_pretty(z.uncompressed_heap_size + z.uncompressed_index_size + z.uncompressed_toast_size) as uncompressed_total_bytes,
  pg_catalog.pg_size_pretty(z.compressed_heap_size) as compressed_heap_bytes,
  pg_catalog.pg_size_pretty(z.compressed_index_size) as compressed_index_bytes,
  pg_catalog.pg_size_pretty(z.compressed_toast_size) as compressed_toast_bytes,
  pg_catalog.pg_size_pretty(z.compressed_heap_size + z.compressed_index_size + z.compressed_toast_size) as compressed_total_bytes
from _tessera_catalog.hypertable h
join _tessera_catalog.compression_settings s on s.hypertable_id = h.id and s.chunk_id is null
join _tessera_catalog.chunk c on c.hypertable_id = h.id and not c.dropped
left join _tessera_catalog.compression_chunk_size z on z.chunk_id = c.id;
comment on view tessera_information.compressed_chunk_stats is 'the older form of chunk_compression_stats(): sizes as text';
grant select on tessera_information.compressed_chunk_stats to public;

create view tessera_information.compressed_hypertable_stats as
select h.relid as hypertable_name,
  count(c.id) as total_chunks,
  count(z.chunk_id) as number_compressed_chunks,
  pg_catalog.pg_size_pretty(sum(z.uncompressed_heap_size)) as uncompressed_heap_bytes,
  pg_catalog.pg_size_pretty(sum(z.uncompressed_index_size)) as uncompressed_index_bytes,
  pg_catalog.pg_size_pretty(sum(z.uncompressed_toast_size)) as uncompressed_toast_bytes,
  pg_catalog.pg_size_pretty(sum(z.uncompressed_heap_size + z.uncompressed_index_size + z.uncompressed_toast_size)) as uncompressed_total_bytes,
  pg_catalog.pg_size_pretty(sum(z.compressed_heap_size)) as compressed_heap_bytes,
  pg_catalog.pg_size_pretty(sum(z.compressed_index_size)) as compressed_index_bytes,
  pg_catalog.pg_size_pretty(sum(z.compressed_toast_size)) as compressed_toast_bytes,
  pg_catalog.pg_size_pretty(sum(z.compressed_heap_size + z.compressed_index_size + z.compressed_toast_size)) as compressed_total_bytes
from _tessera_catalog.hypertable h
join _tessera_catalog.compression_settings s on s.hypertable_id = h.id and s.chunk_id is null
left join _tessera_catalog.chunk c on c.hypertable_id = h.id and not c.dropped
left join _tessera_catalog.compression_chunk_size z on z.chunk_id = c.id
group by h.relid;
comment on view tessera_information.compressed_hypertable_stats is 'the older form of hypertable_compression_stats(): sizes as text';
grant select on tessera_information.compressed_hypertable_stats to public;

create view tessera_information.compress_chunks_policies as
select h.relid as hypertable,
  j.config ->> 'compress_after' as older_than,
  j.id as job_id,
  j.schedule_interval,
  j.max_runtime,
  j.max_retries,
  j.retry_period
from _tessera_catalog.bgw_job j
join _tessera_catalog.hypertable h on h.id = j.hypertable_id
where j.proc_schema = '_tessera_functions' and j.proc_name = 'policy_compression';
comment on view tessera_information.compress_chunks_policies is 'compression policies, with the columns this view had before jobs';
grant select on tessera_information.compress_chunks_policies to public;

create view tessera_information.chunks as
select h.schema_name as hypertable_schema,
  h.table_name as hypertable_name,
  k.schema_name as chunk_schema,
  k.table_name as chunk_name,
  d.column_name as primary_dimension,
  d.column_type as primary_dimension_type,
  case when not i.is_integer then _tessera_functions.internal_to_timestamptz(s.range_start) end as range_start,
  case when not i.is_integer then _tessera_functions.internal_to_timestamptz(s.range_end) end as range_end,
  case when i.is_integer then s.range_start end as range_start_integer,
  case when i.is_integer then s.range_end end as range_end_integer,
  z.chunk_id is not null as is_compressed,
  coalesce(t.spcname, (select p.spcname from pg_catalog.pg_database b join pg_catalog.pg_tablespace p on p.oid = b.dattablespace
    where b.datname = pg_catalog.current_database())) as chunk_tablespace,
  k.creation_time as chunk_creation_time
from _tessera_catalog.chunk k
join _tessera_catalog.hypertable h on h.id = k.hypertable_id
join _tessera_catalog.dimension d on d.hypertable_id = h.id and d.interval_length is not null
join _tessera_catalog.chunk_constraint kc on kc.chunk_id = k.id
join _tessera_catalog.dimension_slice s on s.id = kc.dimension_slice_id and s.dimension_id = d.id
left join _tessera_catalog.compressed_chunk z on z.chunk_id = k.id
join pg_catalog.pg_class c on c.oid = coalesce(z.tail, k.relid)
left join pg_catalog.pg_tablespace t on t.oid = c.reltablespace
cross join lateral (select d.column_type in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) as is_integer) i
where not k.dropped;
comment on view tessera_information.chunks is 'one row per chunk, with its range of the time dimension';
grant select on tessera_information.chunks to public;

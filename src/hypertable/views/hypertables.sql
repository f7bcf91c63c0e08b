create view tessera_information.hypertables as
select h.schema_name as hypertable_schema,
  h.table_name as hypertable_name,
  pg_catalog.pg_get_userbyid(c.relowner) as owner,
  h.num_dimensions,
  (select count(*) from _tessera_catalog.chunk k where k.hypertable_id = h.id and not k.dropped) as num_chunks,
  exists (
    select from _tessera_catalog.compression_settings s where s.hypertable_id = h.id and s.chunk_id is null)
    as compression_enabled,
  (select array_agg(t.tablespace_name order by t.id) from _tessera_catalog.tablespace t where t.hypertable_id = h.id)
    as tablespaces,
  d.column_name as primary_dimension,
  d.column_type as primary_dimension_type
from _tessera_catalog.hypertable h
join pg_catalog.pg_class c on c.oid = h.relid
join _tessera_catalog.dimension d on d.hypertable_id = h.id and d.interval_length is not null
where not exists (select from _tessera_catalog.continuous_agg a where a.mat_hypertable_id = h.id);
comment on view tessera_information.hypertables is 'one row per hypertable; those that hold results of continuous aggregates are in continuous_aggregates';
grant select on tessera_information.hypertables to public;

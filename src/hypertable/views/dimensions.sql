create view tessera_information.dimensions as
select h.schema_name as hypertable_schema,
  h.table_name as hypertable_name,
  row_number() over (partition by d.hypertable_id order by d.id) as dimension_number,
  d.column_name,
  d.column_type,
  case when d.interval_length is null then 'Space' else 'Time' end as dimension_type,
  case
    when d.column_type in ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype)
      then pg_catalog.justify_hours(d.interval_length * interval '1 microsecond')
  end as time_interval,
  case
    when d.column_type in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) then d.interval_length
  end as integer_interval,
  d.integer_now_func,
  d.num_slices as num_partitions
from _tessera_catalog.hypertable h
join _tessera_catalog.dimension d on d.hypertable_id = h.id;
comment on view tessera_information.dimensions is 'how each hypertable is divided';
grant select on tessera_information.dimensions to public;

create function @extschema@.hypertable_relation_size(
  main_table regclass, out table_bytes bigint, out index_bytes bigint, out toast_bytes bigint, out total_bytes bigint
) returns setof record
language sql volatile strict
set search_path to pg_catalog, pg_temp
as $$
  select s.table_bytes, s.index_bytes, s.toast_bytes, s.total_bytes from @extschema@.hypertable_detailed_size($1) s
$$;
comment on function @extschema@.hypertable_relation_size(regclass) is
'The older name of hypertable_detailed_size().
main_table: the hypertable; no row for anything else';

create function @extschema@.hypertable_relation_size_pretty(
  main_table regclass, out table_size text, out index_size text, out toast_size text, out total_size text
) returns setof record
language sql volatile strict
set search_path to pg_catalog, pg_temp
as $$
  select pg_size_pretty(s.table_bytes), pg_size_pretty(s.index_bytes), pg_size_pretty(s.toast_bytes), pg_size_pretty(s.total_bytes)
  from @extschema@.hypertable_detailed_size($1) s
$$;
comment on function @extschema@.hypertable_relation_size_pretty(regclass) is
'The same as hypertable_relation_size(), for people to read.
main_table: the hypertable; no row for anything else';

create function @extschema@.indexes_relation_size(main_table regclass, out index_name text, out total_bytes bigint)
returns setof record
language sql volatile strict
set search_path to pg_catalog, pg_temp
as $$
  select i.indexrelid::regclass::text, (select sum(pg_relation_size(t.relid))::int8 from pg_partition_tree(i.indexrelid) t)
  from pg_index i join _tessera_catalog.hypertable h on h.relid = i.indrelid
  where i.indrelid = _tessera_functions.hypertable_behind($1)
  order by 1
$$;
comment on function @extschema@.indexes_relation_size(regclass) is
'Size of every index of a hypertable over all chunks, in bytes.
main_table: the hypertable; no rows for anything else';

create function @extschema@.indexes_relation_size_pretty(main_table regclass, out index_name text, out total_size text)
returns setof record
language sql volatile strict
set search_path to pg_catalog, pg_temp
as $$
  select s.index_name, pg_size_pretty(s.total_bytes) from @extschema@.indexes_relation_size($1) s
$$;
comment on function @extschema@.indexes_relation_size_pretty(regclass) is
'The same as indexes_relation_size(), for people to read.
main_table: the hypertable; no rows for anything else';

create function @extschema@.chunk_relation_size(
  main_table regclass, out chunk_id integer, out chunk_table text, out partitioning_columns name[],
  out partitioning_column_types regtype[], out partitioning_hash_functions text[], out ranges int8range[],
  out table_bytes bigint, out index_bytes bigint, out toast_bytes bigint, out total_bytes bigint
) returns setof record
language sql volatile strict
set search_path to pg_catalog, pg_temp
as $$
  select k.id, format('%I.%I', k.schema_name, k.table_name), d.columns, d.types, d.hash_functions, d.ranges,
    z.heap, z.indexes, z.toast, z.total
  from _tessera_catalog.hypertable h
  join _tessera_catalog.chunk k on k.hypertable_id = h.id and not k.dropped
  cross join lateral (
    select sum(pg_relation_size(t.relid))::int8 as heap, sum(pg_indexes_size(t.relid))::int8 as indexes,
      sum(coalesce(pg_total_relation_size(nullif(c.reltoastrelid, 0)), 0))::int8 as toast,
      sum(pg_total_relation_size(t.relid))::int8 as total
    from _tessera_functions.heaps_of(k.relid) t(relid) join pg_class c on c.oid = t.relid
  ) z
  cross join lateral (
    select array_agg(n.column_name order by n.id) as columns, array_agg(n.column_type order by n.id) as types,
      array_agg(n.partitioning_func::text order by n.id) as hash_functions,
      array_agg(int8range(s.range_start, s.range_end) order by n.id) as ranges
    from _tessera_catalog.chunk_constraint kc
    join _tessera_catalog.dimension_slice s on s.id = kc.dimension_slice_id
    join _tessera_catalog.dimension n on n.id = s.dimension_id
    where kc.chunk_id = k.id
  ) d
  where h.relid = _tessera_functions.hypertable_behind($1)
  order by k.id
$$;
comment on function @extschema@.chunk_relation_size(regclass) is
'Size of every chunk of a hypertable in bytes, with its ranges in internal time or hash values.
main_table: the hypertable; no rows for anything else';

create function @extschema@.chunk_relation_size_pretty(
  main_table regclass, out chunk_id integer, out chunk_table text, out table_size text, out index_size text,
  out toast_size text, out total_size text
) returns setof record
language sql volatile strict
set search_path to pg_catalog, pg_temp
as $$
  select s.chunk_id, s.chunk_table, pg_size_pretty(s.table_bytes), pg_size_pretty(s.index_bytes),
    pg_size_pretty(s.toast_bytes), pg_size_pretty(s.total_bytes)
  from @extschema@.chunk_relation_size($1) s
$$;
comment on function @extschema@.chunk_relation_size_pretty(regclass) is
'The same as chunk_relation_size() without the ranges, for people to read.
main_table: the hypertable; no rows for anything else';

create function _tessera_functions.heaps_of(tree regclass) returns setof regclass
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select t.relid from pg_partition_tree(tree) t join pg_class c on c.oid = t.relid where c.relkind <> 'f'
  union all
  select x.relation
  from _tessera_catalog.compressed_chunk k
  join _tessera_catalog.chunk c on c.id = k.chunk_id
  join _tessera_catalog.compression_settings s on s.chunk_id = k.chunk_id,
    lateral (values (s.compress_relid), (k.residue)) x(relation)
  where not c.dropped and c.relid in (select t.relid from pg_partition_tree(tree) t)
$$;
comment on function _tessera_functions.heaps_of(regclass) is
  'tables in which a hypertable or chunk has its rows: its partitions, and the segments and residue of compressed chunks';

create function @extschema@.hypertable_detailed_size(
  hypertable regclass, out table_bytes bigint, out index_bytes bigint, out toast_bytes bigint, out total_bytes bigint,
  out node_name name
) returns setof record
language sql volatile strict
set search_path to pg_catalog, pg_temp
as $$
  select sum(pg_relation_size(t.relid))::int8,
    sum(pg_indexes_size(t.relid))::int8,
    sum(coalesce(pg_total_relation_size(nullif(c.reltoastrelid, 0)), 0))::int8,
    sum(pg_total_relation_size(t.relid))::int8,
    null::name
  from _tessera_functions.heaps_of(_tessera_functions.hypertable_behind(hypertable)) t(relid) join pg_class c on c.oid = t.relid
  where exists (select from _tessera_catalog.hypertable h where h.relid = _tessera_functions.hypertable_behind(hypertable))
  having count(*) > 0
$$;
comment on function @extschema@.hypertable_detailed_size(regclass) is
'Size of a hypertable in bytes: its tables, their indexes, their TOAST, and all together, over all chunks and the default partition.
hypertable: the hypertable, or a continuous aggregate for its results; no row for anything else';

create function @extschema@.hypertable_size(hypertable regclass) returns bigint
language sql volatile strict
set search_path to pg_catalog, pg_temp
as $$
  select sum(pg_total_relation_size(t.relid))::int8
  from _tessera_functions.heaps_of(_tessera_functions.hypertable_behind(hypertable)) t(relid)
  where exists (select from _tessera_catalog.hypertable h where h.relid = _tessera_functions.hypertable_behind(hypertable))
$$;
comment on function @extschema@.hypertable_size(regclass) is
'Size of a hypertable with indexes and TOAST, in bytes.
hypertable: the hypertable, or a continuous aggregate for its results; null for anything else';

create function @extschema@.chunks_detailed_size(
  hypertable regclass, out chunk_schema name, out chunk_name name, out table_bytes bigint, out index_bytes bigint,
  out toast_bytes bigint, out total_bytes bigint, out node_name name
) returns setof record
language sql volatile strict
set search_path to pg_catalog, pg_temp
as $$
  select k.schema_name, k.table_name, z.heap, z.indexes, z.toast, z.total, null::name
  from _tessera_catalog.hypertable h
  join _tessera_catalog.chunk k on k.hypertable_id = h.id and not k.dropped,
    lateral (
      select sum(pg_relation_size(t.relid))::int8 as heap, sum(pg_indexes_size(t.relid))::int8 as indexes,
        sum(coalesce(pg_total_relation_size(nullif(c.reltoastrelid, 0)), 0))::int8 as toast,
        sum(pg_total_relation_size(t.relid))::int8 as total
      from _tessera_functions.heaps_of(k.relid) t(relid) join pg_class c on c.oid = t.relid) z
  where h.relid = _tessera_functions.hypertable_behind(hypertable)
  order by k.id
$$;
comment on function @extschema@.chunks_detailed_size(regclass) is
'Size of every chunk of a hypertable in bytes: table, indexes, TOAST, and all together.
hypertable: the hypertable, or a continuous aggregate for its results; no rows for anything else';

create function @extschema@.hypertable_index_size(index_name regclass) returns bigint
language sql volatile strict
set search_path to pg_catalog, pg_temp
as $$
  select sum(pg_relation_size(t.relid))::int8
  from pg_partition_tree(index_name) t
  where exists (
    select from pg_index i join _tessera_catalog.hypertable h on h.relid = i.indrelid where i.indexrelid = index_name)
$$;
comment on function @extschema@.hypertable_index_size(regclass) is
'Size of an index of a hypertable over all chunks, in bytes.
index_name: the index; null when it is not one of a hypertable';

create function _tessera_functions.compressed_rows(tree regclass) returns bigint
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  -- As many as there were when the chunk was last compressed or recompressed, in proportion to the segments it has now,
  -- and those out of segments. A segment that was taken apart counts twice until it is settled and ANALYZE has seen it:
  -- hence the upper bound. Rows never come to segments or residue but by recompressing.
  select coalesce(sum(case
      when z.numrows_post_compression > 0 and l.reltuples >= 0
        then least(z.numrows_pre_compression,
          z.numrows_pre_compression * l.reltuples / z.numrows_post_compression + greatest(r.reltuples, 0))
      else z.numrows_pre_compression
    end), 0)::int8
  from _tessera_catalog.compression_chunk_size z
  join _tessera_catalog.chunk c on c.id = z.chunk_id
  join _tessera_catalog.compression_settings s on s.chunk_id = z.chunk_id
  join pg_class l on l.oid = s.compress_relid
  join _tessera_catalog.compressed_chunk k on k.chunk_id = z.chunk_id
  join pg_class r on r.oid = k.residue
  where not c.dropped and c.relid in (select t.relid from pg_partition_tree(tree) t)
$$;
comment on function _tessera_functions.compressed_rows(regclass) is 'estimate of the rows in the segments and residue of a hypertable or chunk';

create function @extschema@.approximate_row_count(relation regclass) returns bigint
language sql volatile strict
set search_path to pg_catalog, pg_temp
as $$
  select case
    when c.relkind = 'p' then (
      select coalesce(sum(greatest(l.reltuples, 0)), 0)::int8
      from pg_partition_tree(c.oid) t join pg_class l on l.oid = t.relid
      where t.isleaf and l.relkind <> 'f') + _tessera_functions.compressed_rows(c.oid)
    when c.relkind in ('r', 'm', 'f') then greatest(c.reltuples, 0)::int8
  end
  from pg_class c
  where c.oid = _tessera_functions.hypertable_behind(relation)
$$;
comment on function @extschema@.approximate_row_count(regclass) is
'Number of rows as ANALYZE and VACUUM last saw it; works for hypertables, continuous aggregates, partitioned tables and plain tables.
relation: the table; null for other views';

create function @extschema@.hypertable_approximate_row_count(main_table regclass default null)
returns table (schema_name name, table_name name, row_estimate bigint)
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  select h.schema_name, h.table_name, (
    select coalesce(sum(greatest(c.reltuples, 0)), 0)::int8
    from pg_partition_tree(h.relid) t join pg_class c on c.oid = t.relid
    where t.isleaf and c.relkind <> 'f') + _tessera_functions.compressed_rows(h.relid)
  from _tessera_catalog.hypertable h
  where main_table is null or h.relid = _tessera_functions.hypertable_behind(main_table)
  order by h.id
$$;
comment on function @extschema@.hypertable_approximate_row_count(regclass) is
'The older form of approximate_row_count(): a row per hypertable.
main_table: the hypertable; null for all';

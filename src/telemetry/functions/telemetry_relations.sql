create function _tessera_functions.telemetry_relations() returns jsonb
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  with hypertables as materialized (
    select relid::oid as oid from _tessera_catalog.hypertable
  ), chunks as materialized (
    select relid::oid as oid, compressed_chunk_id from _tessera_catalog.chunk where not dropped
  ), side_tables as materialized (
    select _tessera_functions.default_partition(h.relid)::oid as oid from _tessera_catalog.hypertable h
    union all
    select p.relation::oid from _tessera_catalog.hypertable_part p where p.relation is not null
  ), locked as materialized (
    -- To ask for the size of a relation is to wait for whoever changes it.
    select coalesce(i.indrelid, t.oid, l.relation) as oid
    from pg_locks l
    left join pg_index i on i.indexrelid = l.relation
    left join pg_class t on t.reltoastrelid = l.relation
    where l.locktype = 'relation' and l.mode = 'AccessExclusiveLock' and l.pid <> pg_backend_pid()
      and l.database = (select d.oid from pg_database d where d.datname = current_database())
  ), relations as (
    select c.oid, c.relkind in ('r', 'm') as stored, c.relpages, nullif(c.reltoastrelid, 0) as toast,
      greatest(c.reltuples, 0) as tuples, c.oid in (select oid from locked) as locked,
      case
        when c.oid in (select oid from hypertables) or c.oid in (select oid from chunks)
          or c.oid in (select oid from side_tables)
          or c.relispartition and pg_partition_root(c.oid)::oid in (select oid from hypertables) then 'hypertables'
        when c.relispartition or c.relkind = 'p' then 'partitioned_tables'
        when c.relkind = 'r' then 'tables'
        when c.relkind = 'f' then 'foreign_tables'
        when c.relkind = 'm' then 'materialized_views'
        else 'views'
      end as kind,
      case
        when c.oid in (select oid from hypertables) then 'itself'
        when c.oid in (select oid from chunks) then 'child'
        when c.oid in (select oid from side_tables) then 'part'
        when c.relispartition then 'child'
        else 'itself'
      end as role
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'f', 'm', 'v') and n.nspname !~ '^pg_'
      and n.nspname not in ('information_schema', '_tessera_catalog', '_tessera_functions', 'tessera', 'tessera_information')
      and not exists (
        select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
  ), sizes as (
    select r.kind, r.role,
      case when r.stored then r.tuples end as tuples,
      case
        when r.stored and r.locked then r.relpages * current_setting('block_size')::bigint
        when r.stored then pg_table_size(r.oid) - coalesce(pg_total_relation_size(r.toast), 0)
      end as heap,
      case
        when r.stored and r.locked then
          (select t.relpages * current_setting('block_size')::bigint from pg_class t where t.oid = r.toast)
        when r.stored then pg_total_relation_size(r.toast)
      end as toast,
      case
        when r.stored and r.locked then (
          select sum(c.relpages) * current_setting('block_size')::bigint
          from pg_index i
          join pg_class c on c.oid = i.indexrelid
          where i.indrelid = r.oid)
        when r.stored then pg_indexes_size(r.oid)
      end as indexes
    from relations r
  ), sums as (
    select kind, count(*) filter (where role = 'itself') as itself, count(*) filter (where role = 'child') as children,
      sum(tuples) as tuples, sum(heap) as heap, sum(toast) as toast, sum(indexes) as indexes
    from sizes
    group by kind
  )
  select jsonb_object_agg(k.kind,
    jsonb_build_object('num_relations', coalesce(s.itself, 0))
    || case when not k.has_children then '{}' else jsonb_build_object('num_children', coalesce(s.children, 0)) end
    || case when not k.stored then '{}' else jsonb_build_object(
      'num_reltuples', coalesce(s.tuples, 0)::bigint, 'heap_size', coalesce(s.heap, 0)::bigint,
      'toast_size', coalesce(s.toast, 0)::bigint, 'indexes_size', coalesce(s.indexes, 0)::bigint) end
    || case when k.kind <> 'hypertables' then '{}' else jsonb_build_object('compression', jsonb_build_object(
      'num_compressed_chunks', (select count(*) from chunks where compressed_chunk_id is not null))) end)
  from (values
    ('tables', true, false), ('partitioned_tables', true, true), ('hypertables', true, true),
    ('materialized_views', true, false), ('continuous_aggregates', true, false), ('foreign_tables', false, false),
    ('views', false, false)) k(kind, stored, has_children)
  left join sums s on s.kind = k.kind
$$;
comment on function _tessera_functions.telemetry_relations() is
  'numbers and sizes of relations by kind, without names; a partition or chunk counts with its parent. Never waits for who changes a table: of such ones the size of the last vacuum is taken';

create function _tessera_functions.erase_chunks(chunk_ids integer[]) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  slices int[];
begin
  with gone as (
    delete from _tessera_catalog.chunk_constraint where chunk_id = any(chunk_ids) returning dimension_slice_id
  )
  select array_agg(distinct dimension_slice_id) into slices from gone;
  delete from _tessera_catalog.chunk where id = any(chunk_ids);
  delete from _tessera_catalog.dimension_slice s
  where s.id = any(slices)
    and not exists (select from _tessera_catalog.chunk_constraint c where c.dimension_slice_id = s.id);
end
$$;
comment on function _tessera_functions.erase_chunks(integer[]) is 'deletes catalog rows of chunks and the slices no other chunk has';

create function _tessera_functions.forget_chunks(chunk_ids integer[]) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  maintenance text := current_setting('tessera.maintenance', true);
begin
  -- Dropping the rest of them fires the event trigger again.
  perform set_config('tessera.maintenance', 'on', true);
  perform _tessera_functions.drop_compressed_parts(chunk_ids, false);
  perform set_config('tessera.maintenance', coalesce(maintenance, ''), true);
  perform _tessera_functions.log_chunks(chunk_ids);
  perform _tessera_functions.erase_chunks(chunk_ids);
end
$$;
comment on function _tessera_functions.forget_chunks(integer[]) is
  'what the end of a chunk entails: the rest of its tables goes, its rows are logged as gone, the catalog forgets it';

create function _tessera_functions.request_retire_chunks(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  parent _tessera_catalog.hypertable := _tessera_functions.hypertable_of_request(caller, payload);
  ids int[] := array(
    select c.id from _tessera_catalog.chunk c
    where c.hypertable_id = parent.id and not c.dropped
      and c.id in (select i::int from jsonb_array_elements_text(payload -> 'chunks') i));
begin
  if not (payload ->> 'keep')::boolean then
    perform _tessera_functions.erase_chunks(ids);
    return null;
  end if;
  delete from _tessera_catalog.compression_settings where chunk_id = any(ids);
  delete from _tessera_catalog.compressed_chunk where chunk_id = any(ids);
  delete from _tessera_catalog.compression_chunk_size where chunk_id = any(ids);
  delete from _tessera_catalog.bgw_policy_chunk_stats where chunk_id = any(ids);
  update _tessera_catalog.chunk set dropped = true, relid = null, compressed_chunk_id = null, status = 0 where id = any(ids);
  with before as (
    delete from _tessera_catalog.continuous_aggs_frozen f
    using _tessera_catalog.continuous_agg a
    where a.mat_hypertable_id = f.materialization_id and a.raw_hypertable_id = parent.id
    returning f.materialization_id as id, f.lowest_value as lowest, f.greatest_value as highest
  ), added as (
    -- Beyond the watermark there is nothing to keep.
    select a.mat_hypertable_id as id, r.lowest, least(r.highest, w.watermark - 1) as highest
    from _tessera_catalog.continuous_agg a
    join _tessera_catalog.continuous_aggs_watermark w on w.mat_hypertable_id = a.mat_hypertable_id,
      unnest(ids) c, _tessera_functions.chunk_range(c) r
    where a.raw_hypertable_id = parent.id and r.lowest < w.watermark
    union all
    select b.id, b.lowest, b.highest from before b
  )
  insert into _tessera_catalog.continuous_aggs_frozen
  select g.id, coalesce(lower(g.part), '-9223372036854775808'::int8), coalesce(upper(g.part) - 1, 9223372036854775807)
  from (select a.id, unnest(range_agg(_tessera_functions.change_range(a.lowest, a.highest))) as part from added a group by a.id) g;
  return null;
end
$$;
comment on function _tessera_functions.request_retire_chunks(name, jsonb) is
  'takes chunks that are about to be dropped out of the catalog without a log entry; with "keep" their rows stay, and continuous aggregates keep what they have of them';

create function _tessera_functions.forget_hypertables(hypertable_ids integer[]) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
set client_min_messages to warning
as $$
declare
  parts record;
begin
  delete from _tessera_catalog.continuous_aggs_invalidation_threshold where hypertable_id = any(hypertable_ids);
  delete from _tessera_catalog.continuous_aggs_hypertable_invalidation_log where hypertable_id = any(hypertable_ids);
  perform _tessera_functions.forget_chunks(array(select id from _tessera_catalog.chunk where hypertable_id = any(hypertable_ids)));
  for parts in
    delete from _tessera_catalog.hypertable where id = any(hypertable_ids)
    returning associated_schema_name as schema, associated_table_prefix as prefix
  loop
    execute format('drop table if exists %1$I.%2$I, %1$I.%3$I', parts.schema, parts.prefix || '_pending', parts.prefix || '_places');
    execute format('drop foreign table if exists %I.%I', parts.schema, parts.prefix || '_noted');
    execute format('drop function if exists %I.%I()', parts.schema, parts.prefix || '_place');
  end loop;
end
$$;
comment on function _tessera_functions.forget_hypertables(integer[]) is 'deletes catalog rows of hypertables and the helpers their triggers used';

create function _tessera_functions.on_sql_drop() returns event_trigger
language plpgsql security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  gone oid[];
  ids int[];
begin
  gone := array(
    select objid from pg_event_trigger_dropped_objects() where classid = 'pg_class'::regclass and objsubid = 0);
  ids := array(select id from _tessera_catalog.hypertable where relid::oid = any(gone));
  if cardinality(ids) > 0 then
    -- Dropping the helpers fires this trigger again; by then their rows are gone.
    perform _tessera_functions.forget_hypertables(ids);
  end if;
  ids := array(select id from _tessera_catalog.chunk where relid::oid = any(gone));
  if cardinality(ids) > 0 then
    perform _tessera_functions.forget_chunks(ids);
  end if;
  perform _tessera_functions.reject_lost_parts(gone);
  perform _tessera_functions.on_shards_dropped(gone);
end
$$;
comment on function _tessera_functions.on_sql_drop() is 'event trigger: a dropped hypertable or chunk leaves the catalog';

create function _tessera_functions.sync_hypertable(hypertable_id integer, renamed_column name default null) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  h _tessera_catalog.hypertable;
  lost _tessera_catalog.dimension;
  owner name;
  part record;
begin
  select * into h from _tessera_catalog.hypertable where id = hypertable_id;
  update _tessera_catalog.hypertable t set schema_name = n.nspname, table_name = c.relname
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where t.id = h.id and c.oid = t.relid and (t.schema_name, t.table_name) is distinct from (n.nspname, c.relname);
  update _tessera_catalog.chunk t set schema_name = n.nspname, table_name = c.relname
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where t.hypertable_id = h.id and c.oid = t.relid and (t.schema_name, t.table_name) is distinct from (n.nspname, c.relname);

  -- A range partition key names its column by number, so the time dimension can always be read back.
  update _tessera_catalog.dimension d set column_name = a.attname, column_type = a.atttypid
  from pg_partitioned_table p join pg_attribute a on a.attrelid = p.partrelid and a.attnum = p.partattrs[0]
  where d.hypertable_id = h.id and d.interval_length is not null and p.partrelid = h.relid
    and (d.column_name, d.column_type::oid) is distinct from (a.attname, a.atttypid);
  select d.* into lost from _tessera_catalog.dimension d
  where d.hypertable_id = h.id
    and not exists (select from pg_attribute a where a.attrelid = h.relid and a.attname = d.column_name and not a.attisdropped);
  if lost.id is not null then
    if renamed_column is null then
      raise exception using
        errcode = '42P16',
        message = format('cannot drop column "%s" of hypertable "%s"', lost.column_name, h.relid::regclass),
        detail = 'The column is a dimension of the hypertable.';
    end if;
    update _tessera_catalog.dimension set column_name = renamed_column where id = lost.id;
  end if;

  perform _tessera_functions.forget_chunks(array(
    select c.id from _tessera_catalog.chunk c
    where c.hypertable_id = h.id and not c.dropped and pg_partition_root(c.relid) is distinct from h.relid));

  perform _tessera_functions.sync_compression(h.id, renamed_column);
  perform _tessera_functions.sync_replica_identity(h.id);

  -- Policies run as the owner of the hypertable, whoever that is.
  update _tessera_catalog.bgw_job j set owner = c.relowner
  from pg_class c
  where c.oid = h.relid and j.hypertable_id = h.id and j.proc_schema = '_tessera_functions' and j.owner::oid <> c.relowner;

  -- ALTER TABLE OWNER does not reach partitions.
  select pg_get_userbyid(relowner) into owner from pg_class where oid = h.relid;
  for part in
    select format('alter table %s owner to %I', c.oid::regclass, owner) as ddl
    from pg_partition_tree(h.relid) t join pg_class c on c.oid = t.relid
    where pg_get_userbyid(c.relowner) <> owner
    union all
    select format('alter table %s owner to %I', c.oid::regclass, owner)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = h.associated_schema_name and c.relname = h.associated_table_prefix || '_pending'
      and pg_get_userbyid(c.relowner) <> owner
    union all
    select format('alter function %I.%I() owner to %I', n.nspname, p.proname, owner)
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = h.associated_schema_name and p.proname = h.associated_table_prefix || '_place' and p.pronargs = 0
      and pg_get_userbyid(p.proowner) <> owner
  loop
    if h.associated_schema_name = '_tessera_internal' then
      execute format('grant create on schema _tessera_internal to %I', owner);
    end if;
    execute part.ddl;
  end loop;
end
$$;
comment on function _tessera_functions.sync_hypertable(integer, name) is
  'brings names, columns, chunks and owners in line with what ALTER TABLE did to the hypertable';

create function _tessera_functions.on_ddl_command_end() returns event_trigger
language plpgsql security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  changed record;
begin
  if current_setting('tessera.maintenance', true) = 'on' then
    return;
  end if;
  perform set_config('tessera.maintenance', 'on', true);
  if tg_tag = 'ALTER SCHEMA' then
    update _tessera_catalog.hypertable h set associated_schema_name = n.nspname
    from pg_event_trigger_ddl_commands() e join pg_namespace n on n.oid = e.objid,
      pg_class c join pg_namespace cn on cn.oid = c.relnamespace
    where e.classid = 'pg_namespace'::regclass and cn.oid = n.oid and c.relname = h.associated_table_prefix || '_pending'
      and exists (select from pg_inherits i where i.inhparent = h.relid and i.inhrelid in
        (select d.oid from pg_class d where d.relnamespace = n.oid and d.relname = h.associated_table_prefix || '_default'));
    perform _tessera_functions.sync_hypertable(id) from _tessera_catalog.hypertable;
  else
    for changed in
      select h.id, (
        select a.attname from pg_attribute a where a.attrelid = e.objid and a.attnum = e.objsubid and not a.attisdropped
      ) as renamed
      from pg_event_trigger_ddl_commands() e
      join _tessera_catalog.hypertable h on h.relid::oid = e.objid
        or h.id = (select c.hypertable_id from _tessera_catalog.chunk c where c.relid::oid = e.objid)
      where e.classid = 'pg_class'::regclass
    loop
      perform _tessera_functions.sync_hypertable(changed.id, changed.renamed);
    end loop;
  end if;
  perform set_config('tessera.maintenance', '', true);
end
$$;
comment on function _tessera_functions.on_ddl_command_end() is 'event trigger: the catalog follows ALTER TABLE and ALTER SCHEMA';

create function tessera.sync_catalog() returns void
language plpgsql security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  -- Before their hypertables are forgotten, which takes the rows of continuous aggregates along.
  perform _tessera_functions.sync_caggs();
  perform _tessera_functions.forget_hypertables(array(
    select h.id from _tessera_catalog.hypertable h
    where not exists (select from pg_class c where c.oid = h.relid)));
  perform _tessera_functions.forget_chunks(array(
    select k.id from _tessera_catalog.chunk k
    where not k.dropped and not exists (select from pg_class c where c.oid = k.relid)));
  perform _tessera_functions.sync_hypertable(id) from _tessera_catalog.hypertable;
  if exists (select from _tessera_catalog.pg_dist_partition) then
    perform _tessera_functions.sync_distributed();
  end if;
end
$$;
comment on function tessera.sync_catalog() is
'Brings the catalog in line with the tables that exist, and shards in line with their tables when the transaction commits. Event triggers do so by themselves; call it where the server does not allow them, after changes of distributed tables in the same transaction.
Privileges: anybody; it changes nothing but the catalog, drops what is left of continuous aggregates that were dropped, and gives chunks the owner of their hypertable and results the owner of their view. Shards get what their table has already';

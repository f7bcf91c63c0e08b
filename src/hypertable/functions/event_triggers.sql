create function _tessera_functions.erase_chunks(chunk_ids integer[]) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  slices int[];
  compressed int[] := array(
    select distinct c.hypertable_id from _tessera_catalog.compressed_chunk k join _tessera_catalog.chunk c on c.id = k.chunk_id
    where k.chunk_id = any(chunk_ids));
begin
  with gone as (
    delete from _tessera_catalog.chunk_constraint where chunk_id = any(chunk_ids) returning dimension_slice_id
  )
  select array_agg(distinct dimension_slice_id) into slices from gone;
  delete from _tessera_catalog.chunk where id = any(chunk_ids);
  delete from _tessera_catalog.dimension_slice s
  where s.id = any(slices)
    and not exists (select from _tessera_catalog.chunk_constraint c where c.dimension_slice_id = s.id);
  perform _tessera_functions.build_read_view(h) from unnest(compressed) h;
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
  delete from _tessera_catalog.hypertable_part where chunk_id = any(ids);
  delete from _tessera_catalog.compression_chunk_size where chunk_id = any(ids);
  delete from _tessera_catalog.bgw_policy_chunk_stats where chunk_id = any(ids);
  update _tessera_catalog.chunk set dropped = true, relid = null, compressed_chunk_id = null, status = 0 where id = any(ids);
  perform _tessera_functions.build_read_view(parent.id);
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
  parts _tessera_catalog.hypertable_part[] := array(
    select p from _tessera_catalog.hypertable_part p where p.hypertable_id = any(hypertable_ids) order by p.relation is null);
  part _tessera_catalog.hypertable_part;
begin
  delete from _tessera_catalog.continuous_aggs_invalidation_threshold where hypertable_id = any(hypertable_ids);
  delete from _tessera_catalog.continuous_aggs_hypertable_invalidation_log where hypertable_id = any(hypertable_ids);
  perform _tessera_functions.forget_chunks(array(select id from _tessera_catalog.chunk where hypertable_id = any(hypertable_ids)));
  perform _tessera_functions.drop_read_view(i) from unnest(hypertable_ids) i;
  delete from _tessera_catalog.hypertable where id = any(hypertable_ids);
  foreach part in array parts loop
    perform _tessera_functions.drop_part(part.relation, part.helper);
  end loop;
  perform _tessera_functions.release_roles();
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
  perform _tessera_functions.reject_lost_helpers();
  delete from _tessera_catalog.hypertable_part p where p.relation::oid = any(gone);
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
  maintenance constant text := current_setting('tessera.maintenance', true);
begin
  -- What is altered here by itself is not what others may alter by itself.
  perform set_config('tessera.maintenance', 'on', true);
  select * into h from _tessera_catalog.hypertable t where t.id = sync_hypertable.hypertable_id;
  perform _tessera_functions.record_parts(h.id);
  if _tessera_functions.default_partition(h.relid) is null
    and exists (select from _tessera_catalog.hypertable_part p where p.hypertable_id = h.id and p.chunk_id is null)
  then
    raise exception using
      errcode = '0A000',
      message = format('cannot detach the default partition of hypertable "%s"', h.relid::regclass),
      detail = 'Rows wait there for their chunks.';
  end if;
  perform _tessera_functions.enable_own_triggers(h.id);
  select pg_get_userbyid(relowner) into owner from pg_class where oid = h.relid;
  perform _tessera_functions.admit_owner(h.associated_schema_name, owner);
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
  perform _tessera_functions.build_read_view(h.id);
  perform _tessera_functions.sync_replica_identity(h.id);

  -- Policies run as the owner of the hypertable, whoever that is.
  update _tessera_catalog.bgw_job j set owner = c.relowner
  from pg_class c
  where c.oid = h.relid and j.hypertable_id = h.id and j.proc_schema = '_tessera_functions' and j.owner::oid <> c.relowner;

  -- ALTER TABLE OWNER does not reach partitions.
  for part in
    select format('alter table %s owner to %I', c.oid::regclass, owner) as ddl
    from pg_partition_tree(h.relid) t join pg_class c on c.oid = t.relid
    where pg_get_userbyid(c.relowner) <> owner
    union all
    select format('alter table %s owner to %I', c.oid::regclass, owner)
    from _tessera_catalog.hypertable_part k join pg_class c on c.oid = k.relation
    where k.hypertable_id = h.id and pg_get_userbyid(c.relowner) <> owner
    union all
    select format('alter function %s owner to %I', p.oid::regprocedure, owner)
    from _tessera_catalog.hypertable_part k join pg_proc p on p.oid = k.helper
    where k.hypertable_id = h.id and pg_get_userbyid(p.proowner) <> owner
    union all
    select format('alter statistics %I.%I owner to %I', n.nspname, s.stxname, owner)
    from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace
    where s.oid = _tessera_functions.read_guard(h.relid) and pg_get_userbyid(s.stxowner) <> owner
  loop
    execute part.ddl;
  end loop;
  perform set_config('tessera.maintenance', coalesce(maintenance, ''), true);
end
$$;
comment on function _tessera_functions.sync_hypertable(integer, name) is
  'brings names, columns, chunks and owners in line with what ALTER TABLE did to the hypertable';

create function _tessera_functions.put_aside(what text, state text, message text) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  -- What the transaction itself is at fault for, or another try may do, is no property of what is put aside.
  if state in ('25001', '40001', '40P01', '55P03', '53200') then
    raise exception using errcode = state, message = message;
  end if;
  raise warning '% could not be brought in line: %', what, message
    using errcode = state, hint = 'select * from tessera.doctor();';
end
$$;
comment on function _tessera_functions.put_aside(text, text, text) is
  'says what is wrong with one hypertable or continuous aggregate, which must not keep others from anything';

create function _tessera_functions.sync_hypertables() returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  h record;
  state text;
  said text;
begin
  for h in select t.id, format('hypertable %I.%I', t.schema_name, t.table_name) as name from _tessera_catalog.hypertable t order by t.id loop
    begin
      perform _tessera_functions.sync_hypertable(h.id);
    exception when others then
      get stacked diagnostics state = returned_sqlstate, said = message_text;
      perform _tessera_functions.put_aside(h.name, state, said);
    end;
  end loop;
end
$$;
comment on function _tessera_functions.sync_hypertables() is
  'sync_hypertable() for all; one with which something is wrong is passed over with a warning';

create function _tessera_functions.sync_associated_schemas(renamed oid[]) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  h record;
begin
  for h in
    select k.hypertable_id as id, n.nspname as name
    from _tessera_catalog.hypertable_part k join pg_class c on c.oid = k.relation join pg_namespace n on n.oid = c.relnamespace
    join _tessera_catalog.hypertable t on t.id = k.hypertable_id
    where n.oid = any(renamed) and c.relname = t.associated_table_prefix || '_pending' and t.associated_schema_name <> n.nspname
  loop
    begin
      update _tessera_catalog.hypertable t set associated_schema_name = h.name where t.id = h.id;
    exception when unique_violation then
      perform _tessera_functions.put_aside(format('hypertable %s', h.id), sqlstate, sqlerrm);
    end;
  end loop;
end
$$;
comment on function _tessera_functions.sync_associated_schemas(oid[]) is 'hypertables whose chunks are in a schema that was renamed know its new name';

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
    perform _tessera_functions.sync_associated_schemas(array(
      select e.objid from pg_event_trigger_ddl_commands() e where e.classid = 'pg_namespace'::regclass));
    perform _tessera_functions.sync_hypertables();
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
    perform _tessera_functions.release_roles();
  end if;
  perform set_config('tessera.maintenance', '', true);
end
$$;
comment on function _tessera_functions.on_ddl_command_end() is 'event trigger: the catalog follows ALTER TABLE and ALTER SCHEMA';

create function _tessera_functions.forget_gone() returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  gone record;
begin
  for gone in
    select h.id, format('hypertable %I.%I', h.schema_name, h.table_name) as name, true as whole from _tessera_catalog.hypertable h
    where not exists (select from pg_class c where c.oid = h.relid)
    union all
    select k.id, format('chunk %I.%I', k.schema_name, k.table_name), false from _tessera_catalog.chunk k
    where not k.dropped and not exists (select from pg_class c where c.oid = k.relid)
      and exists (select from _tessera_catalog.hypertable h join pg_class c on c.oid = h.relid where h.id = k.hypertable_id)
  loop
    begin
      if gone.whole then
        perform _tessera_functions.forget_hypertables(array[gone.id]);
      else
        perform _tessera_functions.forget_chunks(array[gone.id]);
      end if;
    exception when others then
      perform _tessera_functions.put_aside(gone.name, sqlstate, sqlerrm);
    end;
  end loop;
end
$$;
comment on function _tessera_functions.forget_gone() is
  'takes hypertables and chunks whose tables are gone out of the catalog; one that resists is passed over with a warning';

create function _tessera_functions.forget_dropped() returns void
language plpgsql security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  -- The event trigger has done so already.
  if exists (select from pg_event_trigger where evtname = 'tessera_sql_drop' and evtenabled <> 'D') then
    return;
  end if;
  perform _tessera_functions.forget_gone();
end
$$;
comment on function _tessera_functions.forget_dropped() is
'Takes hypertables and chunks that were dropped out of the catalog where the server allows no event triggers, which do so.
Privileges: anybody; it changes nothing but the catalog';

create function _tessera_functions.sync_catalog() returns void
language plpgsql security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  -- Before their hypertables are forgotten, which takes the rows of continuous aggregates along.
  perform _tessera_functions.sync_caggs();
  perform _tessera_functions.forget_gone();
  perform _tessera_functions.sync_hypertables();
  perform _tessera_functions.follow_job_owners();
  if not exists (select from pg_event_trigger where evtname = 'tessera_names_ddl' and evtenabled <> 'D') then
    perform _tessera_functions.sync_names(null);
  end if;
  if exists (select from _tessera_catalog.pg_dist_partition) then
    begin
      perform _tessera_functions.sync_distributed();
    exception when others then
      perform _tessera_functions.put_aside('distributed tables', sqlstate, sqlerrm);
    end;
  end if;
  perform _tessera_functions.release_roles();
end
$$;
comment on function _tessera_functions.sync_catalog() is
  'what tessera.sync_catalog() does with the rights of the owner of the extension';

create function tessera.sync_catalog() returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  perform _tessera_functions.sync_catalog();
  perform _tessera_functions.guard_own();
end
$$;
comment on function tessera.sync_catalog() is
'Brings the catalog in line with the tables that exist, and shards in line with their tables when the transaction commits. Event triggers do so by themselves; call it where the server does not allow them, after changes of distributed tables in the same transaction.
Privileges: anybody; it changes nothing but the catalog, drops what is left of continuous aggregates that were dropped, and gives chunks the owner of their hypertable and results the owner of their view. Shards get what their table has already; distributed tables that belong to the caller get the trigger that checks new rows by the policies of row security';

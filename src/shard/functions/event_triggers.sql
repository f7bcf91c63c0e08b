create function _tessera_functions.on_shards_dropped(gone oid[]) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  lost text;
  tables bigint[] := array(
    select p.logicalrelid::oid::int8 from _tessera_catalog.pg_dist_partition p where p.logicalrelid::oid = any(gone));
begin
  if cardinality(tables) > 0 then
    perform _tessera_functions.forget_distributed(tables), _tessera_functions.release_roles();
  end if;
  select s.shard_name into lost from _tessera_catalog.pg_dist_shard s where s.local_relid::oid = any(gone) limit 1;
  if lost is not null and coalesce(current_setting('tessera.maintenance', true), '') <> 'on' then
    raise exception using
      errcode = '2BP01', message = format('cannot drop the foreign table of shard "%s"', lost),
      detail = 'Its rows could not be reached any more.', hint = 'Drop the distributed table.';
  end if;
end
$$;
comment on function _tessera_functions.on_shards_dropped(oid[]) is 'what DROP does to the catalog of shards';

create function _tessera_functions.on_shard_drop() returns event_trigger
language plpgsql security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  changed oid;
begin
  if current_setting('tessera.maintenance', true) = 'on' or not exists (select from _tessera_catalog.pg_dist_partition) then
    return;
  end if;
  -- Parts of tables go with whatever they were made of; an index no longer says whose it was.
  for changed in
    select distinct p.logicalrelid::oid
    from pg_event_trigger_dropped_objects() d
    join _tessera_catalog.pg_dist_partition p
      on case d.object_type
        when 'table column' then p.logicalrelid::oid = d.objid
        when 'table constraint' then p.logicalrelid::oid = to_regclass(format('%I.%I', d.address_names[1], d.address_names[2]))
        when 'index' then p.definition -> 'indexes' @> jsonb_build_array(jsonb_build_object('name', d.object_name))
          or exists (select from _tessera_catalog.pg_dist_key k where k.logicalrelid = p.logicalrelid and k.name = d.object_name and k.kind = 'i')
        when 'statistics object' then p.definition -> 'statistics' @> jsonb_build_array(jsonb_build_object('name', d.object_name))
      end
  loop
    perform _tessera_functions.sync_shards(changed::int8, current_query());
  end loop;
end
$$;
comment on function _tessera_functions.on_shard_drop() is 'event trigger: shards lose the columns, checks, indexes and statistics that their table has lost';

create function _tessera_functions.on_shard_ddl() returns event_trigger
language plpgsql security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  changed oid;
  foreign_table text;
begin
  if current_setting('tessera.maintenance', true) = 'on' then
    return;
  end if;
  if not exists (select from _tessera_catalog.pg_dist_partition) then
    return;
  end if;
  if tg_tag = 'ALTER SCHEMA' then
    perform _tessera_functions.refuse_renamed_schema();
    return;
  end if;
  if tg_tag in ('ALTER TYPE', 'ALTER DOMAIN') then
    perform _tessera_functions.sync_types();
    return;
  end if;
  select s.local_relid::text into foreign_table
  from pg_event_trigger_ddl_commands() e
  join _tessera_catalog.pg_dist_shard s on s.local_relid::oid = e.objid
  where e.classid = 'pg_class'::regclass
  limit 1;
  if foreign_table is not null then
    raise exception using
      errcode = '0A000', message = format('foreign table "%s" leads to a shard and cannot be changed', foreign_table),
      hint = 'Change the distributed table; its shards follow.';
  end if;
  for changed in
    select distinct p.logicalrelid::oid
    from pg_event_trigger_ddl_commands() e
    left join pg_index i on i.indexrelid = e.objid and e.classid = 'pg_class'::regclass
    left join pg_statistic_ext x on x.oid = e.objid and e.classid = 'pg_statistic_ext'::regclass
    left join pg_constraint k on k.oid = e.objid and e.classid = 'pg_constraint'::regclass
    left join pg_inherits h on h.inhrelid = e.objid and e.classid = 'pg_class'::regclass
    join _tessera_catalog.pg_dist_partition p
      on p.logicalrelid::oid in (i.indrelid, x.stxrelid, k.conrelid, h.inhparent) or (p.logicalrelid::oid = e.objid and e.classid = 'pg_class'::regclass)
  loop
    perform _tessera_functions.own_shards(changed);
    perform _tessera_functions.sync_shards(changed::int8, current_query());
  end loop;
end
$$;
comment on function _tessera_functions.on_shard_ddl() is 'event trigger: shards follow ALTER TABLE, CREATE INDEX and the like when the transaction commits';

create function _tessera_functions.sync_distributed() returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  gone constant bigint[] := array(
    select p.logicalrelid::oid::int8 from _tessera_catalog.pg_dist_partition p
    where not exists (select from pg_class c where c.oid = p.logicalrelid::oid));
  part record;
begin
  if cardinality(gone) > 0 then
    perform _tessera_functions.forget_distributed(gone);
  end if;
  perform _tessera_functions.sync_types();
  for part in select p.logicalrelid from _tessera_catalog.pg_dist_partition p order by p.logicalrelid::oid loop
    begin
      perform _tessera_functions.own_shards(part.logicalrelid);
      -- Nobody knows what was said to the table; a type may have been changed by an expression.
      perform _tessera_functions.sync_shards(part.logicalrelid::oid::int8, 'using');
    exception when others then
      perform _tessera_functions.put_aside(format('distributed table %s', part.logicalrelid), sqlstate, sqlerrm);
    end;
  end loop;
end
$$;
comment on function _tessera_functions.sync_distributed() is
  'what tessera.sync_catalog() does for distributed tables: forgets those that were dropped, and has shards and types follow the others';

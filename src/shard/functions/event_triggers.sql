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
    perform _tessera_functions.forget_distributed(tables);
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

create function _tessera_functions.on_shard_ddl() returns event_trigger
language plpgsql security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  changed oid;
begin
  if current_setting('tessera.maintenance', true) = 'on' then
    return;
  end if;
  if not exists (select from _tessera_catalog.pg_dist_partition) then
    return;
  end if;
  if tg_tag in ('DROP INDEX', 'DROP STATISTICS', 'ALTER SCHEMA') then
    perform _tessera_functions.sync_shards(null, current_query());
    return;
  end if;
  for changed in
    select distinct p.logicalrelid::oid
    from pg_event_trigger_ddl_commands() e
    left join pg_index i on i.indexrelid = e.objid and e.classid = 'pg_class'::regclass
    left join pg_statistic_ext x on x.oid = e.objid and e.classid = 'pg_statistic_ext'::regclass
    left join pg_inherits h on h.inhrelid = e.objid and e.classid = 'pg_class'::regclass
    join _tessera_catalog.pg_dist_partition p
      on p.logicalrelid::oid in (i.indrelid, x.stxrelid, h.inhparent) or (p.logicalrelid::oid = e.objid and e.classid = 'pg_class'::regclass)
  loop
    perform _tessera_functions.sync_shards(changed::int8, current_query());
  end loop;
end
$$;
comment on function _tessera_functions.on_shard_ddl() is 'event trigger: shards follow ALTER TABLE, CREATE INDEX and the like when the transaction commits';

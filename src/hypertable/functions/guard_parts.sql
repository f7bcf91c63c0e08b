create function _tessera_functions.hypertable_of_part(relation oid) returns integer
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  -- What is no chunk: PostgreSQL and the hypertable say all that is to be said of it.
  select p.hypertable_id from _tessera_catalog.hypertable_part p where p.relation = $1
  union all
  select h.id from _tessera_catalog.hypertable h join pg_inherits i on i.inhparent = h.relid join pg_class c on c.oid = i.inhrelid
  where c.oid = $1 and pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT'
  union all
  select c.hypertable_id
  from _tessera_catalog.compressed_chunk k
  join _tessera_catalog.chunk c on c.id = k.chunk_id
  left join _tessera_catalog.compression_settings s on s.chunk_id = k.chunk_id
  where $1 in (k.tail, k.remote, k.residue, k.rows_view, k.reader, s.compress_relid)
  limit 1
$$;
comment on function _tessera_functions.hypertable_of_part(oid) is 'the hypertable that a table, foreign table or view was made for, which is neither a hypertable nor a chunk';

create function _tessera_functions.part_refused(act text, part text, hypertable_id integer) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  hypertable constant text := coalesce(
    (select a.user_view::text from _tessera_catalog.continuous_agg a where a.mat_hypertable_id = $3),
    (select h.relid::text from _tessera_catalog.hypertable h where h.id = $3));
begin
  raise exception using
    errcode = '0A000',
    message = format('cannot %s %s, which belongs to "%s"', act, part, hypertable),
    detail = 'It was made by tessera, which finds it as it is.',
    hint = format('Alter or drop "%s"; what belongs to it follows.', hypertable);
end
$$;
comment on function _tessera_functions.part_refused(text, text, integer) is 'raises 0A000 where a part of a hypertable would be changed or dropped by itself';

create function _tessera_functions.enable_own_triggers(hypertable_id integer) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
declare
  off record;
begin
  for off in
    select t.tgrelid::regclass as relation, t.tgname, t.tgname ~ '^tessera_(note|place|truncated|capture_\d+_\d+[a-z]?_[a-z]+)$' as always
    from (
      select x.relid::oid as oid from _tessera_catalog.hypertable h, pg_partition_tree(h.relid) x where h.id = $1
      union
      select p.relation::oid from _tessera_catalog.hypertable_part p where p.hypertable_id = $1 and p.relation is not null
      union
      select v.oid
      from _tessera_catalog.compressed_chunk k
      join _tessera_catalog.chunk c on c.id = k.chunk_id and c.hypertable_id = $1
      join _tessera_catalog.compression_settings s on s.chunk_id = k.chunk_id,
        lateral (values (k.residue::oid), (s.compress_relid::oid)) v(oid)
    ) r
    join pg_trigger t on t.tgrelid = r.oid
    where t.tgenabled = 'D' and not t.tgisinternal and t.tgname ~ '^tessera_'
  loop
    execute format('alter table only %s enable %s trigger %I', off.relation, case when off.always then 'always' else '' end, off.tgname);
  end loop;
end
$$;
comment on function _tessera_functions.enable_own_triggers(integer) is
  'DISABLE TRIGGER ALL is about triggers of users: what rows need to get their chunks and changes to be noted goes on';

create function _tessera_functions.on_part_ddl() returns event_trigger
language plpgsql security definer
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
declare
  changed record;
  sent constant text := current_query();
begin
  if current_setting('tessera.maintenance', true) = 'on' then
    return;
  end if;
  for changed in
    select e.object_identity, coalesce(_tessera_functions.hypertable_of_part(e.objid), s.hypertable_id, f.hypertable_id) as hypertable_id,
      f.hypertable_id is not null as is_function, e.object_type = 'sequence' as is_sequence
    from pg_event_trigger_ddl_commands() e
    left join _tessera_catalog.hypertable_part f on e.classid = 'pg_proc'::regclass and f.helper::oid = e.objid
    left join lateral (
      select _tessera_functions.hypertable_of_part(d.refobjid) as hypertable_id
      from pg_depend d
      where e.object_type = 'sequence' and d.classid = 'pg_class'::regclass and d.objid = e.objid and d.deptype in ('a', 'i') limit 1) s on true
    where e.classid in ('pg_class'::regclass, 'pg_proc'::regclass)
  loop
    continue when changed.hypertable_id is null;
    -- Whom it belongs to is followed. What a restored dump says (defaults, constraints, statistics, attached partitions) is as it was.
    if changed.is_function and sent !~* '\mowner\s+to\M'
      or sent ~* '\m(rename|set\s+schema|(add|drop)\s+column|detach|no\s+inherit|(set\s+data\s+)?type|row\s+level\s+security|options|restart|set\s+unlogged)\M'
      or changed.is_sequence and sent !~* '\m(owner\s+to|owned\s+by|set\s+(un)?logged)\M'
    then
      perform _tessera_functions.part_refused('change', changed.object_identity, changed.hypertable_id);
    end if;
    -- The setting is what it was if this fails.
    begin
      perform set_config('tessera.maintenance', 'on', true);
      perform _tessera_functions.enable_own_triggers(changed.hypertable_id);
      perform set_config('tessera.maintenance', '', true);
    exception when insufficient_privilege then
      raise warning using
        message = format('triggers of "%s" may stay disabled: %s', changed.object_identity, sqlerrm),
        hint = format('Its owner can enable them: alter table %s enable always trigger all;', changed.object_identity);
    end;
  end loop;
end
$$;
comment on function _tessera_functions.on_part_ddl() is
  'event trigger: what was made for a hypertable and is no chunk is neither renamed nor changed by itself, and its triggers stay on';

create function _tessera_functions.reject_lost_helpers() returns void
language plpgsql
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
declare
  lost record;
begin
  if current_setting('tessera.maintenance', true) = 'on' then
    return;
  end if;
  -- Where the hypertable goes as well, it has been forgotten by now.
  select d.object_identity, coalesce(p.hypertable_id, h.id, t.hypertable_id) as hypertable_id into lost
  from pg_event_trigger_dropped_objects() d
  left join _tessera_catalog.hypertable_part p
    on d.classid = 'pg_class'::regclass and p.relation::oid = d.objid or d.classid = 'pg_proc'::regclass and p.helper::oid = d.objid
  left join _tessera_catalog.hypertable h
    on d.object_type = 'table' and h.associated_schema_name = d.schema_name and d.object_name = h.associated_table_prefix || '_default'
  left join lateral (
    select coalesce(_tessera_functions.hypertable_of_part(c.oid), r.id) as hypertable_id
    from pg_class c
    left join _tessera_catalog.hypertable r on r.relid = coalesce(pg_partition_root(c.oid), c.oid)
    where (c.relkind = 'v' or d.address_names[3] ~ '^tessera_')
      and c.oid = case when d.object_type = 'trigger' then to_regclass(format('%I.%I', d.address_names[1], d.address_names[2])) end) t on true
  join pg_class root on root.oid = (select x.relid::oid from _tessera_catalog.hypertable x where x.id = coalesce(p.hypertable_id, h.id, t.hypertable_id))
  where d.original or d.object_type = 'trigger'
  limit 1;
  if found then
    perform _tessera_functions.part_refused('drop', lost.object_identity, lost.hypertable_id);
  end if;
end
$$;
comment on function _tessera_functions.reject_lost_helpers() is 'raises 0A000 when something was dropped without which a hypertable that stays gets no chunks, or its changes are not noted';

create function _tessera_functions.on_part_drop() returns event_trigger
language plpgsql security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  perform _tessera_functions.reject_lost_parts(array(
    select objid from pg_event_trigger_dropped_objects() where classid = 'pg_class'::regclass and objsubid = 0));
  perform _tessera_functions.reject_lost_helpers();
end
$$;
comment on function _tessera_functions.on_part_drop() is 'event trigger: functions, triggers and views of hypertables are not dropped by themselves';

create function _tessera_functions.forget_cagg(mat_hypertable_id integer) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  lost _tessera_catalog.continuous_agg;
  mat regclass;
  raw regclass;
begin
  select h.relid into mat from _tessera_catalog.hypertable h where h.id = forget_cagg.mat_hypertable_id;
  delete from _tessera_catalog.continuous_agg a where a.mat_hypertable_id = forget_cagg.mat_hypertable_id returning * into lost;
  if lost.mat_hypertable_id is null then
    return;
  end if;
  if not exists (select from _tessera_catalog.continuous_agg a where a.raw_hypertable_id = lost.raw_hypertable_id) then
    select h.relid into raw from _tessera_catalog.hypertable h where h.id = lost.raw_hypertable_id;
    if exists (select from pg_class c where c.oid = raw) then
      perform _tessera_functions.disable_capture(raw::oid::int8);
    end if;
    delete from _tessera_catalog.continuous_aggs_hypertable_invalidation_log l where l.hypertable_id = lost.raw_hypertable_id;
  end if;
  -- Dropping the rest fires the event trigger again; by now the row is gone.
  if exists (select from pg_class c where c.oid = mat) then
    execute format('drop table %s', mat);
  end if;
  perform _tessera_functions.drop_part(lost.partial_view, null), _tessera_functions.drop_part(lost.direct_view, null);
end
$$;
comment on function _tessera_functions.forget_cagg(integer) is
  'drops what is internal of a continuous aggregate whose view is gone, and deletes its catalog rows';

create function _tessera_functions.on_cagg_drop() returns event_trigger
language plpgsql security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  gone oid[];
  lost _tessera_catalog.continuous_agg;
begin
  if not exists (select from _tessera_catalog.continuous_agg) then
    return;
  end if;
  gone := array(
    select objid from pg_event_trigger_dropped_objects() where classid = 'pg_class'::regclass and objsubid = 0);
  for lost in
    select a.* from _tessera_catalog.continuous_agg a
    left join _tessera_catalog.hypertable h on h.id = a.raw_hypertable_id
    left join _tessera_catalog.continuous_agg p on p.mat_hypertable_id = a.parent_mat_hypertable_id
    where a.user_view::oid = any(gone) or coalesce(p.user_view, h.relid)::oid = any(gone)
    order by a.mat_hypertable_id desc
  loop
    -- One that shows only what is materialized does not depend on what it was made from.
    if exists (select from pg_class c where c.oid = lost.user_view) then
      execute format('drop view %s cascade', lost.user_view);
      continue;
    end if;
    perform _tessera_functions.forget_cagg(lost.mat_hypertable_id);
  end loop;
  select a.* into lost from _tessera_catalog.continuous_agg a
  where a.partial_view::oid = any(gone) or a.direct_view::oid = any(gone) limit 1;
  if lost.mat_hypertable_id is not null then
    raise exception using
      errcode = '2BP01',
      message = format('cannot drop an internal view of continuous aggregate "%s"', lost.user_view::text),
      hint = format('Run: select drop_continuous_aggregate(%L);', lost.user_view::text);
  end if;
end
$$;
comment on function _tessera_functions.on_cagg_drop() is
  'event trigger: a dropped view takes its continuous aggregate along, and internal views cannot be dropped alone';

create function _tessera_functions.sync_cagg(mat_hypertable_id integer) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  cagg _tessera_catalog.continuous_agg;
  owner name;
  part record;
begin
  update _tessera_catalog.continuous_agg a
  set user_view_schema = un.nspname, user_view_name = u.relname, partial_view_schema = pn.nspname, partial_view_name = p.relname,
    direct_view_schema = dn.nspname, direct_view_name = d.relname
  from pg_class u join pg_namespace un on un.oid = u.relnamespace,
    pg_class p join pg_namespace pn on pn.oid = p.relnamespace,
    pg_class d join pg_namespace dn on dn.oid = d.relnamespace
  where a.mat_hypertable_id = sync_cagg.mat_hypertable_id
    and u.oid = a.user_view and p.oid = a.partial_view and d.oid = a.direct_view
    and (a.user_view_schema, a.user_view_name, a.partial_view_schema, a.partial_view_name, a.direct_view_schema, a.direct_view_name)
      is distinct from (un.nspname, u.relname, pn.nspname, p.relname, dn.nspname, d.relname);
  select * into cagg from _tessera_catalog.continuous_agg a where a.mat_hypertable_id = sync_cagg.mat_hypertable_id;
  if exists (
    select from _tessera_catalog.hypertable h, pg_attribute m
    where h.id = cagg.mat_hypertable_id and m.attrelid = h.relid and m.attnum > 0
      and not exists (
        select from pg_attribute v
        where v.attrelid = cagg.partial_view and v.attnum = m.attnum and v.attname = m.attname and v.atttypid = m.atttypid))
  then
    raise exception using
      errcode = '0A000',
      message = 'operation not supported on materialization tables',
      detail = format('Its columns are those of continuous aggregate "%s".', cagg.user_view::text);
  end if;
  select pg_get_userbyid(c.relowner) into owner from pg_class c where c.oid = cagg.user_view;
  for part in
    select format('alter %s %s owner to %I', case c.relkind when 'v' then 'view' else 'table' end, c.oid::regclass, owner) as ddl
    from pg_class c
    where c.oid in (cagg.partial_view, cagg.direct_view, (select h.relid from _tessera_catalog.hypertable h where h.id = cagg.mat_hypertable_id))
      and pg_get_userbyid(c.relowner) <> owner
  loop
    perform _tessera_functions.admit_owner('_tessera_internal', owner);
    execute part.ddl;
  end loop;
  perform _tessera_functions.sync_hypertable(cagg.mat_hypertable_id);
end
$$;
comment on function _tessera_functions.sync_cagg(integer) is
  'brings names and owners of a continuous aggregate in line with what ALTER VIEW did to it; 0A000 where the columns of its results were changed';

create function _tessera_functions.sync_caggs() returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  lost _tessera_catalog.continuous_agg;
  said text;
  why text;
  state text;
begin
  for lost in
    with recursive gone(id) as (
      select a.mat_hypertable_id from _tessera_catalog.continuous_agg a
      join _tessera_catalog.hypertable h on h.id = a.raw_hypertable_id
      where not exists (select from pg_class c where c.oid = a.user_view)
        or not exists (select from pg_class c where c.oid = h.relid)
      union
      select a.mat_hypertable_id from gone g join _tessera_catalog.continuous_agg a on a.parent_mat_hypertable_id = g.id)
    select a.* from _tessera_catalog.continuous_agg a where a.mat_hypertable_id in (select g.id from gone g)
    -- What reads another one was made later.
    order by a.mat_hypertable_id desc
  loop
    begin
      if exists (select from pg_class c where c.oid = lost.user_view) then
        execute format('drop view %s cascade', lost.user_view);
      end if;
      perform _tessera_functions.forget_cagg(lost.mat_hypertable_id);
    exception when others then
      perform _tessera_functions.put_aside(format('continuous aggregate %s', lost.user_view::text), sqlstate, sqlerrm);
    end;
  end loop;
  for lost in select a.* from _tessera_catalog.continuous_agg a order by a.mat_hypertable_id loop
    begin
      perform _tessera_functions.sync_cagg(lost.mat_hypertable_id);
    exception when others then
      get stacked diagnostics said = message_text, why = pg_exception_detail, state = returned_sqlstate;
      if state not in ('0A000') then
        perform _tessera_functions.put_aside(format('continuous aggregate %s', lost.user_view::text), state, said);
        continue;
      end if;
      raise warning using
        message = format('continuous aggregate "%s": %s', lost.user_view::text, said),
        detail = why,
        hint = 'Undo what was done to the table with its results, or drop the continuous aggregate and create it again.';
    end;
  end loop;
end
$$;
comment on function _tessera_functions.sync_caggs() is
  'the part of tessera.sync_catalog() about continuous aggregates: those whose view or hypertable is gone are forgotten, with what is internal of them, the others brought in line';

create function _tessera_functions.on_cagg_ddl() returns event_trigger
language plpgsql security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  changed int;
begin
  if current_setting('tessera.maintenance', true) = 'on' or not exists (select from _tessera_catalog.continuous_agg) then
    return;
  end if;
  perform set_config('tessera.maintenance', 'on', true);
  for changed in
    select distinct a.mat_hypertable_id
    from pg_event_trigger_ddl_commands() e
    join _tessera_catalog.continuous_agg a
      on tg_tag = 'ALTER SCHEMA' or e.classid = 'pg_class'::regclass and e.objid in (a.user_view, a.partial_view, a.direct_view,
        (select h.relid from _tessera_catalog.hypertable h where h.id = a.mat_hypertable_id))
  loop
    begin
      perform _tessera_functions.sync_cagg(changed);
    exception when others then
      if tg_tag <> 'ALTER SCHEMA' then
        raise;
      end if;
      perform _tessera_functions.put_aside(format('continuous aggregate %s', changed), sqlstate, sqlerrm);
    end;
  end loop;
  perform _tessera_functions.release_roles();
  perform set_config('tessera.maintenance', '', true);
end
$$;
comment on function _tessera_functions.on_cagg_ddl() is 'event trigger: the catalog of continuous aggregates follows ALTER VIEW, ALTER TABLE and ALTER SCHEMA';

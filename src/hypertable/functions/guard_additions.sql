create function _tessera_functions.kind_of_part(relation oid, out hypertable_id integer, out kind text) returns record
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select p.hypertable_id, 'own' from _tessera_catalog.hypertable_part p where p.relation = $1
  union all
  select h.id, 'default'
  from pg_inherits i join _tessera_catalog.hypertable h on h.relid = i.inhparent join pg_class c on c.oid = i.inhrelid
  where c.oid = $1 and pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT'
  union all
  select c.hypertable_id,
    case $1 when k.tail then 'tail' when k.remote then 'remote' when k.residue then 'residue' when k.rows_view then 'rows' else 'segments' end
  from _tessera_catalog.compressed_chunk k
  join _tessera_catalog.chunk c on c.id = k.chunk_id
  left join _tessera_catalog.compression_settings s on s.chunk_id = k.chunk_id
  where $1 in (k.tail, k.remote, k.residue, k.rows_view, s.compress_relid)
  union all
  select a.mat_hypertable_id, case $1 when a.user_view then 'view' else 'query' end
  from _tessera_catalog.continuous_agg a where $1 in (a.user_view, a.partial_view, a.direct_view)
  union all
  select a.mat_hypertable_id, 'results'
  from _tessera_catalog.continuous_agg a
  join _tessera_catalog.hypertable h on h.id = a.mat_hypertable_id and h.relid = coalesce(pg_partition_root($1), $1)
  limit 1
$$;
comment on function _tessera_functions.kind_of_part(oid) is
  'what a relation is to its hypertable or continuous aggregate, if it was made for one; chunks are that for aggregates alone';

create function _tessera_functions.alien_constraint(relation oid, kind text, hypertable_id integer) returns name
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select c.conname
  from pg_constraint c
  where c.conrelid = $1 and c.conparentid = 0 and c.coninhcount = 0
    -- What a dump brings back before it is attached to that of the hypertable looks as if it were the user's.
    and (c.contype in ('c', 'x') or c.contype = 'f' and kind <> 'default' or c.contype in ('u', 'p') and kind not in ('default', 'results'))
    and not (kind = 'segments' and c.contype = 'u' and pg_get_constraintdef(c.oid) = 'UNIQUE (_ts_meta_id)')
    and not exists (
      select from _tessera_catalog.hypertable h join pg_constraint r on r.conrelid = h.relid and r.contype = c.contype
      where h.id = $3 and kind <> 'results' and (
        c.contype = 'c' and pg_get_expr(r.conbin, r.conrelid) = pg_get_expr(c.conbin, c.conrelid)
        or c.contype <> 'c' and pg_get_constraintdef(r.oid) = pg_get_constraintdef(c.oid)))
    and not exists (
      select from _tessera_catalog.chunk_key k where k.hypertable_id = $3 and starts_with(pg_get_constraintdef(c.oid), k.definition))
  limit 1
$$;
comment on function _tessera_functions.alien_constraint(oid, text, integer) is
  'a constraint of a part that neither tessera made nor the hypertable has';

create function _tessera_functions.alien_addition(classid oid, objid oid, tag text, sent text, kind text, hypertable_id integer) returns text
language plpgsql stable
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
declare
  heap constant boolean := kind in ('own', 'default', 'remote', 'residue', 'segments');
  -- No dump says this of them: it brings back what they are when it creates them.
  inner_table constant boolean := kind in ('own', 'residue', 'segments');
begin
  case classid
    when 'pg_rewrite'::regclass then
      return case
        when kind = 'tail' then null
        when kind <> 'view' or exists (select from pg_rewrite r where r.oid = objid and r.ev_type = '1') then 'a rule' end;
    when 'pg_trigger'::regclass then
      return (
        select 'a trigger' from pg_trigger t join pg_proc p on p.oid = t.tgfoid
        where t.oid = objid and kind not in ('tail', 'view', 'query') and not t.tgisinternal and t.tgparentid = 0
          and p.pronamespace <> '_tessera_functions'::regnamespace
          and not exists (select from _tessera_catalog.hypertable_part k where k.helper = p.oid));
    when 'pg_class'::regclass then
      null;
    else
      return null;
  end case;
  if tag = 'CREATE INDEX' then
    return (
      select 'an index that rows may break' from pg_index i
      where i.indexrelid = objid and inner_table and (i.indisunique or i.indexprs is not null or i.indpred is not null));
  end if;
  if kind in ('rows', 'query') then
    return case when tag = 'CREATE VIEW' or sent !~* '\m(owner\s+to|rename|set\s+schema)\M' then 'another definition' end;
  elsif kind = 'view' then
    return case when tag = 'CREATE VIEW' then 'another definition' end;
  end if;
  return case
    when (heap or kind = 'results') and sent ~* '\m(set|drop)\s+not\s+null\M' then 'NOT NULL of its own'
    when heap and sent ~* '\m(drop\s+(identity|expression)|set\s+generated)\M' then 'columns generated in another way'
    when inner_table and sent ~* '\m(set|drop)\s+default\M' then 'another default'
    when (heap or kind = 'results') and sent ~* '\madd\M' and _tessera_functions.alien_constraint(objid, kind, hypertable_id) is not null
      then 'a constraint of its own'
    when (inner_table or kind = 'results') and sent ~* '\midentity\M' and exists (
        select from pg_class c where c.oid = objid and c.relreplident in ('d', 'n')
        union all
        select from pg_attribute a where a.attrelid = objid and a.attidentity <> '' and a.attname <> '_ts_meta_id')
      then 'another identity'
    when kind = 'segments' and sent ~* '\mset\s+storage\M' and exists (
        select from pg_attribute a join pg_type t on t.oid = a.atttypid
        where a.attrelid = objid and a.attstorage = 'p' and t.typstorage <> 'p') then 'values that fit no page'
    when kind = 'results' and sent ~* '\mattach\M' then 'a partition'
    when kind = 'results' and exists (select from pg_class c where c.oid = objid and c.relrowsecurity) then 'row security'
  end;
end
$$;
comment on function _tessera_functions.alien_addition(oid, oid, text, text, text, integer) is
  'what a statement has given to a part that would break it or what it is for; null where nothing';

create function _tessera_functions.on_part_addition() returns event_trigger
language plpgsql security definer
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
declare
  sent constant text := coalesce(current_query(), '');
  added record;
begin
  if current_setting('tessera.maintenance', true) = 'on' then
    return;
  end if;
  for added in
    select x.relation::regclass as relation, p.hypertable_id, p.kind, a.what
    from pg_event_trigger_ddl_commands() e
    cross join lateral (
      select case e.classid
        when 'pg_rewrite'::regclass then (select r.ev_class from pg_rewrite r where r.oid = e.objid)
        when 'pg_trigger'::regclass then (select t.tgrelid from pg_trigger t where t.oid = e.objid)
        when 'pg_class'::regclass then coalesce((select i.indrelid from pg_index i where i.indexrelid = e.objid), e.objid) end as relation) x
    cross join lateral _tessera_functions.kind_of_part(x.relation) p
    cross join lateral _tessera_functions.alien_addition(e.classid, e.objid, tg_tag, sent, p.kind, p.hypertable_id) a(what)
    where p.kind is not null and a.what is not null
    limit 1
  loop
    if added.kind = 'view' then
      raise exception using
        errcode = '0A000',
        message = format('cannot change the query of continuous aggregate "%s"', added.relation),
        detail = 'Its view reads what was materialized of that query.',
        hint = format('Create it again with another query, after: select drop_continuous_aggregate(%L);', added.relation::text);
    end if;
    perform _tessera_functions.part_refused(format('give %s to', added.what), added.relation::text, added.hypertable_id);
  end loop;
end
$$;
comment on function _tessera_functions.on_part_addition() is
  'event trigger: what was made for a hypertable or continuous aggregate gets no constraints, rules, triggers and queries by itself';

create function _tessera_functions.on_part_loss() returns event_trigger
language plpgsql security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  lost record;
begin
  if current_setting('tessera.maintenance', true) = 'on' then
    return;
  end if;
  -- What the hypertable, or the chunk above, has lost as well it has handed on.
  select d.object_identity, p.hypertable_id into lost
  from pg_event_trigger_dropped_objects() d
  cross join lateral (select to_regclass(format('%I.%I', d.address_names[1], d.address_names[2]))::oid as relation) x
  cross join lateral _tessera_functions.kind_of_part(x.relation) p
  join _tessera_catalog.hypertable h on h.id = p.hypertable_id
  where (d.object_type = 'table constraint' and d.original and tg_tag like 'ALTER%' or d.object_type = 'table column' and tg_tag not like 'ALTER%')
    and p.kind in ('own', 'default', 'tail', 'remote', 'residue', 'segments')
    and not exists (
      select from pg_event_trigger_dropped_objects() u
      cross join lateral (select to_regclass(format('%I.%I', u.address_names[1], u.address_names[2]))::oid as relation) y
      where u.object_type = d.object_type and y.relation <> x.relation
        and (y.relation = h.relid or y.relation in (select a.relid from pg_partition_ancestors(x.relation) a)))
  limit 1;
  if lost.hypertable_id is not null then
    perform _tessera_functions.part_refused('drop', lost.object_identity, lost.hypertable_id);
  end if;
  if tg_tag <> 'DROP INDEX' then
    return;
  end if;
  select d.object_identity, h.id as hypertable_id into lost
  from pg_event_trigger_dropped_objects() d
  join _tessera_catalog.hypertable h on h.associated_schema_name = d.schema_name
  join _tessera_catalog.chunk_key k on k.hypertable_id = h.id and k.kind = 'i'
  cross join lateral (
    select c.oid from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = h.relid and pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT'
    union all
    select z.tail from _tessera_catalog.compressed_chunk z join _tessera_catalog.chunk c on c.id = z.chunk_id where c.hypertable_id = h.id) t
  where d.object_type = 'index' and not exists (
    select from pg_index i
    where i.indrelid = t.oid and i.indisunique and substring(pg_get_indexdef(i.indexrelid) from 'USING .*$') = k.definition)
  limit 1;
  if found then
    perform _tessera_functions.part_refused('drop', lost.object_identity, lost.hypertable_id);
  end if;
end
$$;
comment on function _tessera_functions.on_part_loss() is
  'event trigger: what was made for a hypertable and is no chunk keeps its constraints, keys and columns while the hypertable has them';

create function _tessera_functions.on_schema_drop() returns event_trigger
language plpgsql security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  -- The next hypertable makes an empty one anew.
  if exists (select from pg_event_trigger_dropped_objects() d where d.object_type = 'schema' and d.object_name = '_tessera_internal')
    and exists (select from _tessera_catalog.hypertable h where h.associated_schema_name = '_tessera_internal')
  then
    raise exception using
      errcode = '0A000',
      message = 'cannot drop schema "_tessera_internal", which is needed by hypertables',
      detail = 'Chunks of hypertables and results of continuous aggregates are made there.',
      hint = 'To leave tessera with all that is in it: drop extension tessera cascade; drop schema _tessera_internal cascade;';
  end if;
end
$$;
comment on function _tessera_functions.on_schema_drop() is
  'event trigger: the schema for chunks, which is no member of the extension, so that dumps have what is in it, is not dropped while there are hypertables';

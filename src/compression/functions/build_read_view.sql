create function _tessera_functions.drop_read_view(hypertable_id integer) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  known _tessera_catalog.read_view;
begin
  select * into known from _tessera_catalog.read_view v where v.hypertable_id = drop_read_view.hypertable_id;
  if known.hypertable_id is null then
    return;
  end if;
  if exists (select from pg_class c where c.oid = known.relation and c.relkind = 'v') then
    execute format('drop view %s', known.relation);
  end if;
  if exists (select from pg_proc p where p.oid = known.source) then
    execute format('drop function %s', known.source);
  end if;
  delete from _tessera_catalog.read_view v where v.hypertable_id = known.hypertable_id;
end
$$;
comment on function _tessera_functions.drop_read_view(integer) is 'drops the view of tessera_read that reads a hypertable';

create function _tessera_functions.read_view_name(h _tessera_catalog.hypertable, now name) returns name
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  -- The name of the table; with its schema in front where another hypertable has that, or where the schema is somebody's own, who
  -- could have his table read in place of another one otherwise. It stays what it is while it fits.
  select c.name
  from pg_namespace s, lateral (values
    (case when s.nspowner = 'pg_database_owner'::regrole or _tessera_functions.is_trusted(s.nspowner) then 1 end, h.table_name),
    (2, left(h.schema_name || '.' || h.table_name, 63)::name),
    (3, (left(h.table_name, 50) || '.' || h.id)::name)) c(place, name)
  where s.nspname = h.schema_name and c.place is not null and (c.name = now or not exists (
    select from pg_class r where r.relname = c.name and r.relnamespace = 'tessera_read'::regnamespace))
  order by c.name = now desc nulls last, c.place
  limit 1
$$;
comment on function _tessera_functions.read_view_name(_tessera_catalog.hypertable, name) is 'name of the view that reads a hypertable, which may have one now';

create function _tessera_functions.build_read_view(hypertable_id integer) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
-- The body names what the owner of the extension need not be able to see.
set check_function_bodies to off
set client_min_messages to warning
as $$
declare
  h _tessera_catalog.hypertable;
  known _tessera_catalog.read_view;
  maintenance constant text := current_setting('tessera.maintenance', true);
  time_column name;
  names text;
  shown text;
  shape text;
  readers text;
  body text;
  rest text;
  called name;
  view_name name;
  now_named name;
  again boolean;
begin
  select * into h from _tessera_catalog.hypertable t where t.id = build_read_view.hypertable_id;
  select * into known from _tessera_catalog.read_view v where v.hypertable_id = build_read_view.hypertable_id;
  perform set_config('tessera.maintenance', 'on', true);
  if not exists (select from pg_class r where r.oid = h.relid)
    or not exists (select from _tessera_catalog.compression_settings s where s.hypertable_id = h.id and s.chunk_id is null)
    -- Of a chunk that an earlier version compressed; create_read_view() makes what it wants.
    or exists (
      select from _tessera_catalog.compressed_chunk k join _tessera_catalog.chunk c on c.id = k.chunk_id
      where c.hypertable_id = h.id and (k.reader is null or not exists (select from pg_class r where r.oid = k.reader)))
  then
    perform _tessera_functions.drop_read_view(build_read_view.hypertable_id);
    perform set_config('tessera.maintenance', coalesce(maintenance, ''), true);
    return;
  end if;
  select d.column_name into time_column from _tessera_catalog.dimension d where d.hypertable_id = h.id and d.interval_length is not null;
  select string_agg(quote_ident(a.attname), ', ' order by a.attnum),
    string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, null), ', ' order by a.attnum),
    string_agg(format(case when a.attcollation <> y.typcollation then 'r.%1$I collate %2$I.%3$I as %1$I' else 'r.%1$I' end,
      a.attname, n.nspname, l.collname), ', ' order by a.attnum)
  into names, shape, shown
  from pg_attribute a
  join pg_type y on y.oid = a.atttypid
  left join pg_collation l on l.oid = a.attcollation left join pg_namespace n on n.oid = l.collnamespace
  where a.attrelid = h.relid and a.attnum > 0 and not a.attisdropped;
  select string_agg(format(E'\n union all select %s from %s', names, k.reader), '' order by s.range_start, k.chunk_id) into readers
  from _tessera_catalog.compressed_chunk k
  join _tessera_catalog.chunk c on c.id = k.chunk_id and c.hypertable_id = h.id
  left join (_tessera_catalog.chunk_constraint x join _tessera_catalog.dimension_slice s on s.id = x.dimension_slice_id
    join _tessera_catalog.dimension d on d.id = s.dimension_id and d.interval_length is not null) on x.chunk_id = c.id;
  -- Inlined, so whoever reads needs the right to read the hypertable. What the partition key says of compressed rows keeps their
  -- foreign tables out.
  body := format('select %s from %s where (%I is null)::pg_catalog.int4 operator(pg_catalog.=) 0 and (select _tessera_functions.read_view_is_current(%s, ',
    names, h.relid, time_column, h.id);
  rest := format('))%s', readers);
  again := exists (
    select from pg_proc p
    where p.oid = known.source and pg_get_function_result(p.oid) = format('TABLE(%s)', shape));
  select p.proname into called from pg_proc p where p.oid = known.source;
  select c.relname into now_named from pg_class c where c.oid = known.relation and c.relkind = 'v';
  view_name := _tessera_functions.read_view_name(h, now_named);
  if again and now_named = view_name and exists (
    select from pg_proc p where p.oid = known.source and p.prosrc = body || known.generation || rest)
  then
    perform set_config('tessera.maintenance', coalesce(maintenance, ''), true);
    return;
  end if;
  known.generation := coalesce(known.generation, 0) + 1;
  if not again then
    called := format('rows_of_%s_%s', h.id, known.generation);
  end if;
  -- PostgreSQL looks at it, and not at what it calls, to see whether there may be parallel workers: 82-parallel.sql says why not.
  execute format('create or replace function tessera_read.%I() returns table (%s) language sql stable parallel %s as %L', called, shape,
    case when current_setting('server_version_num')::int < 170000 then 'unsafe' else 'safe' end, body || known.generation || rest);
  if now_named <> view_name then
    execute format('alter view tessera_read.%I rename to %I', now_named, view_name);
  end if;
  if not again or now_named is null then
    begin
      execute format('create or replace view tessera_read.%I as select %s from tessera_read.%I() r', view_name, shown, called);
    exception when invalid_table_definition then
      execute format('drop view tessera_read.%I', view_name);
      execute format('create view tessera_read.%I as select %s from tessera_read.%I() r', view_name, shown, called);
    end;
    execute format('grant select on tessera_read.%I to public', view_name);
    execute format('comment on view tessera_read.%I is %L', view_name, format('%s, its compressed chunks decoded by the session that reads them', h.relid));
    if exists (select from pg_proc p where p.oid = known.source and p.proname <> called) then
      execute format('drop function %s', known.source);
    end if;
  end if;
  insert into _tessera_catalog.read_view (hypertable_id, relation, source, generation)
  values (h.id, format('tessera_read.%I', view_name)::regclass, format('tessera_read.%I()', called)::regprocedure, known.generation)
  on conflict on constraint read_view_pkey do update
  set relation = excluded.relation, source = excluded.source, generation = excluded.generation;
  perform set_config('tessera.maintenance', coalesce(maintenance, ''), true);
end
$$;
comment on function _tessera_functions.build_read_view(integer) is
  'makes the view of tessera_read that reads a hypertable anew, unless it is as its chunks are now; drops it where compression is not enabled';

create function _tessera_functions.request_build_read_view(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  perform _tessera_functions.build_read_view((_tessera_functions.hypertable_of_request(caller, payload)).id);
  return null;
end
$$;
comment on function _tessera_functions.request_build_read_view(name, jsonb) is 'makes the view that reads a hypertable';

create function _tessera_functions.request_lock_read_view(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  parent _tessera_catalog.hypertable := _tessera_functions.hypertable_of_request(caller, payload);
  relation regclass := (select v.relation from _tessera_catalog.read_view v where v.hypertable_id = parent.id);
begin
  -- A reader locks it before he plans. So nobody plans by what it was before and runs by what is after.
  if exists (select from pg_class c where c.oid = relation and c.relkind = 'v') then
    execute format('lock table %s in access exclusive mode', relation);
  end if;
  return null;
end
$$;
comment on function _tessera_functions.request_lock_read_view(name, jsonb) is 'keeps readers away until the transaction ends, ACCESS EXCLUSIVE';

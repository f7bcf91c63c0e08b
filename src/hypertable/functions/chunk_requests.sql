create function _tessera_functions.request_draw_chunk_id(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  perform _tessera_functions.hypertable_of_request(caller, payload);
  return to_jsonb(_tessera_functions.draw_id('chunk'));
end
$$;
comment on function _tessera_functions.request_draw_chunk_id(name, jsonb) is 'an id for a chunk that this transaction makes';

create function _tessera_functions.insert_slice(dimension_id int, range_start int8, range_end int8) returns int
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  made int;
begin
  select s.id into made from _tessera_catalog.dimension_slice s where (s.dimension_id, s.range_start, s.range_end) = ($1, $2, $3);
  if made is null then
    insert into _tessera_catalog.dimension_slice (id, dimension_id, range_start, range_end)
    values (_tessera_functions.draw_id('dimension_slice'), $1, $2, $3)
    on conflict do nothing
    returning id into made;
  end if;
  if made is null then
    select s.id into strict made from _tessera_catalog.dimension_slice s where (s.dimension_id, s.range_start, s.range_end) = ($1, $2, $3);
  end if;
  return made;
end
$$;
comment on function _tessera_functions.insert_slice(int, int8, int8) is 'id of a slice, which is recorded if it was not';

create function _tessera_functions.request_add_chunks(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  parent _tessera_catalog.hypertable := _tessera_functions.hypertable_of_request(caller, payload);
  entry jsonb;
  bound jsonb;
  new_id int;
  relation oid;
  slice_id int;
begin
  for entry in select jsonb_array_elements(payload -> 'chunks') loop
    relation := (entry ->> 'oid')::oid;
    new_id := (entry ->> 'id')::int;
    perform _tessera_functions.require_partition(parent.relid, relation);
    -- A chunk that was dropped while aggregates of its rows live on comes back.
    update _tessera_catalog.chunk k
    set schema_name = n.nspname, table_name = c.relname, relid = c.oid, dropped = false, creation_time = now()
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.oid = relation and k.id = new_id and k.dropped and k.hypertable_id = parent.id;
    if not found then
      perform _tessera_functions.claim_id('chunk', new_id);
      insert into _tessera_catalog.chunk (id, hypertable_id, schema_name, table_name, relid)
      select new_id, parent.id, n.nspname, c.relname, c.oid
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.oid = relation;
    end if;
    for bound in select jsonb_array_elements(entry -> 'slices') loop
      if not exists (
        select from _tessera_catalog.dimension where id = (bound ->> 'dimension_id')::int and hypertable_id = parent.id
      ) then
        raise exception using errcode = 'TS002', message = 'dimension does not belong to the hypertable';
      end if;
      slice_id := _tessera_functions.insert_slice(
        (bound ->> 'dimension_id')::int, (bound ->> 'start')::bigint, (bound ->> 'end')::bigint);
      insert into _tessera_catalog.chunk_constraint (chunk_id, dimension_slice_id, constraint_name)
      values (new_id, slice_id, 'constraint_' || slice_id)
      on conflict do nothing;
    end loop;
  end loop;
  return null;
end
$$;
comment on function _tessera_functions.request_add_chunks(name, jsonb) is 'records chunks that were attached, with their slices; one that was dropped and has come back keeps its id and slices';

create function _tessera_functions.request_replace_chunk(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  parent _tessera_catalog.hypertable := _tessera_functions.hypertable_of_request(caller, payload);
  the_chunk int := _tessera_functions.chunk_of_request(parent, payload);
  relation oid := (payload ->> 'relid')::oid;
begin
  perform _tessera_functions.require_partition(parent.relid, relation);
  update _tessera_catalog.chunk c set relid = relation, schema_name = n.nspname, table_name = r.relname
  from pg_class r join pg_namespace n on n.oid = r.relnamespace
  where r.oid = relation and c.id = the_chunk;
  return null;
end
$$;
comment on function _tessera_functions.request_replace_chunk(name, jsonb) is 'records the table that took the place of a chunk';

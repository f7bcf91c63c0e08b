create function _tessera_functions.request_draw_chunk_ids(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  perform _tessera_functions.hypertable_of_request(caller, payload);
  if (payload ->> 'count')::int not between 1 and 32767 then
    raise exception using errcode = '22023', message = 'ids are drawn for 1 to 32767 chunks';
  end if;
  return to_jsonb(_tessera_functions.draw_ids('chunk', (payload ->> 'count')::int));
end
$$;
comment on function _tessera_functions.request_draw_chunk_ids(name, jsonb) is 'ids for chunks that this transaction makes';

create function _tessera_functions.request_add_chunks(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  parent _tessera_catalog.hypertable := _tessera_functions.hypertable_of_request(caller, payload);
  ids int[] := array(select e::int from jsonb_array_elements_text(payload -> 'chunks') with ordinality x(e, o) order by o);
  relations oid[] := array(select e::oid from jsonb_array_elements_text(payload -> 'oids') with ordinality x(e, o) order by o);
  dimensions int[] := array(select e::int from jsonb_array_elements_text(payload -> 'dimensions') with ordinality x(e, o) order by o);
  starts int8[] := array(select e::int8 from jsonb_array_elements_text(payload -> 'starts') with ordinality x(e, o) order by o);
  ends int8[] := array(select e::int8 from jsonb_array_elements_text(payload -> 'ends') with ordinality x(e, o) order by o);
  each int := cardinality(dimensions) / greatest(cardinality(ids), 1);
  revived int[];
begin
  if cardinality(relations) <> cardinality(ids) or each * cardinality(ids) <> cardinality(dimensions)
    or cardinality(starts) <> cardinality(dimensions) or cardinality(ends) <> cardinality(dimensions)
  then
    raise exception using errcode = '22023', message = 'chunks, oids and slices must be as many as each other';
  end if;
  perform _tessera_functions.require_partitions(parent.relid, relations);
  if exists (
    select from unnest(dimensions) w
    where not exists (select from _tessera_catalog.dimension d where d.id = w and d.hypertable_id = parent.id))
  then
    raise exception using errcode = 'TS002', message = 'dimension does not belong to the hypertable';
  end if;
  -- A chunk that was dropped while aggregates of its rows live on comes back.
  with back as (
    update _tessera_catalog.chunk k
    set schema_name = n.nspname, table_name = c.relname, relid = c.oid, dropped = false, creation_time = now()
    from unnest(ids, relations) x(id, relation) join pg_class c on c.oid = x.relation join pg_namespace n on n.oid = c.relnamespace
    where k.id = x.id and k.dropped and k.hypertable_id = parent.id
    returning k.id
  )
  select coalesce(array_agg(b.id), '{}') into revived from back b;
  perform _tessera_functions.claim_ids('chunk', array(select i from unnest(ids) i where i <> all(revived)));
  insert into _tessera_catalog.chunk (id, hypertable_id, schema_name, table_name, relid)
  select x.id, parent.id, n.nspname, c.relname, c.oid
  from unnest(ids, relations) x(id, relation) join pg_class c on c.oid = x.relation join pg_namespace n on n.oid = c.relnamespace
  where x.id <> all(revived);
  insert into _tessera_catalog.dimension_slice (id, dimension_id, range_start, range_end)
  select _tessera_functions.draw_id('dimension_slice'), w.d, w.low, w.high
  from (select distinct * from unnest(dimensions, starts, ends) x(d, low, high)) w
  where not exists (select from _tessera_catalog.dimension_slice s where (s.dimension_id, s.range_start, s.range_end) = (w.d, w.low, w.high))
  on conflict do nothing;
  if exists (
    select from unnest(dimensions, starts, ends) w(d, low, high)
    where not exists (select from _tessera_catalog.dimension_slice s where (s.dimension_id, s.range_start, s.range_end) = (w.d, w.low, w.high)))
  then
    raise exception using errcode = '40001', message = 'another transaction has recorded slices of the same hypertable meanwhile';
  end if;
  insert into _tessera_catalog.chunk_constraint (chunk_id, dimension_slice_id, constraint_name)
  select ids[1 + (w.o - 1) / each], s.id, 'constraint_' || s.id
  from unnest(dimensions, starts, ends) with ordinality w(d, low, high, o)
  join _tessera_catalog.dimension_slice s on (s.dimension_id, s.range_start, s.range_end) = (w.d, w.low, w.high)
  on conflict do nothing;
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

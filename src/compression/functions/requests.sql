create function _tessera_functions.request_set_compression(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  parent _tessera_catalog.hypertable := _tessera_functions.hypertable_of_request(caller, payload);
begin
  perform _tessera_functions.check_settings(parent, payload);
  delete from _tessera_catalog.compression_settings where hypertable_id = parent.id and chunk_id is null;
  if payload ->> 'orderby' is not null then
    insert into _tessera_catalog.compression_settings
      (relid, hypertable_id, segmentby, orderby, orderby_desc, orderby_nullsfirst)
    select parent.relid, parent.id, s.segmentby, s.orderby, s.orderby_desc, s.orderby_nullsfirst
    from _tessera_functions.settings_of_request(payload) s;
  end if;
  perform _tessera_functions.build_read_view(parent.id);
  return null;
end
$$;
comment on function _tessera_functions.request_set_compression(name, jsonb) is 'records how a hypertable compresses, or that it does not';

create function _tessera_functions.check_settings(parent _tessera_catalog.hypertable, payload jsonb) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  wrong text;
begin
  select n.name into wrong
  from (
    select jsonb_array_elements_text(payload -> 'segmentby') as name
    union all
    select e ->> 'column' from jsonb_array_elements(nullif(payload -> 'orderby', 'null')) e) n
  group by n.name
  having count(*) > 1 or not exists (
    select from pg_attribute a where a.attrelid = parent.relid and a.attname = n.name and a.attnum > 0 and not a.attisdropped)
  limit 1;
  if wrong is not null then
    raise exception using
      errcode = '22023', message = format('"%s" must be a column of "%s" and be named once', wrong, parent.relid);
  end if;
end
$$;
comment on function _tessera_functions.check_settings(_tessera_catalog.hypertable, jsonb) is
  'raises 22023 unless a request segments and orders by columns of the hypertable, each once';

create function _tessera_functions.settings_of_request(
  payload jsonb, out segmentby name[], out orderby name[], out orderby_desc boolean[], out orderby_nullsfirst boolean[]
)
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select (select array_agg(v order by o) from jsonb_array_elements_text(payload -> 'segmentby') with ordinality x(v, o))::name[],
    array_agg(e ->> 'column' order by o)::name[],
    array_agg((e ->> 'descending')::boolean order by o),
    array_agg((e ->> 'nullsFirst')::boolean order by o)
  from jsonb_array_elements(payload -> 'orderby') with ordinality x(e, o)
$$;
comment on function _tessera_functions.settings_of_request(jsonb) is 'segmentby and orderby of a request as the catalog keeps them';

create function _tessera_functions.require_part(parent oid, relation oid, kind text) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  -- A relation the catalog points at is read, altered and dropped later: it must be the same owner's.
  if not exists (
    select from pg_class c join pg_class p on p.oid = parent
    where c.oid = relation and c.relkind::text = kind and c.relowner = p.relowner)
  then
    raise exception using errcode = '42809', message = format('"%s" cannot be part of a compressed chunk', relation::regclass);
  end if;
end
$$;
comment on function _tessera_functions.require_part(oid, oid, text) is 'raises 42809 unless the relation is of that kind and has the owner of the hypertable';

create function _tessera_functions.request_compress_chunk(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  parent _tessera_catalog.hypertable := _tessera_functions.hypertable_of_request(caller, payload);
  the_chunk int := _tessera_functions.chunk_of_request(parent, payload);
  size jsonb := payload -> 'sizes';
begin
  perform _tessera_functions.request_replace_chunk(caller, payload);
  perform _tessera_functions.check_settings(parent, payload);
  perform _tessera_functions.require_part(parent.relid, (payload ->> 'tail')::oid, 'r');
  perform _tessera_functions.require_part(parent.relid, (payload ->> 'remote')::oid, 'f');
  if exists (
    select from unnest(array[payload ->> 'tail', payload ->> 'remote']) x
    where not exists (select from pg_inherits i where i.inhrelid = x::oid and i.inhparent = (payload ->> 'relid')::oid))
  then
    raise exception using errcode = '42809', message = 'tail and foreign table must be partitions of the compressed chunk';
  end if;
  perform _tessera_functions.require_part(parent.relid, (payload ->> 'residue')::oid, 'r');
  perform _tessera_functions.require_part(parent.relid, (payload ->> 'segments')::oid, 'r');
  perform _tessera_functions.require_part(parent.relid, (payload ->> 'rows_view')::oid, 'v');
  perform _tessera_functions.require_part(parent.relid, (payload ->> 'reader')::oid, 'v');
  insert into _tessera_catalog.compression_settings
    (relid, hypertable_id, chunk_id, compress_relid, segmentby, orderby, orderby_desc, orderby_nullsfirst)
  select (payload ->> 'relid')::oid, parent.id, the_chunk, (payload ->> 'segments')::oid,
    s.segmentby, s.orderby, s.orderby_desc, s.orderby_nullsfirst
  from _tessera_functions.settings_of_request(payload) s;
  insert into _tessera_catalog.compressed_chunk (chunk_id, tail, remote, residue, rows_view, reader, slice_bounds)
  values (the_chunk, (payload ->> 'tail')::oid, (payload ->> 'remote')::oid, (payload ->> 'residue')::oid,
    (payload ->> 'rows_view')::oid, (payload ->> 'reader')::oid, array(select jsonb_array_elements_text(payload -> 'slice_bounds'))::bigint[]);
  insert into _tessera_catalog.compression_chunk_size
  values (the_chunk,
    (size #>> '{uncompressed,heap}')::bigint, (size #>> '{uncompressed,toast}')::bigint, (size #>> '{uncompressed,index}')::bigint,
    (size #>> '{compressed,heap}')::bigint, (size #>> '{compressed,toast}')::bigint, (size #>> '{compressed,index}')::bigint,
    (size ->> 'rows')::bigint, (size ->> 'segments')::bigint);
  update _tessera_catalog.chunk set status = status | 1 where id = the_chunk;
  perform _tessera_functions.record_parts(parent.id);
  perform _tessera_functions.build_read_view(parent.id);
  return null;
end
$$;
comment on function _tessera_functions.request_compress_chunk(name, jsonb) is 'records a chunk that was compressed';

create function _tessera_functions.request_recompress_chunk(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  parent _tessera_catalog.hypertable := _tessera_functions.hypertable_of_request(caller, payload);
begin
  update _tessera_catalog.compressed_chunk k set generation = generation + 1
  from _tessera_catalog.chunk c
  where c.id = k.chunk_id and c.hypertable_id = parent.id and c.id = (payload ->> 'chunk_id')::int;
  -- Estimates of row counts start from here; the bytes stay what they were just after compressing.
  update _tessera_catalog.compression_chunk_size z
  set numrows_pre_compression = coalesce((payload ->> 'rows')::bigint, z.numrows_pre_compression),
    numrows_post_compression = coalesce((payload ->> 'segments')::bigint, z.numrows_post_compression)
  from _tessera_catalog.chunk c
  where c.id = z.chunk_id and c.hypertable_id = parent.id and c.id = (payload ->> 'chunk_id')::int;
  return null;
end
$$;
comment on function _tessera_functions.request_recompress_chunk(name, jsonb) is 'records that the rows of a compressed chunk were arranged anew';

create function _tessera_functions.request_decompress_chunk(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  parent _tessera_catalog.hypertable := _tessera_functions.hypertable_of_request(caller, payload);
  the_chunk int := _tessera_functions.chunk_of_request(parent, payload);
begin
  delete from _tessera_catalog.compression_settings where chunk_id = the_chunk;
  delete from _tessera_catalog.compressed_chunk where chunk_id = the_chunk;
  delete from _tessera_catalog.hypertable_part where chunk_id = the_chunk;
  delete from _tessera_catalog.compression_chunk_size where chunk_id = the_chunk;
  update _tessera_catalog.chunk set status = status & ~9 where id = the_chunk;
  perform _tessera_functions.request_replace_chunk(caller, payload);
  perform _tessera_functions.build_read_view(parent.id);
  return null;
end
$$;
comment on function _tessera_functions.request_decompress_chunk(name, jsonb) is 'records a chunk that was decompressed';

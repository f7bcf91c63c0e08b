create function _tessera_functions.sync_compression(hypertable_id integer, renamed name) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  h _tessera_catalog.hypertable;
  owner name;
  part record;
begin
  if not exists (select from _tessera_catalog.compression_settings s where s.hypertable_id = sync_compression.hypertable_id) then
    return;
  end if;
  perform _tessera_functions.reject_own_loopback();
  select * into h from _tessera_catalog.hypertable t where t.id = sync_compression.hypertable_id;
  select n.relid::regclass as chunk into part
  from _tessera_catalog.compressed_chunk k
  join _tessera_catalog.chunk n on n.id = k.chunk_id and n.hypertable_id = h.id
  where (select count(*) from pg_inherits i where i.inhparent = n.relid and i.inhrelid in (k.tail, k.remote)) < 2
  limit 1;
  if found then
    raise exception using
      errcode = '0A000',
      message = format('cannot detach a part of compressed chunk "%s"', part.chunk),
      hint = format('Decompress it: select decompress_chunk(%L);', part.chunk::text);
  end if;
  select pg_get_userbyid(relowner) into owner from pg_class where oid = h.relid;
  -- What is no partition does not follow ALTER TABLE OWNER by any means of PostgreSQL's.
  for part in
    select format('alter table %s owner to %I', c.oid::regclass, owner) as ddl
    from pg_class c
    where pg_get_userbyid(c.relowner) <> owner and (
      c.oid in (select t.relid from pg_partition_tree(h.relid) t)
      or c.oid in (select p.relation from _tessera_catalog.hypertable_part p where p.hypertable_id = h.id)
      or c.oid in (
        select x.relation
        from _tessera_catalog.compressed_chunk k
        join _tessera_catalog.chunk n on n.id = k.chunk_id and n.hypertable_id = h.id
        join _tessera_catalog.compression_settings s on s.chunk_id = k.chunk_id,
          lateral (values (k.residue::oid), (k.rows_view::oid), (k.reader::oid), (s.compress_relid::oid)) x(relation)))
    union all
    select format('alter type %s owner to %I', holder, owner)
    from _tessera_catalog.compressed_chunk k
    join _tessera_catalog.chunk n on n.id = k.chunk_id and n.hypertable_id = h.id
    join _tessera_catalog.compression_settings s on s.chunk_id = k.chunk_id,
      _tessera_functions.segment_holders(s.compress_relid) holder
    where owner <> (select pg_get_userbyid(typowner) from pg_type t where t.oid = holder::oid)
    union all
    select format('alter function %s owner to %I', p.oid::regprocedure, owner)
    from _tessera_catalog.hypertable_part k join pg_proc p on p.oid = k.helper
    where k.hypertable_id = h.id and pg_get_userbyid(p.proowner) <> owner
  loop
    execute part.ddl;
  end loop;
  perform _tessera_functions.sync_compressed(h.id, renamed);
  perform _tessera_functions.reject_beside_compression(h.id);
end
$$;
comment on function _tessera_functions.sync_compression(integer, name) is
  'brings compressed chunks in line with what ALTER TABLE did to their hypertable';

create function _tessera_functions.request_rename_compressed(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  parent _tessera_catalog.hypertable := _tessera_functions.hypertable_of_request(caller, payload);
  old name := payload ->> 'old';
  renamed name := payload ->> 'renamed';
  -- The heap that is always there.
  heap oid := (
    select c.oid from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = parent.relid and pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT');
begin
  if exists (select from pg_attribute a where a.attrelid = parent.relid and a.attname = old and not a.attisdropped)
    or not exists (select from pg_attribute a where a.attrelid = parent.relid and a.attname = renamed and not a.attisdropped)
  then
    raise exception using errcode = '22023', message = format('"%s" is no former name of column "%s"', old, renamed);
  end if;
  update _tessera_catalog.compression_settings s
  set segmentby = array_replace(s.segmentby, old, renamed), orderby = array_replace(s.orderby, old, renamed)
  where s.hypertable_id = parent.id;
  update _tessera_catalog.chunk_key k set columns = array_replace(k.columns, old, renamed) where k.hypertable_id = parent.id;
  -- The heaps' own keys followed the column; their text is right again.
  update _tessera_catalog.chunk_key k set definition = pg_get_constraintdef(c.oid)
  from pg_constraint c
  where k.hypertable_id = parent.id and k.kind <> 'i' and c.conrelid = heap and c.contype = k.kind
    and k.columns = array(
      select a.attname from unnest(c.conkey) with ordinality u(n, o)
      join pg_attribute a on a.attrelid = c.conrelid and a.attnum = u.n order by u.o)
    and renamed = any(k.columns);
  update _tessera_catalog.chunk_key k set definition = substring(pg_get_indexdef(i.indexrelid) from 'USING .*$')
  from pg_index i
  where k.hypertable_id = parent.id and k.kind = 'i' and i.indrelid = heap and i.indisunique
    and not exists (select from pg_constraint c where c.conindid = i.indexrelid)
    and k.columns = array(
      select a.attname from unnest(i.indkey::int2[]) with ordinality u(n, o)
      join pg_attribute a on a.attrelid = i.indrelid and a.attnum = u.n where u.o <= i.indnkeyatts order by u.o)
    and renamed = any(k.columns);
  return null;
end
$$;
comment on function _tessera_functions.request_rename_compressed(name, jsonb) is 'records the new name of a column';

create function _tessera_functions.request_repair_chunk(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  parent _tessera_catalog.hypertable := _tessera_functions.hypertable_of_request(caller, payload);
begin
  if payload ->> 'rows_view' is not null then
    perform _tessera_functions.require_part(parent.relid, (payload ->> 'rows_view')::oid, 'v');
  end if;
  if payload ->> 'reader' is not null then
    perform _tessera_functions.require_part(parent.relid, (payload ->> 'reader')::oid, 'v');
  end if;
  if payload ->> 'remote' is not null then
    perform _tessera_functions.require_part(parent.relid, (payload ->> 'remote')::oid, 'f');
  end if;
  update _tessera_catalog.compressed_chunk k
  set rows_view = coalesce((payload ->> 'rows_view')::oid::regclass, k.rows_view), remote = coalesce((payload ->> 'remote')::oid::regclass, k.remote),
    reader = coalesce((payload ->> 'reader')::oid::regclass, k.reader)
  from _tessera_catalog.chunk c
  where c.id = k.chunk_id and c.hypertable_id = parent.id and c.id = (payload ->> 'chunk_id')::int;
  perform _tessera_functions.record_parts(parent.id);
  return null;
end
$$;
comment on function _tessera_functions.request_repair_chunk(name, jsonb) is 'records parts of a compressed chunk that were made again';

create function _tessera_functions.drop_compressed_parts(chunk_ids integer[], cascade boolean) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  part record;
  holder regtype;
  holders regtype[];
  messages text := current_setting('client_min_messages');
begin
  perform _tessera_functions.reject_own_loopback();
  for part in
    select 'view' as kind, k.reader::oid as relation from _tessera_catalog.compressed_chunk k where k.chunk_id = any(chunk_ids)
    union all
    select 'view', k.rows_view::oid from _tessera_catalog.compressed_chunk k where k.chunk_id = any(chunk_ids)
    union all
    select 'table', s.compress_relid::oid from _tessera_catalog.compression_settings s where s.chunk_id = any(chunk_ids)
    union all
    select 'table', k.residue::oid from _tessera_catalog.compressed_chunk k where k.chunk_id = any(chunk_ids)
  loop
    if exists (select from pg_class where oid = part.relation) then
      holders := array(select _tessera_functions.segment_holders(part.relation));
      execute format('drop %s %s%s', part.kind, part.relation::regclass, case when cascade then ' cascade' else '' end);
      foreach holder in array holders loop
        execute format('drop type %s', holder);
      end loop;
    end if;
  end loop;
  for part in
    select p.oid::regprocedure as helper
    from _tessera_catalog.hypertable_part k join pg_proc p on p.oid = k.helper
    where k.chunk_id = any(chunk_ids)
  loop
    -- Its trigger goes with the tail, which goes with the chunk.
    perform set_config('client_min_messages', 'warning', true);
    execute format('drop function %s cascade', part.helper);
    perform set_config('client_min_messages', messages, true);
  end loop;
end
$$;
comment on function _tessera_functions.drop_compressed_parts(integer[], boolean) is
  'drops what belongs to compressed chunks and is no partition; as its caller, who must own it';

create function _tessera_functions.reject_lost_parts(gone oid[]) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  chunk regclass;
begin
  if current_setting('tessera.maintenance', true) = 'on' then
    return;
  end if;
  select c.relid into chunk
  from _tessera_catalog.compressed_chunk k
  join _tessera_catalog.chunk c on c.id = k.chunk_id
  left join _tessera_catalog.compression_settings s on s.chunk_id = k.chunk_id
  where array[k.tail::oid, k.remote::oid, k.residue::oid, k.rows_view::oid, k.reader::oid, s.compress_relid::oid] && gone
  limit 1;
  if chunk is not null then
    raise exception using
      errcode = '0A000',
      message = format('cannot drop a part of compressed chunk "%s"', chunk),
      hint = 'Drop the chunk with drop_chunks() or DROP TABLE, or decompress it.';
  end if;
end
$$;
comment on function _tessera_functions.reject_lost_parts(oid[]) is 'raises 0A000 when a relation was dropped that a compressed chunk needs';

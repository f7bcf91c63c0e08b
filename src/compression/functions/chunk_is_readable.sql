create function _tessera_functions.chunk_is_readable(chunk_id integer, generation bigint) returns boolean
language plpgsql stable security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  perform _tessera_functions.require_own_backend();
  if not exists (
    select from _tessera_catalog.compressed_chunk c
    where c.chunk_id = chunk_is_readable.chunk_id and c.generation = chunk_is_readable.generation)
  then
    raise exception using
      errcode = '40001',
      message = 'could not read a compressed chunk because it changed after this transaction began to read compressed chunks',
      detail = format('Chunk %s was compressed, recompressed or altered meanwhile.', chunk_id),
      hint = 'Retry the transaction.';
  end if;
  return true;
end
$$;
comment on function _tessera_functions.chunk_is_readable(integer, bigint) is
  'condition of every decompression view: true, or 40001 where the snapshot is older than the segments';

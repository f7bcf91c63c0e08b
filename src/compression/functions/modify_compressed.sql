create function _tessera_functions.read_mode() returns integer
language plpgsql stable
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
declare
  statement text;
begin
  if _tessera_functions.loopback_client() is null or current_setting('tessera.taking_apart', true) = 'on' then
    return 0;
  end if;
  statement := current_query();
  if statement ~ '^FETCH \d+ FROM c\d+$' then
    select c.statement into statement from pg_cursors c where c.name = substring(current_query() from 'c\d+$');
  end if;
  -- A join that is shipped as a whole says which of its tables it means.
  if statement ~ ' FOR (UPDATE|SHARE)( OF r\d+)?$' then
    -- Whatever row it finds is in the residue by the time it is changed.
    perform set_config('tessera.taken_apart', 'on', true);
    return 1;
  end if;
  if statement ~ ' WHERE ctid = \$1( RETURNING .*)?$' and current_setting('tessera.taken_apart', true) = 'on' then
    return 2;
  end if;
  return 0;
end
$$;
comment on function _tessera_functions.read_mode() is
'For what postgres_fdw reads a decompression view: 0 to read it, 1 to update or delete row by row what it finds, 2 to do so to one row. For 1 segments are taken apart as they are read, and for 2 they need not be looked at. Where this says 0 instead, all works as well, row by row slowly.';

create function _tessera_functions.writer_xid() returns xid8
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  mark xid8 := nullif(current_setting('tessera.writer', true), '')::xid8;
begin
  if mark is not null then
    return mark;
  end if;
  if _tessera_functions.loopback_client() is null then
    return pg_current_xact_id();
  end if;
  mark := _tessera_functions.client_xid();
  if mark is null and exists (select from pg_cursors c where c.statement ~ ' FOR (UPDATE|SHARE)( OF r[0-9]+)?$') then
    raise exception using
      errcode = '0A000',
      message = 'rows of a compressed chunk cannot be locked by a query',
      hint = 'Leave FOR UPDATE or FOR SHARE out: UPDATE and DELETE lock what they change. Or decompress the chunk: decompress_chunk().';
  end if;
  if mark is null then
    raise exception using
      errcode = '0A000',
      message = 'rows of a compressed chunk can be changed through their hypertable or chunk only',
      hint = 'Use UPDATE or DELETE on the hypertable.';
  end if;
  -- Until the end of this transaction, which ends with the client's.
  perform set_config('tessera.writer', mark::text, true);
  return mark;
end
$$;
comment on function _tessera_functions.writer_xid() is
  'transaction that changes of compressed rows carry: that of the client of a loopback connection, else our own';

create function _tessera_functions.reject_running(mark xid8) returns boolean
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
begin
  if pg_xact_status(mark) = 'in progress' then
    raise exception using
      errcode = '40001',
      message = 'could not serialize access due to concurrent update',
      detail = 'Another transaction is changing the same compressed rows.',
      hint = 'Retry the transaction.';
  end if;
  return true;
end
$$;
comment on function _tessera_functions.reject_running(xid8) is 'true, or raises 40001 while the transaction of a mark has not ended';

create function _tessera_functions.take_apart(chunk_id integer, segment bigint) returns boolean
-- The last of the conditions on a segment. It is costed for each of them, whether the mode asks for it or not: more would have a
-- session whose jit is on compile every plan over the view.
language plpgsql volatile cost 1000
set search_path to pg_catalog, pg_temp
set extra_float_digits to 3
as $$
declare
  segments regclass;
  part _tessera_catalog.compressed_chunk;
  mark xid8 := _tessera_functions.writer_xid();
  before xid8;
  columns text;
begin
  select s.compress_relid into segments from _tessera_catalog.compression_settings s where s.chunk_id = take_apart.chunk_id;
  select * into part from _tessera_catalog.compressed_chunk k where k.chunk_id = take_apart.chunk_id;
  execute format('select _ts_meta_dead from %s where _ts_meta_id = $1 for no key update', segments) into before using segment;
  if before = mark then
    return true;
  end if;
  perform _tessera_functions.reject_running(before);
  if before is not null and _tessera_functions.is_done(before) then
    return false;
  end if;
  select string_agg(quote_ident(a.attname), ', ' order by a.attnum) into columns
  from pg_attribute a
  where a.attrelid = part.residue and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' and a.attname !~ '^_ts_meta_';
  -- The rows are read while the segment is live, and it is marked afterwards.
  perform set_config('tessera.taking_apart', 'on', true);
  execute format(
    'insert into %s (%s, _ts_meta_segment, _ts_meta_row, _ts_meta_tid, _ts_meta_born)
     select %2$s, _ts_meta_segment, _ts_meta_row, ctid, $2 from %s where _ts_meta_segment = $1',
    part.residue, columns, part.rows_view) using segment, mark;
  execute format('update %s set _ts_meta_dead = $2 where _ts_meta_id = $1', segments) using segment, mark;
  perform set_config('tessera.taking_apart', '', true);
  return true;
end
$$;
comment on function _tessera_functions.take_apart(integer, bigint) is
  'copies the rows of a segment into the residue and marks it dead, both with the transaction of the client; false when it is dead already';

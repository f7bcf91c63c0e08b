create function _tessera_functions.read_mode() returns integer
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  statement text;
begin
  if current_setting('application_name') !~ '^tessera loopback ' or current_setting('tessera.taking_apart', true) = 'on' then
    return 0;
  end if;
  statement := current_query();
  if statement ~ '^FETCH \d+ FROM c\d+$' then
    select c.statement into statement from pg_cursors c where c.name = substring(current_query() from 'c\d+$');
  end if;
  if statement ~ ' FOR (UPDATE|SHARE)$' then
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
  mark xid8;
begin
  if current_setting('application_name') !~ '^tessera loopback ' then
    return pg_current_xact_id();
  end if;
  mark := _tessera_functions.client_xid();
  if mark is null then
    raise exception using
      errcode = '0A000',
      message = 'rows of a compressed chunk can be changed through their hypertable or chunk only',
      hint = 'Use UPDATE or DELETE on the hypertable.';
  end if;
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
language plpgsql volatile cost 1000000
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
  perform set_config('tessera.taken_apart', 'on', true);
  return true;
end
$$;
comment on function _tessera_functions.take_apart(integer, bigint) is
  'copies the rows of a segment into the residue and marks it dead, both with the transaction of the client; false when it is dead already';

create function _tessera_functions.keys_of_chunk(chunk integer, out name name, out same text, out changed text) returns setof record
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select k.name,
    (select string_agg(format(case when k.definition ~ 'NULLS NOT DISTINCT' then 'r.%I is not distinct from ($1).%1$I' else 'r.%I = ($1).%1$I' end, c),
      ' and ') from unnest(k.columns) c),
    (select string_agg(format('($1).%I is distinct from ($2).%1$I', c), ' or ') from unnest(k.columns) c)
  from _tessera_catalog.chunk_key k
  join _tessera_catalog.chunk h on h.hypertable_id = k.hypertable_id
  where h.id = chunk and k.kind in ('p', 'u', 'i')
$$;
comment on function _tessera_functions.keys_of_chunk(integer) is
  'unique keys of the heaps of a hypertable: conditions that a row r has the key of $1, and that $1 and $2 differ in it';

create function _tessera_functions.modify_compressed() returns trigger
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  chunk int := tg_argv[0]::int;
  part _tessera_catalog.compressed_chunk;
  mark xid8 := _tessera_functions.writer_xid();
  changed int;
  columns text;
  values text;
  key record;
  inside boolean;
  found_one boolean;
begin
  select * into part from _tessera_catalog.compressed_chunk k where k.chunk_id = chunk;
  for attempt in 1 .. 2 loop
    execute format(
      'update %s set _ts_meta_dead = $3
       where _ts_meta_segment = $1 and _ts_meta_row = $2 and _tessera_functions.is_done(_ts_meta_born)
         and (_ts_meta_dead is null or not _tessera_functions.is_done(_ts_meta_dead))
         and (_ts_meta_dead is null or _tessera_functions.reject_running(_ts_meta_dead))', part.residue)
    using old._ts_meta_segment, old._ts_meta_row, mark;
    get diagnostics changed = row_count;
    exit when changed > 0;
    if attempt = 2 or not _tessera_functions.take_apart(chunk, old._ts_meta_segment) then
      -- This command has changed the row already, as a join may make it try twice.
      return null;
    end if;
  end loop;
  if tg_op = 'DELETE' then
    return old;
  end if;
  select string_agg(quote_ident(a.attname), ', ' order by a.attnum), string_agg(format('$1.%I', a.attname), ', ' order by a.attnum)
  into columns, values
  from pg_attribute a
  where a.attrelid = part.residue and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' and a.attname !~ '^_ts_meta_';
  execute format('select coalesce(%s, true) from (select ($1).*) r',
    pg_get_partition_constraintdef((select c.relid from _tessera_catalog.chunk c where c.id = chunk)))
  into inside using new;
  if not inside then
    raise exception using
      errcode = '23514',
      message = format('new row for relation "%s" violates partition constraint',
        (select c.relid from _tessera_catalog.chunk c where c.id = chunk)),
      detail = 'A row of a compressed chunk cannot move to another chunk.',
      hint = 'Delete the row and insert it again, or decompress the chunk.';
  end if;
  for key in select * from _tessera_functions.keys_of_chunk(chunk) loop
    execute format('select %s', key.changed) into found_one using old, new;
    continue when not found_one;
    -- Two who change keys at a time could give two rows the same one.
    execute format('lock table %s in share row exclusive mode', part.residue);
    execute format('select exists (select from %s r where %s) or exists (select from only %s r where %2$s)',
      part.rows_view, key.same, part.tail) into found_one using new;
    if found_one then
      raise exception using
        errcode = '23505',
        message = format('duplicate key value violates unique constraint "%s"', key.name),
        detail = 'A row of the compressed chunk has that key already.';
    end if;
  end loop;
  execute format(
    'insert into %s (%s, _ts_meta_segment, _ts_meta_row, _ts_meta_tid, _ts_meta_born)
     select %s, n, 1, (''('' || n || '',1)'')::tid, $2 from (select nextval(pg_get_serial_sequence($3, ''_ts_meta_id'')) as n) s',
    part.residue, columns, values)
  using new, mark, (select s.compress_relid::text from _tessera_catalog.compression_settings s where s.chunk_id = chunk);
  return new;
end
$$;
comment on function _tessera_functions.modify_compressed() is
'trigger of a decompression view: takes the segment of the row apart and changes the row in the residue. The change counts when the client of the loopback connection commits, whatever becomes of the connection.';

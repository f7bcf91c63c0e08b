create function _tessera_functions.compression_off(hypertable regclass) returns text
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select format('First: %sselect set_compression(%L, compress => false); enable compression again afterwards.',
    case when exists (
      select from _tessera_catalog.compression_settings s join _tessera_catalog.hypertable h on h.id = s.hypertable_id
      where h.relid = hypertable and s.chunk_id is not null)
    then format('select decompress_chunk(c) from show_chunks(%L) c; ', hypertable::text) else '' end,
    hypertable::text)
$$;
comment on function _tessera_functions.compression_off(regclass) is 'hint: how to get at what cannot be changed while compression is enabled';

create function _tessera_functions.on_key_ddl() returns event_trigger
language plpgsql
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
declare
  name constant text := '((?:"(?:[^"]|"")+"|[\w$]+)(?:\s*\.\s*(?:"(?:[^"]|"")+"|[\w$]+))?)';
  sent text := current_query();
  gone text[];
  dropped text;
  root regclass;
begin
  if sent is null or sent !~* '\m(constraint|unique|primary|foreign)\M' then
    return;
  end if;
  select h.relid into root
  from _tessera_catalog.hypertable h
  join _tessera_catalog.compression_settings s on s.hypertable_id = h.id and s.chunk_id is null
  where h.relid::oid = _tessera_functions.table_called((regexp_match(sent, case tg_tag
    when 'CREATE INDEX' then '^\s*create\s+unique\s+index\M[^(]*\mon\s+(?:only\s+)?' || name
    else '^\s*alter\s+table\s+(?:if\s+exists\s+)?(?:only\s+)?' || name end, 'i'))[1]);
  if root is null then
    return;
  end if;
  for gone in select regexp_matches(sent, '\mdrop\s+constraint\s+(?:if\s+exists\s+)?' || name, 'ig') loop
    dropped := (parse_ident(gone[1]))[1];
    if exists (
      select from _tessera_catalog.chunk_key k join _tessera_catalog.hypertable h on h.id = k.hypertable_id
      where h.relid = root and k.name = dropped)
      and not exists (select from pg_constraint c where c.conrelid = root and c.conname = dropped)
    then
      raise exception using
        errcode = '0A000',
        message = format('cannot drop constraint "%s" of hypertable "%s" while compression is enabled', dropped, root),
        detail = 'Each chunk has the key for itself since compression was enabled.',
        hint = _tessera_functions.compression_off(root);
    end if;
  end loop;
  if tg_tag = 'CREATE INDEX' or sent ~* '\madd\s+(constraint\s+("([^"]|"")+"|[\w$]+)\s+)?(unique|primary\s+key|foreign\s+key|exclude)\M' then
    raise exception using
      errcode = '0A000',
      message = format('cannot add a key to hypertable "%s" while compression is enabled', root),
      hint = _tessera_functions.compression_off(root);
  end if;
exception
  -- What cannot be read is left to PostgreSQL.
  when invalid_parameter_value or invalid_regular_expression then
    return;
end
$$;
comment on function _tessera_functions.on_key_ddl() is
  'event trigger: keys of a hypertable with compression, which the table itself has no more, are neither dropped nor added without a word';

create function _tessera_functions.reject_beside_compression(hypertable_id integer) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  root regclass;
  lost name;
begin
  select h.relid, a.name into root, lost
  from _tessera_catalog.hypertable h
  join _tessera_catalog.compression_settings s on s.hypertable_id = h.id and s.chunk_id is null,
    unnest(coalesce(s.segmentby, '{}') || s.orderby) a(name)
  where h.id = reject_beside_compression.hypertable_id
    and not exists (select from pg_attribute c where c.attrelid = h.relid and c.attname = a.name and not c.attisdropped)
  limit 1;
  if found then
    raise exception using
      errcode = '0A000',
      message = format('cannot drop column "%s", by which chunks are compressed', lost),
      hint = 'Decompress the chunks, and change compress_segmentby and compress_orderby with set_compression().';
  end if;
end
$$;
comment on function _tessera_functions.reject_beside_compression(integer) is 'raises 0A000 when a column that set_compression() was given is gone';

create function _tessera_functions.on_compressed_ddl() returns event_trigger
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  part record;
begin
  if current_setting('tessera.maintenance', true) = 'on' then
    return;
  end if;
  select c.oid::regclass as relation, t.tgname, t.tgtype & 4 > 0 as on_insert, d.logicalrelid is not null as distributed into part
  from pg_event_trigger_ddl_commands() e
  join pg_trigger t on t.oid = e.objid and e.classid = 'pg_trigger'::regclass
  join pg_class c on c.oid = t.tgrelid
  left join _tessera_catalog.pg_dist_partition d on d.logicalrelid = c.oid and d.repmodel = 's'
  left join _tessera_catalog.hypertable h on h.relid = c.oid
  left join _tessera_catalog.compression_settings s on s.hypertable_id = h.id and s.chunk_id is null
  where (t.tgnewtable is not null or t.tgoldtable is not null)
    and (d.logicalrelid is not null or s.hypertable_id is not null and t.tgtype & 24 > 0)
  limit 1;
  if found then
    raise exception using
      errcode = '0A000',
      message = format('trigger "%s" cannot have transition tables', part.tgname),
      detail = case when part.distributed then format('Rows of distributed table "%s" are in foreign tables, of which PostgreSQL collects none.', part.relation)
        else format('Compressed rows of hypertable "%s" are in foreign tables, whose changes PostgreSQL does not collect.', part.relation) end,
      hint = 'Make it a trigger FOR EACH ROW.';
  end if;
  select i.indrelid::regclass as relation into part
  from pg_event_trigger_ddl_commands() e
  join pg_index i on i.indexrelid = e.objid and i.indisunique
  join _tessera_catalog.hypertable h on h.relid = i.indrelid
  join _tessera_catalog.compression_settings s on s.hypertable_id = h.id and s.chunk_id is null
  where e.classid = 'pg_class'::regclass
  limit 1;
  if found then
    raise exception using
      errcode = '0A000',
      message = format('cannot add a key to hypertable "%s" while compression is enabled', part.relation),
      hint = _tessera_functions.compression_off(part.relation);
  end if;
end
$$;
comment on function _tessera_functions.on_compressed_ddl() is 'event trigger: refuses indexes and triggers that foreign partitions cannot have';

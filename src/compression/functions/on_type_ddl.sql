create function _tessera_functions.types_with(type oid) returns setof oid
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  with recursive made_of as (
    select type as oid
    union
    select t.oid
    from made_of m, pg_type t
    where t.typbasetype = m.oid or t.typcategory = 'A' and t.typelem = m.oid
      or t.oid in (select x from pg_range r, unnest(array[r.rngtypid, r.rngmultitypid]) x where r.rngsubtype = m.oid)
      or t.typtype = 'c' and exists (
        select from pg_attribute a where a.attrelid = t.typrelid and a.atttypid = m.oid and not a.attisdropped)
  )
  select oid from made_of
$$;
comment on function _tessera_functions.types_with(oid) is 'the type and all types that are made of it: domains, arrays, ranges, composite types';

create function _tessera_functions.reject_broken_domain(domain oid) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  part record;
begin
  if not exists (select from pg_type t where t.oid = domain and t.typnotnull)
    and not exists (select from pg_constraint c where c.contypid = domain)
  then
    return;
  end if;
  -- What is read through a foreign table is checked on its way in, whether the constraint was to be validated or not.
  for part in
    select a.attrelid::regclass as root, r.relname, k.rows_view as relation, a.attname, format_type(a.atttypid, null) as type,
      format_type(t.typbasetype, t.typtypmod) as base, pg_has_role(r.relowner, 'USAGE') as mine
    from pg_attribute a
    join pg_type t on t.oid = a.atttypid and t.typtype = 'd'
    join pg_class r on r.oid = a.attrelid
    join _tessera_catalog.hypertable h on h.relid = a.attrelid
    join _tessera_catalog.chunk c on c.hypertable_id = h.id
    join _tessera_catalog.compressed_chunk k on k.chunk_id = c.id
    where a.atttypid in (select _tessera_functions.types_with(domain)) and not a.attisdropped
    order by k.chunk_id
  loop
    if not part.mine then
      raise exception using
        errcode = '42501', message = format('must be owner of hypertable "%s"', part.root),
        detail = format('Compressed rows in its column "%s" have to be checked.', part.attname);
    end if;
    begin
      execute format('select count(((x.%I)::%s)::%s) from %s x', part.attname, part.base, part.type, part.relation);
    exception
      when check_violation or not_null_violation then
        raise exception using
          errcode = sqlstate,
          message = format('column "%s" of table "%s" contains values that violate the new constraint', part.attname, part.relname),
          detail = 'They are in a compressed chunk, whose rows a constraint that is NOT VALID holds for as well.';
    end;
  end loop;
end
$$;
comment on function _tessera_functions.reject_broken_domain(oid) is 'raises 23514 or 23502 when compressed rows hold values that a domain does not allow any more';

create function _tessera_functions.on_type_ddl() returns event_trigger
language plpgsql
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
declare
  changed oid;
  part record;
begin
  for changed in select e.objid from pg_event_trigger_ddl_commands() e where e.classid = 'pg_type'::regclass loop
    if tg_tag = 'ALTER DOMAIN' then
      perform _tessera_functions.reject_broken_domain(changed);
    elsif current_query() ~* '\m(value|attribute)\M' and current_query() !~* '\madd\s+value\M' then
      -- Versions before 0.6.0 kept the text of any type.
      select h.relid, a.attname into part
      from pg_attribute a
      join _tessera_catalog.hypertable h on h.relid = a.attrelid
      join _tessera_catalog.compression_settings s on s.hypertable_id = h.id and s.chunk_id is not null
      join pg_attribute p on p.attrelid = s.compress_relid and p.attname = a.attname and p.atttypid = 'bytea'::regtype
      where a.atttypid in (select _tessera_functions.types_with(changed)) and not a.attisdropped
      limit 1;
      if found then
        raise exception using
          errcode = '0A000',
          message = format('cannot change type %s: column "%s" of hypertable "%s" uses it', changed::regtype, part.attname, part.relid),
          detail = 'Chunks that tessera 0.5.0 or before compressed hold the text of its values.',
          hint = format('Decompress and compress them again: select compress_chunk(c) from (select decompress_chunk(c) as c from show_chunks(%L) c) d',
            part.relid::text);
      end if;
    end if;
  end loop;
end
$$;
comment on function _tessera_functions.on_type_ddl() is 'event trigger: compressed rows stay readable whatever becomes of their types';

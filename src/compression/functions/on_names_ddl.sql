create function _tessera_functions.sync_names(changed oid[]) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  h record;
begin
  -- What comes with PostgreSQL keeps its name.
  for h in
    select distinct c.hypertable_id as id
    from _tessera_catalog.compressed_chunk k
    join _tessera_catalog.chunk c on c.id = k.chunk_id
    join _tessera_catalog.hypertable t on t.id = c.hypertable_id
    join pg_attribute a on a.attrelid = t.relid and a.attnum > 0 and not a.attisdropped
    join pg_type y on y.oid = a.atttypid
    left join pg_collation l on l.oid = a.attcollation
    where y.typnamespace <> 'pg_catalog'::regnamespace or l.collnamespace <> 'pg_catalog'::regnamespace
      or y.typelem <> 0 and exists (select from pg_type e where e.oid = y.typelem and e.typnamespace <> 'pg_catalog'::regnamespace)
    group by c.hypertable_id
    having changed is null or bool_or(a.atttypid = any(changed))
  loop
    begin
      perform _tessera_functions.sync_guards(h.id);
    exception when others then
      perform _tessera_functions.put_aside(format('hypertable %s', h.id), sqlstate, sqlerrm);
    end;
  end loop;
end
$$;
comment on function _tessera_functions.sync_names(oid[]) is
  'functions of compressed chunks name types, operators and collations of users: makes them anew for tables that use these types, or any for null';

create function _tessera_functions.on_names_ddl() returns event_trigger
language plpgsql security definer
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
begin
  if current_setting('tessera.maintenance', true) = 'on' then
    return;
  end if;
  if current_query() ~* '\mowner\s+to\M' then
    perform _tessera_functions.follow_job_owners();
  end if;
  if current_query() !~* '\m(rename|set\s+schema)\M' then
    return;
  end if;
  perform _tessera_functions.follow_procedures(current_query());
  if tg_tag in ('ALTER PROCEDURE', 'ALTER FUNCTION', 'ALTER ROUTINE') then
    return;
  end if;
  perform set_config('tessera.maintenance', 'on', true);
  perform _tessera_functions.sync_names(case when tg_tag in ('ALTER TYPE', 'ALTER DOMAIN') then array(
    select _tessera_functions.types_with(e.objid) from pg_event_trigger_ddl_commands() e where e.classid = 'pg_type'::regclass) end);
  perform set_config('tessera.maintenance', '', true);
end
$$;
comment on function _tessera_functions.on_names_ddl() is 'event trigger: rows of compressed chunks can be written whatever their types and operators are called now, and jobs find their procedures';

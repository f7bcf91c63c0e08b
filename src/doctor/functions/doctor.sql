create function _tessera_functions.available_version() returns text
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  found text;
begin
  -- What pg_tle has registered is in no file, so PostgreSQL itself does not list it.
  if to_regprocedure('pgtle.available_extensions()') is not null then
    execute $tle$select default_version from pgtle.available_extensions() where name = 'tessera'$tle$ into found;
  end if;
  return coalesce(found, (select default_version from pg_available_extensions where name = 'tessera'));
exception
  when insufficient_privilege then
    return null;
end
$$;
comment on function _tessera_functions.available_version() is
  'the version CREATE EXTENSION would install, from the files of the server or as registered with pg_tle';

create function tessera.doctor(
  out check_name text, out status text, out detail text, out hint text
) returns setof record
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  installed text;
  available text;
  loaded text;
  missing text[];
  waiting bigint;
  known bigint;
  unguarded text;
  place record;
begin
  select extversion into installed from pg_extension where extname = 'tessera';
  available := _tessera_functions.available_version();

  check_name := 'language';
  begin
    execute 'do $js$ 1 $js$ language plv8';
    status := 'ok'; detail := 'plv8 answers'; hint := null;
  exception when others then
    status := 'error'; detail := sqlerrm;
    hint := E'-- where the server has plv8 installed\ncreate extension if not exists plv8;';
  end;
  return next;

  check_name := 'functions';
  missing := array(
    select f from unnest(_tessera_functions.function_list()) f where to_regprocedure(f) is null);
  if cardinality(missing) = 0 then
    status := 'ok'; detail := cardinality(_tessera_functions.function_list()) || ' functions are there'; hint := null;
  else
    status := 'error'; detail := 'missing: ' || array_to_string(missing, ', ');
    hint := case when installed is null then '-- run the script install.sql of that version again'
      else 'alter extension tessera update to ''reinstall''; alter extension tessera update;' end;
  end if;
  return next;

  check_name := 'version';
  loaded := _tessera_functions.version();
  if installed is null then
    status := 'ok'; detail := 'functions of ' || loaded || ', installed without CREATE EXTENSION'; hint := null;
  elsif installed <> loaded then
    status := 'error'; detail := format('the extension is %s, its functions are of %s', installed, loaded);
    hint := 'alter extension tessera update to ''reinstall''; alter extension tessera update;';
  elsif available is distinct from installed then
    status := 'warning'; detail := format('%s is installed, %s is available', installed, coalesce(available, 'nothing'));
    hint := case when available is not null then 'alter extension tessera update;'
      else '-- put the files of this version back where PostgreSQL looks for extensions, or register pg_tle.sql' end;
  else
    status := 'ok'; detail := installed; hint := null;
  end if;
  return next;

  check_name := 'server';
  if current_setting('server_version_num')::int between 150000 and 150006
    or current_setting('server_version_num')::int between 160000 and 160002 then
    status := 'warning';
    detail := format('date_bin of PostgreSQL %s misplaces exact multiples before the origin, and time_bucket uses it',
      current_setting('server_version'));
    hint := '-- update the server to its newest minor version';
  else
    status := 'ok'; detail := 'PostgreSQL ' || current_setting('server_version'); hint := null;
  end if;
  return next;

  return query select * from _tessera_functions.doctor_workers();
  return query select * from _tessera_functions.doctor_loopback();
  return query select * from _tessera_functions.doctor_nodes();
  return query select * from _tessera_functions.doctor_caggs();
  return query select * from _tessera_functions.doctor_publications();

  check_name := 'event triggers';
  select count(*), count(*) filter (where not exists (select from pg_event_trigger t where t.evtfoid = p.oid and t.evtenabled <> 'D'))
  into known, waiting
  from pg_proc p
  where p.pronamespace = '_tessera_functions'::regnamespace and p.prorettype = 'event_trigger'::regtype
    -- PostgreSQL tells of REINDEX from 17 on.
    and (p.proname <> 'on_reindex' or current_setting('server_version_num')::int >= 170000);
  if waiting = 0 then
    status := 'ok'; detail := 'the catalog follows DDL'; hint := null;
  else
    status := 'warning'; detail := format('%s of %s event triggers are missing or disabled, so the catalog does not follow all DDL', waiting, known);
    hint := E'-- after you rename, move or drop hypertables, chunks, continuous aggregates or distributed tables\nselect tessera.sync_catalog();';
  end if;
  return next;

  check_name := 'catalog';
  select count(*) into waiting
  from (
    select relid::oid as oid from _tessera_catalog.hypertable
    union all
    select relid::oid from _tessera_catalog.chunk where not dropped
    union all
    select logicalrelid::oid from _tessera_catalog.pg_dist_partition
  ) k
  where not exists (select from pg_class c where c.oid = k.oid);
  if waiting = 0 then
    status := 'ok'; detail := 'every hypertable, chunk and distributed table has its table'; hint := null;
  else
    status := 'error'; detail := waiting || ' rows name tables that are gone'; hint := 'select tessera.sync_catalog();';
  end if;
  return next;

  if exists (select from _tessera_catalog.pg_dist_partition) then
    check_name := 'row security';
    select count(*), min(t::text) into waiting, unguarded from _tessera_functions.unguarded_tables() t;
    if waiting = 0 then
      status := 'ok'; detail := 'policies of distributed tables are checked for new rows'; hint := null;
    else
      status := 'error'; detail := format('nobody checks new rows of %s distributed tables with row security, such as %s', waiting, unguarded);
      hint := E'-- as the owner of each\nselect tessera.sync_catalog();';
    end if;
    return next;
  end if;

  if exists (select from _tessera_functions.tables_to_guard()) then
    check_name := 'clauses';
    select count(*), min(t::text) into waiting, unguarded from _tessera_functions.unguarded_reads() t;
    if waiting = 0 then
      status := 'ok'; detail := 'TABLESAMPLE is refused where PostgreSQL would leave it out'; hint := null;
    else
      status := 'warning'; detail := format('PostgreSQL leaves TABLESAMPLE out for %s tables with foreign partitions, such as %s', waiting, unguarded);
      hint := E'-- as the owner of each\nselect tessera.sync_catalog();';
    end if;
    return next;
  end if;

  check_name := 'hypertables';
  status := 'error';
  hint := '-- its owner gives the column its name again, or drops the hypertable';
  waiting := 0;
  for place in
    select h.relid::regclass as relation, d.column_name as name
    from _tessera_catalog.hypertable h join _tessera_catalog.dimension d on d.hypertable_id = h.id join pg_class c on c.oid = h.relid
    where not exists (
      select from pg_attribute a where a.attrelid = h.relid and a.attname = d.column_name and a.attnum > 0 and not a.attisdropped)
    order by h.id
  loop
    waiting := waiting + 1;
    detail := format('%s has no column "%s", which divides it', place.relation, place.name);
    return next;
  end loop;
  if waiting = 0 then
    status := 'ok'; detail := 'every hypertable has the columns that divide it'; hint := null;
    return next;
  end if;

  check_name := 'owners of hypertables';
  select string_agg(format('"%s"', r.rolname), ', ' order by r.rolname),
    string_agg(format('grant %I to %I;', r.rolname, _tessera_functions.extension_owner()), ' ' order by r.rolname)
  into detail, hint
  from pg_roles r
  where r.oid in (select c.relowner from _tessera_catalog.hypertable h join pg_class c on c.oid = h.relid)
    and not pg_has_role(_tessera_functions.extension_owner(), r.oid, 'USAGE');
  if detail is null then
    status := 'ok'; detail := 'the owner of the extension can act for each'; hint := null;
  else
    status := 'warning'; detail := format('built-in jobs cannot look after hypertables of role %s', detail);
  end if;
  return next;

  return query select * from _tessera_functions.doctor_owners();
  return query select * from _tessera_functions.doctor_job_owners();

  check_name := 'default partitions';
  detail := null;
  hint := null;
  for place in
    select h.relid::regclass as relation, p.name
    from _tessera_catalog.hypertable h, _tessera_functions.default_partition(h.relid) p(name)
    -- A policy of row security would be somebody's code.
    where has_table_privilege(p.name, 'select') and not row_security_active(p.name)
  loop
    execute format('select count(*) from only %s', place.name) into waiting;
    if waiting > 0 then
      detail := concat_ws(', ', detail, format('%s rows of %s', waiting, place.relation));
      hint := concat_ws(' ', hint, format('select drain_default_partition(%L);', place.relation));
    end if;
  end loop;
  if detail is null then
    status := 'ok'; detail := 'no rows wait for chunks'; hint := null;
  else
    status := 'warning'; detail := detail || ' wait for chunks';
    hint := E'-- rows with infinite time stay there\n' || hint;
  end if;
  return next;
end
$$;
comment on function tessera.doctor() is
'Looks whether everything tessera stands on is in order: the language, its functions, the version, scheduler, workers and jobs, continuous aggregates, publications, the event triggers, the catalog, rows waiting for chunks. One row per check with status ok, warning or error, and a hint that is a statement to type, with a comment where it is to be typed elsewhere.
Privileges: anybody; default partitions the caller cannot read are left out';

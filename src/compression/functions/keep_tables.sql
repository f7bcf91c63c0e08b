-- DROP EXTENSION takes the catalog and every function along, and with CASCADE the views that read segments. So what is known of
-- hypertables, and what reads their segments, is put into a schema that is no member before; adopt_tables() takes it back.

create function _tessera_functions.columns_to_keep(relation regclass) returns text
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  -- Objects go by their numbers: by the time of adoption a name may belong to another one.
  select string_agg(format(case when a.atttypid in ('regclass'::regtype, 'regrole'::regtype, 'regtype'::regtype, 'regproc'::regtype, 'regprocedure'::regtype)
    then '%L, %I::oid::text' else '%L, %I' end, a.attname, a.attname), ', ' order by a.attnum)
  from pg_attribute a
  where a.attrelid = relation and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
$$;
comment on function _tessera_functions.columns_to_keep(regclass) is 'arguments of jsonb_build_object() for a row of a catalog table';

create function _tessera_functions.kept_is_ours() returns boolean
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  -- Whoever owns the schema can put another function in the place of one that everybody's views call.
  select coalesce(bool_and(r.rolsuper or r.rolname = _tessera_functions.extension_owner()), true)
  from (
    select n.nspowner as owner from pg_namespace n where n.nspname = 'tessera_kept'
    union all
    select c.relowner from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'tessera_kept'
    union all
    select p.proowner from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'tessera_kept') x
  join pg_roles r on r.oid = x.owner
$$;
comment on function _tessera_functions.kept_is_ours() is
  'whether schema tessera_kept, if there is one, and all in it belong to the owner of the extension or to superusers';

create function _tessera_functions.keep_catalog() returns void
language plpgsql
set search_path to pg_catalog, pg_temp
set client_min_messages to warning
as $$
declare
  part record;
begin
  create schema if not exists tessera_kept;
  if not _tessera_functions.kept_is_ours() then
    raise exception using
      errcode = '42501', message = 'schema "tessera_kept" belongs to somebody else',
      detail = 'What is known of hypertables would be kept there.',
      hint = 'alter schema tessera_kept rename to tessera_kept_of_another;';
  end if;
  -- origin: a copy of this table in another database, as a restored dump has it, speaks of objects that are not there.
  create table if not exists tessera_kept.catalog (
    kept_at timestamptz not null, origin oid not null, place int not null, relation name not null, content jsonb not null);
  revoke all on tessera_kept.catalog from public;
  grant usage on schema tessera_kept to public;
  delete from tessera_kept.catalog where kept_at = now();
  for part in
    select c.oid::regclass as name, c.relname, c.relkind, x.condition, x.place
    from pg_extension e, unnest(e.extconfig, e.extcondition) with ordinality x(oid, condition, place) join pg_class c on c.oid = x.oid
    where e.extname = 'tessera' and c.relname !~ '^continuous_agg'
  loop
    if part.relkind = 'S' then
      execute format('insert into tessera_kept.catalog select now(), ''tessera_kept.catalog''::regclass, $1, $2, to_jsonb(last_value) from %s where is_called', part.name)
      using part.place, part.relname;
    else
      execute format('insert into tessera_kept.catalog select now(), ''tessera_kept.catalog''::regclass, $1, $2, jsonb_build_object(%s) from %s %s',
        _tessera_functions.columns_to_keep(part.name), part.name, part.condition)
      using part.place, part.relname;
    end if;
  end loop;
end
$$;
comment on function _tessera_functions.keep_catalog() is 'writes what the catalog says of the tables of users to schema tessera_kept';

create function _tessera_functions.keep_readers() returns void
language plpgsql
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
set client_min_messages to warning
as $$
declare
  part record;
  lost text;
  maintenance constant text := current_setting('tessera.maintenance', true);
begin
  -- What they read is of one moment now, and nobody changes it over the loopback connection any more.
  create or replace function tessera_kept.chunk_is_readable(chunk_id integer, generation bigint) returns boolean
    language sql immutable as 'select true';
  create or replace function tessera_kept.read_mode() returns integer language sql immutable as 'select 0';
  create or replace function tessera_kept.take_apart(chunk_id integer, segment bigint) returns boolean
    language sql immutable as 'select false';
  for part in
    with recursive needed(oid) as (
      select d.refobjid
      from _tessera_catalog.compressed_chunk k
      join pg_rewrite r on r.ev_class = k.rows_view
      join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_proc'::regclass
      union
      select f.oid
      from needed n
      join pg_proc p on p.oid = n.oid and p.proname not in ('chunk_is_readable', 'read_mode', 'take_apart', 'runtime_source'),
        regexp_matches(p.prosrc, '_tessera_functions\.(\w+)\(', 'g') m
      join pg_proc f on f.proname = m[1] and f.pronamespace = '_tessera_functions'::regnamespace
    )
    select p.oid from needed n join pg_proc p on p.oid = n.oid
    where p.pronamespace = '_tessera_functions'::regnamespace and p.proname not in ('chunk_is_readable', 'read_mode', 'take_apart')
    order by p.proname = 'runtime_source' desc, p.oid
  loop
    execute replace(
      regexp_replace(pg_get_functiondef(part.oid), '^(CREATE OR REPLACE FUNCTION )_tessera_functions\.', '\1tessera_kept.'),
      'select _tessera_functions.runtime_source() as source', 'select tessera_kept.runtime_source() as source');
  end loop;
  for part in
    select k.rows_view, h.relid as hypertable, v.relowner as owner
    from _tessera_catalog.compressed_chunk k
    join _tessera_catalog.chunk c on c.id = k.chunk_id join _tessera_catalog.hypertable h on h.id = c.hypertable_id
    join pg_class v on v.oid = k.rows_view
  loop
    if not pg_has_role(part.owner, 'USAGE') then
      raise exception using
        errcode = '42501', message = format('compressed chunks of "%s" could not be read any more', part.hypertable),
        detail = format('They belong to role "%s", of which the current role is no member.', pg_get_userbyid(part.owner)),
        hint = format('Decompress them: select decompress_chunk(c, true) from show_chunks(%L) c;', part.hypertable);
    end if;
    perform set_config('tessera.maintenance', 'on', true);
    execute format('create or replace view %s as %s', part.rows_view,
      replace(pg_get_viewdef(part.rows_view), '_tessera_functions.', 'tessera_kept.'));
    perform set_config('tessera.maintenance', coalesce(maintenance, ''), true);
  end loop;
  select pg_describe_object(d.classid, d.objid, d.objsubid) into lost
  from pg_depend m
  join pg_depend d on d.refclassid = m.classid and d.refobjid = m.objid
  where m.deptype = 'e' and m.refclassid = 'pg_extension'::regclass
    and m.refobjid = (select e.oid from pg_extension e where e.extname = 'tessera')
    and (d.classid = 'pg_proc'::regclass and d.objid in (select p.oid from pg_proc p where p.pronamespace = 'tessera_kept'::regnamespace)
      or d.classid = 'pg_rewrite'::regclass and d.objid in (
        select r.oid from pg_rewrite r join _tessera_catalog.compressed_chunk k on k.rows_view = r.ev_class))
  limit 1;
  if lost is not null then
    raise exception using
      errcode = '2BP01', message = format('%s would be dropped along with tessera', lost),
      hint = 'Decompress all chunks first: select decompress_chunk(c.relid, true) from _tessera_catalog.chunk c join _tessera_catalog.compressed_chunk k on k.chunk_id = c.id;';
  end if;
end
$$;
comment on function _tessera_functions.keep_readers() is
  'copies what decodes segments to schema tessera_kept and has the views of compressed chunks call that';

create function _tessera_functions.drop_readers() returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  part record;
begin
  perform _tessera_functions.drop_read_view(v.hypertable_id) from _tessera_catalog.read_view v;
  for part in
    select k.reader from _tessera_catalog.compressed_chunk k join pg_class r on r.oid = k.reader and pg_has_role(r.relowner, 'USAGE')
  loop
    execute format('drop view %s', part.reader);
  end loop;
  update _tessera_catalog.compressed_chunk k set reader = null where k.reader is not null;
end
$$;
comment on function _tessera_functions.drop_readers() is
  'drops the views of tessera_read and what they are made of, which adopt_tables() makes anew';

create function tessera.keep_tables() returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  guard text;
begin
  perform _tessera_functions.require_extension_owner('keep tables');
  perform set_config('tessera.maintenance', 'on', true);
  perform _tessera_functions.drop_readers();
  perform set_config('tessera.maintenance', '', true);
  perform _tessera_functions.keep_catalog();
  for guard in
    select format('%I.%I', n.nspname, s.stxname)
    from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace join pg_class c on c.oid = s.stxrelid
    where s.oid = _tessera_functions.read_guard(s.stxrelid) and pg_has_role(c.relowner, 'USAGE')
  loop
    execute format('drop statistics %s', guard);
  end loop;
  if exists (select from _tessera_catalog.compressed_chunk) then
    perform _tessera_functions.keep_readers();
  end if;
end
$$;
comment on function tessera.keep_tables() is
'Puts what is needed to read compressed chunks, and what tessera.adopt_tables() needs, where DROP EXTENSION does not reach it. An event trigger does so by itself; where the service allows none, call it in the transaction that drops the extension: until then changes of compressed rows fail.
Privileges: members of the role that owns the extension, and of the owners of compressed hypertables
Errors: 42501 chunks of somebody else, or schema tessera_kept belongs to somebody else';

create function _tessera_functions.keep_tables() returns event_trigger
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  if not _tessera_functions.drops_tessera(current_query()) or not pg_has_role(_tessera_functions.extension_owner(), 'USAGE')
    or not exists (select from _tessera_catalog.hypertable union all select from _tessera_catalog.pg_dist_partition)
  then
    return;
  end if;
  perform tessera.keep_tables();
end
$$;
comment on function _tessera_functions.keep_tables() is
  'event trigger: before DROP EXTENSION tessera, what is needed to read compressed chunks and to adopt hypertables again is put out of its reach';

create function tessera.adopt_tables() returns setof regclass
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  kept timestamptz;
  part record;
  maintenance text := current_setting('tessera.maintenance', true);
begin
  if not pg_has_role(_tessera_functions.extension_owner(), 'USAGE') then
    raise exception using errcode = '42501', message = 'must be a member of the role that owns the extension';
  end if;
  if to_regclass('tessera_kept.catalog') is null then
    raise notice 'there are no tables to adopt';
    return;
  end if;
  -- What somebody else has put there would be believed.
  if not _tessera_functions.kept_is_ours() or (select c.relkind <> 'r' from pg_class c where c.oid = 'tessera_kept.catalog'::regclass) then
    raise exception using
      errcode = '42501', message = 'schema "tessera_kept" does not belong to the owner of the extension',
      detail = 'DROP EXTENSION leaves it to him.';
  end if;
  if exists (select from _tessera_catalog.hypertable union all select from _tessera_catalog.pg_dist_partition) then
    raise exception using
      errcode = '55000', message = 'tables can be adopted only before others are created',
      hint = 'drop extension tessera; create extension tessera; select tessera.adopt_tables();',
      detail = 'They have numbers that tables kept by DROP EXTENSION may have.';
  end if;
  select max(c.kept_at) into kept from tessera_kept.catalog c where c.origin = 'tessera_kept.catalog'::regclass;
  if kept is null then
    raise notice 'there are no tables to adopt';
    return;
  end if;
  for part in
    select c.oid::regclass as name, c.relkind, t.content
    from tessera_kept.catalog t join pg_class c on c.relname = t.relation and c.relnamespace = '_tessera_catalog'::regnamespace
    where t.kept_at = kept and t.origin = 'tessera_kept.catalog'::regclass
      and not (t.relation = 'bgw_job' and t.content ->> 'proc_name' = 'policy_refresh_continuous_aggregate')
    order by t.place, t.ctid
  loop
    if part.relkind = 'S' then
      perform setval(part.name, greatest(part.content::bigint, 1));
    else
      execute format(
        'insert into %1$s (%2$s) overriding system value select %2$s from jsonb_populate_record(null::%1$s, $1) on conflict do nothing',
        part.name,
        (select string_agg(quote_ident(a.attname), ', ') from pg_attribute a
         where a.attrelid = part.name and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' and part.content ? a.attname))
      using part.content;
    end if;
  end loop;
  -- What was dropped, detached or renamed meanwhile.
  perform tessera.sync_catalog();
  delete from _tessera_catalog.compressed_chunk k where not exists (select from pg_class v where v.oid = k.rows_view and v.relkind = 'v');
  perform set_config('tessera.maintenance', 'on', true);
  for part in
    select k.rows_view as name, pg_get_viewdef(k.rows_view) as query from _tessera_catalog.compressed_chunk k
  loop
    execute format('create or replace view %s as %s', part.name, replace(part.query, 'tessera_kept.', '_tessera_functions.'));
  end loop;
  perform set_config('tessera.maintenance', coalesce(maintenance, ''), true);
  for part in
    select h.id, h.relid from _tessera_catalog.hypertable h join _tessera_catalog.compression_settings s on s.hypertable_id = h.id and s.chunk_id is null
  loop
    begin
      perform _tessera_functions.make_readers(part.id);
      perform _tessera_functions.build_read_view(part.id);
    exception when insufficient_privilege then
      raise warning using message = format('there is no view of tessera_read for "%s": %s', part.relid, sqlerrm),
        hint = format('Its owner can make it: select create_read_view(%L);', part.relid::text);
    end;
  end loop;
  delete from tessera_kept.catalog where kept_at = kept;
  perform _tessera_functions.drop_kept();
  return query select h.relid from _tessera_catalog.hypertable h order by h.id;
end
$$;
comment on function tessera.adopt_tables() is
'Takes hypertables, their chunks, compressed or not, and policies that DROP EXTENSION left into the catalog of an extension created anew, and returns the hypertables. Continuous aggregates are to be created again.
Privileges: members of the role that owns the extension; if that is no superuser, of the owners of compressed hypertables as well
Errors: 55000 there are other hypertables already, 42501 what was kept belongs to somebody else';

create function _tessera_functions.drop_kept() returns void
language plpgsql
set search_path to pg_catalog, pg_temp
set client_min_messages to warning
as $$
declare
  copies text;
begin
  if exists (select from tessera_kept.catalog) then
    return;
  end if;
  select string_agg(p.oid::regprocedure::text, ', ') into copies from pg_proc p where p.pronamespace = 'tessera_kept'::regnamespace;
  if copies is not null then
    execute 'drop function ' || copies;
  end if;
  drop table tessera_kept.catalog;
  drop schema tessera_kept;
exception
  -- Something of the user's, or of a table that was not adopted, is in it or needs it.
  when dependent_objects_still_exist then
    null;
end
$$;
comment on function _tessera_functions.drop_kept() is 'drops schema tessera_kept unless it is still needed';

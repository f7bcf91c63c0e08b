create function _tessera_functions.default_partition(root regclass) returns regclass
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  -- By what PostgreSQL says, not by a name, which may have come to be that of a view with somebody's code in it.
  select c.oid::regclass from pg_inherits i join pg_class c on c.oid = i.inhrelid
  where i.inhparent = root and c.relkind = 'r' and pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT'
$$;
comment on function _tessera_functions.default_partition(regclass) is 'where rows of a hypertable wait that have no chunk';

create function _tessera_functions.record_parts(hypertable_id int) returns void
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  -- An OID that means nothing any more must not come to mean something else.
  delete from _tessera_catalog.hypertable_part k
  where k.hypertable_id = $1 and not exists (select from pg_class c where c.oid = k.relation)
    and not exists (select from pg_proc p where p.oid = k.helper);
  -- Whatever bears such a name and belongs to the owner of the hypertable: he could do with it what is done here.
  with h as (
    select h.id, r.relowner as owner, n.oid as place, h.associated_table_prefix as prefix
    from _tessera_catalog.hypertable h join pg_class r on r.oid = h.relid join pg_namespace n on n.nspname = h.associated_schema_name
    where h.id = $1
  ), tails as (
    select h.id, h.owner, k.chunk_id, t.relnamespace as place, t.relname
    from h join _tessera_catalog.chunk c on c.hypertable_id = h.id
    join _tessera_catalog.compressed_chunk k on k.chunk_id = c.id
    join pg_class t on t.oid = k.tail
  )
  insert into _tessera_catalog.hypertable_part (hypertable_id, chunk_id, relation, helper)
  select h.id, null::int, c.oid::regclass, null::regprocedure
  from h join pg_class c on c.relnamespace = h.place and c.relowner = h.owner
    and (c.relname, c.relkind) in ((h.prefix || '_pending', 'r'), (h.prefix || '_places', 'r'), (h.prefix || '_noted', 'f'))
  union all
  select h.id, null, null, p.oid::regprocedure
  from h join pg_proc p on p.pronamespace = h.place and p.proowner = h.owner and p.proname = h.prefix || '_place'
  where p.pronargs = 0 and p.prorettype = 'trigger'::regtype
  union all
  select t.id, t.chunk_id, null, p.oid::regprocedure
  from tails t join pg_proc p on p.pronamespace = t.place and p.proowner = t.owner and p.proname in (t.relname || '_key', t.relname || '_modify')
  where p.pronargs = 0 and p.prorettype = 'trigger'::regtype
  on conflict do nothing
$$;
comment on function _tessera_functions.record_parts(int) is
  'records by OID what was made for a hypertable beside its partitions; from then on names mean nothing';

create function _tessera_functions.request_record_parts(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  perform _tessera_functions.record_parts((_tessera_functions.hypertable_of_request(caller, payload)).id);
  return null;
end
$$;
comment on function _tessera_functions.request_record_parts(name, jsonb) is 'records what was made for a hypertable beside its partitions';

create function _tessera_functions.complete_parts() returns void
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  select _tessera_functions.record_parts(h.id) from _tessera_catalog.hypertable h
  where not exists (select from _tessera_catalog.hypertable_part p where p.hypertable_id = h.id)
$$;
comment on function _tessera_functions.complete_parts() is
  'records the parts of hypertables that came with a dump of a version that did not record them';

create function _tessera_functions.drop_part(relation oid, helper oid) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
set client_min_messages to warning
as $$
declare
  ddl text;
begin
  select format('drop %s %s', case c.relkind when 'f' then 'foreign table' when 'v' then 'view' else 'table' end, c.oid::regclass) into ddl
  from pg_class c where c.oid = relation;
  if ddl is null then
    select format('drop function %s cascade', p.oid::regprocedure) into ddl from pg_proc p where p.oid = helper;
  end if;
  if ddl is not null then
    execute ddl;
  end if;
exception
  when dependent_objects_still_exist then
    raise warning 'left over from a hypertable: %', sqlerrm
      using detail = 'Something else depends on it.', hint = format('%s cascade;', replace(ddl, ' cascade', ''));
end
$$;
comment on function _tessera_functions.drop_part(oid, oid) is
  'drops a table or function that was made for a hypertable; one that others made depend on it stays, with a warning, and holds nobody up';

create function _tessera_functions.require_owner(caller name, relation oid) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  if not coalesce((select pg_has_role(caller, c.relowner, 'USAGE') from pg_class c where c.oid = relation), false) then
    raise exception using errcode = '42501', message = format('must be owner of hypertable "%s"', relation::regclass);
  end if;
end
$$;
comment on function _tessera_functions.require_owner(name, oid) is 'raises 42501 unless the caller may act as the owner of the relation';

create function _tessera_functions.hypertable_of_request(caller name, payload jsonb) returns _tessera_catalog.hypertable
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  found _tessera_catalog.hypertable;
begin
  select * into found from _tessera_catalog.hypertable where id = (payload ->> 'hypertable_id')::int;
  if found.id is null then
    raise exception using errcode = 'TS001', message = format('there is no hypertable with id %s', payload ->> 'hypertable_id');
  end if;
  perform _tessera_functions.require_owner(caller, found.relid);
  return found;
end
$$;
comment on function _tessera_functions.hypertable_of_request(name, jsonb) is 'the hypertable a request is about, after its owner was checked';

create function _tessera_functions.require_partitions(parent regclass, relations oid[]) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  strange regclass;
begin
  select r into strange
  from unnest(relations) r
  left join pg_class c on c.oid = r and c.relowner = (select p.relowner from pg_class p where p.oid = parent)
  where r = parent or pg_partition_root(r) is distinct from parent or c.oid is null or pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT'
  limit 1;
  if found then
    raise exception using
      errcode = '42809', message = format('"%s" is not a partition of "%s"', strange, parent);
  end if;
end
$$;
comment on function _tessera_functions.require_partitions(regclass, oid[]) is
  'raises 42809 unless the relations are partitions of the root, of the same owner and none the default one';

create function _tessera_functions.require_partition(parent regclass, relation oid) returns void
language sql
set search_path to pg_catalog, pg_temp
as $$
  select _tessera_functions.require_partitions($1, array[$2])
$$;
comment on function _tessera_functions.require_partition(regclass, oid) is
  'raises 42809 unless the relation is a partition of the root, of the same owner and not the default one';

create function _tessera_functions.chunk_of_request(parent _tessera_catalog.hypertable, payload jsonb) returns int
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  found int;
begin
  select c.id into found from _tessera_catalog.chunk c
  where c.id = (payload ->> 'chunk_id')::int and c.hypertable_id = parent.id and not c.dropped;
  if found is null then
    raise exception using
      errcode = '42704', message = format('hypertable "%s" has no chunk with id %s', parent.relid, payload ->> 'chunk_id');
  end if;
  return found;
end
$$;
comment on function _tessera_functions.chunk_of_request(_tessera_catalog.hypertable, jsonb) is 'the chunk of the hypertable a request is about';

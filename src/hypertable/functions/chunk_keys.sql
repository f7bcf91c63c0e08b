create function _tessera_functions.keys_of(root regclass)
returns table (name name, kind "char", definition text, columns name[])
language sql stable
set search_path to pg_catalog, pg_temp
as $$
select c.conname, c.contype, pg_get_constraintdef(c.oid),
  array(select a.attname from unnest(c.conkey) with ordinality k(n, o)
    join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.n order by k.o)
from pg_constraint c where c.conrelid = root and c.contype in ('p', 'u', 'f') and c.conparentid = 0
union all
select r.relname, 'i', substring(pg_get_indexdef(i.indexrelid)
    from length(format('CREATE UNIQUE INDEX %I ON ONLY %s ', r.relname, i.indrelid::regclass)) + 1),
  array(select coalesce(a.attname, '') from unnest((i.indkey::int2[])[0:i.indnkeyatts - 1]) with ordinality u(n, o)
    left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = u.n order by u.o)
from pg_index i join pg_class r on r.oid = i.indexrelid
where i.indrelid = root and i.indisunique
  and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.conrelid = i.indrelid)
$$;
comment on function _tessera_functions.keys_of(regclass) is 'keys and foreign keys a table itself has, as its heaps would have them';

create function _tessera_functions.request_demote_keys(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  parent _tessera_catalog.hypertable := _tessera_functions.hypertable_of_request(caller, payload);
begin
  insert into _tessera_catalog.chunk_key (hypertable_id, name, kind, definition, columns)
  select parent.id, k.name, k.kind, k.definition, k.columns from _tessera_functions.keys_of(parent.relid) k;
  return null;
end
$$;
comment on function _tessera_functions.request_demote_keys(name, jsonb) is 'records the keys of a hypertable, which its heaps have for themselves from now on; the hypertable still has them';

create function _tessera_functions.request_promote_keys(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  parent _tessera_catalog.hypertable := _tessera_functions.hypertable_of_request(caller, payload);
begin
  delete from _tessera_catalog.chunk_key where hypertable_id = parent.id;
  return null;
end
$$;
comment on function _tessera_functions.request_promote_keys(name, jsonb) is 'forgets the keys of heaps that their hypertable has again';

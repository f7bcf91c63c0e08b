create function _tessera_functions.request_demote_keys(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  parent _tessera_catalog.hypertable := _tessera_functions.hypertable_of_request(caller, payload);
begin
  insert into _tessera_catalog.chunk_key (hypertable_id, name, kind, definition, columns)
  select parent.id, k ->> 'name', (k ->> 'kind')::"char", k ->> 'definition',
    array(select jsonb_array_elements_text(k -> 'columns'))::name[]
  from jsonb_array_elements(payload -> 'keys') k;
  return null;
end
$$;
comment on function _tessera_functions.request_demote_keys(name, jsonb) is 'records keys that the heaps of a hypertable have for themselves from now on';

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

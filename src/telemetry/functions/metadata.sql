create function _tessera_functions.generate_uuid() returns uuid
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  select gen_random_uuid()
$$;
comment on function _tessera_functions.generate_uuid() is 'a random UUID, version 4';

create function _tessera_functions.merge_metadata() returns trigger
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  -- A dump may bring a key that CREATE EXTENSION has made already.
  update _tessera_catalog.metadata m
  set value = new.value, include_in_telemetry = new.include_in_telemetry
  where m.key = new.key;
  return case when found then null else new end;
end
$$;
comment on function _tessera_functions.merge_metadata() is 'an insert into metadata of a key that is there changes it';

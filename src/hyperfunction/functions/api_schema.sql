create function _tessera_functions.api_schema() returns name
language sql stable
set search_path to pg_catalog, pg_temp
as $$
select n.nspname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where p.oid = '@extschema@.time_bucket(interval, timestamptz)'::regprocedure
$$;
comment on function _tessera_functions.api_schema() is 'the schema that the functions for users are in';

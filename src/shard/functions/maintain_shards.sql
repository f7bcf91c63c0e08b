create function tessera.vacuum_shards(table_name regclass, "full" boolean default false, "analyze" boolean default false) returns bigint
language sql volatile strict
set search_path to pg_catalog, pg_temp
as $$
  select _tessera_functions.request_result('shard.maintain', jsonb_build_object('relid', $1::oid::text,
    'what', 'vacuum' || case when $2 then '_full' else '' end || case when $3 then '_analyze' else '' end))::bigint
$$;
comment on function tessera.vacuum_shards(regclass, boolean, boolean) is
'Runs VACUUM on all placements of a distributed or reference table, one after the other, and returns on how many; what fails on one is a warning. VACUUM itself passes them over.
table_name: the table; null does nothing
full: VACUUM FULL, which locks each shard while it is written anew
analyze: ANALYZE as well
Privileges: owner of the table
Errors: 42P16 it is not distributed, 42501, 25001 it was used in this transaction';

create function tessera.reindex_shards(table_name regclass, concurrently boolean default false) returns bigint
language sql volatile strict
set search_path to pg_catalog, pg_temp
as $$
  select _tessera_functions.request_result('shard.maintain', jsonb_build_object('relid', $1::oid::text,
    'what', 'reindex' || case when $2 then '_concurrently' else '' end))::bigint
$$;
comment on function tessera.reindex_shards(regclass, boolean) is
'Runs REINDEX TABLE on all placements of a distributed or reference table, one after the other, and returns on how many; what fails on one is a warning. REINDEX itself does nothing to them.
table_name: the table; null does nothing
concurrently: without keeping writers out
Privileges: owner of the table
Errors: 42P16 it is not distributed, 42501, 25001 it was used in this transaction';

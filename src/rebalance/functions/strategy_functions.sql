create function @extschema@.citus_shard_cost_1(shardid bigint) returns real
language sql immutable strict
set search_path to pg_catalog, pg_temp
as $$select 1::real$$;
comment on function @extschema@.citus_shard_cost_1(bigint) is 'cost of a shard for strategy by_shard_count: all are alike';

create function @extschema@.citus_node_capacity_1(nodeid integer) returns real
language sql immutable strict
set search_path to pg_catalog, pg_temp
as $$select 1::real$$;
comment on function @extschema@.citus_node_capacity_1(integer) is 'capacity of a node for the built-in strategies: all are alike';

create function @extschema@.citus_shard_allowed_on_node_true(shardid bigint, nodeid integer) returns boolean
language sql immutable strict
set search_path to pg_catalog, pg_temp
as $$select true$$;
comment on function @extschema@.citus_shard_allowed_on_node_true(bigint, integer) is 'where a shard may be for the built-in strategies: everywhere';

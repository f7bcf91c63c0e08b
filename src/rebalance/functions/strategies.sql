create function _tessera_functions.require_signature(function regproc, takes regtype[], gives regtype, what text) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  p pg_proc;
  problem text;
begin
  select * into p from pg_proc where oid = function;
  problem := case
    when p.oid is null then 'There is no such function.'
    when p.pronargs <> cardinality(takes) then format('It takes %s arguments, not %s.', p.pronargs, cardinality(takes))
    when array(select unnest(p.proargtypes::oid[])) <> takes::oid[] then format('Its arguments must be of type %s.', array_to_string(takes, ', '))
    when p.prorettype <> gives then format('It returns %s, not %s.', p.prorettype::regtype, gives)
  end;
  if problem is not null then
    raise exception using errcode = '42P13', message = format('signature for %s is incorrect', what), detail = problem;
  end if;
end
$$;
comment on function _tessera_functions.require_signature(regproc, regtype[], regtype, text) is 'raises 42P13 unless a strategy function has the signature it must have';

create function @extschema@.citus_validate_rebalance_strategy_functions(
  shard_cost_function regproc, node_capacity_function regproc, shard_allowed_on_node_function regproc
) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
begin
  perform _tessera_functions.require_signature(shard_cost_function, array['bigint'::regtype], 'real', 'shard_cost_function');
  perform _tessera_functions.require_signature(node_capacity_function, array['integer'::regtype], 'real', 'node_capacity_function');
  perform _tessera_functions.require_signature(
    shard_allowed_on_node_function, array['bigint'::regtype, 'integer'::regtype], 'boolean', 'shard_allowed_on_node_function');
end
$$;
comment on function @extschema@.citus_validate_rebalance_strategy_functions(regproc, regproc, regproc) is
'Raises 42P13 unless functions have the signatures of a strategy: cost (bigint) gives real, capacity (integer) gives real, allowed (bigint, integer) gives boolean.
Privileges: anybody';

create function _tessera_functions.check_strategy() returns trigger
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  lock table _tessera_catalog.pg_dist_rebalance_strategy in share row exclusive mode;
  perform _tessera_functions.require_signature(new.shard_cost_function, array['bigint'::regtype], 'real', 'shard_cost_function');
  perform _tessera_functions.require_signature(new.node_capacity_function, array['integer'::regtype], 'real', 'node_capacity_function');
  perform _tessera_functions.require_signature(
    new.shard_allowed_on_node_function, array['bigint'::regtype, 'integer'::regtype], 'boolean', 'shard_allowed_on_node_function');
  if new.default_threshold < new.minimum_threshold then
    raise exception using errcode = 'P0001',
      message = format('default_threshold cannot be smaller than minimum_threshold: %s < %s', new.default_threshold, new.minimum_threshold);
  end if;
  if new.default_strategy and exists (
    select from _tessera_catalog.pg_dist_rebalance_strategy s where s.default_strategy and s.name <> new.name)
  then
    raise exception using errcode = 'P0001', message = 'there cannot be two default strategies';
  end if;
  return new;
end
$$;
comment on function _tessera_functions.check_strategy() is 'trigger of pg_dist_rebalance_strategy: signatures, thresholds, one default';

create function _tessera_functions.set_default_strategy(strategy text) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  lock table _tessera_catalog.pg_dist_rebalance_strategy in share row exclusive mode;
  if not exists (select from _tessera_catalog.pg_dist_rebalance_strategy s where s.name = strategy) then
    raise exception using errcode = 'P0001', message = format('strategy with specified name does not exist: "%s"', strategy);
  end if;
  update _tessera_catalog.pg_dist_rebalance_strategy set default_strategy = false where default_strategy;
  update _tessera_catalog.pg_dist_rebalance_strategy set default_strategy = true where name = strategy;
end
$$;
comment on function _tessera_functions.set_default_strategy(text) is 'work behind citus_set_default_rebalance_strategy()';

create function @extschema@.citus_add_rebalance_strategy(
  name name,
  shard_cost_function regproc,
  node_capacity_function regproc,
  shard_allowed_on_node_function regproc,
  default_threshold float4,
  minimum_threshold float4 default 0,
  improvement_threshold float4 default 0
) returns void
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  select _tessera_functions.request_result('rebalance.add_strategy', jsonb_build_object('name', $1, 'cost', $2::oid::text,
    'capacity', $3::oid::text, 'allowed', $4::oid::text, 'threshold', $5, 'minimum', $6, 'improvement', $7))
$$;
comment on function @extschema@.citus_add_rebalance_strategy(name, regproc, regproc, regproc, float4, float4, float4) is
'Adds a way to weigh shards and nodes.
name: its name
shard_cost_function: cost of a shard, (bigint) gives real
node_capacity_function: capacity of a node, (integer) gives real
shard_allowed_on_node_function: whether a shard may be on a node, (bigint, integer) gives boolean
default_threshold: by which part of the average a node may lie above or below it
minimum_threshold: least threshold a caller can ask for
improvement_threshold: least improvement of a move in relation to its cost
Privileges: members of the role that owns the extension
Errors: 42P13 wrong signature, P0001 thresholds out of order, 23505 the name is taken';

create function @extschema@.citus_set_default_rebalance_strategy(name text) returns void
language sql volatile strict
set search_path to pg_catalog, pg_temp
as $$select _tessera_functions.request_result('rebalance.set_default', jsonb_build_object('name', $1))$$;
comment on function @extschema@.citus_set_default_rebalance_strategy(text) is
'Makes a strategy the one that is used when none is named.
name: the strategy
Privileges: members of the role that owns the extension
Errors: P0001 there is no such strategy';

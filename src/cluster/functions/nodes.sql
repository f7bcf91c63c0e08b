create function @extschema@.citus_add_node(
  nodename text,
  nodeport integer,
  groupid integer default -1,
  noderole _tessera_catalog.noderole default 'primary',
  nodecluster name default 'default'
) returns integer
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  select _tessera_functions.request_result('cluster.add_node',
    jsonb_build_object('name', $1, 'port', $2, 'group', $3, 'role', $4, 'cluster', $5, 'active', true))::int
$$;
comment on function @extschema@.citus_add_node(text, integer, integer, _tessera_catalog.noderole, name) is
'Registers a PostgreSQL server as a node and returns its id; shards are placed on it from then on. The server needs nothing but a database of the same name and max_prepared_transactions above 0; wal_level logical for moves that do not block writes.
nodename, nodeport: address at which this server and the other nodes reach it
groupid: 0 for the coordinator itself, -1 for a new group
noderole: primary
nodecluster: default
Privileges: members of the role that owns the extension
Locks: EXCLUSIVE on pg_dist_node
Errors: 08001 it cannot be reached, 55000 it cannot be a node, 22023 it is this database, 0A000 another role than primary';

create function @extschema@.citus_add_inactive_node(
  nodename text,
  nodeport integer,
  groupid integer default -1,
  noderole _tessera_catalog.noderole default 'primary',
  nodecluster name default 'default'
) returns integer
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  select _tessera_functions.request_result('cluster.add_node',
    jsonb_build_object('name', $1, 'port', $2, 'group', $3, 'role', $4, 'cluster', $5, 'active', false))::int
$$;
comment on function @extschema@.citus_add_inactive_node(text, integer, integer, _tessera_catalog.noderole, name) is
'As citus_add_node(), but nothing is placed on the node until citus_activate_node().
nodename, nodeport, groupid, noderole, nodecluster: as there
Privileges: members of the role that owns the extension';

create function @extschema@.citus_set_coordinator_host(
  host text,
  port integer default current_setting('port')::int,
  node_role _tessera_catalog.noderole default 'primary',
  node_cluster name default 'default'
) returns void
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  select _tessera_functions.request_result('cluster.set_coordinator_host', jsonb_build_object('name', $1, 'port', $2))
$$;
comment on function @extschema@.citus_set_coordinator_host(text, integer, _tessera_catalog.noderole, name) is
'Registers the coordinator as a node, without shards, or gives it another address.
host, port: address at which nodes reach this server
node_role, node_cluster: for old callers
Privileges: members of the role that owns the extension';

create function @extschema@.citus_activate_node(nodename text, nodeport integer) returns integer
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  select _tessera_functions.request_result('cluster.activate_node', jsonb_build_object('name', $1, 'port', $2))::int
$$;
comment on function @extschema@.citus_activate_node(text, integer) is
'Makes a node take part again and returns its id. Reference tables are copied to it again before anything uses them there.
nodename, nodeport: the node
Privileges: members of the role that owns the extension';

create function @extschema@.citus_disable_node(nodename text, nodeport integer, synchronous boolean default false) returns void
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  select _tessera_functions.request_result('cluster.disable_node', jsonb_build_object('name', $1, 'port', $2))
$$;
comment on function @extschema@.citus_disable_node(text, integer, boolean) is
'Keeps a node out of placement and of the writing of reference tables, for example while it is repaired.
nodename, nodeport: the node, which must not have the only placement of a shard
synchronous: for old callers; the list of nodes is kept in one place only
Privileges: members of the role that owns the extension
Errors: 55000 the node has the only placement of a shard, or is the coordinator';

create function @extschema@.citus_remove_node(nodename text, nodeport integer) returns void
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  select _tessera_functions.request_result('cluster.remove_node', jsonb_build_object('name', $1, 'port', $2))
$$;
comment on function @extschema@.citus_remove_node(text, integer) is
'Forgets a node, after it has dropped there what earlier moves and other operations left. Roles and copies of reference
tables stay there. What a node that does not answer still has is kept in mind: the doctor tells it, and it goes when the
node is added again.
nodename, nodeport: the node, which must not have the only placement of a shard
Privileges: members of the role that owns the extension
Locks: EXCLUSIVE on pg_dist_node
Errors: 42704 no such node, 55000 it has the only placement of a shard, or what an operation left there cannot be dropped yet';

create function tessera.forget_removed_node(nodename text, nodeport integer) returns void
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  select _tessera_functions.request_result('cluster.forget_removed_node', jsonb_build_object('name', $1, 'port', $2))
$$;
comment on function tessera.forget_removed_node(text, integer) is
'Ends the doctor''s warning about a node that was removed while it did not answer, when its server is gone for good.
nodename, nodeport: where it was
Privileges: members of the role that owns the extension
Errors: 42704 no removed node of that address has anything left';

create function @extschema@.citus_update_node(
  node_id integer,
  new_node_name text,
  new_node_port integer,
  force boolean default false,
  lock_cooldown integer default 10000
) returns void
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  select _tessera_functions.request_result('cluster.update_node', jsonb_build_object('id', $1, 'name', $2, 'port', $3))
$$;
comment on function @extschema@.citus_update_node(integer, text, integer, boolean, integer) is
'Gives a node another address, after a fail-over. Transactions that are using the old address keep it to their end.
node_id: the node
new_node_name, new_node_port: where it is now
force, lock_cooldown: for old callers; nothing is waited for
Privileges: members of the role that owns the extension
Errors: P0002 no such node, 55000 the address is that of another node';

create function @extschema@.citus_set_node_property(nodename text, nodeport integer, property text, value boolean) returns void
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  select _tessera_functions.request_result('cluster.set_node_property',
    jsonb_build_object('name', $1, 'port', $2, 'property', $3, 'value', $4))
$$;
comment on function @extschema@.citus_set_node_property(text, integer, text, boolean) is
'Sets whether a node is to have shards. Those it has stay until citus_drain_node() or a rebalance.
nodename, nodeport: the node
property: shouldhaveshards
value: the new value
Privileges: members of the role that owns the extension
Errors: 22023 another property';

create function tessera.set_node_auth(authinfo text, nodename text default null, nodeport integer default null) returns void
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  select _tessera_functions.request_result('cluster.set_node_auth',
    jsonb_build_object('authinfo', $1, 'name', $2, 'port', $3))
$$;
comment on function tessera.set_node_auth(text, text, integer) is
'Sets how the owner of the extension connects to nodes: user=… password=… dbname=… sslmode=…. To be called before citus_add_node() where trust is not enough.
authinfo: libpq options; user is the current owner of the extension unless given, dbname the name of this database
nodename, nodeport: one node; null for all that have nothing of their own
Privileges: members of the role that owns the extension; nobody else can read it
Errors: 22023 no list of options';

create function tessera.adopt_nodes() returns integer
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  adopted constant int := _tessera_functions.request_result('cluster.adopt_nodes', '{}')::int;
begin
  perform _tessera_functions.request_result('shard.adopt', '{}');
  return adopted;
end
$$;
comment on function tessera.adopt_nodes() is
'Lets this database, which is a copy or was restored from a dump, manage the nodes of the database it comes from, and returns how many. Only for when that one is gone for good: it cannot log in to shards any more. What it had prepared on nodes is committed if this database knows of it, and rolled back if not. Where nodes ask for passwords, call tessera.set_node_auth() first.
Privileges: members of the role that owns the extension
Locks: EXCLUSIVE on pg_dist_node
Errors: 55000 the original is still a database of this server, 08001 a node cannot be reached';

create function @extschema@.citus_get_active_worker_nodes(out node_name text, out node_port bigint) returns setof record
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select n.nodename, n.nodeport from _tessera_catalog.pg_dist_node n
  where n.isactive and n.noderole = 'primary' and n.groupid <> 0 order by n.nodename collate "C", n.nodeport
$$;
comment on function @extschema@.citus_get_active_worker_nodes() is 'addresses of the active nodes, without the coordinator';

create function @extschema@.citus_is_coordinator() returns boolean
language sql stable
set search_path to pg_catalog, pg_temp
as $$select true$$;
comment on function @extschema@.citus_is_coordinator() is 'true: only the coordinator has tessera';

create function @extschema@.citus_coordinator_nodeid() returns integer
language sql stable
set search_path to pg_catalog, pg_temp
as $$select coalesce((select nodeid from _tessera_catalog.pg_dist_node where groupid = 0), -1)$$;
comment on function @extschema@.citus_coordinator_nodeid() is 'id of the coordinator, -1 when it is not registered as a node';

create function @extschema@.citus_nodename_for_nodeid(nodeid integer) returns text
language sql stable strict
set search_path to pg_catalog, pg_temp
as $$select n.nodename from _tessera_catalog.pg_dist_node n where n.nodeid = $1$$;
comment on function @extschema@.citus_nodename_for_nodeid(integer) is 'host of a node, null when there is none of that id';

create function @extschema@.citus_nodeport_for_nodeid(nodeid integer) returns integer
language sql stable strict
set search_path to pg_catalog, pg_temp
as $$select n.nodeport from _tessera_catalog.pg_dist_node n where n.nodeid = $1$$;
comment on function @extschema@.citus_nodeport_for_nodeid(integer) is 'port of a node, null when there is none of that id';

create function @extschema@.citus_check_connection_to_node(nodename text, nodeport integer default 5432) returns boolean
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  perform _tessera_functions.require_extension_owner('check nodes');
  return coalesce((
    select _tessera_functions.node_answers(n.nodeid) from _tessera_catalog.pg_dist_node n
    where n.nodename = $1 and n.nodeport = $2), false);
end
$$;
comment on function @extschema@.citus_check_connection_to_node(text, integer) is
'Whether a node answers. nodename, nodeport: the node; false when there is none of that address
Privileges: members of the role that owns the extension';

create function @extschema@.citus_check_cluster_node_health(
  out from_nodename text, out from_nodeport integer, out to_nodename text, out to_nodeport integer, out result boolean
) returns setof record
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  perform _tessera_functions.require_extension_owner('check nodes');
  return query
    select f.nodename, f.nodeport, t.nodename, t.nodeport, c.result
    from _tessera_functions.check_cluster() c
    join _tessera_catalog.pg_dist_node f on f.nodeid = c.from_nodeid
    join _tessera_catalog.pg_dist_node t on t.nodeid = c.to_nodeid
    order by f.nodename collate "C", f.nodeport, t.nodename collate "C", t.nodeport;
end
$$;
comment on function @extschema@.citus_check_cluster_node_health() is
'For every ordered pair of active nodes whether the first can connect to the second, as moves of shards need; null when the first cannot be reached, or may neither install dblink nor subscribe.
Privileges: members of the role that owns the extension';

create function @extschema@.run_command_on_workers(
  command text, parallel boolean default true, out nodename text, out nodeport integer, out success boolean, out result text
) returns setof record
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  perform _tessera_functions.require_extension_owner('run commands on nodes');
  return query
    select n.nodename, n.nodeport, r.success, r.result
    from _tessera_functions.run_command_on_nodes(
      array(select w.nodeid from _tessera_catalog.pg_dist_node w
        where w.isactive and w.noderole = 'primary' and w.groupid <> 0 order by w.nodename collate "C", w.nodeport), array[$1]) r
    join _tessera_catalog.pg_dist_node n using (nodeid)
    order by n.nodename collate "C", n.nodeport;
end
$$;
comment on function @extschema@.run_command_on_workers(text, boolean) is
'Runs a command on every active node but the coordinator, each in a transaction of its own, and gives one value or the tag of the command.
command: one statement
parallel: for old callers; nodes are asked one after the other
Privileges: members of the role that owns the extension';

create function @extschema@.run_command_on_all_nodes(
  command text, parallel boolean default true, give_warning_for_connection_errors boolean default false,
  out nodeid integer, out success boolean, out result text
) returns setof record
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  perform _tessera_functions.require_extension_owner('run commands on nodes');
  return query select r.nodeid, r.success, r.result from _tessera_functions.run_command_on_nodes(null, array[$1]) r;
end
$$;
comment on function @extschema@.run_command_on_all_nodes(text, boolean, boolean) is
'As run_command_on_workers(), on the coordinator as well when it is registered.
command, parallel: as there
give_warning_for_connection_errors: for old callers; success is false then
Privileges: members of the role that owns the extension';

create function @extschema@.run_command_on_coordinator(
  command text, give_warning_for_connection_errors boolean default false, out nodeid integer, out success boolean, out result text
) returns setof record
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  perform _tessera_functions.require_extension_owner('run commands on nodes');
  return query select r.nodeid, r.success, r.result
    from _tessera_functions.run_command_on_nodes(
      array(select n.nodeid from _tessera_catalog.pg_dist_node n where n.groupid = 0), array[$1]) r;
end
$$;
comment on function @extschema@.run_command_on_coordinator(text, boolean) is
'As run_command_on_workers(), on the coordinator alone; no row when it is not registered.
command: one statement
give_warning_for_connection_errors: for old callers
Privileges: members of the role that owns the extension';

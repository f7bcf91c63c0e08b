create function _tessera_functions.cluster_origin() returns text
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select substr(md5(c.system_identifier || '.' || d.oid), 1, 12)
  from pg_control_system() c, pg_database d where d.datname = current_database()
$$;
comment on function _tessera_functions.cluster_origin() is 'what tells this database from its copies: twelve hexadecimal digits of server and database';

create function _tessera_functions.request_result(operation text, payload jsonb) returns jsonb
language sql volatile
set search_path to pg_catalog, pg_temp
as $$select _tessera_functions.send_request($1, $2) -> 'result'$$;
comment on function _tessera_functions.request_result(text, jsonb) is 'has a request carried out by the owner of the extension and returns what it gives';

create function _tessera_functions.on_remote_command() returns trigger
language plpgsql security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  -- The first of them takes all along.
  if exists (select from _tessera_catalog.remote_command where transaction_id = pg_current_xact_id()) then
    -- A mark of node 0 stands for changes of reference tables.
    delete from _tessera_catalog.remote_command where transaction_id = pg_current_xact_id() and nodeid = 0;
    if found then
      perform _tessera_functions.queue_reference_changes();
    end if;
    perform _tessera_functions.prepare_remote_transactions();
  end if;
  return null;
end
$$;
comment on function _tessera_functions.on_remote_command() is 'deferred trigger: prepares on the nodes what the transaction has queued';

create function _tessera_functions.start_finisher(transaction_id text, nodeids int[], tables oid[] default '{}') returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  dblink constant text := _tessera_functions.dblink_schema();
  connection constant text := 'tessera_finisher';
  open_ones text[];
  finisher int;
  until constant timestamptz := clock_timestamp() + interval '2 seconds';
  orderly constant boolean := exists (
    select from pg_locks l where l.locktype = 'advisory' and l.classid = 1414725649 and l.objid = 0 and l.mode = 'ExclusiveLock'
      and l.granted and l.pid = pg_backend_pid());
begin
  execute format('select coalesce(%s.dblink_get_connections(), ''{}'')', dblink) into open_ones;
  if connection = any(open_ones) then
    execute format('select %s.dblink_disconnect(%L)', dblink, connection);
  end if;
  execute format('select %s.dblink_connect(%L, %L)', dblink, connection, 'tessera_finisher');
  execute format('select d.pid from %s.dblink(%L, %L) d(pid int)', dblink, connection, 'select pg_catalog.pg_backend_pid()') into finisher;
  -- It waits for the end of this transaction, and needs nobody to wait for it.
  execute format('select %s.dblink_send_query(%L, %L)', dblink, connection,
    format('select _tessera_functions.finish_remote_transaction(%L, %L, %L, %L)', transaction_id, nodeids, orderly, tables));
  -- Whoever waits for copies of reference tables or for shards that are written anew must not come between us and it.
  while (orderly or cardinality(tables) > 0)
    and not exists (select from pg_locks l where l.pid = finisher and not l.granted)
    and clock_timestamp() < until
  loop
    perform pg_sleep(0.001);
  end loop;
exception
  when others then
    raise warning 'transactions on nodes will be committed by the next healing: %', sqlerrm;
end
$$;
comment on function _tessera_functions.start_finisher(text, int[], oid[]) is
  'starts a session that carries out the second phase of commit as soon as this transaction is over';

create function _tessera_functions.await_finishers(nodeids int[], seconds int, anyhow boolean) returns setof int
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  until constant timestamptz := clock_timestamp() + make_interval(secs => seconds);
  awaited record;
begin
  loop
    select array_agg(distinct r.nodeid) as nodes, bool_or(exists (
        select from pg_locks l
        where l.locktype = 'advisory' and l.classid = 1414725643 and l.objid = (x.id::int8 & 2147483647)::oid and l.objsubid = 2
          and l.database = (select d.oid from pg_database d where d.datname = current_database()) and l.pid <> pg_backend_pid())) as under_way
    into awaited
    from _tessera_catalog.remote_txn r, split_part(r.remote_transaction_id, '-', 4) x(id)
    where r.nodeid = any(nodeids) and x.id is distinct from pg_current_xact_id_if_assigned()::text;
    exit when awaited.nodes is null or not (awaited.under_way or anyhow) or clock_timestamp() > until;
    perform pg_sleep(0.001);
  end loop;
  return query select unnest(awaited.nodes);
end
$$;
comment on function _tessera_functions.await_finishers(int[], int, boolean) is
  'waits for what committed transactions have still to do on nodes, while a finisher is at it or anyhow; returns the nodes that have not done it after some seconds';

create function _tessera_functions.keep_readers_out(tables oid[]) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
set lock_timeout to 0
as $$
declare
  held text;
begin
  for held in select c.oid::regclass from unnest(tables) t join pg_class c on c.oid = t loop
    begin
      execute format('lock table only %s in access exclusive mode', held);
    exception
      when lock_not_available or deadlock_detected or insufficient_privilege or undefined_table then
        raise log 'readers of table % may come before its shards are committed: %', held, sqlerrm;
    end;
  end loop;
end
$$;
comment on function _tessera_functions.keep_readers_out(oid[]) is
  'waits for tables that a transaction under way has locked, so as to have them next';

create function _tessera_functions.finish_remote_transaction(
  transaction_id text,
  nodeids int[],
  orderly boolean default false,
  tables oid[] default '{}'
) returns void
language plpgsql volatile strict security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  if orderly then
    -- The transaction has it until it ends, and we are the next.
    perform pg_advisory_xact_lock(1414725649, 0);
  end if;
  -- A query on a node takes its snapshot before it waits for the transaction there, and would miss rows written anew.
  if session_user = 'tessera_loopback_' || (select d.oid from pg_database d where d.datname = current_database()) || '_0' then
    perform _tessera_functions.keep_readers_out(tables);
  end if;
  perform pg_advisory_xact_lock_shared(1414725643, (transaction_id::int8 & 2147483647)::int4);
  perform _tessera_functions.heal_some_nodes(nodeids);
end
$$;
comment on function _tessera_functions.finish_remote_transaction(text, int[], boolean, oid[]) is
'Waits for the end of a local transaction and carries its decision out on the nodes.
Privileges: anybody; what is decided already is carried out sooner or later anyway. Tables are locked for the login of tessera only';

create function tessera.heal_nodes(nodeid integer default null) returns integer
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  return _tessera_functions.heal_nodes($1);
end
$$;
comment on function tessera.heal_nodes(integer) is
'Ends transactions prepared on nodes by transactions of this database that are over, as those ended, and returns how many. A job does so by itself.
nodeid: one node, null for all
Privileges: anybody; only what is decided is carried out';

create function @extschema@.recover_prepared_transactions() returns integer
language sql volatile
set search_path to pg_catalog, pg_temp
as $$select tessera.heal_nodes()$$;
comment on function @extschema@.recover_prepared_transactions() is 'tessera.heal_nodes() by its name in Citus';

create function @extschema@.remote_txn_heal_data_node(foreign_server_oid oid) returns integer
language sql volatile strict
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
  select tessera.heal_nodes(split_part(s.srvversion, ' ', 1)::int)
  from pg_foreign_server s where s.oid = $1 and s.srvtype = 'tessera node' and split_part(s.srvversion, ' ', 1) ~ '^\d{1,9}$'
$$;
comment on function @extschema@.remote_txn_heal_data_node(oid) is 'tessera.heal_nodes() for the node of a foreign server, by its name in TimescaleDB';

create procedure @extschema@.citus_cleanup_orphaned_resources()
language plpgsql
as $$
declare
  outcome pg_catalog.record;
begin
  perform _tessera_functions.require_extension_owner('clean up nodes');
  select c.dropped, c.failed into outcome from _tessera_functions.clean_up_nodes() c;
  if outcome.failed operator(pg_catalog.>) 0 then
    raise warning 'failed to clean up % of % orphaned resources', outcome.failed, outcome.dropped operator(pg_catalog.+) outcome.failed
      using hint = 'Column message of _tessera_catalog.pg_dist_cleanup says why.';
  end if;
  if outcome.dropped operator(pg_catalog.>) 0 then
    raise notice 'cleaned up % orphaned resources', outcome.dropped;
  end if;
end
$$;
comment on procedure @extschema@.citus_cleanup_orphaned_resources() is
'Drops what moves and other operations that are over have left on nodes: old placements, and all of what failed. A job does so by itself.
Privileges: members of the role that owns the extension';

create procedure _tessera_functions.policy_cluster(job_id int, config jsonb)
language plpgsql
as $$
declare
  outcome pg_catalog.record;
begin
  -- What a finisher should have done.
  if _tessera_functions.heal_nodes(null) operator(pg_catalog.>) 0 then
    commit;
    perform _tessera_functions.mend_finisher();
  end if;
  commit;
  select c.dropped, c.failed into outcome from _tessera_functions.clean_up_nodes() c;
  if outcome.failed operator(pg_catalog.>) 0 then
    raise log 'job %: % of % orphaned resources are still there', job_id, outcome.failed,
      outcome.dropped operator(pg_catalog.+) outcome.failed;
  end if;
end
$$;
comment on procedure _tessera_functions.policy_cluster(int, jsonb) is
  'built-in job: heals prepared transactions on nodes and drops what operations have left there';

create function _tessera_functions.switch_cluster_job(wanted boolean) returns void
language sql
set search_path to pg_catalog, pg_temp
as $$
  update _tessera_catalog.bgw_job set scheduled = wanted where id = 6 and scheduled <> wanted
$$;
comment on function _tessera_functions.switch_cluster_job(boolean) is 'the built-in job of the cluster runs only where there are nodes';

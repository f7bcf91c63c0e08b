create function _tessera_functions.rebalance_wish(
  relation regclass, threshold float4, max_shard_moves int, excluded_shard_list bigint[], drain_only boolean, rebalance_strategy name,
  improvement_threshold float4, mode text
) returns jsonb
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select jsonb_build_object('relation', $1::oid::text, 'threshold', $2, 'maxMoves', $3, 'excluded', to_jsonb($4::text[]), 'drainOnly', $5,
    'strategy', $6, 'improvement', $7, 'mode', $8)
$$;
comment on function _tessera_functions.rebalance_wish(regclass, float4, int, bigint[], boolean, name, float4, text) is 'arguments of the rebalancer as a request carries them';

create function @extschema@.get_rebalance_table_shards_plan(
  relation regclass default null,
  threshold float4 default null,
  max_shard_moves integer default 1000000,
  excluded_shard_list bigint[] default '{}',
  drain_only boolean default false,
  rebalance_strategy name default null,
  improvement_threshold float4 default null
) returns table (
  table_name regclass, shardid bigint, shard_size bigint, sourcename text, sourceport integer, targetname text, targetport integer
)
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  if relation is not null and not exists (select from _tessera_catalog.pg_dist_partition p where p.logicalrelid = relation) then
    raise exception using errcode = '42P16', message = format('table "%s" is not distributed', relation);
  end if;
  return query
    select (m ->> 'relid')::oid::regclass, (m ->> 'shardid')::bigint, coalesce(p.shardlength, 0), m ->> 'sourcename',
      (m ->> 'sourceport')::int, m ->> 'targetname', (m ->> 'targetport')::int
    from jsonb_array_elements(_tessera_functions.request_result('rebalance.plan', _tessera_functions.rebalance_wish(
        $1, $2, $3, $4, $5, $6, $7, null))) with ordinality x(m, o)
    left join lateral (
      select q.shardlength from _tessera_catalog.pg_dist_placement q where q.shardid = (m ->> 'shardid')::bigint limit 1) p on true
    order by o;
end
$$;
comment on function @extschema@.get_rebalance_table_shards_plan(regclass, float4, integer, bigint[], boolean, name, float4) is
'What rebalance_table_shards() would do now: one row for each shard of each move, in order.
relation: only the group of this table; null for all
threshold: by which part of the average a node may lie above or below it; null for that of the strategy
max_shard_moves: most moves
excluded_shard_list: shards that stay
drain_only: only what must leave its node
rebalance_strategy: null for the default one
improvement_threshold: least improvement of a move in relation to its cost; null for that of the strategy
Privileges: anybody';

create function @extschema@.rebalance_table_shards(
  relation regclass default null,
  threshold float4 default null,
  max_shard_moves integer default 1000000,
  excluded_shard_list bigint[] default '{}',
  shard_transfer_mode _tessera_catalog.shard_transfer_mode default 'auto',
  drain_only boolean default false,
  rebalance_strategy name default null
) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  if relation is not null and not exists (select from _tessera_catalog.pg_dist_partition p where p.logicalrelid = relation) then
    raise exception using errcode = '42P16', message = format('table "%s" is not distributed', relation);
  end if;
  perform _tessera_functions.request_result('rebalance.now', _tessera_functions.rebalance_wish(
    $1, $2, $3, $4, $6, $7, null, $5::text));
end
$$;
comment on function @extschema@.rebalance_table_shards(regclass, float4, integer, bigint[], _tessera_catalog.shard_transfer_mode, boolean, name) is
'Moves shards until nodes are balanced, one after the other, each in a transaction of its own: what is done stays when a later move fails. citus_rebalance_start() does the same in the background.
relation, threshold, max_shard_moves, excluded_shard_list, drain_only, rebalance_strategy: as of get_rebalance_table_shards_plan()
shard_transfer_mode: as of citus_move_shard_placement()
Privileges: owner of the tables
Errors: 55P03 a group is being rebalanced, 55000 a background rebalance is running, 0A000 a table has no replica identity';

create function @extschema@.citus_drain_node(
  nodename text,
  nodeport integer,
  shard_transfer_mode _tessera_catalog.shard_transfer_mode default 'auto',
  rebalance_strategy name default null
) returns void
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  select _tessera_functions.request_result('rebalance.drain',
    jsonb_build_object('name', $1, 'port', $2, 'mode', $3, 'strategy', $4))
$$;
comment on function @extschema@.citus_drain_node(text, integer, _tessera_catalog.shard_transfer_mode, name) is
'Moves all shards away from a node, which is marked as one that should have none; the mark stays when a move fails.
nodename, nodeport: the node
shard_transfer_mode, rebalance_strategy: as of rebalance_table_shards()
Privileges: members of the role that owns the extension';

create function @extschema@.citus_rebalance_start(
  rebalance_strategy name default null,
  drain_only boolean default false,
  shard_transfer_mode _tessera_catalog.shard_transfer_mode default 'auto',
  parallel_transfer_reference_tables boolean default false,
  parallel_transfer_colocated_shards boolean default false
) returns bigint
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  select (_tessera_functions.request_result('rebalance.start', jsonb_build_object('strategy', $1, 'drainOnly', $2, 'mode', $3,
    'references', $4, 'colocated', $5)) #>> '{}')::bigint
$$;
comment on function @extschema@.citus_rebalance_start(name, boolean, _tessera_catalog.shard_transfer_mode, boolean, boolean) is
'Plans a rebalance of all tables, checks what could fail later, leaves the moves to background tasks and returns the id of their job; null when nothing has to move.
rebalance_strategy: null for the default one
drain_only: only what must leave its node
shard_transfer_mode: as of citus_move_shard_placement()
parallel_transfer_reference_tables: copies of reference tables to new nodes at the same time
parallel_transfer_colocated_shards: shards of one group at the same time, as far as max_background_task_executors_per_node allows
Privileges: owner of the tables
Errors: 55000 a rebalance is running, 55P03 a group is being rebalanced, 0A000 a table has no replica identity';

create function @extschema@.citus_rebalance_stop() returns void
language plpgsql volatile
as $$
begin
  perform @extschema@.citus_job_cancel(_tessera_functions.running_rebalance());
end
$$;
comment on function @extschema@.citus_rebalance_stop() is
'Cancels the background rebalance; moves that are done stay.
Privileges: as of citus_job_cancel()
Errors: 55000 none is running';

create function @extschema@.citus_rebalance_wait() returns void
language plpgsql volatile
as $$
declare
  job pg_catalog.int8 := (
    select j.job_id from _tessera_catalog.pg_dist_background_job j
    where j.job_type operator(pg_catalog.=) 'rebalance' and j.state = any (array['scheduled', 'running', 'cancelling', 'failing']::_tessera_catalog.citus_job_status[])
    order by j.job_id desc limit 1);
begin
  if job is null then
    raise warning 'no ongoing rebalance that can be waited on';
    return;
  end if;
  perform @extschema@.citus_job_wait(job);
end
$$;
comment on function @extschema@.citus_rebalance_wait() is
'Waits until the background rebalance is over, however it ends; a warning when there is none.
Privileges: anybody';

create function @extschema@.citus_rebalance_status(raw boolean default false) returns table (
  job_id bigint,
  state _tessera_catalog.citus_job_status,
  job_type name,
  description text,
  started_at timestamptz,
  finished_at timestamptz,
  details jsonb
)
language plpgsql volatile
as $$
begin
  return query
    select s.job_id, s.state, s.job_type, s.description, s.started_at, s.finished_at,
      pg_catalog.jsonb_set(s.details, '{tasks}', _tessera_functions.moving_tasks(s.job_id, raw) operator(pg_catalog.||) (s.details operator(pg_catalog.->) 'tasks'))
    from @extschema@.citus_job_status((
      select j.job_id from _tessera_catalog.pg_dist_background_job j
      where j.job_type operator(pg_catalog.=) 'rebalance' order by j.job_id desc limit 1), raw) s;
end
$$;
comment on function @extschema@.citus_rebalance_status(boolean) is
'The latest background rebalance with details: how many of its moves are in which state, and those under way with their phase, sizes and positions.
raw: sizes in bytes instead of text
Privileges: anybody';

create function _tessera_functions.moving_tasks(job bigint, raw boolean) returns jsonb
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  select coalesce(jsonb_agg(jsonb_build_object(
      'state', t.status, 'retried', coalesce(t.retry_count, 0), 'phase', p.status,
      'size', jsonb_build_object(
        'source', case when raw then to_jsonb(p.source_size) else to_jsonb(pg_size_pretty(p.source_size)) end,
        'target', case when raw then to_jsonb(p.target_size) else to_jsonb(pg_size_pretty(p.target_size)) end),
      'hosts', jsonb_build_object('source', p.source, 'target', p.target),
      'LSN', jsonb_build_object('source', p.source_lsn, 'target', p.target_lsn,
        'lag', case when raw then to_jsonb(p.lag) else to_jsonb(pg_size_pretty(p.lag)) end),
      'message', t.message, 'command', t.command, 'task_id', t.task_id) order by t.task_id), '[]')
  from _tessera_catalog.pg_dist_background_task t
  join (
    select r.sessionid, min(r.status) as status, sum(r.source_shard_size) as source_size, sum(r.target_shard_size) as target_size,
      min(r.sourcename || ':' || r.sourceport) as source, min(r.targetname || ':' || r.targetport) as target,
      max(r.source_lsn::pg_lsn) as source_lsn, min(r.target_lsn::pg_lsn) as target_lsn,
      max(r.source_lsn::pg_lsn) - min(r.target_lsn::pg_lsn) as lag
    from _tessera_functions.visible_progress() r group by r.sessionid) p on p.sessionid = t.pid
  where t.job_id = job and t.status = 'running'
$$;
comment on function _tessera_functions.moving_tasks(bigint, boolean) is 'running tasks of a rebalance with the progress of their moves';

create function _tessera_functions.visible_progress() returns table (
  sessionid integer, table_name text, shardid bigint, shard_size bigint, sourcename text, sourceport integer, targetname text,
  targetport integer, progress bigint, source_shard_size bigint, target_shard_size bigint, operation_type text, source_lsn text,
  target_lsn text, status text, bytes_per_second bigint, eta text
)
language sql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
  select r.* from _tessera_functions.rebalance_progress() r
  where exists (select from _tessera_catalog.shard_transfer)
$$;
comment on function _tessera_functions.visible_progress() is 'progress of transfers, for everybody';

create function @extschema@.get_rebalance_progress() returns table (
  sessionid integer,
  table_name regclass,
  shardid bigint,
  shard_size bigint,
  sourcename text,
  sourceport integer,
  targetname text,
  targetport integer,
  progress bigint,
  source_shard_size bigint,
  target_shard_size bigint,
  operation_type text,
  source_lsn pg_lsn,
  target_lsn pg_lsn,
  status text,
  bytes_per_second bigint,
  eta interval
)
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  select r.sessionid, r.table_name::regclass, r.shardid, r.shard_size, r.sourcename, r.sourceport, r.targetname, r.targetport, r.progress,
    r.source_shard_size, r.target_shard_size, r.operation_type, r.source_lsn::pg_lsn, r.target_lsn::pg_lsn, r.status,
    r.bytes_per_second, r.eta::interval
  from _tessera_functions.visible_progress() r
$$;
comment on function @extschema@.get_rebalance_progress() is
'Moves and copies of shards under way: bytes on both sides, positions in the write-ahead log, phase, bytes a second and the time that is left at that rate.
progress: 1 moving, 2 moved
Privileges: anybody';

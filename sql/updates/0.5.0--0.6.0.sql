create table _tessera_catalog.continuous_agg (
  mat_hypertable_id int primary key references _tessera_catalog.hypertable (id) on delete cascade,
  raw_hypertable_id int not null references _tessera_catalog.hypertable (id) on delete cascade,
  parent_mat_hypertable_id int references _tessera_catalog.hypertable (id) on delete cascade,
  user_view regclass not null unique,
  user_view_schema name not null,
  user_view_name name not null,
  partial_view regclass not null unique,
  partial_view_schema name not null,
  partial_view_name name not null,
  direct_view regclass not null unique,
  direct_view_schema name not null,
  direct_view_name name not null,
  materialized_only boolean not null,
  refresh_lag bigint,
  max_interval_per_job bigint check (max_interval_per_job > 0),
  ignore_invalidation_older_than bigint not null default 9223372036854775807 check (ignore_invalidation_older_than >= 0),
  unique (user_view_schema, user_view_name)
);
create index continuous_agg_raw_hypertable_id_idx on _tessera_catalog.continuous_agg (raw_hypertable_id);
comment on table _tessera_catalog.continuous_agg is 'one row per continuous aggregate';
comment on column _tessera_catalog.continuous_agg.user_view is 'view that answers queries: what is materialized and, unless materialized_only, the rest from the raw rows';
comment on column _tessera_catalog.continuous_agg.partial_view is 'query of the user with the columns of the materialization hypertable';
comment on column _tessera_catalog.continuous_agg.direct_view is 'query of the user as it was given';
comment on column _tessera_catalog.continuous_agg.parent_mat_hypertable_id is
  'materialization hypertable of the continuous aggregate this one reads, equal to raw_hypertable_id; null where it reads a hypertable of the user';
comment on column _tessera_catalog.continuous_agg.refresh_lag is 'how far behind now its own job stays; null without one';
comment on column _tessera_catalog.continuous_agg.max_interval_per_job is 'most that one transaction of a refresh materializes; null means what reads some five million rows, and twenty buckets at least';
comment on column _tessera_catalog.continuous_agg.ignore_invalidation_older_than is
  'changes of rows that were older than this when they were changed do not count; the greatest int8 means all count';

create table _tessera_catalog.continuous_aggs_bucket_function (
  mat_hypertable_id int primary key references _tessera_catalog.continuous_agg (mat_hypertable_id) on delete cascade,
  bucket_width text not null,
  bucket_origin text,
  bucket_offset text,
  bucket_timezone text,
  bucket_fixed_width boolean not null,
  bucket_period bigint not null check (bucket_period > 0),
  bucket_phase bigint not null
);
comment on table _tessera_catalog.continuous_aggs_bucket_function is 'the time_bucket() call by which a continuous aggregate groups';
comment on column _tessera_catalog.continuous_aggs_bucket_function.bucket_period is
  'width in internal time; with months or a time zone, less than any bucket has';
comment on column _tessera_catalog.continuous_aggs_bucket_function.bucket_phase is
  'start of a bucket, modulo the period; 0 with months or a time zone';

create table _tessera_catalog.continuous_aggs_invalidation_threshold (
  hypertable_id int primary key references _tessera_catalog.hypertable (id) on delete cascade,
  watermark bigint not null,
  step bigint not null check (step > 0),
  settled bigint not null,
  awaited bigint,
  writers text[] not null default '{}'
);
comment on table _tessera_catalog.continuous_aggs_invalidation_threshold is
  'raw hypertables: from which time on nothing was materialized, so that changes there need no log entry';
comment on column _tessera_catalog.continuous_aggs_invalidation_threshold.step is
  'smallest bucket of its continuous aggregates: how exact log entries are';
comment on column _tessera_catalog.continuous_aggs_invalidation_threshold.settled is
  'transactions that still write with an older watermark in mind log their changes before this time at least';
comment on column _tessera_catalog.continuous_aggs_invalidation_threshold.awaited is
  'what is settled once those writers have ended; null when nobody is waited for';
comment on column _tessera_catalog.continuous_aggs_invalidation_threshold.writers is
  'virtual transactions waited for, as pg_locks has them';

create table _tessera_catalog.continuous_aggs_watermark (
  mat_hypertable_id int primary key references _tessera_catalog.continuous_agg (mat_hypertable_id) on delete cascade,
  watermark bigint not null
);
comment on table _tessera_catalog.continuous_aggs_watermark is
  'end of the last bucket a continuous aggregate ever materialized: its completed threshold';

-- Writers put rows here at commit, so there is nothing that costs them: no key to check, no reference.
create table _tessera_catalog.continuous_aggs_hypertable_invalidation_log (
  hypertable_id int not null,
  modification_time bigint not null,
  lowest_modified_value bigint not null,
  greatest_modified_value bigint not null
);
create index continuous_aggs_hypertable_invalidation_log_idx
  on _tessera_catalog.continuous_aggs_hypertable_invalidation_log (hypertable_id, lowest_modified_value);
alter table _tessera_catalog.continuous_aggs_hypertable_invalidation_log replica identity full;
comment on table _tessera_catalog.continuous_aggs_hypertable_invalidation_log is
  'changes of raw hypertables that no refresh has seen yet: times from lowest to greatest, both included';

create table _tessera_catalog.continuous_aggs_materialization_invalidation_log (
  materialization_id int not null references _tessera_catalog.continuous_agg (mat_hypertable_id) on delete cascade,
  lowest_modified_value bigint not null,
  greatest_modified_value bigint not null
);
create index continuous_aggs_materialization_invalidation_log_idx
  on _tessera_catalog.continuous_aggs_materialization_invalidation_log (materialization_id, lowest_modified_value);
alter table _tessera_catalog.continuous_aggs_materialization_invalidation_log replica identity full;
comment on table _tessera_catalog.continuous_aggs_materialization_invalidation_log is
  'what of a continuous aggregate is not materialized, or no longer right: times from lowest to greatest, both included';

create table _tessera_catalog.continuous_aggs_frozen (
  materialization_id int not null references _tessera_catalog.continuous_agg (mat_hypertable_id) on delete cascade,
  lowest_value bigint not null,
  greatest_value bigint not null
);
create index continuous_aggs_frozen_idx on _tessera_catalog.continuous_aggs_frozen (materialization_id);
alter table _tessera_catalog.continuous_aggs_frozen replica identity full;
comment on table _tessera_catalog.continuous_aggs_frozen is
  'where raw rows were dropped and a continuous aggregate keeps their results, which are never computed again: times from lowest to greatest, both included';

create table _tessera_catalog.continuous_aggs_refresh (
  pid int primary key,
  materialization_id int not null references _tessera_catalog.continuous_agg (mat_hypertable_id) on delete cascade,
  window_start bigint not null,
  window_end bigint not null,
  batches int not null,
  done int not null default 0,
  started_at timestamptz not null default clock_timestamp()
);
comment on table _tessera_catalog.continuous_aggs_refresh is
  'refreshes under way, by the process that runs them; one of a process that is gone means nothing';

-- Dropped chunks whose aggregates live on have no table.
alter table _tessera_catalog.chunk alter column relid drop not null;

grant select on _tessera_catalog.continuous_agg, _tessera_catalog.continuous_aggs_bucket_function,
  _tessera_catalog.continuous_aggs_invalidation_threshold, _tessera_catalog.continuous_aggs_watermark,
  _tessera_catalog.continuous_aggs_hypertable_invalidation_log,
  _tessera_catalog.continuous_aggs_materialization_invalidation_log, _tessera_catalog.continuous_aggs_frozen,
  _tessera_catalog.continuous_aggs_refresh to public;
comment on column _tessera_catalog.chunk.relid is 'null for a chunk that was dropped while aggregates of its rows live on';

select pg_catalog.pg_extension_config_dump('_tessera_catalog.continuous_agg', '');
select pg_catalog.pg_extension_config_dump('_tessera_catalog.continuous_aggs_bucket_function', '');
select pg_catalog.pg_extension_config_dump('_tessera_catalog.continuous_aggs_invalidation_threshold', '');
select pg_catalog.pg_extension_config_dump('_tessera_catalog.continuous_aggs_watermark', '');
select pg_catalog.pg_extension_config_dump('_tessera_catalog.continuous_aggs_hypertable_invalidation_log', '');
select pg_catalog.pg_extension_config_dump('_tessera_catalog.continuous_aggs_materialization_invalidation_log', '');
select pg_catalog.pg_extension_config_dump('_tessera_catalog.continuous_aggs_frozen', '');

-- It takes another argument.
drop function if exists @extschema@.add_retention_policy(regclass, anycompatible, boolean, interval, timestamptz, text, interval);

-- Which arrays plv8 takes is known: ordinary ones.
drop function if exists _tessera_functions.typed_arrays_work();
drop function if exists _tessera_functions.typed_array_probe();

-- What was made for a hypertable is known by OID from now on. What others own, and only has such a name, is not ours.
create table _tessera_catalog.hypertable_part (
  hypertable_id int not null references _tessera_catalog.hypertable (id) on delete cascade,
  chunk_id int references _tessera_catalog.chunk (id) on delete cascade,
  relation regclass unique,
  helper regprocedure unique,
  check ((relation is null) <> (helper is null))
);
create index hypertable_part_hypertable_id_idx on _tessera_catalog.hypertable_part (hypertable_id);
create index hypertable_part_chunk_id_idx on _tessera_catalog.hypertable_part (chunk_id);
alter table _tessera_catalog.hypertable_part replica identity full;
comment on table _tessera_catalog.hypertable_part is
  'tables and functions made for a hypertable, or for a compressed chunk of it, that are no partitions; what only has such a name is not ours';
grant select on _tessera_catalog.hypertable_part to public;
select pg_catalog.pg_extension_config_dump('_tessera_catalog.hypertable_part', $$where exists (select from pg_catalog.pg_class c where c.oid operator(pg_catalog.=) relation)
  or exists (select from pg_catalog.pg_proc p where p.oid operator(pg_catalog.=) helper)$$);

-- Nobody can use up what begins again; ids that are taken are passed over.
alter table _tessera_catalog.hypertable alter column id set cycle;
alter table _tessera_catalog.dimension alter column id set cycle;
alter table _tessera_catalog.dimension_slice alter column id set cycle;
alter table _tessera_catalog.chunk alter column id set cycle;
alter table _tessera_catalog.tablespace alter column id set cycle;
alter sequence _tessera_catalog.bgw_job_id_seq as int cycle;

alter table _tessera_catalog.chunk drop constraint chunk_schema_name_table_name_key;
create index chunk_schema_name_table_name_idx on _tessera_catalog.chunk (schema_name, table_name);

revoke usage on all sequences in schema _tessera_catalog from public;

-- What a node that is gone still has is not forgotten with it.
create table _tessera_catalog.removed_node (
  groupid int primary key,
  nodename text not null,
  nodeport int not null,
  removed_at timestamptz not null default clock_timestamp()
);
comment on table _tessera_catalog.removed_node is
  'nodes that did not answer when they were removed, and have objects of ours, which are in pg_dist_cleanup under this group';

grant select on _tessera_catalog.removed_node to public;
select pg_catalog.pg_extension_config_dump('_tessera_catalog.removed_node', '');

-- Rows that cross a loopback connection cost the planner less. Servers of others stay as they are until tessera.repair_loopback().
do $tuple_cost$
declare
  server name;
begin
  for server in
    select s.srvname from pg_catalog.pg_foreign_server s
    where s.srvtype operator(pg_catalog.=) 'tessera loopback' and pg_catalog.pg_has_role(current_user, s.srvowner, 'USAGE')
      and not exists (select from pg_catalog.unnest(s.srvoptions) o where pg_catalog.starts_with(o, 'fdw_tuple_cost='))
  loop
    execute pg_catalog.format('alter server %I options (add fdw_tuple_cost %L)', server, '0.001');
  end loop;
end
$tuple_cost$;

-- REASSIGN OWNED, of which nobody is told, gives procedures away; their jobs follow.
alter table _tessera_catalog.bgw_job add column own_procedure regprocedure;
comment on column _tessera_catalog.bgw_job.own_procedure is
  'the procedure, if it belonged to the owner of the job when that was added: the job follows it to another owner';
update _tessera_catalog.bgw_job j set own_procedure = p.oid
from pg_catalog.pg_proc p
where p.oid operator(pg_catalog.=) pg_catalog.to_regprocedure(pg_catalog.format('%I.%I(integer, jsonb)', j.proc_schema, j.proc_name))::pg_catalog.oid
  and p.proowner operator(pg_catalog.=) j.owner::pg_catalog.oid and j.proc_schema operator(pg_catalog.<>) '_tessera_functions';
create schema tessera_read;
comment on schema tessera_read is 'views of hypertables with compression, which decode compressed rows in the session that reads them';
grant usage on schema tessera_read to public;
alter table _tessera_catalog.compressed_chunk add column reader regclass unique;
comment on column _tessera_catalog.compressed_chunk.reader is
  'view by which tessera_read reads the chunk; null after an update from 0.5.0 until create_read_view()';
-- A row says by which body the view reads: a snapshot that does not see it is too old for that.
create table _tessera_catalog.read_view (
  hypertable_id int primary key references _tessera_catalog.hypertable (id) on delete cascade,
  relation regclass not null unique,
  source regprocedure not null unique,
  generation bigint not null
);
comment on table _tessera_catalog.read_view is 'views of schema tessera_read, which read hypertables without the loopback connection';
comment on column _tessera_catalog.read_view.source is 'function the view is made of; it is inlined where the view is read';
comment on column _tessera_catalog.read_view.generation is 'how often the function was made';
grant select on _tessera_catalog.read_view to public;
select pg_catalog.pg_extension_config_dump('_tessera_catalog.read_view', '');

-- What was said of a key is said of it again when its table has it back.
alter table _tessera_catalog.pg_dist_key add column comment text;
-- It takes another argument.
drop function if exists @extschema@.create_distributed_foreign_key(regclass, name[], regclass, name[], text, text, name);

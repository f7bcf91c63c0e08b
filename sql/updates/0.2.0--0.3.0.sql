create table _tessera_catalog.setting (
  name name primary key,
  value text not null
);
comment on table _tessera_catalog.setting is
  'settings of this database that differ from their defaults; tessera.settings() lists all, tessera.set_setting() changes one';

create table _tessera_catalog.loopback (
  only_row boolean primary key default true check (only_row),
  conninfo text not null
);
comment on table _tessera_catalog.loopback is
  'how the server reaches itself over libpq, where a local socket without a password does not do; may hold a password';
-- Ids below 1000 are jobs tessera makes itself; they are not dumped.
create sequence _tessera_catalog.bgw_job_id_seq minvalue 1000;

create table _tessera_catalog.bgw_job (
  id int primary key default pg_catalog.nextval('_tessera_catalog.bgw_job_id_seq'),
  application_name name not null,
  job_type name constraint valid_job_type check (job_type in (
    'telemetry_and_version_check_if_enabled', 'reorder', 'drop_chunks', 'continuous_aggregate', 'compress_chunks')),
  schedule_interval interval not null check (schedule_interval > interval '0'),
  max_runtime interval not null default interval '0',
  max_retries int not null default -1 check (max_retries >= -1),
  retry_period interval not null default interval '5 minutes' check (retry_period >= interval '0'),
  proc_schema name not null,
  proc_name name not null,
  owner regrole not null default current_user::regrole,
  scheduled boolean not null default true,
  fixed_schedule boolean not null default true,
  initial_start timestamptz,
  hypertable_id int references _tessera_catalog.hypertable (id) on delete cascade,
  config jsonb,
  check_schema name,
  check_name name,
  timezone text,
  check ((check_schema is null) = (check_name is null))
);
alter sequence _tessera_catalog.bgw_job_id_seq owned by _tessera_catalog.bgw_job.id;
create index bgw_job_proc_hypertable_id_idx on _tessera_catalog.bgw_job (proc_schema, proc_name, hypertable_id);
create index bgw_job_owner_idx on _tessera_catalog.bgw_job (owner);
create index bgw_job_hypertable_id_idx on _tessera_catalog.bgw_job (hypertable_id);
comment on table _tessera_catalog.bgw_job is 'scheduled jobs; a max_runtime of 0 means no limit, max_retries of -1 likewise';

-- A run is under way while last_start > last_finish = -infinity and no crash is noted; -infinity stands for "not set".
create table _tessera_catalog.bgw_job_stat (
  job_id int primary key references _tessera_catalog.bgw_job (id) on delete cascade,
  last_start timestamptz not null default pg_catalog.now(),
  last_finish timestamptz not null default '-infinity',
  next_start timestamptz not null default '-infinity',
  last_successful_finish timestamptz not null default '-infinity',
  last_run_success boolean not null default false,
  total_runs bigint not null default 0,
  total_duration interval not null default interval '0',
  total_duration_failures interval not null default interval '0',
  total_successes bigint not null default 0,
  total_failures bigint not null default 0,
  total_crashes bigint not null default 0,
  consecutive_failures int not null default 0,
  consecutive_crashes int not null default 0,
  flags int not null default 0,
  pid int,
  autonomous boolean not null default false,
  cancelled_at timestamptz,
  lost_at timestamptz
) with (fillfactor = 70);
create index bgw_job_stat_due_idx on _tessera_catalog.bgw_job_stat (next_start)
  where not (last_start > '-infinity' and last_finish = '-infinity' and flags & 1 = 0);
create index bgw_job_stat_running_idx on _tessera_catalog.bgw_job_stat (job_id)
  where last_start > '-infinity' and last_finish = '-infinity' and flags & 1 = 0;
comment on table _tessera_catalog.bgw_job_stat is
  'what became of the runs of a job; the start of a run is committed before it runs, so that a crash can be told from a failure';
comment on column _tessera_catalog.bgw_job_stat.flags is 'bit 1: the last crash is already in the history';
comment on column _tessera_catalog.bgw_job_stat.pid is 'backend of the run under way';
comment on column _tessera_catalog.bgw_job_stat.autonomous is
  'the procedure ends transactions by itself, so it runs without an exception handler around it';
comment on column _tessera_catalog.bgw_job_stat.cancelled_at is 'when the run under way was cancelled because of max_runtime';

comment on column _tessera_catalog.bgw_job_stat.lost_at is
  'when the session of a run that ends transactions by itself was found gone; its error is looked for before it counts as a crash';

create table _tessera_catalog.bgw_job_stat_history (
  id bigint generated always as identity primary key,
  job_id int not null,
  pid int,
  execution_start timestamptz not null,
  execution_finish timestamptz,
  succeeded boolean,
  data jsonb not null
);
create index bgw_job_stat_history_execution_start_idx on _tessera_catalog.bgw_job_stat_history (execution_start);
create index bgw_job_stat_history_job_id_idx on _tessera_catalog.bgw_job_stat_history (job_id, execution_start desc);
comment on table _tessera_catalog.bgw_job_stat_history is
  'failed and crashed runs, and successful ones when enable_job_execution_logging is on; a crash has no pid and no end';

create table _tessera_catalog.bgw_policy_chunk_stats (
  job_id int not null references _tessera_catalog.bgw_job (id) on delete cascade,
  chunk_id int not null references _tessera_catalog.chunk (id) on delete cascade,
  num_times_job_run int not null,
  last_time_job_run timestamptz not null,
  unique (job_id, chunk_id)
);
create index bgw_policy_chunk_stats_chunk_id_idx on _tessera_catalog.bgw_policy_chunk_stats (chunk_id);
alter table _tessera_catalog.bgw_policy_chunk_stats
  replica identity using index bgw_policy_chunk_stats_job_id_chunk_id_key;
comment on table _tessera_catalog.bgw_policy_chunk_stats is 'which policy treated which chunk, how often, and when last';

create table _tessera_catalog.worker_slot (
  owner regrole not null,
  slot int not null unique,
  primary key (owner, slot)
);
comment on table _tessera_catalog.worker_slot is
  'the sessions that should be there to run work, each as the role that owns the work; written by the scheduler';

-- Of no worth after a crash, and written every few seconds.
create unlogged table _tessera_catalog.scheduler_state (
  only_row boolean primary key default true check (only_row),
  heartbeat timestamptz,
  started_at timestamptz,
  pid int,
  driver text,
  problem text
) with (fillfactor = 50);
comment on table _tessera_catalog.scheduler_state is 'sign of life of the scheduler of this database';

grant select on _tessera_catalog.setting, _tessera_catalog.bgw_job, _tessera_catalog.bgw_job_stat,
  _tessera_catalog.bgw_policy_chunk_stats, _tessera_catalog.worker_slot, _tessera_catalog.scheduler_state to public;
grant select, usage on sequence _tessera_catalog.bgw_job_id_seq, _tessera_catalog.bgw_job_stat_history_id_seq to public;

select pg_catalog.pg_extension_config_dump('_tessera_catalog.setting', '');
select pg_catalog.pg_extension_config_dump('_tessera_catalog.bgw_job', 'where id >= 1000');
select pg_catalog.pg_extension_config_dump('_tessera_catalog.bgw_job_id_seq', '');

create type _tessera_catalog.citus_job_status as enum (
  'scheduled', 'running', 'finished', 'cancelling', 'cancelled', 'failing', 'failed');
create type _tessera_catalog.citus_task_status as enum (
  'blocked', 'runnable', 'running', 'done', 'cancelling', 'error', 'unscheduled', 'cancelled');

create table _tessera_catalog.pg_dist_background_job (
  job_id bigserial constraint pg_dist_background_job_pkey primary key,
  state _tessera_catalog.citus_job_status not null default 'scheduled',
  job_type name not null,
  description text not null,
  started_at timestamptz,
  finished_at timestamptz,
  owner regrole not null default current_user::regrole
);
comment on table _tessera_catalog.pg_dist_background_job is
  'one-shot background jobs; the state is a function of the states of their tasks';
comment on column _tessera_catalog.pg_dist_background_job.owner is 'who made the job and may add tasks to it';

create table _tessera_catalog.pg_dist_background_task (
  job_id bigint not null references _tessera_catalog.pg_dist_background_job (job_id),
  task_id bigserial constraint pg_dist_background_task_pkey primary key,
  owner regrole not null default current_user::regrole,
  pid int,
  status _tessera_catalog.citus_task_status not null default 'runnable',
  command text not null,
  retry_count int,
  not_before timestamptz,
  message text not null default '',
  nodes_involved int[],
  unique (job_id, task_id)
);
create index pg_dist_background_task_status_task_id_index on _tessera_catalog.pg_dist_background_task (status, task_id);
create index pg_dist_background_task_job_id_status_idx on _tessera_catalog.pg_dist_background_task (job_id, status);
create index pg_dist_background_task_runnable_idx on _tessera_catalog.pg_dist_background_task (owner, task_id)
  where status = 'runnable';
comment on table _tessera_catalog.pg_dist_background_task is
  'commands of background jobs; each runs once, as its owner, in a transaction of its own';
comment on column _tessera_catalog.pg_dist_background_task.pid is 'backend of the executor while the task is running';
comment on column _tessera_catalog.pg_dist_background_task.message is 'what the last attempt said';
comment on column _tessera_catalog.pg_dist_background_task.nodes_involved is
  'nodes whose limit of concurrent tasks this one counts against';

create table _tessera_catalog.pg_dist_background_task_depend (
  job_id bigint not null references _tessera_catalog.pg_dist_background_job (job_id) on delete cascade,
  task_id bigint not null,
  depends_on bigint not null,
  constraint pg_dist_background_task_depend_pkey primary key (job_id, task_id, depends_on),
  foreign key (job_id, task_id) references _tessera_catalog.pg_dist_background_task (job_id, task_id) on delete cascade,
  foreign key (job_id, depends_on) references _tessera_catalog.pg_dist_background_task (job_id, task_id) on delete cascade
);
create index pg_dist_background_task_depend_task_id on _tessera_catalog.pg_dist_background_task_depend (job_id, task_id);
create index pg_dist_background_task_depend_depends_on
  on _tessera_catalog.pg_dist_background_task_depend (job_id, depends_on);
comment on table _tessera_catalog.pg_dist_background_task_depend is 'task_id may start when depends_on is done';

grant select on _tessera_catalog.pg_dist_background_job, _tessera_catalog.pg_dist_background_task,
  _tessera_catalog.pg_dist_background_task_depend to public;
grant select, usage on sequence _tessera_catalog.pg_dist_background_job_job_id_seq,
  _tessera_catalog.pg_dist_background_task_task_id_seq to public;

-- It has more arguments now.
drop function if exists @extschema@.drop_chunks(regclass, anycompatible, anycompatible, boolean, anycompatible, anycompatible);

create table _tessera_catalog.telemetry_report (
  id bigint generated always as identity primary key,
  created_at timestamptz not null default pg_catalog.now(),
  report jsonb not null,
  delivered_at timestamptz,
  delivery_error text
);
comment on table _tessera_catalog.telemetry_report is
  'reports that job 1 stored in this database, the last thirty of them; nothing leaves it unless the command tessera deliver-telemetry is run and telemetry_endpoint is set';

grant select, usage on sequence _tessera_catalog.telemetry_report_id_seq to public;

select pg_catalog.pg_extension_config_dump(
  '_tessera_catalog.metadata', $$where key not in ('uuid', 'install_timestamp', 'tessera_version')$$);

-- Without one, a publication of all tables would refuse to have chunks dropped.
alter table _tessera_catalog.chunk_constraint
  replica identity using index chunk_constraint_chunk_id_constraint_name_key;

-- Ids below 1000 are jobs tessera makes itself; they are not dumped.
create sequence _tessera_catalog.bgw_job_id_seq as int minvalue 1000 cycle;

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
  own_procedure regprocedure,
  check ((check_schema is null) = (check_name is null))
);
alter sequence _tessera_catalog.bgw_job_id_seq owned by _tessera_catalog.bgw_job.id;
create index bgw_job_proc_hypertable_id_idx on _tessera_catalog.bgw_job (proc_schema, proc_name, hypertable_id);
create index bgw_job_owner_idx on _tessera_catalog.bgw_job (owner);
create index bgw_job_hypertable_id_idx on _tessera_catalog.bgw_job (hypertable_id);
comment on table _tessera_catalog.bgw_job is 'scheduled jobs; a max_runtime of 0 means no limit, max_retries of -1 likewise';
comment on column _tessera_catalog.bgw_job.own_procedure is
  'the procedure, if it belonged to the owner of the job when that was added: the job follows it to another owner';

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

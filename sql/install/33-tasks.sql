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

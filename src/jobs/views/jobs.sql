create view tessera_information.jobs as
select j.id as job_id,
  j.application_name,
  j.schedule_interval,
  j.max_runtime,
  j.max_retries,
  j.retry_period,
  j.proc_schema,
  j.proc_name,
  j.owner,
  j.scheduled,
  j.fixed_schedule,
  j.config,
  s.next_start,
  j.initial_start,
  coalesce(a.user_view_schema, h.schema_name) as hypertable_schema,
  coalesce(a.user_view_name, h.table_name) as hypertable_name,
  j.check_schema,
  j.check_name
from _tessera_catalog.bgw_job j
left join _tessera_catalog.bgw_job_stat s on s.job_id = j.id
left join _tessera_catalog.hypertable h on h.id = j.hypertable_id
left join _tessera_catalog.continuous_agg a on a.mat_hypertable_id = h.id;
comment on view tessera_information.jobs is 'one row per job';
grant select on tessera_information.jobs to public;

create view tessera_information.job_stats as
select coalesce(a.user_view_schema, h.schema_name) as hypertable_schema,
  coalesce(a.user_view_name, h.table_name) as hypertable_name,
  j.id as job_id,
  nullif(s.last_start, '-infinity') as last_run_started_at,
  nullif(s.last_successful_finish, '-infinity') as last_successful_finish,
  case when s.last_finish > '-infinity' then case when s.last_run_success then 'Success' else 'Failed' end end as last_run_status,
  case
    when s.last_start > '-infinity' and s.last_finish = '-infinity' and s.flags & 1 = 0 then 'Running'
    when not j.scheduled then 'Paused'
    else 'Scheduled'
  end as job_status,
  case when s.last_finish > s.last_start then s.last_finish - s.last_start end as last_run_duration,
  case when j.scheduled then s.next_start end as next_start,
  s.total_runs,
  s.total_successes,
  s.total_failures
from _tessera_catalog.bgw_job j
join _tessera_catalog.bgw_job_stat s on s.job_id = j.id
left join _tessera_catalog.hypertable h on h.id = j.hypertable_id
left join _tessera_catalog.continuous_agg a on a.mat_hypertable_id = h.id;
comment on view tessera_information.job_stats is 'what became of the runs of every job';
grant select on tessera_information.job_stats to public;

create view tessera_information.policy_stats as
select h.relid as hypertable,
  j.id as job_id,
  j.job_type,
  s.last_run_success,
  s.last_finish,
  s.last_successful_finish,
  s.last_start,
  s.next_start,
  s.total_runs,
  s.total_failures
from _tessera_catalog.bgw_job j
join _tessera_catalog.bgw_job_stat s on s.job_id = j.id
join _tessera_catalog.hypertable h on h.id = j.hypertable_id;
comment on view tessera_information.policy_stats is 'what became of the runs of policies, under the names it had before jobs';
grant select on tessera_information.policy_stats to public;

create view tessera_information.job_history with (security_barrier) as
select h.id,
  h.job_id,
  h.succeeded,
  (h.data #>> '{job,proc_schema}')::name as proc_schema,
  (h.data #>> '{job,proc_name}')::name as proc_name,
  h.pid,
  h.execution_start as start_time,
  h.execution_finish as finish_time,
  h.data #> '{job,config}' as config,
  h.data #>> '{error_data,sqlerrcode}' as sqlerrcode,
  case
    when h.succeeded is null and h.execution_finish is null then 'job crash detected, see server logs'
    else h.data #>> '{error_data,message}'
  end as err_message,
  h.data #>> '{error_data,detail}' as err_detail,
  h.data #>> '{error_data,hint}' as err_hint,
  h.data #>> '{error_data,context}' as err_context
from _tessera_catalog.bgw_job_stat_history h
where pg_catalog.pg_has_role(current_user, (select d.datdba from pg_catalog.pg_database d where d.datname = current_database()), 'USAGE')
  or exists (
    select from pg_catalog.pg_roles r
    where pg_catalog.quote_ident(r.rolname) = h.data #>> '{job,owner}' and pg_catalog.pg_has_role(current_user, r.oid, 'USAGE'));
comment on view tessera_information.job_history is
  'failed and crashed runs, and successful ones while enable_job_execution_logging is on; of jobs whose owner the user may act as, all for the owner of the database';
grant select on tessera_information.job_history to public;

create view tessera_information.job_errors with (security_barrier) as
select h.job_id, h.proc_schema, h.proc_name, h.pid, h.start_time, h.finish_time, h.sqlerrcode, h.err_message
from tessera_information.job_history h
where h.succeeded is not true;
comment on view tessera_information.job_errors is 'failed and crashed runs';
grant select on tessera_information.job_errors to public;

create view tessera_information.continuous_aggregates as
select coalesce(p.user_view_schema, r.schema_name) as hypertable_schema,
  coalesce(p.user_view_name, r.table_name) as hypertable_name,
  a.user_view_schema as view_schema,
  a.user_view_name as view_name,
  pg_catalog.pg_get_userbyid(v.relowner) as view_owner,
  a.materialized_only,
  exists (
    select from _tessera_catalog.compression_settings s where s.hypertable_id = m.id and s.chunk_id is null)
    as compression_enabled,
  m.schema_name as materialization_hypertable_schema,
  m.table_name as materialization_hypertable_name,
  true as finalized,
  pg_catalog.pg_get_viewdef(a.direct_view) as view_definition,
  b.bucket_width,
  a.refresh_lag,
  a.max_interval_per_job,
  nullif(a.ignore_invalidation_older_than, 9223372036854775807) as ignore_invalidation_older_than
from _tessera_catalog.continuous_agg a
join _tessera_catalog.continuous_aggs_bucket_function b on b.mat_hypertable_id = a.mat_hypertable_id
join _tessera_catalog.hypertable m on m.id = a.mat_hypertable_id
join _tessera_catalog.hypertable r on r.id = a.raw_hypertable_id
join pg_catalog.pg_class v on v.oid = a.user_view
left join _tessera_catalog.continuous_agg p on p.mat_hypertable_id = a.parent_mat_hypertable_id;
comment on view tessera_information.continuous_aggregates is
  'one row per continuous aggregate; lengths are in internal time: microseconds, or units of an integer column';
grant select on tessera_information.continuous_aggregates to public;

create view tessera_information.continuous_aggregate_stats as
select a.user_view as view_name,
  _tessera_functions.internal_text(w.watermark, d.column_type) as completed_threshold,
  _tessera_functions.internal_text(t.watermark, d.column_type) as invalidation_threshold,
  j.id as job_id,
  nullif(s.last_start, '-infinity') as last_run_started_at,
  nullif(s.last_successful_finish, '-infinity') as last_successful_finish,
  case when s.last_finish > '-infinity' then case when s.last_run_success then 'Success' else 'Failed' end end as last_run_status,
  case
    when s.last_start > '-infinity' and s.last_finish = '-infinity' and s.flags & 1 = 0 then 'Running'
    when not j.scheduled then 'Paused'
    when j.id is not null then 'Scheduled'
  end as job_status,
  case when s.last_finish > s.last_start then s.last_finish - s.last_start end as last_run_duration,
  case when j.scheduled then s.next_start end as next_scheduled_run,
  s.total_runs,
  s.total_successes,
  s.total_failures,
  s.total_crashes
from _tessera_catalog.continuous_agg a
join _tessera_catalog.continuous_aggs_watermark w on w.mat_hypertable_id = a.mat_hypertable_id
join _tessera_catalog.dimension d on d.hypertable_id = a.mat_hypertable_id and d.interval_length is not null
left join _tessera_catalog.continuous_aggs_invalidation_threshold t on t.hypertable_id = a.raw_hypertable_id
left join _tessera_catalog.bgw_job j
  on j.hypertable_id = a.mat_hypertable_id and j.proc_name = 'policy_refresh_continuous_aggregate'
left join _tessera_catalog.bgw_job_stat s on s.job_id = j.id;
comment on view tessera_information.continuous_aggregate_stats is
  'how far continuous aggregates are materialized, changes of their raw rows are logged, and what became of their jobs';
grant select on tessera_information.continuous_aggregate_stats to public;

create view tessera_information.continuous_aggregate_refreshes as
select r.pid,
  a.user_view as view_name,
  _tessera_functions.internal_text(r.window_start, d.column_type) as window_start,
  _tessera_functions.internal_text(r.window_end, d.column_type) as window_end,
  r.batches,
  r.done,
  r.started_at,
  case when r.done > 0 then (r.batches - r.done) * (pg_catalog.clock_timestamp() - r.started_at) / r.done end as remaining
from _tessera_catalog.continuous_aggs_refresh r
join _tessera_catalog.continuous_agg a on a.mat_hypertable_id = r.materialization_id
join _tessera_catalog.dimension d on d.hypertable_id = a.mat_hypertable_id and d.interval_length is not null
-- One that failed leaves its row behind, and a session that does nothing.
where exists (select from pg_catalog.pg_stat_activity s where s.pid = r.pid and s.state is distinct from 'idle');
comment on view tessera_information.continuous_aggregate_refreshes is 'refreshes under way: batches in all and done, and about how long the rest takes';
grant select on tessera_information.continuous_aggregate_refreshes to public;

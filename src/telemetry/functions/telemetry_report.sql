create function _tessera_functions.telemetry_job_type(proc_schema text, proc_name text) returns text
language sql immutable
set search_path to pg_catalog, pg_temp
as $$
  select case when $1 = '_tessera_functions' then $2 else 'user_defined_action' end
$$;
comment on function _tessera_functions.telemetry_job_type(text, text) is
  'what a report calls a job: the procedure if it is tessera''s, never the name of one of a user';

create function _tessera_functions.telemetry_report() returns jsonb
language sql volatile
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
set intervalstyle to iso_8601
as $$
  with os as (
    select * from _tessera_functions.get_os_info()
  ), jobs as (
    select _tessera_functions.telemetry_job_type(proc_schema, proc_name) as type, count(*) as n,
      count(*) filter (where fixed_schedule) as fixed
    from _tessera_catalog.bgw_job
    group by 1
  )
  select jsonb_build_object(
    'telemetry_version', 2,
    'db_uuid', (select value from _tessera_catalog.metadata where key = 'uuid'),
    'exported_db_uuid', (select value from _tessera_catalog.metadata where key = 'exported_uuid'),
    -- No cast: an install under another DateStyle of 0.2.0 or earlier left what cannot be read for sure.
    'installed_time', (
      select replace(value, ' ', 'T') from _tessera_catalog.metadata
      where key = 'install_timestamp' and value ~ '^\d{4,}-\d\d-\d\d[ T]\d\d:'),
    'install_method', case when exists (select from pg_extension where extname = 'tessera') then 'extension' else 'script' end,
    'os_name', os.sysname,
    'os_version', os.version,
    'os_release', os.release,
    'os_name_pretty', os.version_pretty,
    'postgresql_version', current_setting('server_version'),
    'tessera_version', _tessera_functions.version(),
    'license', jsonb_build_object('edition', 'postgresql'),
    'build_os_name', os.sysname,
    'build_architecture', substring(version() from ' on ([^-,\s]+)'),
    'build_architecture_bit_size', substring(version() from '(\d+)-bit')::int,
    'data_volume', pg_database_size(current_database()),
    'num_hypertables', (select count(*) from _tessera_catalog.hypertable),
    'num_chunks', (select count(*) from _tessera_catalog.chunk where not dropped),
    'num_compressed_hypertables', (
      select count(distinct hypertable_id) from _tessera_catalog.chunk where not dropped and compressed_chunk_id is not null),
    'num_continuous_aggs', 0,
    'relations', _tessera_functions.telemetry_relations(),
    'jobs_by_type', (select coalesce(jsonb_object_agg(type, n), '{}') from jobs))
  || (
    select jsonb_object_agg('num_' || p.what, coalesce(j.n, 0))
      || jsonb_object_agg('num_' || p.what || '_fixed', coalesce(j.fixed, 0))
      || jsonb_build_object('num_drop_chunks_policies', coalesce(sum(j.n) filter (where p.what = 'retention_policies'), 0))
    from (values
      ('reorder_policies', 'policy_reorder'), ('retention_policies', 'policy_retention'),
      ('compression_policies', 'policy_compression'), ('continuous_aggs_policies', 'policy_refresh_continuous_aggregate'),
      ('user_defined_actions', 'user_defined_action')) p(what, type)
    left join jobs j on j.type = p.type)
  || jsonb_build_object(
    'stats_by_job_type', (
      select coalesce(jsonb_object_agg(x.type, to_jsonb(x) - 'type'), '{}')
      from (
        select _tessera_functions.telemetry_job_type(j.proc_schema, j.proc_name) as type,
          sum(s.total_runs) as total_runs, sum(s.total_successes) as total_successes, sum(s.total_failures) as total_failures,
          sum(s.total_crashes - r.running) as total_crashes, sum(s.total_duration) as total_duration,
          sum(s.total_duration_failures) as total_duration_failures, max(s.consecutive_failures) as max_consecutive_failures,
          max(s.consecutive_crashes - r.running) as max_consecutive_crashes
        from _tessera_catalog.bgw_job j
        join _tessera_catalog.bgw_job_stat s on s.job_id = j.id
        -- A run under way, as is the one that stores this, counts as a crash until it ends.
        cross join lateral (
          select (s.last_start > '-infinity' and s.last_finish = '-infinity' and s.flags & 1 = 0)::int as running) r
        group by 1
      ) x),
    'errors_by_sqlerrcode', (
      select coalesce(jsonb_object_agg(x.type, x.errors), '{}')
      from (
        select e.type, jsonb_object_agg(e.code, e.n) as errors
        from (
          select _tessera_functions.telemetry_job_type(h.data #>> '{job,proc_schema}', h.data #>> '{job,proc_name}') as type,
            coalesce(h.data #>> '{error_data,sqlerrcode}', 'crash') as code, count(*) as n
          from _tessera_catalog.bgw_job_stat_history h
          where h.succeeded is not true
          group by 1, 2
        ) e
        group by 1
      ) x),
    'related_extensions', (
      select jsonb_object_agg(n, exists (select from pg_extension e where e.extname = n))
      from unnest(array[
        'pg_cron', 'plv8', 'dblink', 'postgres_fdw', 'pg_stat_statements', 'postgis', 'vector', 'timescaledb', 'citus']) n),
    'replication', jsonb_build_object(
      'is_wal_receiver', exists (select from pg_stat_get_wal_receiver() r where r.pid is not null),
      'num_wal_senders', (select count(*) from pg_stat_get_wal_senders() where pid is not null)),
    'access_methods', (
      select coalesce(jsonb_object_agg(a.name, jsonb_build_object('pages', a.pages, 'instances', a.n)), '{}')
      from (
        -- A method that neither the server nor an extension brought has a name somebody here gave it.
        select
          case
            when m.oid < 16384 or exists (
              select from pg_depend d where d.classid = 'pg_am'::regclass and d.objid = m.oid and d.deptype = 'e')
              then m.amname
            else 'other'
          end as name,
          sum(c.relpages) as pages, count(*) as n
        from pg_class c
        join pg_am m on m.oid = c.relam
        group by 1
      ) a),
    'instance_metadata', '{}'::jsonb,
    'db_metadata', (
      select coalesce(jsonb_object_agg(key, value), '{}')
      from _tessera_catalog.metadata
      where include_in_telemetry and key not in ('uuid', 'exported_uuid', 'install_timestamp', 'tessera_version')))
  from os
$$;
comment on function _tessera_functions.telemetry_report() is 'the report of get_telemetry_report(), whatever telemetry_level says';

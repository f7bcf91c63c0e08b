create function _tessera_functions.telemetry_relations() returns jsonb
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  with chunks as (
    select relid::oid as oid from _tessera_catalog.chunk where not dropped
  ), mine as (
    select format('%I.%I', associated_schema_name, associated_table_prefix || p)::regclass::oid as oid
    from _tessera_catalog.hypertable, unnest(array['_default', '_pending']) p
    where to_regclass(format('%I.%I', associated_schema_name, associated_table_prefix || p)) is not null
  ), relations as (
    select
      case
        when c.oid in (select relid::oid from _tessera_catalog.hypertable) then 'hypertables'
        when c.oid in (select oid from chunks) or c.oid in (select oid from mine) then 'chunks'
        when c.relkind = 'p' then 'partitioned_tables'
        when c.relkind = 'r' then 'tables'
        when c.relkind = 'f' then 'foreign_tables'
        when c.relkind = 'm' then 'materialized_views'
        else 'views'
      end as kind,
      c.relkind in ('r', 'm') as stored, c.oid, greatest(c.reltuples, 0) as tuples
    from pg_class c
    where c.relkind in ('r', 'p', 'f', 'm', 'v')
      and c.relnamespace not in (select oid from pg_namespace where nspname ~ '^(pg_|information_schema$|_tessera_(catalog|functions)$|tessera)')
  ), sums as (
    select kind, count(*) as num_relations,
      sum(case when stored then pg_table_size(oid) - coalesce(pg_relation_size(toast), 0) else 0 end)::bigint as heap_size,
      sum(case when stored then coalesce(pg_total_relation_size(toast), 0) else 0 end)::bigint as toast_size,
      sum(case when stored then pg_indexes_size(oid) else 0 end)::bigint as indexes_size,
      sum(tuples)::bigint as num_reltuples
    from (
      select r.*, nullif(c.reltoastrelid, 0) as toast from relations r join pg_class c on c.oid = r.oid
    ) x
    group by kind
  )
  select coalesce(jsonb_object_agg(kind, to_jsonb(sums) - 'kind'), '{}') from sums
$$;
comment on function _tessera_functions.telemetry_relations() is 'numbers and sizes of relations by kind, without names';

create function _tessera_functions.telemetry_report() returns jsonb
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  with os as (
    select * from _tessera_functions.get_os_info()
  ), relations as (
    select _tessera_functions.telemetry_relations() as r
  )
  select jsonb_build_object(
    'telemetry_version', 2,
    'db_uuid', (select value from _tessera_catalog.metadata where key = 'uuid'),
    'exported_db_uuid', (select value from _tessera_catalog.metadata where key = 'exported_uuid'),
    'installed_time', (select value::timestamptz from _tessera_catalog.metadata where key = 'install_timestamp'),
    'install_method', case when exists (select from pg_extension where extname = 'tessera') then 'extension' else 'script' end,
    'os_name', os.sysname,
    'os_version', os.version,
    'os_release', os.release,
    'os_name_pretty', os.version_pretty,
    'postgresql_version', current_setting('server_version'),
    'tessera_version', _tessera_functions.version(),
    'data_volume', pg_database_size(current_database()),
    'build_architecture', substring(version() from ' on (\S+?)-'),
    'num_hypertables', (select count(*) from _tessera_catalog.hypertable),
    'num_chunks', (select count(*) from _tessera_catalog.chunk where not dropped),
    'num_compressed_hypertables', 0,
    'num_continuous_aggs', 0)
  || jsonb_build_object(
    'num_reorder_policies', (select count(*) from _tessera_catalog.bgw_job where proc_schema = '_tessera_functions' and proc_name = 'policy_reorder'),
    'num_retention_policies', (select count(*) from _tessera_catalog.bgw_job where proc_schema = '_tessera_functions' and proc_name = 'policy_retention'),
    'num_drop_chunks_policies', (select count(*) from _tessera_catalog.bgw_job where proc_schema = '_tessera_functions' and proc_name = 'policy_retention'),
    'num_user_defined_actions', (select count(*) from _tessera_catalog.bgw_job where proc_schema <> '_tessera_functions'),
    'relations', relations.r,
    'stats_by_job_type', (
      select coalesce(jsonb_object_agg(x.type, to_jsonb(x) - 'type'), '{}')
      from (
        select case when j.proc_schema = '_tessera_functions' then j.proc_name else 'user_defined_action' end as type,
          sum(s.total_runs) as total_runs, sum(s.total_successes) as total_successes, sum(s.total_failures) as total_failures,
          sum(s.total_crashes) as total_crashes, sum(s.total_duration) as total_duration,
          sum(s.total_duration_failures) as total_duration_failures, max(s.consecutive_failures) as max_consecutive_failures,
          max(s.consecutive_crashes) as max_consecutive_crashes
        from _tessera_catalog.bgw_job j
        join _tessera_catalog.bgw_job_stat s on s.job_id = j.id
        group by 1
      ) x),
    'errors_by_sqlerrcode', (
      select coalesce(jsonb_object_agg(x.type, x.errors), '{}')
      from (
        select e.type, jsonb_object_agg(e.code, e.n) as errors
        from (
          select case when h.data #>> '{job,proc_schema}' = '_tessera_functions' then h.data #>> '{job,proc_name}'
              else 'user_defined_action' end as type,
            coalesce(h.data #>> '{error_data,sqlerrcode}', 'crash') as code, count(*) as n
          from _tessera_catalog.bgw_job_stat_history h
          where h.succeeded is not true
          group by 1, 2
        ) e
        group by 1
      ) x),
    'related_extensions', (
      select jsonb_object_agg(n, exists (select from pg_extension e where e.extname = n))
      from unnest(array['pg_cron', 'plv8', 'dblink', 'postgres_fdw', 'pg_stat_statements', 'postgis', 'vector']) n),
    'replication', jsonb_build_object(
      'is_wal_receiver', pg_is_in_recovery(), 'num_wal_senders', (select count(*) from pg_stat_get_wal_senders())),
    'access_methods', (
      select coalesce(jsonb_object_agg(a.amname, jsonb_build_object('pages', a.pages, 'instances', a.n)), '{}')
      from (
        select m.amname, sum(c.relpages) as pages, count(*) as n
        from pg_class c join pg_am m on m.oid = c.relam
        group by 1
      ) a),
    'instance_metadata', '{}'::jsonb,
    'db_metadata', (
      select coalesce(jsonb_object_agg(key, value), '{}')
      from _tessera_catalog.metadata
      where include_in_telemetry and key not in ('uuid', 'exported_uuid', 'install_timestamp')))
  from os, relations
$$;
comment on function _tessera_functions.telemetry_report() is 'the report of get_telemetry_report(), whatever telemetry_level says';

create function @extschema@.get_telemetry_report(always_display_report boolean default false) returns jsonb
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  if _tessera_functions.setting('telemetry_level') = 'off' and always_display_report is not true then
    raise info using
      message = 'telemetry is disabled',
      hint = 'Call get_telemetry_report(always_display_report => true) to see the report all the same.';
    return null;
  end if;
  return _tessera_functions.telemetry_report();
end
$$;
comment on function @extschema@.get_telemetry_report(boolean) is
'The report that job 1 would store now: counts and sizes, no names and no data. Nothing is sent.
always_display_report: show it although telemetry_level is off
Privileges: members of the role that owns the extension, since it sums up the job history';

create procedure _tessera_functions.policy_telemetry(job_id int, config jsonb)
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  if _tessera_functions.setting('telemetry_level') <> 'off' then
    insert into _tessera_catalog.metadata (key, value, include_in_telemetry)
    select 'exported_uuid', _tessera_functions.generate_uuid()::text, true
    where not exists (select from _tessera_catalog.metadata where key = 'exported_uuid');
    insert into _tessera_catalog.telemetry_report (report) values (_tessera_functions.telemetry_report());
    delete from _tessera_catalog.telemetry_report
    where id <= (select id from _tessera_catalog.telemetry_report order by id desc offset 30 limit 1);
  end if;
  -- A new installation changes by the hour.
  update _tessera_catalog.bgw_job_stat s
  set next_start = s.last_start + interval '1 hour'
  where s.job_id = policy_telemetry.job_id and s.pid = pg_backend_pid() and s.total_runs < 12;
end
$$;
comment on procedure _tessera_functions.policy_telemetry(int, jsonb) is
'What job 1 runs: stores a report in this database unless telemetry_level is off; every hour for its first twelve runs.';

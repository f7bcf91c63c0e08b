create function @extschema@.alter_continuous_aggregate(
  continuous_aggregate regclass,
  materialized_only boolean default null,
  refresh_lag anycompatible default null,
  refresh_interval interval default null,
  max_interval_per_job anycompatible default null,
  ignore_invalidation_older_than anycompatible default null
) returns void
language sql volatile
set search_path to pg_catalog, pg_temp
set intervalstyle to 'postgres'
as $$
  select _tessera_functions.alter_continuous_aggregate($1::oid::int8, jsonb_build_object(
    'materialized_only', $2, 'refresh_lag', $3::text, 'refresh_interval', $4::text, 'max_interval_per_job', $5::text,
    'ignore_invalidation_older_than', $6::text, 'type', pg_typeof($3)::text))
$$;
comment on function @extschema@.alter_continuous_aggregate(regclass, boolean, anycompatible, interval, anycompatible, anycompatible) is
'Changes options of a continuous aggregate; null leaves one as it is.
continuous_aggregate: its view
materialized_only: whether the view shows only what is materialized
refresh_lag, refresh_interval: of the job that the options of create_continuous_aggregate() made; refresh_interval is its retry period too
max_interval_per_job: most that one batch of a refresh materializes
ignore_invalidation_older_than: age from which on changes of rows do not count; it holds for changes made later
Privileges: owner of the continuous aggregate
Locks: ACCESS EXCLUSIVE on the view for materialized_only, in short attempts
Errors: 0A000 no continuous aggregate, 22023 bad option, 42501 not the owner, 42704 refresh_interval without a job';

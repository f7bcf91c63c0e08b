-- No search_path of its own: the query is read with that of the caller.
create function @extschema@.create_continuous_aggregate(
  name text,
  query text,
  with_data boolean default true,
  materialized_only boolean default false,
  create_group_indexes boolean default true,
  if_not_exists boolean default false,
  column_names name[] default null,
  refresh_lag anycompatible default null,
  refresh_interval interval default null,
  max_interval_per_job anycompatible default null,
  ignore_invalidation_older_than anycompatible default null,
  start_offset anycompatible default null,
  end_offset anycompatible default null,
  schedule_interval interval default null,
  chunk_interval anycompatible default null
) returns regclass
language plpgsql volatile
as $$
begin
  return (_tessera_functions.create_continuous_aggregate(pg_catalog.jsonb_build_object(
    'name', name, 'query', query, 'with_data', with_data, 'materialized_only', materialized_only,
    'create_group_indexes', create_group_indexes, 'if_not_exists', if_not_exists, 'column_names', column_names,
    'refresh_lag', refresh_lag::pg_catalog.text, 'refresh_interval', refresh_interval::pg_catalog.text,
    'max_interval_per_job', max_interval_per_job::pg_catalog.text,
    'ignore_invalidation_older_than', ignore_invalidation_older_than::pg_catalog.text,
    'start_offset', start_offset::pg_catalog.text, 'end_offset', end_offset::pg_catalog.text,
    'schedule_interval', schedule_interval::pg_catalog.text, 'chunk_interval', chunk_interval::pg_catalog.text,
    'type', pg_catalog.pg_typeof(refresh_lag)::pg_catalog.text,
    'search_path', pg_catalog.current_setting('search_path'))))::pg_catalog.oid::pg_catalog.regclass;
end
$$;
comment on function @extschema@.create_continuous_aggregate(text, text, boolean, boolean, boolean, boolean, name[], anycompatible, interval, anycompatible, anycompatible, anycompatible, anycompatible, interval, anycompatible) is
'Creates a continuous aggregate: a view that answers a query with GROUP BY time_bucket() from results kept in a hypertable, which refreshes bring up to date; returns the view, null when it was skipped.
name: of the view, with its schema or without
query: SELECT ... FROM hypertable [JOIN tables] [WHERE] GROUP BY time_bucket(constant width, time column) [, ...] [HAVING]; FROM may name another continuous aggregate
with_data: materialize all that is there now, in this transaction; writers of the hypertable wait until it ends
materialized_only: the view shows what is materialized alone; else raw rows answer for what is not, or no longer right
create_group_indexes: an index (column, bucket) for each other grouped column
if_not_exists: a NOTICE instead of an error when the name is taken
column_names: names of the columns of the view; null takes those of the query
refresh_lag, refresh_interval, max_interval_per_job: one of them makes a job that refreshes every refresh_interval (default: two buckets; twelve hours for integers) up to refresh_lag before now (default: two buckets), max_interval_per_job at a time (default: some five million rows of the hypertable, twenty buckets at least)
ignore_invalidation_older_than: changes of rows older than this when they are made do not count (default: all count)
start_offset, end_offset, schedule_interval: with schedule_interval, a policy as add_continuous_aggregate_policy() makes it
chunk_interval: of the hypertable with the results; default ten chunk intervals of the raw one
Lengths are intervals, or integers for an integer time column.
Privileges: owner of the hypertable, CREATE on the schema
Locks: SHARE ROW EXCLUSIVE on the hypertable and its chunks when it is the first of the hypertable, in short attempts
Errors: 0A000 a query that cannot be aggregated continuously, with the reason as DETAIL, TS001 no hypertable, 42P07 name taken, 42601 bad syntax, 22023 bad option, 42501 not the owner, 25001 isolation level above READ COMMITTED';

create function @extschema@.add_retention_policy(
  relation regclass,
  drop_after anycompatible default null,
  if_not_exists boolean default false,
  schedule_interval interval default null,
  initial_start timestamptz default null,
  timezone text default null,
  drop_created_before interval default null,
  cascade_to_materializations boolean default null
) returns integer
language sql volatile
set search_path to pg_catalog, pg_temp
set intervalstyle to 'postgres'
set datestyle to 'iso, ymd'
as $$
  select _tessera_functions.add_retention_policy(jsonb_build_object(
    'relation', $1::oid::text, 'drop_after', $2::text, 'type', pg_typeof($2)::text, 'if_not_exists', $3,
    'schedule_interval', $4::text, 'initial_start', $5::text, 'timezone', $6, 'drop_created_before', $7::text,
    'cascade_to_materializations', $8))
$$;
comment on function @extschema@.add_retention_policy(regclass, anycompatible, boolean, interval, timestamptz, text, interval, boolean) is
'Has chunks dropped by a job once all their rows are old enough, and returns the id of the job; -1 when there is a policy already and if_not_exists was given.
relation: the hypertable
drop_after: age of rows to drop: an interval, or for an integer time column an integer, counted from its integer_now function
if_not_exists: a NOTICE when there is the same policy already, a WARNING when there is another one, instead of an error
schedule_interval: how often it runs; null means once a day
initial_start: first run, and from then on a fixed schedule
timezone: of that schedule
drop_created_before: instead of drop_after: age of the chunks themselves, whatever their rows say
cascade_to_materializations: as in drop_chunks(); null keeps results
Privileges: owner of the hypertable, who must be able to log in
Errors: TS001 not a hypertable, 22023 bad age, not exactly one age, no integer_now function, or a policy that could never succeed, 42710 there is one already, 28000 the owner cannot log in';

create function @extschema@.add_drop_chunks_policy(
  hypertable regclass,
  older_than anycompatible,
  "cascade" boolean default false,
  if_not_exists boolean default false,
  cascade_to_materializations boolean default false
) returns integer
language sql volatile
set search_path to pg_catalog, pg_temp
set intervalstyle to 'postgres'
as $$
  select _tessera_functions.add_retention_policy(jsonb_build_object(
    'relation', $1::oid::text, 'drop_after', $2::text, 'type', pg_typeof($2)::text, 'if_not_exists', $4,
    'schedule_interval', null, 'initial_start', null, 'timezone', null, 'drop_created_before', null,
    'cascade', $3, 'cascade_to_materializations', $5, 'name', 'Drop Chunks Background Job'))
$$;
comment on function @extschema@.add_drop_chunks_policy(regclass, anycompatible, boolean, boolean, boolean) is
'The older name of add_retention_policy(), with the arguments it had then.
hypertable: the hypertable
older_than: age of rows to drop
cascade: drop what depends on a chunk as well
if_not_exists: a NOTICE or WARNING instead of an error when there is a policy already
cascade_to_materializations: true deletes results of continuous aggregates as well; false keeps them, as in drop_chunks(); null is refused once the hypertable has one, since it must be said
Privileges: owner of the hypertable, who must be able to log in';

create function @extschema@.drop_chunks(
  relation regclass,
  older_than anycompatible default null,
  newer_than anycompatible default null,
  "verbose" boolean default false,
  created_before anycompatible default null,
  created_after anycompatible default null,
  cascade_to_materializations boolean default null,
  "cascade" boolean default false
) returns setof text
language sql volatile
set search_path to pg_catalog, pg_temp
set datestyle to 'iso, ymd'
as $$
  select c.name
  from _tessera_functions.drop_chunks(
    $1::oid::int8,
    jsonb_build_object(
      'type', pg_typeof($2)::text, 'older_than', $2::text, 'newer_than', $3::text, 'verbose', $4,
      'created_before', $5::text, 'created_after', $6::text, 'cascade_to_materializations', $7, 'cascade', $8)) as c(name)
$$;
comment on function @extschema@.drop_chunks(regclass, anycompatible, anycompatible, boolean, anycompatible, anycompatible, boolean, boolean) is
'Drops the chunks that lie wholly inside the bounds and returns their names; rows are never deleted one by one.
relation: the hypertable
older_than, newer_than, created_before, created_after: as in show_chunks(); at least one is needed
verbose: an INFO message for every chunk
cascade_to_materializations: for a hypertable with continuous aggregates: null keeps their results for good, once what was not materialized of the chunks is, and leaves chunks with rows of a bucket that reaches beyond older_than; true deletes what they have of the chunks as well; false keeps results where changes of rows before older_than do not count any more and all was materialized
cascade: drop views and whatever else depends on a chunk as well, instead of raising an error
Privileges: owner of the hypertable
Locks: ACCESS EXCLUSIVE on the hypertable and the chunks, waited for in short attempts; where results are kept first EXCLUSIVE on the chunks while changes are refreshed
Errors: TS001 not a hypertable, 22023 no bound or a bad one, or cascade_to_materializations false where that cannot be, 25001 not READ COMMITTED, 2BP01 something depends on a chunk, 42501 results that are not up to date are of somebody else, 55P03 no lock';

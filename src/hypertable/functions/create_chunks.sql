create function @extschema@.create_chunks(
  relation regclass,
  range_start anycompatible,
  range_end anycompatible
) returns setof regclass
language sql volatile
set search_path to pg_catalog, pg_temp
set datestyle to 'iso, ymd'
as $$
  select c.oid::oid::regclass
  from _tessera_functions.create_chunks($1::oid::int8, $2::text, $3::text, pg_typeof($2)::text) as c(oid)
$$;
comment on function @extschema@.create_chunks(regclass, anycompatible, anycompatible) is
'Creates the chunks that the range [range_start, range_end) lacks and returns them. Done before a bulk load, no row ever goes through the default partition.
relation: the hypertable
range_start, range_end: values of the time column, or intervals before now
Privileges: owner of the hypertable
Locks: SHARE ROW EXCLUSIVE on the hypertable, ACCESS EXCLUSIVE on its default partition, waited for in short attempts
Errors: TS001 not a hypertable, 22023 null, bad or inverted range, or more than 10000 chunks, 55P03 no lock';

create function @extschema@.show_chunks(
  relation regclass,
  older_than anycompatible default null,
  newer_than anycompatible default null,
  created_before anycompatible default null,
  created_after anycompatible default null
) returns setof regclass
language plpgsql stable
set search_path to pg_catalog, pg_temp
set datestyle to 'iso, ymd'
as $$
-- PL/pgSQL keeps its plan; as an SQL function this took 0.15 ms more a call.
begin
  return query
  select c.oid::oid::regclass
  from _tessera_functions.show_chunks(
    $1::oid::int8,
    jsonb_build_object(
      'type', pg_typeof($2)::text, 'older_than', $2::text, 'newer_than', $3::text, 'created_before', $4::text,
      'created_after', $5::text)) as c(oid);
end
$$;
comment on function @extschema@.show_chunks(regclass, anycompatible, anycompatible, anycompatible, anycompatible) is
'Chunks of a hypertable that lie wholly inside the bounds, in the order of time.
relation: the hypertable
older_than: chunks that end at or before it: an interval before now, or a value of the time column; null means no bound
newer_than: chunks that begin at or after it, likewise
created_before, created_after: by the time the chunk was created, not together with the other two
Privileges: anybody
Errors: TS001 not a hypertable, 22023 bounds of a wrong type or in the wrong order';

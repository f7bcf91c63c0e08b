-- No search_path of its own: the query is read with that of the caller.
create function @extschema@.create_aggregate_view(name text, query text, if_not_exists boolean default false) returns regclass
language plpgsql volatile
as $$
begin
  return _tessera_functions.create_aggregate_view(name, query, if_not_exists, pg_catalog.current_setting('search_path'))::pg_catalog.oid::pg_catalog.regclass;
end
$$;
comment on function @extschema@.create_aggregate_view(text, text, boolean) is
'Creates a view whose aggregates are computed where the rows are, for each shard on its node and for all nodes at the same time, and combined here; returns the view, null when it was skipped. Nothing is stored. Moves of shards are followed.
name: of the view, with its schema or without
query: SELECT ... FROM distributed table [JOIN colocated ones by the distribution columns] [WHERE] [GROUP BY] [HAVING] with count, sum, avg, min, max, bool_and, bool_or, every, bit_and, bit_or, bit_xor, variance, stddev and their like, first, last, histogram (a number of buckets up to 200), each with FILTER or without; any aggregate where it groups by the distribution column. Over a hypertable it becomes an ordinary view
if_not_exists: a NOTICE instead of an error when the name is taken
Privileges: owner of the tables, CREATE on the schema
Errors: 0A000 what cannot be split, as DETAIL, 42809 neither a distributed table nor a hypertable, 42P07 name taken, 42501 not the owner';

create function tessera.query(query text) returns setof record
language plpgsql volatile
as $$
declare
  saved text := pg_catalog.current_setting('search_path');
  split text := _tessera_functions.split_query(query, saved);
begin
  -- What has no schema there is PostgreSQL's own; functions that it calls find what they would find.
  perform pg_catalog.set_config('search_path', pg_catalog.concat_ws(', ', 'pg_catalog', nullif(saved, '')), true);
  return query execute split;
  perform pg_catalog.set_config('search_path', saved, true);
end
$$;
comment on function tessera.query(text) is
'Answers one query as a view of create_aggregate_view() would; call it with a column definition list: select * from tessera.query(...) as t(a int, n bigint).
query: as there
Privileges: owner of the tables, TEMPORARY on the database
Errors: as there; 42804 the column definition list does not fit';

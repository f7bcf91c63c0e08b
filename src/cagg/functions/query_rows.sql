-- Neither settings nor rights of its own: the query is the caller's. Stable, so that it reads in the snapshot of the
-- statement that asks beside it what is stale.
create function _tessera_functions.query_rows(query text) returns setof record
language plpgsql stable
as $$
begin
  return query execute query;
end
$$;
comment on function _tessera_functions.query_rows(text) is 'the rows of a query, which is run with the rights of the caller';

create function _tessera_functions.explain_json(query text) returns jsonb
language plpgsql volatile
as $$
declare
  plan pg_catalog.json;
begin
  execute 'explain (format json) ' operator(pg_catalog.||) query into plan;
  return plan::pg_catalog.jsonb;
end
$$;
comment on function _tessera_functions.explain_json(text) is 'plan of a query, as EXPLAIN (FORMAT JSON) gives it';

-- Two looks before the text is embedded. A cursor takes one complete statement that returns rows and nothing
-- else, so "select 1); drop table t; (" ends here; a FROM clause takes no DELETE ... RETURNING. EXPLAIN VERBOSE
-- then names the columns, also of a query without rows, without running it and in a read-only transaction, which
-- a temporary view could not.
create function _tessera_functions.gapfill_columns(query text)
returns name[]
language plpgsql volatile
as $$
declare
  rows_of_query refcursor;
  plan json;
  names name[];
begin
  if query is null then
    raise exception 'query of gapfill cannot be null' using errcode = 'invalid_parameter_value';
  end if;
  begin
    open rows_of_query for execute query;
    close rows_of_query;
    execute pg_catalog.format(
      'explain (verbose, costs off, format json) with rows_of_query as materialized (select * from (%s
      ) as query) select * from rows_of_query', query) into plan;
  exception
    when invalid_cursor_definition or syntax_error then
      raise exception 'query of gapfill must be a single select: %', sqlerrm
        using errcode = case sqlstate when '42601' then '42601' else '22023' end,
          detail = pg_catalog.format('The query given is: %s', query),
          hint = 'Give one select statement.';
  end;
  select pg_catalog.array_agg((pg_catalog.parse_ident(output.item))[2]::name order by output.place)
  into names
  from pg_catalog.json_array_elements_text(plan -> 0 -> 'Plan' -> 'Output') with ordinality as output(item, place);
  return names;
end
$$;
comment on function _tessera_functions.gapfill_columns(text) is
  'column names of a query, which is checked to be one select statement (22023, 42601, 0A000)';

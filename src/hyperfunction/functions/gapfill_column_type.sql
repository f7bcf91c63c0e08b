create function _tessera_functions.gapfill_column_type(query text, column_name name)
returns regtype
language plpgsql volatile
as $$
declare
  column_type regtype;
begin
  execute pg_catalog.format('select pg_catalog.pg_typeof((select rows_of_query.%I from (%s
    ) as rows_of_query limit 0))', column_name, query) into column_type;
  return column_type;
end
$$;
comment on function _tessera_functions.gapfill_column_type(text, name) is
  'type of a column of a query, which is not run; 42702 when two columns have the name';

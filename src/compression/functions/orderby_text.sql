create function _tessera_functions.orderby_text(orderby name[], descending boolean[], nulls_first boolean[]) returns text
language sql immutable
set search_path to pg_catalog, pg_temp
as $$
  select string_agg(quote_ident(c)
      || case when descending[o] then ' desc' else '' end
      || case when nulls_first[o] = descending[o] then '' when nulls_first[o] then ' nulls first' else ' nulls last' end,
    ', ' order by o)
  from unnest(orderby) with ordinality x(c, o)
$$;
comment on function _tessera_functions.orderby_text(name[], boolean[], boolean[]) is 'what follows ORDER BY, as short as it can be said';

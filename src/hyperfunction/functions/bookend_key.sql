create function _tessera_functions.bookend_key(state anyarray)
returns bigint
language sql immutable parallel safe
as $$
select
  (pg_catalog.array_lower(state, 1)::pg_catalog.int8 operator(pg_catalog.<<) 42)
  operator(pg_catalog.|) (pg_catalog.array_lower(state, 2)::pg_catalog.int8 operator(pg_catalog.<<) 21)
  operator(pg_catalog.|) pg_catalog.array_lower(state, 3)::pg_catalog.int8
$$;
comment on function _tessera_functions.bookend_key(anyarray) is
  'key of a state of first and last; NULL while only NULL was seen';

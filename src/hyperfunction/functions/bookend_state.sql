-- State of first and last for 64-bit keys: an array of the value's own type, hence exact, with the one value in
-- it and the key cut into its three lower bounds. One dimension only = nothing but NULL "by" so far.
-- Arrays are what stock PostgreSQL has for "some type and something beside it" and can ship to the leader.
create function _tessera_functions.bookend_state(value anynonarray, key bigint)
returns anyarray
language sql immutable parallel safe
as $$
select pg_catalog.array_fill(value, '{1,1,1}'::pg_catalog.int4[], array[
  (key operator(pg_catalog.>>) 42)::pg_catalog.int4,
  ((key operator(pg_catalog.>>) 21) operator(pg_catalog.&) 2097151)::pg_catalog.int4,
  (key operator(pg_catalog.&) 2097151)::pg_catalog.int4
])
$$;
comment on function _tessera_functions.bookend_state(anynonarray, bigint) is
  'state of first and last: the value in a 1x1x1 array whose lower bounds are the key';

-- first and last compare bigint keys: equal for equal values, ordered as the values are, infinities at the ends.
-- SQL, so that they are inlined into the transition functions (measured: a nested call costs 0.2 us more).
create function _tessera_functions.order_key(sort_by smallint) returns bigint
language sql immutable parallel safe
as $$ select sort_by::pg_catalog.int8 $$;
comment on function _tessera_functions.order_key(smallint) is 'the value itself as sort key of first and last';

create function _tessera_functions.order_key(sort_by integer) returns bigint
language sql immutable parallel safe
as $$ select sort_by::pg_catalog.int8 $$;
comment on function _tessera_functions.order_key(integer) is 'the value itself as sort key of first and last';

create function _tessera_functions.order_key(sort_by bigint) returns bigint
language sql immutable parallel safe
as $$ select sort_by $$;
comment on function _tessera_functions.order_key(bigint) is 'the value itself as sort key of first and last';

create function _tessera_functions.order_key(sort_by date) returns bigint
language sql immutable parallel safe
as $$
select
  case
    when pg_catalog.isfinite(sort_by) then (sort_by operator(pg_catalog.-) pg_catalog.date '2000-01-01')::pg_catalog.int8
    when sort_by operator(pg_catalog.>) pg_catalog.date '2000-01-01' then 9223372036854775807
    else -9223372036854775808
  end
$$;
comment on function _tessera_functions.order_key(date) is 'days since 2000-01-01 as sort key of first and last';

-- The binary form is the stored bigint, infinities included: 0.1 us, extract(epoch) in numeric takes 0.15.
create function _tessera_functions.order_key(sort_by timestamp) returns bigint
language sql immutable parallel safe
as $$
select ('x' operator(pg_catalog.||) pg_catalog.encode(pg_catalog.timestamp_send(sort_by), 'hex'))::pg_catalog.bit(64)::pg_catalog.int8
$$;
comment on function _tessera_functions.order_key(timestamp) is 'the stored microseconds as sort key of first and last';

create function _tessera_functions.order_key(sort_by timestamptz) returns bigint
language sql immutable parallel safe
as $$
select ('x' operator(pg_catalog.||) pg_catalog.encode(pg_catalog.timestamptz_send(sort_by), 'hex'))::pg_catalog.bit(64)::pg_catalog.int8
$$;
comment on function _tessera_functions.order_key(timestamptz) is 'the stored microseconds as sort key of first and last';

create function _tessera_functions.order_key(sort_by time) returns bigint
language sql immutable parallel safe
as $$ select (extract(epoch from sort_by) operator(pg_catalog.*) 1000000)::pg_catalog.int8 $$;
comment on function _tessera_functions.order_key(time) is 'microseconds since midnight as sort key of first and last';

-- The bits of a float8 order as its values do once negative ones are mirrored; adding 0 turns -0 into 0.
create function _tessera_functions.order_key(sort_by double precision) returns bigint
language sql immutable parallel safe
as $$
select
  case
    when sort_by operator(pg_catalog.=) pg_catalog.float8 'NaN' then 9223372036854775807
    when sort_by operator(pg_catalog.<) 0 then
      pg_catalog.int8mi(0, ('x' operator(pg_catalog.||) pg_catalog.encode(
        pg_catalog.float8send(pg_catalog.float8abs(sort_by)), 'hex'))::pg_catalog.bit(64)::pg_catalog.int8)
    else
      ('x' operator(pg_catalog.||) pg_catalog.encode(
        pg_catalog.float8send(sort_by operator(pg_catalog.+) 0), 'hex'))::pg_catalog.bit(64)::pg_catalog.int8
  end
$$;
comment on function _tessera_functions.order_key(double precision) is 'bits of the number as sort key of first and last, NaN last';

create function _tessera_functions.order_key(sort_by real) returns bigint
language sql immutable parallel safe
as $$ select _tessera_functions.order_key(sort_by::pg_catalog.float8) $$;
comment on function _tessera_functions.order_key(real) is 'bits of the number as float8 as sort key of first and last, NaN last';

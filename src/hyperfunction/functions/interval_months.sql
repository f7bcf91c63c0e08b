create function _tessera_functions.interval_months(width interval)
returns double precision
language sql immutable parallel safe
as $$
select pg_catalog.date_part('year', width) operator(pg_catalog.*) 12 operator(pg_catalog.+) pg_catalog.date_part('month', width)
$$;
comment on function _tessera_functions.interval_months(interval) is 'months field of an interval, years included, days and time left out';

-- float8, as date_part gives it: every month number is exact in it. There is no year 0: BC years move up by one.
create function _tessera_functions.month_index(ts timestamp)
returns double precision
language sql immutable parallel safe
as $$
select
  (pg_catalog.date_part('year', ts) operator(pg_catalog.-) 2000
    operator(pg_catalog.+) case when pg_catalog.date_part('year', ts) operator(pg_catalog.<) 0 then 1 else 0 end)
  operator(pg_catalog.*) 12 operator(pg_catalog.+) pg_catalog.date_part('month', ts) operator(pg_catalog.-) 1
$$;
comment on function _tessera_functions.month_index(timestamp) is 'number of calendar months from January 2000 to the month of ts';

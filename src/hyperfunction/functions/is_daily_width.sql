create function _tessera_functions.is_daily_width(width interval)
returns boolean
language sql immutable parallel safe
as $$
select
  _tessera_functions.is_fixed_width(width)
  and extract(epoch from width) operator(pg_catalog.%) 86400 operator(pg_catalog.=) 0
$$;
comment on function _tessera_functions.is_daily_width(interval) is 'true for a fixed width of whole days of 24 hours';

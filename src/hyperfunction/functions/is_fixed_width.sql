-- Folded away for a constant width: what remains of time_bucket is then one date_bin call.
create function _tessera_functions.is_fixed_width(width interval)
returns boolean
language sql immutable parallel safe
as $$
select
  width operator(pg_catalog.>) pg_catalog.interval '0'
  and pg_catalog.date_part('year', width) operator(pg_catalog.=) 0
  and pg_catalog.date_part('month', width) operator(pg_catalog.=) 0
  and pg_catalog.isfinite(width)
$$;
comment on function _tessera_functions.is_fixed_width(interval) is 'true for a finite width above zero without a month part';

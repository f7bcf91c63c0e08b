-- Month arithmetic of time_bucket, as one expression so that the planner inlines it. Twelve times the year
-- plus the month is the index that gets floored. operator() has one precedence for all operators, hence the
-- parentheses. Single months go to date_trunc, which takes a quarter of the time.
create function _tessera_functions.bucket_by_month(bucket_width interval, ts timestamp, origin timestamp)
returns timestamp
language sql immutable parallel safe
as $$
select
  case
    when bucket_width operator(pg_catalog.>) pg_catalog.interval '0'
      and pg_catalog.isfinite(bucket_width)
      and pg_catalog.date_part('day', bucket_width) operator(pg_catalog.=) 0
      and pg_catalog.date_part('hour', bucket_width) operator(pg_catalog.=) 0
      and pg_catalog.date_part('minute', bucket_width) operator(pg_catalog.=) 0
      and pg_catalog.date_part('second', bucket_width) operator(pg_catalog.=) 0
    then
      case
      when origin is null then null
      when _tessera_functions.interval_months(bucket_width) operator(pg_catalog.=) 1 then pg_catalog.date_trunc('month', ts)
      when pg_catalog.isfinite(ts) then
        pg_catalog.timestamp '2000-01-01' operator(pg_catalog.+) (pg_catalog.interval '1 month' operator(pg_catalog.*) (
          _tessera_functions.month_index(origin)
          operator(pg_catalog.+) (pg_catalog.floor(
            (_tessera_functions.month_index(ts) operator(pg_catalog.-) _tessera_functions.month_index(origin))
            operator(pg_catalog./) _tessera_functions.interval_months(bucket_width)
          ) operator(pg_catalog.*) _tessera_functions.interval_months(bucket_width))
        ))
      else ts
      end
    else _tessera_functions.reject_bucket_width(bucket_width)
  end
$$;
comment on function _tessera_functions.bucket_by_month(interval, timestamp, timestamp) is
  'time_bucket for widths in months and years: first day of the month that starts the bucket, counted from the month of origin; other widths are refused';

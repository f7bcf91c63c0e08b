-- Last arm of time_bucket's CASE: reached by NULL and by widths that cannot be bucketed. One overload for each
-- result type, because the arm must have the type of the bucket.
create function _tessera_functions.reject_bucket_width(bucket_width interval, daily boolean default false)
returns timestamp
language plpgsql immutable parallel safe
as $$
begin
  if bucket_width is null then
    return null;
  end if;
  if not pg_catalog.isfinite(bucket_width) then
    raise exception 'bucket width must be finite'
      using errcode = 'invalid_parameter_value', detail = pg_catalog.format('The width given is %s.', bucket_width);
  end if;
  if _tessera_functions.interval_months(bucket_width) operator(pg_catalog.<>) 0
    and bucket_width operator(pg_catalog.<>) pg_catalog.date_trunc('month', bucket_width)
    or _tessera_functions.interval_months(bucket_width) operator(pg_catalog.<>) 0
    and pg_catalog.date_part('day', bucket_width) operator(pg_catalog.<>) 0
  then
    raise exception 'a bucket width in months cannot have days or a time of day'
      using errcode = 'feature_not_supported',
        detail = pg_catalog.format('The width given is %s.', bucket_width),
        hint = 'Use months and years alone, or days and smaller units alone.';
  end if;
  if bucket_width operator(pg_catalog.<=) pg_catalog.interval '0' then
    raise exception 'bucket width must be greater than zero'
      using errcode = 'invalid_parameter_value', detail = pg_catalog.format('The width given is %s.', bucket_width);
  end if;
  if daily and bucket_width operator(pg_catalog.<) pg_catalog.interval '1 day' then
    raise exception 'bucket width for dates cannot be shorter than a day'
      using errcode = 'feature_not_supported',
        detail = pg_catalog.format('The width given is %s.', bucket_width),
        hint = 'Cast the date to timestamp for shorter buckets.';
  end if;
  raise exception 'bucket width for dates must be whole days'
    using errcode = 'feature_not_supported',
      detail = pg_catalog.format('The width given is %s.', bucket_width),
      hint = 'Cast the date to timestamp for other buckets.';
end
$$;
comment on function _tessera_functions.reject_bucket_width(interval, boolean) is
  'raises the error that fits a width time_bucket cannot use (22023 or 0A000); NULL gives NULL';

create function _tessera_functions.reject_bucket_width(bucket_width anyelement)
returns anyelement
language plpgsql immutable parallel safe
as $$
begin
  if bucket_width is null then
    return null;
  end if;
  raise exception 'bucket width must be greater than zero'
    using errcode = 'invalid_parameter_value', detail = pg_catalog.format('The width given is %s.', bucket_width);
end
$$;
comment on function _tessera_functions.reject_bucket_width(anyelement) is
  'raises 22023 for an integer width of zero or less; NULL gives NULL';

create function _tessera_functions.reject_bucket_offset("offset" interval)
returns timestamp
language plpgsql immutable parallel safe
as $$
begin
  raise exception 'bucket offset for dates must be whole days'
    using errcode = 'feature_not_supported',
      detail = pg_catalog.format('The offset given is %s.', "offset"),
      hint = 'Cast the date to timestamp for other offsets.';
end
$$;
comment on function _tessera_functions.reject_bucket_offset(interval) is 'raises 0A000: the start of a bucket of dates is a date';

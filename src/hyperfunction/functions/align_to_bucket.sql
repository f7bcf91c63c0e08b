-- Bounds move in UTC: adding days to a timestamptz would depend on the session's time zone.
create function _tessera_functions.align_to_bucket(width interval, rng anyrange)
returns anyrange
language plpgsql immutable strict parallel safe
as $$
declare
  kind text := pg_catalog.pg_typeof(rng)::text;
  first_bucket timestamp;
  last_bucket timestamp;
  aligned rng%type;
begin
  if kind not in ('tstzrange', 'tsrange', 'daterange') then
    raise exception 'cannot align a range of type %', kind
      using errcode = 'feature_not_supported', hint = 'Use tstzrange, tsrange or daterange.';
  end if;
  if pg_catalog.isempty(rng) then
    return rng;
  end if;
  if kind = 'daterange' and not _tessera_functions.is_daily_width(width)
    and _tessera_functions.interval_months(width) = 0 then
    perform _tessera_functions.reject_bucket_width(width, true);
  end if;
  if kind = 'tstzrange' then
    first_bucket := pg_catalog.lower(rng) at time zone 'UTC';
    last_bucket := pg_catalog.upper(rng) at time zone 'UTC';
  else
    first_bucket := pg_catalog.lower(rng);
    last_bucket := pg_catalog.upper(rng);
  end if;
  first_bucket := @extschema@.time_bucket(width, first_bucket);
  if not pg_catalog.upper_inc(rng) then
    last_bucket := last_bucket - interval '1 microsecond';
  end if;
  last_bucket := @extschema@.time_bucket(width, last_bucket);
  last_bucket := last_bucket + width;
  if kind = 'tstzrange' then
    aligned := pg_catalog.tstzrange(first_bucket at time zone 'UTC', last_bucket at time zone 'UTC');
  elsif kind = 'tsrange' then
    aligned := pg_catalog.tsrange(first_bucket, last_bucket);
  else
    aligned := pg_catalog.daterange(first_bucket::date, last_bucket::date);
  end if;
  return aligned;
end
$$;
comment on function _tessera_functions.align_to_bucket(interval, anyrange) is
  'smallest range of whole buckets (UTC for tstzrange) that holds rng (tstzrange, tsrange, daterange); open ends stay open; errors: 22023 and 0A000 as time_bucket, 0A000 for other range types';

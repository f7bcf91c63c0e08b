-- In UTC buckets are evenly spaced. By the clock of a zone they are what time_bucket makes of candidates: steps
-- of local time find every bucket but those of an hour the clocks repeat, steps of elapsed time find these; a
-- quarter of an hour is the smallest shift of today's zones.
create function _tessera_functions.gapfill_slots(
  bucket_width interval,
  start timestamptz,
  finish timestamptz,
  timezone text
)
returns text
language plpgsql stable
as $$
declare
  first_slot timestamptz;
  step interval;
begin
  if timezone is null then
    return pg_catalog.format(
      'select pg_catalog.timezone(''UTC'', slot)
        from pg_catalog.generate_series(%L::timestamp, %L::timestamp, %L::interval) as slot
        where slot < %2$L::timestamp',
      pg_catalog.timezone('UTC', @extschema@.time_bucket(bucket_width, start)),
      pg_catalog.timezone('UTC', finish), bucket_width);
  end if;
  first_slot := @extschema@.time_bucket(bucket_width, start, timezone);
  step := case
    when bucket_width < interval '1 day' then least(bucket_width, interval '15 minutes')
    else bucket_width
  end;
  return pg_catalog.format(
    'select distinct slot from (
      select @extschema@.time_bucket(%1$L::interval, candidate, %2$L) as slot
      from (
        select pg_catalog.timezone(%2$L, local_time)
        from pg_catalog.generate_series(
          pg_catalog.timezone(%2$L, %3$L::timestamptz), pg_catalog.timezone(%2$L, %4$L::timestamptz), %1$L::interval
        ) as local_time
        union
        select pg_catalog.timezone(''UTC'', utc_time)
        from pg_catalog.generate_series(
          pg_catalog.timezone(''UTC'', %3$L::timestamptz), pg_catalog.timezone(''UTC'', %4$L::timestamptz), %5$L::interval
        ) as utc_time
      ) as candidates(candidate)
    ) as slots
    where slot >= %3$L::timestamptz and slot < %4$L::timestamptz',
    bucket_width, timezone, first_slot, finish, step);
end
$$;
comment on function _tessera_functions.gapfill_slots(interval, timestamptz, timestamptz, text) is
  'query that gives every bucket start from the bucket of start up to but not at finish';

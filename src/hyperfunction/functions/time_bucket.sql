-- Not STRICT: the planner inlines a strict function only when no CASE stands in it.
-- timestamptz works in UTC throughout, which makes IMMUTABLE true.
create function @extschema@.time_bucket(bucket_width interval, ts timestamp)
returns timestamp
language sql immutable parallel safe
as $$
select
  case
    when _tessera_functions.is_fixed_width(bucket_width)
    then pg_catalog.date_bin(bucket_width, ts, pg_catalog.timestamp '2000-01-03')
    else _tessera_functions.bucket_by_month(bucket_width, ts, pg_catalog.timestamp '2000-01-03')
  end
$$;
comment on function @extschema@.time_bucket(interval, timestamp) is
  'start of the bucket of bucket_width that holds ts, counted from Monday 2000-01-03 (months: from 2000-01); NULL for a NULL argument; errors: 22023 width zero or less or infinite, 0A000 months mixed with days or time, 22008 result out of range';

create function @extschema@.time_bucket(bucket_width interval, ts timestamptz)
returns timestamptz
language sql immutable parallel safe
as $$
select
  case
    when _tessera_functions.is_fixed_width(bucket_width)
    then pg_catalog.date_bin(bucket_width, ts, pg_catalog.timestamptz '2000-01-03 00:00+00')
    else pg_catalog.timezone('UTC',
      _tessera_functions.bucket_by_month(bucket_width, pg_catalog.timezone('UTC', ts), pg_catalog.timestamp '2000-01-03'))
  end
$$;
comment on function @extschema@.time_bucket(interval, timestamptz) is
  'start of the bucket of bucket_width that holds ts, in UTC, counted from Monday 2000-01-03 (months: from 2000-01); NULL for a NULL argument; errors: 22023 width zero or less or infinite, 0A000 months mixed with days or time, 22008 result out of range';

create function @extschema@.time_bucket(bucket_width interval, ts date)
returns date
language sql immutable parallel safe
as $$
select
  (case
    when _tessera_functions.is_daily_width(bucket_width)
    then pg_catalog.date_bin(bucket_width, ts::pg_catalog.timestamp, pg_catalog.timestamp '2000-01-03')
    when _tessera_functions.is_fixed_width(bucket_width)
    then _tessera_functions.reject_bucket_width(bucket_width, true)
    else _tessera_functions.bucket_by_month(bucket_width, ts::pg_catalog.timestamp, pg_catalog.timestamp '2000-01-03')
  end)::pg_catalog.date
$$;
comment on function @extschema@.time_bucket(interval, date) is
  'first day of the bucket of bucket_width (whole days, or months) that holds ts, counted from Monday 2000-01-03 (months: from 2000-01); NULL for a NULL argument; errors: 0A000 width not in whole days, 22023 width zero or less, 22008 result out of range';

create function @extschema@.time_bucket(bucket_width interval, ts timestamp, origin timestamp)
returns timestamp
language sql immutable parallel safe
as $$
select
  case
    when _tessera_functions.is_fixed_width(bucket_width)
    then pg_catalog.date_bin(bucket_width, ts, origin)
    else _tessera_functions.bucket_by_month(bucket_width, ts, origin)
  end
$$;
comment on function @extschema@.time_bucket(interval, timestamp, timestamp) is
  'start of the bucket of bucket_width that holds ts, counted from origin (months: from the month of origin); NULL for a NULL argument; errors: 22023 width zero or less or infinite, 0A000 months mixed with days or time, 22008 result out of range';

create function @extschema@.time_bucket(bucket_width interval, ts timestamptz, origin timestamptz)
returns timestamptz
language sql immutable parallel safe
as $$
select
  case
    when _tessera_functions.is_fixed_width(bucket_width)
    then pg_catalog.date_bin(bucket_width, ts, origin)
    else pg_catalog.timezone('UTC',
      _tessera_functions.bucket_by_month(bucket_width, pg_catalog.timezone('UTC', ts), pg_catalog.timezone('UTC', origin)))
  end
$$;
comment on function @extschema@.time_bucket(interval, timestamptz, timestamptz) is
  'start of the bucket of bucket_width that holds ts, counted from origin (months: from the UTC month of origin); NULL for a NULL argument; errors: 22023 width zero or less or infinite, 0A000 months mixed with days or time, 22008 result out of range';

create function @extschema@.time_bucket(bucket_width interval, ts date, origin date)
returns date
language sql immutable parallel safe
as $$
select
  (case
    when _tessera_functions.is_daily_width(bucket_width)
    then pg_catalog.date_bin(bucket_width, ts::pg_catalog.timestamp, origin::pg_catalog.timestamp)
    when _tessera_functions.is_fixed_width(bucket_width)
    then _tessera_functions.reject_bucket_width(bucket_width, true)
    else _tessera_functions.bucket_by_month(bucket_width, ts::pg_catalog.timestamp, origin::pg_catalog.timestamp)
  end)::pg_catalog.date
$$;
comment on function @extschema@.time_bucket(interval, date, date) is
  'first day of the bucket of bucket_width (whole days, or months) that holds ts, counted from origin; NULL for a NULL argument; errors: 0A000 width not in whole days, 22023 width zero or less, 22008 result out of range';

create function @extschema@.time_bucket(bucket_width interval, ts timestamp, "offset" interval)
returns timestamp
language sql immutable parallel safe
as $$
select @extschema@.time_bucket(bucket_width, ts operator(pg_catalog.-) "offset") operator(pg_catalog.+) "offset"
$$;
comment on function @extschema@.time_bucket(interval, timestamp, interval) is
  'as time_bucket(bucket_width, ts) with every bucket start moved by offset; NULL for a NULL argument; errors: 22023 width zero or less or infinite, 0A000 months mixed with days or time, 22008 result out of range';

create function @extschema@.time_bucket(bucket_width interval, ts timestamptz, "offset" interval)
returns timestamptz
language sql immutable parallel safe
as $$
select pg_catalog.timezone('UTC',
  @extschema@.time_bucket(bucket_width, pg_catalog.timezone('UTC', ts) operator(pg_catalog.-) "offset")
  operator(pg_catalog.+) "offset")
$$;
comment on function @extschema@.time_bucket(interval, timestamptz, interval) is
  'as time_bucket(bucket_width, ts) with every bucket start moved by offset, days of 24 hours, months by the UTC calendar; NULL for a NULL argument; errors: 22023 width zero or less or infinite, 0A000 months mixed with days or time, 22008 result out of range';

create function @extschema@.time_bucket(bucket_width interval, ts date, "offset" interval)
returns date
language sql immutable parallel safe
as $$
select
  (case
    when _tessera_functions.is_fixed_width(bucket_width) and not _tessera_functions.is_daily_width(bucket_width)
    then _tessera_functions.reject_bucket_width(bucket_width, true)
    when "offset" operator(pg_catalog.<>) pg_catalog.date_trunc('day', "offset")
    then _tessera_functions.reject_bucket_offset("offset")
    else @extschema@.time_bucket(bucket_width, ts::pg_catalog.timestamp operator(pg_catalog.-) "offset")
      operator(pg_catalog.+) "offset"
  end)::pg_catalog.date
$$;
comment on function @extschema@.time_bucket(interval, date, interval) is
  'as time_bucket(bucket_width, ts) with every bucket start moved by offset, whole days or months; NULL for a NULL argument; errors: 0A000 width or offset not in whole days, 22023 width zero or less, 22008 result out of range';

-- PL/pgSQL: as one inlined expression the zone conversions, about 0.15 us each, would run twice a row.
-- The local start of a bucket can be ambiguous (clocks go back) or missing (they go forward); either way its
-- instant may lie after ts. Widths are then subtracted, days by the zone's calendar and hours as elapsed time
-- (by date_bin where there are hours alone: a loop of microseconds would not end).

create function @extschema@.time_bucket(
  bucket_width interval,
  ts timestamptz,
  timezone text,
  origin timestamptz default null,
  "offset" interval default null
)
returns timestamptz
language plpgsql immutable parallel safe
as $$
declare
  moved timestamptz := ts;
  local_start timestamp;
  days interval;
  elapsed interval := '0';
begin
  if bucket_width is null or ts is null or timezone is null then
    return null;
  end if;
  if "offset" is not null then
    moved := pg_catalog.timezone('UTC', pg_catalog.timezone('UTC', ts) operator(pg_catalog.-) "offset");
  end if;
  if origin is null then
    local_start := @extschema@.time_bucket(bucket_width, pg_catalog.timezone(timezone, moved));
  else
    local_start := @extschema@.time_bucket(
      bucket_width, pg_catalog.timezone(timezone, moved), pg_catalog.timezone(timezone, origin));
  end if;
  ts := pg_catalog.timezone(timezone, local_start);
  if ts operator(pg_catalog.>) moved then
    days := pg_catalog.date_trunc('day', bucket_width);
    if days operator(pg_catalog.=) pg_catalog.interval '0' then
      ts := pg_catalog.date_bin(bucket_width, moved, ts);
    end if;
    while ts operator(pg_catalog.>) moved loop
      local_start := local_start operator(pg_catalog.-) days;
      elapsed := elapsed operator(pg_catalog.+) (bucket_width operator(pg_catalog.-) days);
      ts := pg_catalog.timezone('UTC',
        pg_catalog.timezone('UTC', pg_catalog.timezone(timezone, local_start)) operator(pg_catalog.-) elapsed);
    end loop;
  end if;
  if "offset" is not null then
    ts := pg_catalog.timezone('UTC', pg_catalog.timezone('UTC', ts) operator(pg_catalog.+) "offset");
  end if;
  return ts;
end
$$;
comment on function @extschema@.time_bucket(interval, timestamptz, text, timestamptz, interval) is
  'start of the bucket of bucket_width that holds ts by the clock of timezone, counted from origin (NULL: local Monday 2000-01-03, months from 2000-01) and moved by offset (NULL: none); NULL when one of the first three is NULL; errors: 22023 width zero or less or infinite, 0A000 months mixed with days or time, 22008 result out of range, 22023 unknown time zone';

create function @extschema@.time_bucket(bucket_width smallint, ts smallint)
returns smallint
language sql immutable parallel safe
as $$
select
  case
    when bucket_width operator(pg_catalog.>) 0
    then ts operator(pg_catalog.-) (ts operator(pg_catalog.%) bucket_width)
      operator(pg_catalog.-)
        case when ts operator(pg_catalog.%) bucket_width operator(pg_catalog.<) 0 then bucket_width else 0::pg_catalog.int2 end
    else _tessera_functions.reject_bucket_width(bucket_width)
  end
$$;
comment on function @extschema@.time_bucket(smallint, smallint) is
  'largest multiple of bucket_width not above ts; NULL for a NULL argument; errors: 22023 width zero or less, 22003 result out of range';

create function @extschema@.time_bucket(bucket_width smallint, ts smallint, "offset" smallint)
returns smallint
language sql immutable parallel safe
as $$
select
  case
    when bucket_width operator(pg_catalog.>) 0
    then @extschema@.time_bucket(bucket_width, ts operator(pg_catalog.-) ("offset" operator(pg_catalog.%) bucket_width))
      operator(pg_catalog.+) ("offset" operator(pg_catalog.%) bucket_width)
    else _tessera_functions.reject_bucket_width(bucket_width)
  end
$$;
comment on function @extschema@.time_bucket(smallint, smallint, smallint) is
  'as time_bucket(bucket_width, ts) with every bucket start moved by offset, taken modulo the width; NULL for a NULL argument; errors: 22023 width zero or less, 22003 result out of range';

create function @extschema@.time_bucket(bucket_width integer, ts integer)
returns integer
language sql immutable parallel safe
as $$
select
  case
    when bucket_width operator(pg_catalog.>) 0
    then ts operator(pg_catalog.-) (ts operator(pg_catalog.%) bucket_width)
      operator(pg_catalog.-)
        case when ts operator(pg_catalog.%) bucket_width operator(pg_catalog.<) 0 then bucket_width else 0 end
    else _tessera_functions.reject_bucket_width(bucket_width)
  end
$$;
comment on function @extschema@.time_bucket(integer, integer) is
  'largest multiple of bucket_width not above ts; NULL for a NULL argument; errors: 22023 width zero or less, 22003 result out of range';

create function @extschema@.time_bucket(bucket_width integer, ts integer, "offset" integer)
returns integer
language sql immutable parallel safe
as $$
select
  case
    when bucket_width operator(pg_catalog.>) 0
    then @extschema@.time_bucket(bucket_width, ts operator(pg_catalog.-) ("offset" operator(pg_catalog.%) bucket_width))
      operator(pg_catalog.+) ("offset" operator(pg_catalog.%) bucket_width)
    else _tessera_functions.reject_bucket_width(bucket_width)
  end
$$;
comment on function @extschema@.time_bucket(integer, integer, integer) is
  'as time_bucket(bucket_width, ts) with every bucket start moved by offset, taken modulo the width; NULL for a NULL argument; errors: 22023 width zero or less, 22003 result out of range';

create function @extschema@.time_bucket(bucket_width bigint, ts bigint)
returns bigint
language sql immutable parallel safe
as $$
select
  case
    when bucket_width operator(pg_catalog.>) 0
    then ts operator(pg_catalog.-) (ts operator(pg_catalog.%) bucket_width)
      operator(pg_catalog.-)
        case when ts operator(pg_catalog.%) bucket_width operator(pg_catalog.<) 0 then bucket_width else 0::pg_catalog.int8 end
    else _tessera_functions.reject_bucket_width(bucket_width)
  end
$$;
comment on function @extschema@.time_bucket(bigint, bigint) is
  'largest multiple of bucket_width not above ts; NULL for a NULL argument; errors: 22023 width zero or less, 22003 result out of range';

create function @extschema@.time_bucket(bucket_width bigint, ts bigint, "offset" bigint)
returns bigint
language sql immutable parallel safe
as $$
select
  case
    when bucket_width operator(pg_catalog.>) 0
    then @extschema@.time_bucket(bucket_width, ts operator(pg_catalog.-) ("offset" operator(pg_catalog.%) bucket_width))
      operator(pg_catalog.+) ("offset" operator(pg_catalog.%) bucket_width)
    else _tessera_functions.reject_bucket_width(bucket_width)
  end
$$;
comment on function @extschema@.time_bucket(bigint, bigint, bigint) is
  'as time_bucket(bucket_width, ts) with every bucket start moved by offset, taken modulo the width; NULL for a NULL argument; errors: 22023 width zero or less, 22003 result out of range';

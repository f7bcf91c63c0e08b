create function _tessera_functions.change_range(lowest bigint, highest bigint) returns int8range
language sql immutable parallel safe
as $$
select pg_catalog.int8range(
  nullif(lowest, '-9223372036854775808'::pg_catalog.int8),
  case when highest operator(pg_catalog.<) 9223372036854775807 then highest operator(pg_catalog.+) 1 end)
$$;
comment on function _tessera_functions.change_range(bigint, bigint) is
  'range of internal time from lowest to highest, both included; the ends of int8 mean that it has no bound there';

create function _tessera_functions.change_cutoff(modification_time bigint, ignore_older_than bigint) returns bigint
language sql immutable parallel safe
as $$
select case
  when ignore_older_than operator(pg_catalog.=) 9223372036854775807 then '-9223372036854775808'::pg_catalog.int8
  when ignore_older_than operator(pg_catalog.=) 0 then 9223372036854775807
  -- Nobody knew the time.
  when modification_time operator(pg_catalog.=) 9223372036854775807 then '-9223372036854775808'::pg_catalog.int8
  when modification_time operator(pg_catalog.<) ('-9223372036854775808'::pg_catalog.int8 operator(pg_catalog.+) ignore_older_than) then '-9223372036854775808'::pg_catalog.int8
  else modification_time operator(pg_catalog.-) ignore_older_than
end
$$;
comment on function _tessera_functions.change_cutoff(bigint, bigint) is
  'changes of rows older than this, in internal time, do not count, given when they were made and what a continuous aggregate ignores';

create function _tessera_functions.from_internal(value bigint, sample anyelement) returns anyelement
language plpgsql immutable parallel safe
set search_path to pg_catalog, pg_temp
as $$
declare
  result alias for $0;
  moment timestamp;
begin
  case pg_typeof(sample)
    when 'smallint'::regtype then
      result := greatest(least(value, 32767), -32768);
    when 'integer'::regtype then
      result := greatest(least(value, 2147483647), -2147483648);
    when 'bigint'::regtype then
      result := value;
    else
      moment := case value
        when 9223372036854775807 then 'infinity'::timestamp
        when '-9223372036854775808'::int8 then '-infinity'::timestamp
        -- In two steps: int8 times interval goes by way of float8. No calendar begins before 4714 BC.
        else timestamp 'epoch' + (greatest(value, -210866803200000000) / 86400000000) * interval '1 day'
          + (greatest(value, -210866803200000000) % 86400000000) * interval '1 microsecond'
      end;
      if pg_typeof(sample) = 'timestamp with time zone'::regtype then
        result := timezone('UTC', moment);
      else
        result := moment;
      end if;
  end case;
  return result;
end
$$;
comment on function _tessera_functions.from_internal(bigint, anyelement) is
  'internal time as a value of the type of sample, whose ends stand for the ends of int8';

create function _tessera_functions.bucket_start(mat_hypertable_id integer, value bigint) returns bigint
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  b _tessera_catalog.continuous_aggs_bucket_function;
  time_type regtype;
  moment timestamp;
  rest bigint;
begin
  if value is null or value in ('-9223372036854775808'::int8, 9223372036854775807) then
    return value;
  end if;
  select * into b from _tessera_catalog.continuous_aggs_bucket_function f where f.mat_hypertable_id = bucket_start.mat_hypertable_id;
  if b.bucket_fixed_width then
    rest := mod(mod(mod(value, b.bucket_period) - b.bucket_phase, b.bucket_period) + b.bucket_period, b.bucket_period);
    return case when value < '-9223372036854775808'::int8 + rest then '-9223372036854775808'::int8 else value - rest end;
  end if;
  moment := _tessera_functions.from_internal(value, null::timestamp);
  if b.bucket_timezone is not null then
    moment := timezone('UTC', @extschema@.time_bucket(b.bucket_width::interval, timezone('UTC', moment), b.bucket_timezone,
      b.bucket_origin::timestamptz, b.bucket_offset::interval));
  elsif b.bucket_origin is not null then
    select d.column_type into time_type
    from _tessera_catalog.dimension d where d.hypertable_id = b.mat_hypertable_id and d.interval_length is not null;
    moment := @extschema@.time_bucket(b.bucket_width::interval, moment,
      case when time_type = 'timestamptz'::regtype then timezone('UTC', b.bucket_origin::timestamptz) else b.bucket_origin::timestamp end);
  elsif b.bucket_offset is not null then
    moment := @extschema@.time_bucket(b.bucket_width::interval, moment, b.bucket_offset::interval);
  else
    moment := @extschema@.time_bucket(b.bucket_width::interval, moment);
  end if;
  return (extract(epoch from moment) * 1000000)::bigint;
exception
  -- Out of the calendar.
  when datetime_field_overflow then
    return '-9223372036854775808'::int8;
end
$$;
comment on function _tessera_functions.bucket_start(integer, bigint) is
  'start of the bucket of a continuous aggregate that holds an internal time';

create function _tessera_functions.bucket_end(mat_hypertable_id integer, value bigint) returns bigint
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  b _tessera_catalog.continuous_aggs_bucket_function;
  start bigint := _tessera_functions.bucket_start(mat_hypertable_id, value);
  found bigint;
  before bigint;
begin
  if value is null or value = 9223372036854775807 then
    return value;
  end if;
  -- Rows at minus infinity are a bucket of their own.
  if value = '-9223372036854775808'::int8 then
    return value + 1;
  end if;
  select * into b from _tessera_catalog.continuous_aggs_bucket_function f where f.mat_hypertable_id = bucket_end.mat_hypertable_id;
  if b.bucket_fixed_width then
    if start = '-9223372036854775808'::int8 then
      -- A bucket that begins before the type does.
      return value + b.bucket_period - mod(mod(mod(value, b.bucket_period) - b.bucket_phase, b.bucket_period) + b.bucket_period, b.bucket_period);
    end if;
    return case when start > 9223372036854775807 - b.bucket_period then 9223372036854775807 else start + b.bucket_period end;
  end if;
  -- Where the calendar ends, a bucket has no end that could be told.
  if start > 9223372036854775807 - least(b.bucket_period, 700000000000000000) * 12 then
    return 9223372036854775807;
  end if;
  -- Buckets of months, and local ones where clocks change, differ in length: look beyond the end, and step back.
  start := greatest(start, -210866803200000000);
  found := start;
  for step in 0 .. 20 loop
    found := _tessera_functions.bucket_start(mat_hypertable_id, start + b.bucket_period * 5 / 4 + b.bucket_period / 2 * step);
    exit when found > start;
  end loop;
  loop
    before := _tessera_functions.bucket_start(mat_hypertable_id, found - 1);
    exit when before <= start;
    found := before;
  end loop;
  return found;
end
$$;
comment on function _tessera_functions.bucket_end(integer, bigint) is
  'end of the bucket of a continuous aggregate that holds an internal time: where the next one starts';

create function _tessera_functions.whole_buckets(mat_hypertable_id integer, parts int8multirange) returns int8multirange
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
-- A plan of PL/pgSQL is kept, that of a function in SQL would be made at each call: here, and in others on the way of each query.
begin
  return coalesce((
    select range_agg(int8range(
      _tessera_functions.bucket_start($1, lower(r)),
      nullif(_tessera_functions.bucket_end($1, upper(r) - 1), 9223372036854775807)))
    from unnest(parts) r), '{}');
end
$$;
comment on function _tessera_functions.whole_buckets(integer, int8multirange) is 'all buckets that overlap the parts';

create function _tessera_functions.buckets_reach_beyond(hypertable_id integer, times int8range, before bigint) returns boolean
language sql stable
set search_path to pg_catalog, pg_temp
as $$
select exists (
  select from _tessera_catalog.continuous_agg a
  where a.raw_hypertable_id = $1
    and coalesce(upper(_tessera_functions.whole_buckets(a.mat_hypertable_id, int8multirange(times))), 9223372036854775807) > before)
$$;
comment on function _tessera_functions.buckets_reach_beyond(integer, int8range, bigint) is
  'whether some bucket of a continuous aggregate of the hypertable holds rows of these times and has room for others that are not before an internal time';

create function _tessera_functions.frozen_parts(mat_hypertable_id integer) returns int8multirange
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  parts int8multirange;
begin
  select range_agg(_tessera_functions.change_range(f.lowest_value, f.greatest_value)) into parts
  from _tessera_catalog.continuous_aggs_frozen f
  where f.materialization_id = $1;
  return case when parts is null then '{}' else _tessera_functions.whole_buckets($1, parts) end;
end
$$;
comment on function _tessera_functions.frozen_parts(integer) is
  'buckets whose raw rows were dropped while the aggregate lives on: they are never computed again';

create function _tessera_functions.stale_parts(mat_hypertable_id integer) returns int8multirange
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  cagg _tessera_catalog.continuous_agg;
  parts int8multirange;
  raw int8multirange;
begin
  select * into cagg from _tessera_catalog.continuous_agg a where a.mat_hypertable_id = stale_parts.mat_hypertable_id;
  if not found then
    -- A snapshot older than the continuous aggregate sees none of its results.
    return '{(,)}';
  end if;
  select range_agg(_tessera_functions.change_range(l.lowest_modified_value, l.greatest_modified_value)) into parts
  from _tessera_catalog.continuous_aggs_materialization_invalidation_log l
  where l.materialization_id = cagg.mat_hypertable_id;
  select range_agg(_tessera_functions.change_range(
    greatest(l.lowest_modified_value, _tessera_functions.change_cutoff(l.modification_time, cagg.ignore_invalidation_older_than)),
    l.greatest_modified_value)) into raw
  from _tessera_catalog.continuous_aggs_hypertable_invalidation_log l
  where l.hypertable_id = cagg.raw_hypertable_id
    and l.greatest_modified_value >= _tessera_functions.change_cutoff(l.modification_time, cagg.ignore_invalidation_older_than);
  parts := coalesce(parts, '{}') + coalesce(raw, '{}');
  if cagg.parent_mat_hypertable_id is not null then
    parts := parts + _tessera_functions.unsettled_parts(cagg.parent_mat_hypertable_id);
  end if;
  parts := _tessera_functions.whole_buckets(cagg.mat_hypertable_id, parts);
  -- Each range costs a query its own look at the raw rows; the smallest gaps are closed.
  if (select count(*) from unnest(parts)) > 32 then
    select range_agg(x.part) into parts
    from (
      select unnest(parts)
      union all
      (select int8range(upper(g.part), lower(g.next))
       from (select u, lead(u) over (order by u) from unnest(parts) u) g(part, next)
       where g.next is not null
       order by lower(g.next) - upper(g.part)
       limit (select count(*) - 32 from unnest(parts)))) x(part);
  end if;
  -- Last, since such a gap must not be closed.
  return parts - _tessera_functions.frozen_parts(cagg.mat_hypertable_id);
end
$$;
comment on function _tessera_functions.stale_parts(integer) is
'What of a continuous aggregate is not materialized or no longer right, in whole buckets of internal time: the rest of its view comes from the raw rows there.
In the snapshot of the caller, so that it fits what the same statement reads';

create function _tessera_functions.unsettled_parts(mat_hypertable_id integer) returns int8multirange
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
begin
  return coalesce((
    select _tessera_functions.stale_parts(a.mat_hypertable_id) from _tessera_catalog.continuous_agg a
    where a.mat_hypertable_id = $1 and not a.materialized_only), '{}');
end
$$;
comment on function _tessera_functions.unsettled_parts(integer) is
  'what a continuous aggregate answers from raw rows, which may change without a trace in what it has materialized';

create function _tessera_functions.stale_ranges(mat_hypertable_id integer, sample anyelement)
returns table(first anyelement, last anyelement)
-- The planner takes each range for half a percent of all raw rows: with two of them a session whose jit is on would compile every query
-- of a view over 60 million raw rows, whatever of them it reads; with one, over 100 million.
language plpgsql stable rows 1 cost 1000
set search_path to pg_catalog, pg_temp
as $$
declare
  part int8range;
begin
  foreach part in array array(select unnest(_tessera_functions.stale_parts(mat_hypertable_id))) loop
    first := _tessera_functions.from_internal(coalesce(lower(part), '-9223372036854775808'::int8), sample);
    last := _tessera_functions.from_internal(coalesce(upper(part) - 1, 9223372036854775807), sample);
    return next;
  end loop;
end
$$;
comment on function _tessera_functions.stale_ranges(integer, anyelement) is
  'stale_parts() as values of the time type of sample, both ends included: where the view of a continuous aggregate reads raw rows';

create function _tessera_functions.stale_from(mat_hypertable_id integer, sample anyelement) returns anyelement
language sql stable cost 1000
set search_path to pg_catalog, pg_temp
as $$
select _tessera_functions.from_internal(coalesce(min(coalesce(lower(r), '-9223372036854775808'::int8)), 9223372036854775807), $2)
from unnest(_tessera_functions.stale_parts($1)) r
$$;
comment on function _tessera_functions.stale_from(integer, anyelement) is
  'below this time all that a continuous aggregate has materialized is right';

create function _tessera_functions.stale_multirange(mat_hypertable_id integer, sample anymultirange) returns anymultirange
language plpgsql stable cost 1000
set search_path to pg_catalog, pg_temp
set datestyle to 'iso, ymd'
as $$
declare
  result alias for $0;
begin
  execute format(
    'select coalesce(range_agg(%I(r.first, nullif(r.last, _tessera_functions.from_internal(9223372036854775807, r.last)), ''[]'')), ''{}'')
     from _tessera_functions.stale_ranges($1, null::%s) r',
    (select t.typname from pg_range g join pg_type t on t.oid = g.rngtypid where g.rngmultitypid = pg_typeof(sample)),
    (select format_type(g.rngsubtype, null) from pg_range g where g.rngmultitypid = pg_typeof(sample)))
  into result using mat_hypertable_id;
  return result;
end
$$;
comment on function _tessera_functions.stale_multirange(integer, anymultirange) is 'stale_ranges() as one value';

create function _tessera_functions.cagg_watermark(mat_hypertable_id integer) returns bigint
language sql stable
set search_path to pg_catalog, pg_temp
as $$
select w.watermark from _tessera_catalog.continuous_aggs_watermark w where w.mat_hypertable_id = $1
$$;
comment on function _tessera_functions.cagg_watermark(integer) is
  'end of the last bucket a continuous aggregate ever materialized, in internal time; the least int8 before the first';

create function _tessera_functions.internal_text(value bigint, type regtype) returns text
language sql stable
set search_path to pg_catalog, pg_temp
as $$
select case type
  when 'timestamptz'::regtype then _tessera_functions.from_internal(value, null::timestamptz)::text
  when 'timestamp'::regtype then _tessera_functions.from_internal(value, null::timestamp)::text
  when 'date'::regtype then _tessera_functions.from_internal(value, null::date)::text
  else nullif(value, '-9223372036854775808'::int8)::text
end
$$;
comment on function _tessera_functions.internal_text(bigint, regtype) is 'internal time as text of a time type; null for no integer at all';

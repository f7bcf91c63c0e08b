-- The grouping form exists to fail: without it, its name would give unfilled answers or a puzzling 42883.

create function @extschema@.time_bucket_gapfill(bucket_width smallint, ts smallint, start smallint default null, finish smallint default null)
returns smallint
language plpgsql volatile
as $$
begin
  raise exception 'time_bucket_gapfill cannot be called as a grouping function'
    using errcode = 'feature_not_supported',
      detail = 'Adding rows for missing buckets to a GROUP BY needs a planner that PostgreSQL does not offer to extensions in SQL.',
      hint = 'Pass the query as text: select * from gapfill(''select time_bucket(...) as bucket, ...'', width, start, finish) as t(bucket ..., ...).';
end
$$;
comment on function @extschema@.time_bucket_gapfill(smallint, smallint, smallint, smallint) is
  'always raises 0A000: pass the query as text to gapfill or gapfill_integer instead';

create function @extschema@.time_bucket_gapfill(bucket_width integer, ts integer, start integer default null, finish integer default null)
returns integer
language plpgsql volatile
as $$
begin
  raise exception 'time_bucket_gapfill cannot be called as a grouping function'
    using errcode = 'feature_not_supported',
      detail = 'Adding rows for missing buckets to a GROUP BY needs a planner that PostgreSQL does not offer to extensions in SQL.',
      hint = 'Pass the query as text: select * from gapfill(''select time_bucket(...) as bucket, ...'', width, start, finish) as t(bucket ..., ...).';
end
$$;
comment on function @extschema@.time_bucket_gapfill(integer, integer, integer, integer) is
  'always raises 0A000: pass the query as text to gapfill or gapfill_integer instead';

create function @extschema@.time_bucket_gapfill(bucket_width bigint, ts bigint, start bigint default null, finish bigint default null)
returns bigint
language plpgsql volatile
as $$
begin
  raise exception 'time_bucket_gapfill cannot be called as a grouping function'
    using errcode = 'feature_not_supported',
      detail = 'Adding rows for missing buckets to a GROUP BY needs a planner that PostgreSQL does not offer to extensions in SQL.',
      hint = 'Pass the query as text: select * from gapfill(''select time_bucket(...) as bucket, ...'', width, start, finish) as t(bucket ..., ...).';
end
$$;
comment on function @extschema@.time_bucket_gapfill(bigint, bigint, bigint, bigint) is
  'always raises 0A000: pass the query as text to gapfill or gapfill_integer instead';

create function @extschema@.time_bucket_gapfill(bucket_width interval, ts date, start date default null, finish date default null)
returns date
language plpgsql volatile
as $$
begin
  raise exception 'time_bucket_gapfill cannot be called as a grouping function'
    using errcode = 'feature_not_supported',
      detail = 'Adding rows for missing buckets to a GROUP BY needs a planner that PostgreSQL does not offer to extensions in SQL.',
      hint = 'Pass the query as text: select * from gapfill(''select time_bucket(...) as bucket, ...'', width, start, finish) as t(bucket ..., ...).';
end
$$;
comment on function @extschema@.time_bucket_gapfill(interval, date, date, date) is
  'always raises 0A000: pass the query as text to gapfill or gapfill_integer instead';

create function @extschema@.time_bucket_gapfill(bucket_width interval, ts timestamp, start timestamp default null, finish timestamp default null)
returns timestamp
language plpgsql volatile
as $$
begin
  raise exception 'time_bucket_gapfill cannot be called as a grouping function'
    using errcode = 'feature_not_supported',
      detail = 'Adding rows for missing buckets to a GROUP BY needs a planner that PostgreSQL does not offer to extensions in SQL.',
      hint = 'Pass the query as text: select * from gapfill(''select time_bucket(...) as bucket, ...'', width, start, finish) as t(bucket ..., ...).';
end
$$;
comment on function @extschema@.time_bucket_gapfill(interval, timestamp, timestamp, timestamp) is
  'always raises 0A000: pass the query as text to gapfill or gapfill_integer instead';

create function @extschema@.time_bucket_gapfill(bucket_width interval, ts timestamptz, start timestamptz default null, finish timestamptz default null)
returns timestamptz
language plpgsql volatile
as $$
begin
  raise exception 'time_bucket_gapfill cannot be called as a grouping function'
    using errcode = 'feature_not_supported',
      detail = 'Adding rows for missing buckets to a GROUP BY needs a planner that PostgreSQL does not offer to extensions in SQL.',
      hint = 'Pass the query as text: select * from gapfill(''select time_bucket(...) as bucket, ...'', width, start, finish) as t(bucket ..., ...).';
end
$$;
comment on function @extschema@.time_bucket_gapfill(interval, timestamptz, timestamptz, timestamptz) is
  'always raises 0A000: pass the query as text to gapfill or gapfill_integer instead';

create function @extschema@.time_bucket_gapfill(
  bucket_width interval,
  ts timestamptz,
  timezone text,
  start timestamptz default null,
  finish timestamptz default null
)
returns timestamptz
language plpgsql volatile
as $$
begin
  raise exception 'time_bucket_gapfill cannot be called as a grouping function'
    using errcode = 'feature_not_supported',
      detail = 'Adding rows for missing buckets to a GROUP BY needs a planner that PostgreSQL does not offer to extensions in SQL.',
      hint = 'Pass the query as text: select * from gapfill(''select time_bucket(...) as bucket, ...'', width, start, finish) as t(bucket ..., ...).';
end
$$;
comment on function @extschema@.time_bucket_gapfill(interval, timestamptz, text, timestamptz, timestamptz) is
  'always raises 0A000: pass the query as text to gapfill or gapfill_integer instead';

-- The grouping form exists to fail: without it, its name would give unfilled answers or a puzzling 42883. A call is inlined, and what
-- rejects it is evaluated by the planner: also where there is no row to call it for, and by EXPLAIN.

create function _tessera_functions.reject_gapfill(bucket_type text, zoned boolean)
returns boolean
language plpgsql immutable
as $$
declare
  form text := _tessera_functions.gapfill_hint(
    pg_catalog.current_query(), pg_catalog.current_setting('search_path'), bucket_type, zoned);
begin
  raise exception 'time_bucket_gapfill cannot be called as a grouping function'
    using errcode = 'feature_not_supported',
      detail = 'Adding rows for missing buckets to a GROUP BY needs a planner that PostgreSQL does not offer to extensions in SQL.',
      hint = case
        when form is not null then 'Write: ' || form || ';'
        else 'Pass the query as text: select * from '
          || case when bucket_type in ('smallint', 'integer', 'bigint') then 'gapfill_integer' else 'gapfill' end
          || '(''select time_bucket(...) as bucket, ...'', width, start, finish) as t(bucket ' || bucket_type || ', ...).'
      end;
end
$$;
comment on function _tessera_functions.reject_gapfill(text, boolean) is
  'raises the error of time_bucket_gapfill(), whose hint is what the client sent, rewritten, where that is simple; immutable so that the planner calls it';

create function @extschema@.time_bucket_gapfill(bucket_width smallint, ts smallint, start smallint default null, finish smallint default null)
returns smallint
language sql volatile
as $$
select case when _tessera_functions.reject_gapfill('smallint', false) then ts end
$$;
comment on function @extschema@.time_bucket_gapfill(smallint, smallint, smallint, smallint) is
  'always raises 0A000: pass the query as text to gapfill_integer instead, as the hint shows';

create function @extschema@.time_bucket_gapfill(bucket_width integer, ts integer, start integer default null, finish integer default null)
returns integer
language sql volatile
as $$
select case when _tessera_functions.reject_gapfill('integer', false) then ts end
$$;
comment on function @extschema@.time_bucket_gapfill(integer, integer, integer, integer) is
  'always raises 0A000: pass the query as text to gapfill_integer instead, as the hint shows';

create function @extschema@.time_bucket_gapfill(bucket_width bigint, ts bigint, start bigint default null, finish bigint default null)
returns bigint
language sql volatile
as $$
select case when _tessera_functions.reject_gapfill('bigint', false) then ts end
$$;
comment on function @extschema@.time_bucket_gapfill(bigint, bigint, bigint, bigint) is
  'always raises 0A000: pass the query as text to gapfill_integer instead, as the hint shows';

create function @extschema@.time_bucket_gapfill(bucket_width interval, ts date, start date default null, finish date default null)
returns date
language sql volatile
as $$
select case when _tessera_functions.reject_gapfill('date', false) then ts end
$$;
comment on function @extschema@.time_bucket_gapfill(interval, date, date, date) is
  'always raises 0A000: pass the query as text to gapfill instead, as the hint shows';

create function @extschema@.time_bucket_gapfill(bucket_width interval, ts timestamp, start timestamp default null, finish timestamp default null)
returns timestamp
language sql volatile
as $$
select case when _tessera_functions.reject_gapfill('timestamp without time zone', false) then ts end
$$;
comment on function @extschema@.time_bucket_gapfill(interval, timestamp, timestamp, timestamp) is
  'always raises 0A000: pass the query as text to gapfill instead, as the hint shows';

create function @extschema@.time_bucket_gapfill(bucket_width interval, ts timestamptz, start timestamptz default null, finish timestamptz default null)
returns timestamptz
language sql volatile
as $$
select case when _tessera_functions.reject_gapfill('timestamp with time zone', false) then ts end
$$;
comment on function @extschema@.time_bucket_gapfill(interval, timestamptz, timestamptz, timestamptz) is
  'always raises 0A000: pass the query as text to gapfill instead, as the hint shows';

create function @extschema@.time_bucket_gapfill(
  bucket_width interval,
  ts timestamptz,
  timezone text,
  start timestamptz default null,
  finish timestamptz default null
)
returns timestamptz
language sql volatile
as $$
select case when _tessera_functions.reject_gapfill('timestamp with time zone', true) then ts end
$$;
comment on function @extschema@.time_bucket_gapfill(interval, timestamptz, text, timestamptz, timestamptz) is
  'always raises 0A000: pass the query as text to gapfill instead, as the hint shows';

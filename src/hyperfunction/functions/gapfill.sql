create function @extschema@.gapfill(
  query text,
  bucket_width interval,
  start timestamptz default null,
  finish timestamptz default null,
  bucket_column name default 'bucket',
  group_columns name[] default '{}',
  locf name[] default '{}',
  interpolate name[] default '{}',
  treat_null_as_missing boolean default false,
  before text default null,
  after text default null,
  timezone text default null
)
returns setof record
language plpgsql volatile
as $$
declare
  slots text;
begin
  perform _tessera_functions.gapfill_width(bucket_width);
  perform _tessera_functions.gapfill_bounds(start, finish);
  slots := _tessera_functions.gapfill_slots(bucket_width, start, finish, timezone);
  return query execute _tessera_functions.gapfill_sql(
    query, slots, array['timestamptz']::regtype[], bucket_column, group_columns, locf, interpolate, treat_null_as_missing,
    before, after);
end
$$;
comment on function @extschema@.gapfill(
  text, interval, timestamptz, timestamptz, name, name[], name[], name[], boolean, text, text, text
) is 'runs query (one select) with the rights of the caller and adds the buckets of bucket_width from the one that holds start up to but not at finish that are missing in bucket_column, for every combination of group_columns in its rows; rows outside are kept, other columns of added rows are NULL, those in locf carry the last value (with treat_null_as_missing also over NULLs), those in interpolate lie on the line between the neighbours; before and after are queries of the same columns whose rows only serve as first and last neighbour; timezone as in time_bucket; call with a column definition list; errors: 22023 start or finish NULL or infinite, width zero or less, not one select; 42703 unknown column; 42804 bucket column of another type; 42702 ambiguous column; 0A000 a column in locf and interpolate, or interpolated and not a number';

create function @extschema@.gapfill(
  query text,
  bucket_width interval,
  start timestamp,
  finish timestamp,
  bucket_column name default 'bucket',
  group_columns name[] default '{}',
  locf name[] default '{}',
  interpolate name[] default '{}',
  treat_null_as_missing boolean default false,
  before text default null,
  after text default null
)
returns setof record
language plpgsql volatile
as $$
declare
  slots text;
begin
  perform _tessera_functions.gapfill_width(bucket_width);
  perform _tessera_functions.gapfill_bounds(start, finish);
  slots := pg_catalog.format(
    'select slot from pg_catalog.generate_series(%L::timestamp, %L::timestamp, %L::interval) as slot where slot < %2$L::timestamp',
    @extschema@.time_bucket(bucket_width, start), finish, bucket_width);
  return query execute _tessera_functions.gapfill_sql(
    query, slots, array['timestamp']::regtype[], bucket_column, group_columns, locf, interpolate, treat_null_as_missing,
    before, after);
end
$$;
comment on function @extschema@.gapfill(
  text, interval, timestamp, timestamp, name, name[], name[], name[], boolean, text, text
) is 'runs query (one select) with the rights of the caller and adds the buckets of bucket_width from the one that holds start up to but not at finish that are missing in bucket_column, for every combination of group_columns in its rows; rows outside are kept, other columns of added rows are NULL, those in locf carry the last value (with treat_null_as_missing also over NULLs), those in interpolate lie on the line between the neighbours; before and after are queries of the same columns whose rows only serve as first and last neighbour; call with a column definition list; errors: 22023 start or finish NULL or infinite, width zero or less, not one select; 42703 unknown column; 42804 bucket column of another type; 42702 ambiguous column; 0A000 a column in locf and interpolate, or interpolated and not a number';

create function @extschema@.gapfill(
  query text,
  bucket_width interval,
  start date,
  finish date,
  bucket_column name default 'bucket',
  group_columns name[] default '{}',
  locf name[] default '{}',
  interpolate name[] default '{}',
  treat_null_as_missing boolean default false,
  before text default null,
  after text default null
)
returns setof record
language plpgsql volatile
as $$
declare
  slots text;
begin
  perform _tessera_functions.gapfill_width(bucket_width);
  perform _tessera_functions.gapfill_bounds(start, finish);
  slots := pg_catalog.format(
    'select slot::date from pg_catalog.generate_series(%L::timestamp, %L::timestamp, %L::interval) as slot where slot < %2$L::timestamp',
    @extschema@.time_bucket(bucket_width, start)::timestamp, finish, bucket_width);
  return query execute _tessera_functions.gapfill_sql(
    query, slots, array['date']::regtype[], bucket_column, group_columns, locf, interpolate, treat_null_as_missing,
    before, after);
end
$$;
comment on function @extschema@.gapfill(
  text, interval, date, date, name, name[], name[], name[], boolean, text, text
) is 'runs query (one select) with the rights of the caller and adds the buckets of bucket_width from the one that holds start up to but not at finish that are missing in bucket_column, for every combination of group_columns in its rows; rows outside are kept, other columns of added rows are NULL, those in locf carry the last value (with treat_null_as_missing also over NULLs), those in interpolate lie on the line between the neighbours; before and after are queries of the same columns whose rows only serve as first and last neighbour; call with a column definition list; errors: 22023 start or finish NULL or infinite, width zero or less, not one select; 42703 unknown column; 42804 bucket column of another type; 42702 ambiguous column; 0A000 a column in locf and interpolate, or interpolated and not a number';

create function @extschema@.gapfill_integer(
  query text,
  bucket_width bigint,
  start bigint default null,
  finish bigint default null,
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
    'select slot from pg_catalog.generate_series(%L::bigint, %L::bigint, %L::bigint) as slot where slot < %2$L::bigint',
    @extschema@.time_bucket(bucket_width, start), finish, bucket_width);
  return query execute _tessera_functions.gapfill_sql(
    query, slots, array['bigint', 'integer', 'smallint']::regtype[], bucket_column, group_columns, locf, interpolate, treat_null_as_missing,
    before, after);
end
$$;
comment on function @extschema@.gapfill_integer(
  text, bigint, bigint, bigint, name, name[], name[], name[], boolean, text, text
) is 'runs query (one select) with the rights of the caller and adds the buckets of bucket_width from the one that holds start up to but not at finish that are missing in bucket_column, for every combination of group_columns in its rows; rows outside are kept, other columns of added rows are NULL, those in locf carry the last value (with treat_null_as_missing also over NULLs), those in interpolate lie on the line between the neighbours; before and after are queries of the same columns whose rows only serve as first and last neighbour; call with a column definition list; errors: 22023 start or finish NULL or infinite, width zero or less, not one select; 42703 unknown column; 42804 bucket column of another type; 42702 ambiguous column; 0A000 a column in locf and interpolate, or interpolated and not a number';

-- The statement behind time_bucket_gapfill. Columns travel as c1..cn, so no name of the query can collide.
-- A row of the query or of before/after is a point; a run is a point and the gaps after it (forward) or before it
-- (backward), hence first_value over a run is the neighbouring point.
create function _tessera_functions.gapfill_sql(
  query text,
  slots text,
  bucket_types regtype[],
  bucket_column name,
  group_columns name[],
  locf name[],
  interpolate name[],
  treat_null_as_missing boolean,
  before text,
  after text
)
returns text
language plpgsql volatile
as $$
declare
  columns name[] := _tessera_functions.gapfill_columns(query);
  bucket_type regtype;
  bucket text;
  groups text;
  partition text;
  aliases text;
  gap_values text;
  runs text;
  result text;
  edges text := '';
begin
  group_columns := coalesce(group_columns, '{}');
  locf := coalesce(locf, '{}');
  interpolate := coalesce(interpolate, '{}');
  perform _tessera_functions.gapfill_check(columns, bucket_column, group_columns, locf, interpolate);
  bucket := 'c' || pg_catalog.array_position(columns, bucket_column);
  execute pg_catalog.format('select pg_catalog.pg_typeof((select %I from (%s
    ) as rows_of_query limit 0))', bucket_column, query) into bucket_type;
  if bucket_type <> all (bucket_types) then
    raise exception 'column "%" is of type %, but start and finish are of type %', bucket_column, bucket_type, bucket_types[1]
      using errcode = 'datatype_mismatch',
        hint = pg_catalog.format('Cast start and finish to %s.', bucket_type);
  end if;

  select pg_catalog.string_agg('c' || pg_catalog.array_position(columns, g.name), ', ' order by g.place)
  into groups
  from pg_catalog.unnest(group_columns) with ordinality as g(name, place);
  partition := coalesce('partition by ' || groups, '');
  select
    pg_catalog.string_agg('c' || c.place, ', ' order by c.place),
    pg_catalog.string_agg(
      case when c.name = bucket_column or c.name = any (group_columns) then 'c' || c.place else 'null' end, ', ' order by c.place),
    pg_catalog.string_agg(
      pg_catalog.format(', pg_catalog.count(c%s) over forward as run%s', c.place, c.place), '' order by c.place)
      filter (where treat_null_as_missing and c.name = any (locf)),
    pg_catalog.string_agg(
      case
        when c.name = any (locf) and treat_null_as_missing then pg_catalog.format(
          'case when c%1$s is distinct from null or %2$s is null then c%1$s
            else pg_catalog.first_value(c%1$s) over (partition by %3$s rank_of_run order by edge, %2$s, place) end',
          c.place, bucket, coalesce(groups || ', ', ''))
        when c.name = any (locf) then pg_catalog.format(
          'case when is_row then c%1$s else pg_catalog.first_value(c%1$s) over forward_run end', c.place)
        when c.name = any (interpolate) then pg_catalog.format(
          'case when is_row then c%1$s else _tessera_functions.interpolate_point(
            pg_catalog.first_value(c%1$s) over forward_run,
            pg_catalog.first_value(c%1$s) over backward_run,
            _tessera_functions.bucket_distance(pg_catalog.first_value(%2$s) over forward_run, %2$s),
            _tessera_functions.bucket_distance(
              pg_catalog.first_value(%2$s) over forward_run, pg_catalog.first_value(%2$s) over backward_run)) end',
          c.place, bucket)
        else 'c' || c.place
      end, ', ' order by c.place)
  into aliases, gap_values, runs, result
  from pg_catalog.unnest(columns) with ordinality as c(name, place);
  return null;
end
$$;

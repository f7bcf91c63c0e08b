-- The statement behind gapfill. Columns travel as c1..cn, so no name of the query can collide.
-- A row of the query or of before/after is a point; a run is a point and the gaps after it (forward) or before
-- it (backward), hence first_value over a run is the neighbouring point. edge is -1 for rows of before, 1 for
-- rows of after. Missing slots come from EXCEPT: it hashes, and it takes NULL groups as equal.
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
  columns name[];
  bucket_type regtype;
  bucket text;
  groups text;
  group_prefix text;
  aliases text;
  gap text;
  runs text;
  output text;
  edges text := '';
  filled name;
  filled_type regtype;
begin
  query := pg_catalog.regexp_replace(query, '[[:space:];]+$', '');
  before := pg_catalog.regexp_replace(before, '[[:space:];]+$', '');
  after := pg_catalog.regexp_replace(after, '[[:space:];]+$', '');
  columns := _tessera_functions.gapfill_columns(query);
  group_columns := coalesce(group_columns, '{}');
  locf := coalesce(locf, '{}');
  interpolate := coalesce(interpolate, '{}');
  perform _tessera_functions.gapfill_check(columns, bucket_column, group_columns, locf, interpolate);
  bucket := 'c' || pg_catalog.array_position(columns, bucket_column);
  bucket_type := _tessera_functions.gapfill_column_type(query, bucket_column);
  if bucket_type <> all (bucket_types) then
    raise exception 'column "%" is of type %, but start and finish are of type %',
      bucket_column, bucket_type, bucket_types[1]
      using errcode = 'datatype_mismatch', hint = pg_catalog.format('Cast start and finish to %s.', bucket_type);
  end if;

  foreach filled in array group_columns || locf || interpolate loop
    filled_type := _tessera_functions.gapfill_column_type(query, filled);
    if filled = any (interpolate) and filled_type <> all (
      array['smallint', 'integer', 'bigint', 'real', 'double precision', 'numeric']::regtype[]
    ) then
      raise exception 'cannot interpolate column "%" of type %', filled, filled_type
        using errcode = 'feature_not_supported', hint = 'Interpolate a numeric column, or carry this one forward with locf.';
    end if;
  end loop;

  select pg_catalog.string_agg('c' || pg_catalog.array_position(columns, grouped.name), ', ' order by grouped.place)
  into groups
  from pg_catalog.unnest(group_columns) with ordinality as grouped(name, place);
  group_prefix := coalesce(groups || ', ', '');

  select
    pg_catalog.string_agg(col.alias, ', ' order by col.place),
    pg_catalog.string_agg(
      case when col.name = bucket_column or col.name = any (group_columns) then col.alias else 'null' end,
      ', ' order by col.place),
    pg_catalog.string_agg(
      pg_catalog.format(', pg_catalog.count(%1$s) filter (where is_point) over forward as run_%1$s', col.alias), ''
      order by col.place) filter (where col.role = 'locf over nulls'),
    pg_catalog.string_agg(
      _tessera_functions.gapfill_expression(col.alias, bucket, group_prefix, col.role) || ' as ' || col.alias, ', ' order by col.place)
  into aliases, gap, runs, output
  from (
    select
      listed.name,
      listed.place,
      'c' || listed.place as alias,
      case
        when listed.name = any (locf) then case when treat_null_as_missing then 'locf over nulls' else 'locf' end
        when listed.name = any (interpolate) then 'interpolate'
        else 'copy'
      end as role
    from pg_catalog.unnest(columns) with ordinality as listed(name, place)
  ) as col;

  if before is not null then
    perform _tessera_functions.gapfill_columns(before);
    edges := edges || pg_catalog.format('
      union all select false, true, -1, * from (%s
      ) as rows_before', before);
  end if;
  if after is not null then
    perform _tessera_functions.gapfill_columns(after);
    edges := edges || pg_catalog.format('
      union all select false, true, 1, * from (%s
      ) as rows_after', after);
  end if;

  return pg_catalog.format('
    with _tessera_rows (%1$s) as materialized (select * from (%2$s
    ) as rows_of_query),
    _tessera_slots (%3$s) as (select slots.slot::%13$s from (%4$s) as slots(slot)),
    _tessera_filled (is_row, is_point, edge, %1$s) as (
      select true, %3$s is not null, 0, %1$s from _tessera_rows
      union all
      select false, false, 0, %5$s from (
        select %6$s from _tessera_slots %7$s
        except select %6$s from _tessera_rows
      ) as missing%9$s
    )
    select %1$s from (select edge, %10$s
    from (
      select
        *,
        pg_catalog.count(*) filter (where is_point) over forward as run_forward,
        pg_catalog.count(*) filter (where is_point) over backward as run_backward%11$s
      from (select *, pg_catalog.row_number() over () as place from _tessera_filled) as placed
      window
        forward as (%12$s order by edge, %3$s, place rows unbounded preceding),
        backward as (%12$s order by edge desc, %3$s desc nulls first, place desc rows unbounded preceding)
    ) as run
    window
      forward_run as (partition by %8$srun_forward order by edge, %3$s, place),
      backward_run as (partition by %8$srun_backward order by edge desc, %3$s desc nulls first, place desc)
    ) as filled
    where edge = 0',
    aliases, query, bucket, slots, gap,
    group_prefix || bucket,
    coalesce('cross join (select distinct ' || groups || ' from _tessera_rows) as groups', ''),
    group_prefix, edges, output, coalesce(runs, ''), coalesce('partition by ' || groups, ''), bucket_type);
end
$$;
comment on function _tessera_functions.gapfill_sql(text, text, regtype[], name, name[], name[], name[], boolean, text, text) is
  'statement that runs query and adds the missing buckets of slots; errors: 42804 bucket column of another type, 0A000 interpolation of another type than numbers, and those of gapfill_columns and gapfill_check';

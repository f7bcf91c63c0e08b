-- Windows named here are defined in gapfill_sql.
create function _tessera_functions.gapfill_expression(
  alias text,
  bucket text,
  groups text,
  role text
)
returns text
language sql immutable
as $$
select pg_catalog.format(
  case role
    when 'locf' then
      'case when is_row then %1$s else pg_catalog.first_value(%1$s) over forward_run end'
    when 'locf over nulls' then
      'case when %2$s is null then %1$s
        else pg_catalog.first_value(%1$s) over (partition by %3$srun_%1$s order by edge, %2$s, place) end'
    when 'interpolate' then
      'case when is_row then %1$s else _tessera_functions.interpolate_point(
        pg_catalog.first_value(%1$s) over forward_run,
        pg_catalog.first_value(%1$s) over backward_run,
        _tessera_functions.bucket_distance(pg_catalog.first_value(%2$s) over forward_run, %2$s),
        _tessera_functions.bucket_distance(
          pg_catalog.first_value(%2$s) over forward_run, pg_catalog.first_value(%2$s) over backward_run)) end'
    else '%1$s'
  end, alias, bucket, groups)
$$;
comment on function _tessera_functions.gapfill_expression(text, text, text, text) is
  'SQL expression of one output column of gapfill';

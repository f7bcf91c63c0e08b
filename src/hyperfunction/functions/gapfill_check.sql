create function _tessera_functions.gapfill_check(
  columns name[],
  bucket_column name,
  group_columns name[],
  locf name[],
  interpolate name[]
)
returns void
language plpgsql immutable
as $$
declare
  used name[] := bucket_column || group_columns || locf || interpolate;
  found name;
begin
  foreach found in array used loop
    if found is null or found <> all (columns) then
      raise exception 'column "%" does not exist in the query of gapfill', found
        using errcode = 'undefined_column',
          detail = pg_catalog.format('The columns are: %s.', pg_catalog.array_to_string(columns, ', '));
    end if;
  end loop;
  foreach found in array locf loop
    if found = any (interpolate) then
      raise exception 'column "%" cannot be both carried forward and interpolated', found
        using errcode = 'feature_not_supported', hint = 'Select the column twice under two names.';
    end if;
  end loop;
  foreach found in array locf || interpolate loop
    if found = bucket_column or found = any (group_columns) then
      raise exception 'column "%" is a bucket or group column and cannot be filled', found
        using errcode = 'invalid_parameter_value', hint = 'locf and interpolate name aggregated columns.';
    end if;
  end loop;
  if bucket_column = any (group_columns) then
    raise exception 'bucket column "%" cannot be a group column', bucket_column
      using errcode = 'invalid_parameter_value', hint = 'group_columns name the other columns of GROUP BY.';
  end if;
end
$$;
comment on function _tessera_functions.gapfill_check(name[], name, name[], name[], name[]) is
  'checks the column arguments of gapfill: 42703 unknown, 0A000 locf and interpolate on one column, 22023 role conflict';

create function _tessera_functions.add_part(state float8[], rows int8, sum float8, squares float8) returns float8[]
language plpgsql immutable parallel safe
set search_path to pg_catalog, pg_temp
as $$
begin
  if not (rows > 0) or rows is null then
    return state;
  end if;
  if cardinality(state) is distinct from 3 or array_ndims(state) <> 1 or array_position(state || sum || squares, null) is not null then
    raise exception using errcode = '22023', message = 'what is added to the state of an aggregate is not what it consists of';
  end if;
  return float8_combine(state, array[rows::float8, sum, squares]);
end
$$;
comment on function _tessera_functions.add_part(float8[], int8, float8, float8) is
  'takes the rows, sum and sum of squares around the mean of one part into the state of PostgreSQL''s own var_samp(double precision) and the like';

create aggregate _tessera_functions.var_samp_of_parts(rows int8, sum float8, squares float8) (
  sfunc = _tessera_functions.add_part, stype = float8[], initcond = '{0,0,0}', finalfunc = pg_catalog.float8_var_samp,
  combinefunc = pg_catalog.float8_combine, parallel = safe
);
comment on aggregate _tessera_functions.var_samp_of_parts(int8, float8, float8) is
  'var_samp(double precision) over all rows of parts, given count(), sum() and regr_sxx() of each';

create aggregate _tessera_functions.var_pop_of_parts(rows int8, sum float8, squares float8) (
  sfunc = _tessera_functions.add_part, stype = float8[], initcond = '{0,0,0}', finalfunc = pg_catalog.float8_var_pop,
  combinefunc = pg_catalog.float8_combine, parallel = safe
);
comment on aggregate _tessera_functions.var_pop_of_parts(int8, float8, float8) is
  'var_pop(double precision) over all rows of parts, given count(), sum() and regr_sxx() of each';

create aggregate _tessera_functions.stddev_samp_of_parts(rows int8, sum float8, squares float8) (
  sfunc = _tessera_functions.add_part, stype = float8[], initcond = '{0,0,0}', finalfunc = pg_catalog.float8_stddev_samp,
  combinefunc = pg_catalog.float8_combine, parallel = safe
);
comment on aggregate _tessera_functions.stddev_samp_of_parts(int8, float8, float8) is
  'stddev_samp(double precision) over all rows of parts, given count(), sum() and regr_sxx() of each';

create aggregate _tessera_functions.stddev_pop_of_parts(rows int8, sum float8, squares float8) (
  sfunc = _tessera_functions.add_part, stype = float8[], initcond = '{0,0,0}', finalfunc = pg_catalog.float8_stddev_pop,
  combinefunc = pg_catalog.float8_combine, parallel = safe
);
comment on aggregate _tessera_functions.stddev_pop_of_parts(int8, float8, float8) is
  'stddev_pop(double precision) over all rows of parts, given count(), sum() and regr_sxx() of each';

create function _tessera_functions.variance_of_sums(rows numeric, sum numeric, squares numeric, sample boolean, root boolean) returns numeric
language plpgsql immutable parallel safe
set search_path to pg_catalog, pg_temp
as $$
declare
  over numeric := rows * (rows - sample::int);
  spread numeric := rows * squares - sum * sum;
  variance numeric;
begin
  if over <= 0 then
    return null;
  end if;
  if spread <= 0 then
    return 0;
  end if;
  variance := spread / over;
  if not root or scale(variance) is null then
    return case when root then sqrt(variance) else variance end;
  end if;
  -- More digits first: rounded twice, the last one would not always be PostgreSQL's.
  return round(sqrt(round(variance, scale(variance) + 8)), scale(variance));
end
$$;
comment on function _tessera_functions.variance_of_sums(numeric, numeric, numeric, boolean, boolean) is
  'var_samp(numeric) and the like from the number of values, their sum and that of their squares: sample divides by one row less, root gives the standard deviation';

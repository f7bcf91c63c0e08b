create function _tessera_functions.kept_time(image text) returns timestamp with time zone
language plpgsql immutable strict parallel safe cost 1
set search_path to pg_catalog, pg_temp
set timezone to 'UTC'
set datestyle to 'ISO, MDY'
as $$
begin
  -- Immutable, as a cast is not: where a query looks for other times the planner leaves the whole slice out.
  return image::timestamptz;
end
$$;
comment on function _tessera_functions.kept_time(text) is 'a time that is too far from today to be kept as a number, with its offset';

create function _tessera_functions.kept_date(image text) returns date
language plpgsql immutable strict parallel safe cost 1
set search_path to pg_catalog, pg_temp
set datestyle to 'ISO, MDY'
as $$
begin
  return image::date;
end
$$;
comment on function _tessera_functions.kept_date(text) is 'a date of a segment that has infinite ones, which are kept as text';

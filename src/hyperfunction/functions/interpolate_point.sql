-- y0 + (y1 - y0) * elapsed / span. Exact types go through numeric and round; floats stay floats, and equal ends
-- give exactly that value.
create function _tessera_functions.interpolate_point(y0 anyelement, y1 anyelement, elapsed numeric, span numeric)
returns anyelement
language plpgsql immutable parallel safe
as $$
declare
  exact numeric;
begin
  if y0 is null or y1 is null or elapsed is null or span is null or span = 0 then
    return null;
  end if;
  if y0 = y1 then
    return y0;
  end if;
  if pg_catalog.pg_typeof(y0) in ('real'::regtype, 'double precision'::regtype) then
    return y0::double precision
      + (y1::double precision - y0::double precision) * elapsed::double precision / span::double precision;
  end if;
  exact := y0::numeric + (y1::numeric - y0::numeric) * elapsed / span;
  if pg_catalog.pg_typeof(y0) <> 'numeric'::regtype then
    exact := pg_catalog.round(exact);
  end if;
  return exact;
end
$$;
comment on function _tessera_functions.interpolate_point(anyelement, anyelement, numeric, numeric) is
  'value on the line from y0 to y1 after elapsed of span, rounded for integers; NULL when an end is unknown';

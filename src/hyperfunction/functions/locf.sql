create function _tessera_functions.locf_step(held anyelement, value anyelement)
returns anyelement
language plpgsql immutable parallel safe
as $$
begin
  return case when value is distinct from null then value else held end;
end
$$;
comment on function _tessera_functions.locf_step(anyelement, anyelement) is 'last value that was not NULL';

create function _tessera_functions.locf_step(held anyelement, value anyelement, prev anyelement)
returns anyelement
language plpgsql immutable parallel safe
as $$
begin
  return case when value is distinct from null then value when held is distinct from null then held else prev end;
end
$$;
comment on function _tessera_functions.locf_step(anyelement, anyelement, anyelement) is
  'last value that was not NULL, at first prev';

create aggregate @extschema@.locf(value anyelement) (
  sfunc = _tessera_functions.locf_step,
  stype = anyelement
);
comment on aggregate @extschema@.locf(anyelement) is
  'window aggregate: the last value that was not NULL, to be called with over (partition by ... order by ...); NULL while there was none; see gapfill for gaps without rows';

create aggregate @extschema@.locf(value anyelement, prev anyelement) (
  sfunc = _tessera_functions.locf_step,
  stype = anyelement
);
comment on aggregate @extschema@.locf(anyelement, anyelement) is
  'window aggregate: the last value that was not NULL, prev while there was none, to be called with over (partition by ... order by ...)';

create function _tessera_functions.bookend_value(state anyarray)
returns anyelement
language plpgsql immutable parallel safe
as $$
begin
  if pg_catalog.array_ndims(state) = 1 then
    return state[1];
  end if;
  return state[pg_catalog.array_lower(state, 1)][pg_catalog.array_lower(state, 2)][pg_catalog.array_lower(state, 3)];
end
$$;
comment on function _tessera_functions.bookend_value(anyarray) is 'value kept in a state of first and last';

-- The unused arguments give the type to read the text as.
create function _tessera_functions.bookend_value(state _tessera_functions.bookend, value anyelement, sort_by anycompatible)
returns anyelement
language plpgsql stable parallel safe
as $$
begin
  value := state.value_text;
  return value;
end
$$;
comment on function _tessera_functions.bookend_value(_tessera_functions.bookend, anyelement, anycompatible) is
  'value kept as text in a state of first and last';

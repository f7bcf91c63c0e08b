create function _tessera_functions.unfolded(elements anyarray) returns anyarray
language plpgsql immutable strict parallel safe
as $$
begin
  -- What comes out of PL/pgSQL is an expanded array: any element of it is found at once, whatever their lengths.
  return elements;
end
$$;
comment on function _tessera_functions.unfolded(anyarray) is 'the same array in the form in which subscripts are fast';

create function _tessera_functions.typed_arrays_work() returns boolean
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
begin
  return _tessera_functions.typed_array_probe()::float8[] = array[1.5]::float8[];
exception
  when others then
    return false;
end
$$;
comment on function _tessera_functions.typed_arrays_work() is 'whether this plv8 takes a typed array as the result of a function';

create function _tessera_functions.unfolded(elements anyarray) returns anyarray
language plpgsql immutable strict parallel safe
as $$
begin
  -- What comes out of PL/pgSQL is an expanded array: any element of it is found at once, whatever their lengths.
  return elements;
end
$$;
comment on function _tessera_functions.unfolded(anyarray) is 'the same array in the form in which subscripts are fast';

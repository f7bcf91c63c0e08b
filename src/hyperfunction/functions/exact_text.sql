-- format() calls the type's own output function, which a cast to text does not always do (bpchar loses spaces).
create function _tessera_functions.exact_text(value anyelement)
returns text
language plpgsql stable parallel safe
set extra_float_digits = 3
set datestyle = 'ISO'
as $$
begin
  return case when value is distinct from null then pg_catalog.format('%s', value) end;
end
$$;
comment on function _tessera_functions.exact_text(anyelement) is
  'text of a value that reads back as the same value, whatever DateStyle and extra_float_digits the session has';

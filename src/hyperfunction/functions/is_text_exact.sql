create function _tessera_functions.is_text_exact()
returns boolean
language sql stable parallel safe
as $$
select
  pg_catalog.current_setting('extra_float_digits')::pg_catalog.int4 operator(pg_catalog.>) 0
  and pg_catalog.current_setting('DateStyle') operator(pg_catalog.~~) 'ISO%'
$$;
comment on function _tessera_functions.is_text_exact() is
  'true when the session''s settings already print floats and times so that they read back the same';

create function _tessera_functions.internal_to_timestamptz(value bigint) returns timestamptz
language sql immutable strict parallel safe
as $$
  select case value
    when 9223372036854775807 then 'infinity'::timestamptz
    when -9223372036854775808 then '-infinity'::timestamptz
    else 'epoch'::timestamptz + value * interval '1 microsecond'
  end
$$;
comment on function _tessera_functions.internal_to_timestamptz(bigint) is
  'internal time (microseconds since 1970-01-01 UTC) as timestamptz; the ends of int8 are infinity';

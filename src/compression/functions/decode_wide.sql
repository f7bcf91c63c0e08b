-- Views of chunks that were compressed by 0.5.0 or earlier call these. They had twice as many elements as the segment has
-- rows where there are nulls, and the second half said 1 for each.

create function _tessera_functions.decode_int4(payload bytea) returns plv8_int4array
language sql immutable strict parallel safe
set search_path to pg_catalog, pg_temp
as $$
  select (d.a || case when array_position(d.a, null) is not null
      then array(select (e is null)::int::int4 from unnest(d.a) with ordinality u(e, o) order by o) end)::plv8_int4array
  from (select _tessera_functions.decode_int4_plain(payload) as a offset 0) d
$$;
comment on function _tessera_functions.decode_int4(bytea) is
  'as decode_int4_plain(), where there are nulls followed by 1 for each null and 0 for each other value';

create function _tessera_functions.decode_int8(payload bytea) returns plv8_int8array
language sql immutable strict parallel safe
set search_path to pg_catalog, pg_temp
as $$
  select (d.a || case when array_position(d.a, null) is not null
      then array(select (e is null)::int::int8 from unnest(d.a) with ordinality u(e, o) order by o) end)::plv8_int8array
  from (select _tessera_functions.decode_int8_plain(payload) as a offset 0) d
$$;
comment on function _tessera_functions.decode_int8(bytea) is
  'as decode_int8_plain(), where there are nulls followed by 1 for each null and 0 for each other value';

create function _tessera_functions.decode_float4(payload bytea) returns plv8_float4array
language sql immutable strict parallel safe
set search_path to pg_catalog, pg_temp
as $$
  select (d.a || case when array_position(d.a, null) is not null
      then array(select (e is null)::int::float4 from unnest(d.a) with ordinality u(e, o) order by o) end)::plv8_float4array
  from (select _tessera_functions.decode_float4_plain(payload) as a offset 0) d
$$;
comment on function _tessera_functions.decode_float4(bytea) is
  'as decode_float4_plain(), where there are nulls followed by 1 for each null and 0 for each other value';

create function _tessera_functions.decode_float8(payload bytea) returns plv8_float8array
language sql immutable strict parallel safe
set search_path to pg_catalog, pg_temp
as $$
  select (d.a || case when array_position(d.a, null) is not null
      then array(select (e is null)::int::float8 from unnest(d.a) with ordinality u(e, o) order by o) end)::plv8_float8array
  from (select _tessera_functions.decode_float8_plain(payload) as a offset 0) d
$$;
comment on function _tessera_functions.decode_float8(bytea) is
  'as decode_float8_plain(), where there are nulls followed by 1 for each null and 0 for each other value';

create function _tessera_functions.decode_time(payload bytea) returns plv8_float8array
language sql immutable strict parallel safe
set search_path to pg_catalog, pg_temp
as $$
  select (d.a || case when array_position(d.a, null) is not null
      then array(select (e is null)::int::float8 from unnest(d.a) with ordinality u(e, o) order by o) end)::plv8_float8array
  from (select _tessera_functions.decode_time_plain(payload) as a offset 0) d
$$;
comment on function _tessera_functions.decode_time(bytea) is
  'as decode_time_plain(), where there are nulls followed by 1 for each null and 0 for each other value';

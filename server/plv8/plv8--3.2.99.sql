\echo Use "create extension plv8" to load this file. \quit

create function plv8_call_handler() returns language_handler
as 'MODULE_PATHNAME' language c;
create function plv8_inline_handler(internal) returns void
as 'MODULE_PATHNAME' language c;
create function plv8_call_validator(oid) returns void
as 'MODULE_PATHNAME' language c;

create trusted language plv8
  handler plv8_call_handler
  inline plv8_inline_handler
  validator plv8_call_validator;
comment on language plv8 is 'PL/JavaScript (V8) trusted procedural language';

create domain plv8_int2array as int2[];
create domain plv8_int4array as int4[];
create domain plv8_int8array as int8[];
create domain plv8_float4array as float4[];
create domain plv8_float8array as float8[];

create function plv8_version() returns text
language plv8
as $$ return plv8.version; $$;
comment on function plv8_version() is 'version of the language handler';

create function plv8_reset() returns void
as 'MODULE_PATHNAME' language c;
comment on function plv8_reset() is 'forgets what JavaScript of the role keeps in this session';

create function plv8_info() returns json
as 'MODULE_PATHNAME' language c;
revoke execute on function plv8_info() from public;
comment on function plv8_info() is 'roles whose JavaScript this session keeps, and the memory it takes';

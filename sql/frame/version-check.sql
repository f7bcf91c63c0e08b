-- Whoever may create in the schema the extension goes to must not have his operators found before those of PostgreSQL: views
-- keep what was found. Everything is created under its full name.
set local search_path = pg_catalog, pg_temp;
-- Bodies are checked by the build and the tests; functions may name each other in any order here.
set local check_function_bodies = off;
do $check$
begin
  if current_setting('server_version_num')::int < 150000 then
    raise exception using
      errcode = '0A000',
      message = 'tessera needs PostgreSQL 15 or later',
      detail = format('This server is PostgreSQL %s.', current_setting('server_version'));
  end if;
  if current_setting('server_encoding') <> 'UTF8' then
    raise exception using
      errcode = '0A000',
      message = 'tessera needs a database with encoding UTF8',
      detail = format('This database has encoding %s.', current_setting('server_encoding')),
      hint = 'Create the database with: create database name encoding ''UTF8'' template template0';
  end if;
end
$check$;

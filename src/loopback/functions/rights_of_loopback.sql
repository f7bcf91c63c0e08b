create function _tessera_functions.missing_rights_of_loopback() returns text
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select case
    when not exists (select from pg_foreign_data_wrapper where fdwname = 'postgres_fdw') then 'create extension postgres_fdw'
    when not has_foreign_data_wrapper_privilege(_tessera_functions.extension_owner(), 'postgres_fdw', 'USAGE')
      then format('grant usage on foreign data wrapper postgres_fdw to %I', _tessera_functions.extension_owner())
    when not (select r.rolcreaterole or r.rolsuper from pg_roles r where r.rolname = _tessera_functions.extension_owner())
      then format('alter role %I createrole', _tessera_functions.extension_owner())
  end
$$;
comment on function _tessera_functions.missing_rights_of_loopback() is
  'what the owner of the extension lacks to make foreign servers and logins, as a statement; null when nothing';

create function _tessera_functions.require_wrapper() returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  missing constant text := _tessera_functions.missing_rights_of_loopback();
begin
  if missing is not null then
    raise exception using
      errcode = '42501',
      message = 'permission denied to make the connection through which compressed chunks and shards are read',
      detail = format('Role "%s" owns the extension and needs a right for it.', _tessera_functions.extension_owner()),
      hint = missing || ';';
  end if;
end
$$;
comment on function _tessera_functions.require_wrapper() is
  'raises 42501 with the statement that is missing where the owner of the extension cannot make foreign servers or logins';

create function _tessera_functions.require_own_login() returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  owner constant name := _tessera_functions.extension_owner();
begin
  -- Nobody else knows its password; somebody who made a role of this name before us could set it.
  if session_user <> _tessera_functions.login_of(owner)
    or (select r.rolsuper from pg_roles r where r.rolname = owner)
    or exists (
      select from pg_auth_members m
      join pg_roles r on r.oid = m.member
      where m.roleid = (select l.oid from pg_roles l where l.rolname = session_user) and m.admin_option
        and r.rolname <> owner and not r.rolsuper)
  then
    raise exception using
      errcode = '42501', message = 'permission denied to work aside as the owner of the extension',
      detail = format('Role "%s" is not the login of its loopback server.', session_user);
  end if;
end
$$;
comment on function _tessera_functions.require_own_login() is
  'raises 42501 unless this session logged in through the loopback server of the owner of the extension, which only he may use';

create function _tessera_functions.aside_exec(statements text) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  perform _tessera_functions.require_own_login();
  execute statements;
end
$$;
comment on function _tessera_functions.aside_exec(text) is
'Runs statements as the owner of the extension, whose login is not a member of him where he is no superuser.
Privileges: the login of his loopback server';

create function _tessera_functions.aside_rows(statement text) returns setof text
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  perform _tessera_functions.require_own_login();
  return query execute statement;
end
$$;
comment on function _tessera_functions.aside_rows(text) is
'The column of text a query gives to the owner of the extension.
Privileges: the login of his loopback server';

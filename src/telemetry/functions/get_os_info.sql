create function _tessera_functions.parse_os_info(
  server text, kernel text, os_release text,
  out sysname text, out version text, out release text, out version_pretty text
) returns record
language sql immutable
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
  select
    case
      when server ~* 'linux' then 'Linux'
      when server ~* '(mingw|visual|windows)' then 'Windows'
      when server ~* '(darwin|apple)' then 'Darwin'
      when server ~* 'freebsd' then 'FreeBSD'
    end,
    substring(kernel from '#[^\n]*'),
    substring(kernel from '^\S+ version (\S+)'),
    nullif(substring(os_release from $re$(?n)^PRETTY_NAME=["']?([^"'\n]*)$re$), '')
$$;
comment on function _tessera_functions.parse_os_info(text, text, text) is
  'what version(), /proc/version and /etc/os-release say about the operating system; null for what they do not say';

create function _tessera_functions.get_os_info(
  out sysname text, out version text, out release text, out version_pretty text
) returns record
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  kernel text;
  os_release text;
begin
  -- Only who may read files of the server learns more; to everybody else it is unknown, which is no error.
  if pg_has_role('pg_read_server_files', 'USAGE')
    and has_function_privilege('pg_read_file(text, bigint, bigint, boolean)', 'EXECUTE') then
    begin
      kernel := pg_read_file('/proc/version', 0, 1000, true);
      os_release := coalesce(
        pg_read_file('/etc/os-release', 0, 10000, true), pg_read_file('/usr/lib/os-release', 0, 10000, true));
    exception when others then
      null; -- such as a file in another encoding
    end;
  end if;
  select * into sysname, version, release, version_pretty
  from _tessera_functions.parse_os_info(pg_catalog.version(), kernel, os_release);
end
$$;
comment on function _tessera_functions.get_os_info() is
'Name, version and release of the operating system of the server; null where it cannot be known.
Privileges: anybody; all but the name needs those of pg_read_server_files and EXECUTE on pg_read_file(text, bigint, bigint, boolean)';

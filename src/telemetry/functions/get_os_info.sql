create function _tessera_functions.get_os_info(
  out sysname text, out version text, out release text, out version_pretty text
) returns record
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  kernel text;
begin
  sysname := case
    when pg_catalog.version() ~* 'linux' then 'Linux'
    when pg_catalog.version() ~* '(mingw|visual|windows)' then 'Windows'
    when pg_catalog.version() ~* '(darwin|apple)' then 'Darwin'
    when pg_catalog.version() ~* 'freebsd' then 'FreeBSD'
  end;
  -- Only who may read files of the server learns more; to everybody else it is unknown, which is no error.
  if pg_has_role('pg_read_server_files', 'USAGE') then
    begin
      kernel := pg_read_file('/proc/version', 0, 1000, true);
      release := substring(kernel from '^\S+ version (\S+)');
      version := substring(kernel from '(#.*)$');
      version_pretty := substring(
        coalesce(pg_read_file('/etc/os-release', 0, 10000, true), pg_read_file('/usr/lib/os-release', 0, 10000, true))
        from $re$(?n)^PRETTY_NAME=["']?([^"'\n]*)$re$);
    exception when others then
      null;
    end;
  end if;
end
$$;
comment on function _tessera_functions.get_os_info() is
'Name, version and release of the operating system of the server; null where it cannot be known.
Privileges: anybody; all but the name needs those of pg_read_server_files';

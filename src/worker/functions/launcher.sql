create function _tessera_functions.launcher_probe() returns text
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select case when _tessera_functions.setting('background_workers')::boolean then pg_get_userbyid(nspowner)::text end
  from pg_namespace
  where nspname = '_tessera_catalog'
$$;
comment on function _tessera_functions.launcher_probe() is
  'what the launcher asks every database: the role that runs its scheduler; null when it wants none';

create function _tessera_functions.launcher_command() returns text
language sql stable
set search_path to pg_catalog, pg_temp
as $function$
  -- Complete in itself: the database of pg_cron need not have tessera.
  select replace(replace(replace($command$do $launcher$
declare
  d record;
  wanted text;
  conninfo text;
  probe constant text := (
    select pg_catalog.format('select x from %s.dblink($1, $2) as t(x text)', e.extnamespace::pg_catalog.regnamespace)
    from pg_catalog.pg_extension e
    where e.extname = 'dblink');
begin
  for d in
    select b.oid, b.datname
    from pg_catalog.pg_database b
    where b.datallowconn and not b.datistemplate
      and not exists (
        select from pg_catalog.pg_locks l
        where l.locktype = 'object' and l.classid = 'pg_catalog.pg_database'::pg_catalog.regclass and l.objid = b.oid
          and l.mode in ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'))
  loop
    wanted := null;
    conninfo := pg_catalog.concat(:conninfo, ' dbname=', pg_catalog.quote_literal(d.datname));
    begin
      if d.datname = pg_catalog.current_database() then
        if pg_catalog.to_regprocedure('_tessera_functions.launcher_probe()') is not null then
          execute 'select _tessera_functions.launcher_probe()' into wanted;
        end if;
      else
        execute probe into wanted
          using conninfo, 'select pg_catalog.to_regprocedure(''_tessera_functions.launcher_probe()'')::text';
        if wanted is not null then
          execute probe into wanted using conninfo, 'select _tessera_functions.launcher_probe()';
        end if;
      end if;
    exception when others then
      -- It may be back the next time; what it has stays.
      raise log 'tessera launcher: database "%": %', d.datname, sqlerrm;
      continue;
    end;
    if wanted is null then
      delete from cron.job j where j.jobname like pg_catalog.format('tessera:%s:%%', d.oid);
    elsif not exists (
      select from cron.job j
      where j.jobname = pg_catalog.format('tessera:%s:scheduler', d.oid) and j.database = d.datname and j.username = wanted
        and j.command = :command
    ) then
      delete from cron.job j where j.jobname like pg_catalog.format('tessera:%s:%%', d.oid);
      perform cron.schedule_in_database(
        pg_catalog.format('tessera:%s:scheduler', d.oid), '1 seconds', :command, d.datname, wanted);
    end if;
  end loop;
  execute :guard;
end $launcher$$command$,
    ':conninfo', quote_literal(concat_ws(' ',
      _tessera_functions.loopback_server(), 'application_name=tessera_launcher', 'connect_timeout=5'))),
    ':command', quote_literal(_tessera_functions.cron_command('scheduler(''pg_cron'')'))),
    ':guard', quote_literal(_tessera_functions.cron_guard_command()))
$function$;
comment on function _tessera_functions.launcher_command() is
  'what pg_cron runs to find databases that gained or lost the extension';

create function _tessera_functions.tidy_command() returns text
language sql immutable
set search_path to pg_catalog, pg_temp
as $$
  -- To look into other databases it would need a password, which everybody who sees its text could read.
  select $command$select cron.unschedule(j.jobid)
from cron.job j
where j.username = current_user and j.jobname ~ '^tessera:[0-9]+:'
  and not exists (select from pg_catalog.pg_database b where b.oid::text = pg_catalog.split_part(j.jobname, ':', 2))$command$
$$;
comment on function _tessera_functions.tidy_command() is
  'what pg_cron runs in place of the launcher for a role that is no superuser: it removes the jobs of databases that are gone';

create function _tessera_functions.cron_setting(name text) returns text
language plpgsql stable security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  -- Some of them only superusers may read; these tell nobody anything.
  return case when name in ('database_name', 'use_background_workers', 'max_running_jobs')
    then nullif(current_setting('cron.' || name, true), '') end;
exception
  -- Where the extension belongs to no superuser it cannot be asked, nor can pg_cron be driven.
  when insufficient_privilege then
    return null;
end
$$;
comment on function _tessera_functions.cron_setting(text) is 'a configuration parameter of pg_cron; null when the server does not load it';

create function _tessera_functions.cron_database() returns name
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select _tessera_functions.cron_setting('database_name')::name
$$;
comment on function _tessera_functions.cron_database() is 'the database in which pg_cron keeps its jobs; null when the server does not load pg_cron';

create function _tessera_functions.cron_state() returns text
language plpgsql stable security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  return case when nullif(current_setting('cron.database_name', true), '') is null then 'not loaded' else 'loaded' end;
exception
  -- A parameter that cannot be read is there, and pg_cron with it.
  when insufficient_privilege then
    return 'hidden';
end
$$;
comment on function _tessera_functions.cron_state() is
  'whether the server loads pg_cron: loaded, not loaded, or hidden where the owner of the extension may not see in which database its jobs are';

create function _tessera_functions.cron_user() returns name
language sql stable security definer
set search_path to pg_catalog, pg_temp
as $$
  select case when current_database() = _tessera_functions.cron_database() then _tessera_functions.extension_owner()
    else coalesce(_tessera_functions.conninfo_part('user')::name, _tessera_functions.extension_owner()) end
$$;
comment on function _tessera_functions.cron_user() is 'the role as which this database registers jobs with pg_cron';

create function _tessera_functions.cron_starts_anybody() returns boolean
language sql stable security definer
set search_path to pg_catalog, pg_temp
as $$
  select coalesce((select r.rolsuper from pg_roles r where r.rolname = _tessera_functions.cron_user()), false)
$$;
comment on function _tessera_functions.cron_starts_anybody() is
  'whether workers of other roles can be registered for them: pg_cron lets superusers alone do so';

create function _tessera_functions.cron_knows_seconds() returns boolean
language sql stable
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
  -- Since 1.5; without that a worker that ended would come back after a minute.
  select coalesce((
    select regexp_match(default_version, '^(\d+)\.(\d+)')::int[] >= array[1, 5]
    from pg_available_extensions
    where name = 'pg_cron'), false)
$$;
comment on function _tessera_functions.cron_knows_seconds() is 'whether pg_cron is of a version that can keep workers going';

create function _tessera_functions.loopback_server() returns text
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  -- libpq itself would choose the port it was built with, and the account of the operating system for the user.
  select coalesce(
    (select concat_ws(' ', l.conninfo,
        case when _tessera_functions.conninfo_part('port') is null then 'port=' || current_setting('port') end,
        case when _tessera_functions.conninfo_part('user') is null
          then 'user=' || quote_literal(_tessera_functions.extension_owner()) end)
      from _tessera_catalog.loopback l),
    format('host=%s port=%s user=%s',
      coalesce(nullif(trim(split_part(current_setting('unix_socket_directories'), ',', 1)), ''), 'localhost'),
      current_setting('port'), quote_literal(_tessera_functions.extension_owner())))
$$;
comment on function _tessera_functions.loopback_server() is
  'how this server reaches itself over libpq: what tessera.set_loopback() was given, else the local socket as the owner of the extension';

create function _tessera_functions.loopback_conninfo(database name) returns text
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select concat_ws(' ', _tessera_functions.loopback_server(), 'dbname=' || quote_literal(database), 'application_name=tessera',
    'connect_timeout=5')
$$;
comment on function _tessera_functions.loopback_conninfo(name) is 'how this server reaches one of its databases over libpq';

create function tessera.set_loopback(conninfo text) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  perform _tessera_functions.require_extension_owner('change the loopback connection');
  delete from _tessera_catalog.loopback;
  insert into _tessera_catalog.loopback (conninfo) select conninfo where conninfo is not null;
end
$$;
comment on function tessera.set_loopback(text) is
'Says how the server reaches itself, where the local socket without a password does not do. Only members of the owner of the extension can read it.
conninfo: a libpq connection string without dbname, with the name and password of the owner of the extension or of a superuser; null goes back to the local socket
Privileges: members of the role that owns the extension';

create function _tessera_functions.in_cron_database(statement text) returns setof text
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  dblink_schema name;
begin
  if _tessera_functions.cron_database() is null then
    raise exception using
      errcode = '55000', message = 'pg_cron is not loaded',
      hint = 'Add pg_cron to shared_preload_libraries and restart the server, or run the command tessera worker.';
  end if;
  if current_database() = _tessera_functions.cron_database() then
    return query execute statement;
    return;
  end if;
  select n.nspname into dblink_schema
  from pg_extension e join pg_namespace n on n.oid = e.extnamespace
  where e.extname = 'dblink';
  return query execute format('select x from %I.dblink($1, $2) as t(x text)', dblink_schema)
    using _tessera_functions.loopback_conninfo(_tessera_functions.cron_database()), statement;
end
$$;
comment on function _tessera_functions.in_cron_database(text) is
  'runs a query that returns one text column in the database of pg_cron; elsewhere than here it commits by itself';

create function _tessera_functions.exec_in_cron_database(statement text) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  if current_database() = _tessera_functions.cron_database() then
    execute statement;
  else
    execute format('select %I.dblink_exec($1, $2)',
      (select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'dblink'))
    using _tessera_functions.loopback_conninfo(_tessera_functions.cron_database()), statement;
  end if;
end
$$;
comment on function _tessera_functions.exec_in_cron_database(text) is 'runs a command in the database of pg_cron';

create function _tessera_functions.cron_name(what text default '') returns text
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select format('tessera:%s:%s', (select oid from pg_database where datname = current_database()), what)
$$;
comment on function _tessera_functions.cron_name(text) is 'name of a pg_cron job of this database';

create function _tessera_functions.cron_command(call text) returns text
language sql immutable
set search_path to pg_catalog, pg_temp
as $$
  -- Where the extension was dropped it does nothing, until the launcher removes it.
  select format(
    'do $tessera$ begin if pg_catalog.to_regnamespace(''_tessera_functions'') is not null then call _tessera_functions.%s; end if; end $tessera$',
    call)
$$;
comment on function _tessera_functions.cron_command(text) is 'what pg_cron runs for a session of ours';

create function _tessera_functions.cron_guard_command() returns text
language sql immutable
set search_path to pg_catalog, pg_temp
as $function$
  -- One job of a role that does not exist ends the launcher of pg_cron again and again, and with it every job of the
  -- server. So a role that has a worker holds a privilege there, which keeps DROP ROLE from happening, and what is left
  -- over of databases and roles that are gone is deleted.
  select $command$do $guard$
declare
  r record;
begin
  delete from cron.job j
  where j.jobname ~ '^tessera:[0-9]+:'
    and (not exists (select from pg_catalog.pg_database b where b.oid::text = pg_catalog.split_part(j.jobname, ':', 2))
      or not exists (select from pg_catalog.pg_roles x where x.rolname = j.username));
  if pg_catalog.to_regnamespace('tessera_workers') is null then
    create schema tessera_workers;
    comment on schema tessera_workers is
      'empty; a role with USAGE here has workers of tessera, and cannot be dropped before they are gone';
  end if;
  for r in
    select a.grantee, u.username
    from (
      select distinct j.username from cron.job j where j.jobname ~ '^tessera:[0-9]+:worker:'
    ) u
    full join (
      select x.grantee, pg_catalog.pg_get_userbyid(x.grantee) as name
      from pg_catalog.pg_namespace n, pg_catalog.aclexplode(n.nspacl) x
      where n.nspname = 'tessera_workers' and x.grantee <> n.nspowner and x.grantee <> 0
    ) a on a.name = u.username
    where a.grantee is null or u.username is null
  loop
    if r.username is null then
      execute pg_catalog.format('revoke usage on schema tessera_workers from %I', pg_catalog.pg_get_userbyid(r.grantee));
    else
      execute pg_catalog.format('grant usage on schema tessera_workers to %I', r.username);
    end if;
  end loop;
end $guard$$command$
$function$;
comment on function _tessera_functions.cron_guard_command() is
  'what keeps the jobs of pg_cron and the roles they name in line; runs in the database of pg_cron';

create function _tessera_functions.sync_cron() returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  anybody constant boolean := _tessera_functions.cron_starts_anybody();
  wanted jsonb;
begin
  select coalesce(jsonb_agg(jsonb_build_object(
      'jobname', _tessera_functions.cron_name('worker:' || w.slot),
      'command', _tessera_functions.cron_command(format('worker(%s)', w.slot)),
      'username', r.rolname)), '[]')
  into wanted
  from _tessera_catalog.worker_slot w
  join pg_roles r on r.oid = w.owner
  where anybody or r.rolname = _tessera_functions.cron_user();
  -- Whoever is no superuser must not name a user, not even himself. Workers of others are added inactive, so that pg_cron
  -- starts nothing as a role before the guard holds it.
  perform _tessera_functions.in_cron_database(format(
    $sync$
    with wanted as (
      select * from pg_catalog.jsonb_to_recordset(%1$L) as w(jobname text, command text, username name)
    ), gone as (
      select cron.unschedule(j.jobid), j.jobid
      from cron.job j
      where j.jobname like %2$L and (%4$L or j.username = current_user)
        and not exists (
          select from wanted w
          where w.jobname = j.jobname and w.username = j.username and w.command = j.command and j.database = %3$L)
    ), added as (
      select cron.schedule_in_database(w.jobname, '1 seconds', w.command, %3$L, case when %4$L then w.username end, not %4$L) as jobid
      from wanted w
      where not exists (
        select from cron.job j
        where j.jobname = w.jobname and j.username = w.username and j.command = w.command and j.database = %3$L)
    )
    select jobid::text from gone union all select jobid::text from added
    $sync$,
    wanted, _tessera_functions.cron_name('worker:%'), current_database(), anybody));
  if not anybody then
    return;
  end if;
  perform _tessera_functions.exec_in_cron_database(_tessera_functions.cron_guard_command());
  perform _tessera_functions.in_cron_database(format(
    $sync$
    with begun as (
      update cron.job j set active = true where j.jobname like %1$L and not j.active returning j.jobid
    )
    select jobid::text from begun
    $sync$,
    _tessera_functions.cron_name('worker:%')));
end
$$;
comment on function _tessera_functions.sync_cron() is 'makes the pg_cron jobs of this database those of its slots';

create function _tessera_functions.unregister_workers() returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  perform _tessera_functions.in_cron_database(format(
    'select cron.unschedule(j.jobid)::text from cron.job j where j.jobname like %L and (%L or j.username = current_user)',
    _tessera_functions.cron_name('%'), _tessera_functions.cron_starts_anybody()));
  if _tessera_functions.cron_starts_anybody() then
    perform _tessera_functions.exec_in_cron_database(_tessera_functions.cron_guard_command());
  end if;
exception when undefined_table or invalid_schema_name then
  null; -- nothing was ever registered
end
$$;
comment on function _tessera_functions.unregister_workers() is 'takes the jobs of this database from pg_cron';

create function _tessera_functions.purge_cron_log() returns bigint
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  purged bigint;
begin
  select x::bigint into purged
  from _tessera_functions.in_cron_database(format(
    $purge$
    with gone as (
      delete from cron.job_run_details d
      where d.end_time < %L::timestamptz and d.command like '%%_tessera_functions.%%'
      returning 1
    )
    select count(*)::text from gone
    $purge$,
    now() - _tessera_functions.setting('run_log_retention')::interval)) x;
  return purged;
exception when undefined_table then
  return 0; -- pg_cron is loaded, but nobody created its extension: workers are not started by it
end
$$;
comment on function _tessera_functions.purge_cron_log() is
  'deletes from pg_cron''s log what our sessions left there longer than run_log_retention ago, and returns how many rows';

create function _tessera_functions.register_workers() returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  anybody constant boolean := _tessera_functions.cron_starts_anybody();
  needed name;
begin
  if anybody then
    -- Another database than this commits each statement by itself, which is as it should be: a session that is started
    -- too early finds nothing to do and is started again.
    foreach needed in array array['pg_cron', 'dblink'] loop
      begin
        perform _tessera_functions.exec_in_cron_database(format('create extension if not exists %I', needed));
      exception when unique_violation or duplicate_object then
        null; -- another database did so at the same moment
      end;
    end loop;
    perform _tessera_functions.exec_in_cron_database(_tessera_functions.cron_guard_command());
  end if;
  perform _tessera_functions.in_cron_database(format(
    $cron$
    select cron.schedule_in_database('tessera launcher', %1$L, %2$L, %3$L)::text
    where not exists (
      select from cron.job
      where jobname = 'tessera launcher' and schedule = %1$L and command = %2$L and database = %3$L and username = current_user)
    $cron$,
    least(_tessera_functions.setting('launcher_interval')::int, 59) || ' seconds',
    case when anybody then _tessera_functions.launcher_command() else _tessera_functions.tidy_command() end,
    _tessera_functions.cron_database()));
  perform _tessera_functions.in_cron_database(format(
    $cron$
    select cron.schedule_in_database(%1$L, '1 seconds', %2$L, %3$L, case when %5$L then %4$L end)::text
    where not exists (
      select from cron.job where jobname = %1$L and command = %2$L and database = %3$L and username = %4$L)
    $cron$,
    _tessera_functions.cron_name('scheduler'), _tessera_functions.cron_command('scheduler(''pg_cron'')'),
    current_database(), case when anybody then _tessera_functions.extension_owner() else _tessera_functions.cron_user() end, anybody));
end
$$;
comment on function _tessera_functions.register_workers() is
  'has pg_cron run the launcher of the cluster and the scheduler of this database';

create function _tessera_functions.extension_owner() returns name
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select pg_get_userbyid(nspowner) from pg_namespace where nspname = '_tessera_catalog'
$$;
comment on function _tessera_functions.extension_owner() is 'the role that owns the extension and its catalog';

create function _tessera_functions.require_extension_owner(act text) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
begin
  -- Administrators of managed servers are members of that role without being superusers.
  if not pg_has_role(_tessera_functions.extension_owner(), 'USAGE') then
    raise exception using
      errcode = '42501', message = format('permission denied to %s', act),
      detail = format('Only a member of role "%s", which owns the extension, may.', _tessera_functions.extension_owner());
  end if;
end
$$;
comment on function _tessera_functions.require_extension_owner(text) is
  'raises 42501 unless the caller may act as the owner of the extension';

create function @extschema@.start_background_workers() returns boolean
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  if not pg_has_role(_tessera_functions.extension_owner(), 'USAGE') then
    perform _tessera_functions.register_own_worker();
    return true;
  end if;
  if _tessera_functions.cron_state() <> 'not loaded' then
    perform _tessera_functions.require_rights_of_workers('start');
  end if;
  perform tessera.set_setting('background_workers', 'on');
  if _tessera_functions.cron_database() is null then
    raise warning using
      message = 'pg_cron is not loaded, so the server itself starts no workers',
      hint = 'Add pg_cron to shared_preload_libraries and restart the server, or run the command tessera worker.';
    return false;
  end if;
  if not _tessera_functions.cron_knows_seconds() then
    raise warning using
      message = 'pg_cron is older than 1.5, so the server itself starts no workers',
      hint = 'Install pg_cron 1.5 or later, or run the command tessera worker.';
    return false;
  end if;
  perform _tessera_functions.register_workers();
  return true;
end
$$;
comment on function @extschema@.start_background_workers() is
'Has this database get a scheduler and workers, now and after every restart of the server. True when pg_cron will start them, false when the command tessera worker is to do it. Calling it again changes nothing. Where the owner of the extension is no superuser it starts workers for him alone; every other role that has work calls it for itself, in the database of pg_cron or by the statement that the error gives.
Privileges: members of the role that owns the extension; anybody for himself
Errors: 42501 with a list of all rights that are missing, as statements, and those of the connection to the database of pg_cron';

create function @extschema@.stop_background_workers() returns boolean
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  perform _tessera_functions.require_extension_owner('stop background workers');
  if _tessera_functions.cron_drives() then
    perform _tessera_functions.require_rights_of_workers('stop');
  end if;
  perform tessera.set_setting('background_workers', 'off');
  delete from _tessera_catalog.worker_slot;
  if _tessera_functions.cron_drives() then
    perform _tessera_functions.unregister_workers();
  end if;
  return _tessera_functions.dismiss_workers();
end
$$;
comment on function @extschema@.stop_background_workers() is
'Ends the scheduler and the workers of this database until start_background_workers() is called. Runs under way are interrupted and start again then. True when all are gone.
Privileges: members of the role that owns the extension
Errors: 42501 with a list of all rights that are missing, as statements';

create function @extschema@.restart_background_workers() returns boolean
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  perform _tessera_functions.require_extension_owner('restart background workers');
  if _tessera_functions.cron_state() <> 'not loaded' then
    perform _tessera_functions.require_rights_of_workers('restart');
  end if;
  perform _tessera_functions.dismiss_workers();
  return @extschema@.start_background_workers();
end
$$;
comment on function @extschema@.restart_background_workers() is
'Ends the scheduler and the workers of this database and has them started again. Runs under way are interrupted and start again.
Privileges: members of the role that owns the extension
Errors: as those of start_background_workers()';

create function _tessera_functions.pause_workers() returns event_trigger
language plpgsql
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
declare
  patience constant timestamptz := clock_timestamp() + interval '30 seconds';
begin
  if current_query() !~* '\mtessera\M' or not pg_has_role(_tessera_functions.extension_owner(), 'USAGE') then
    return;
  end if;
  -- Until the end of this transaction no worker starts: each wants this lock shared. One that got it just before goes on
  -- working, so the lock is tried for, and whoever holds it sent away, until it is ours.
  loop
    perform _tessera_functions.dismiss_workers();
    exit when pg_try_advisory_xact_lock(_tessera_functions.lock_class('pause'), 0);
    if clock_timestamp() > patience then
      raise exception using
        errcode = '55P03', message = 'background workers could not be sent away',
        hint = 'Call stop_background_workers() first.';
    end if;
  end loop;
end
$$;
comment on function _tessera_functions.pause_workers() is
  'sends scheduler and workers away while ALTER EXTENSION or DROP EXTENSION changes what they run';

create function _tessera_functions.announce() returns trigger
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  if _tessera_functions.setting('background_workers')::boolean and _tessera_functions.cron_database() is not null
    and _tessera_functions.cron_knows_seconds() then
    begin
      perform _tessera_functions.register_workers();
    exception when others then
      raise notice using
        message = format('background workers were not started: %s', sqlerrm),
        hint = 'See select * from tessera.doctor(), then call start_background_workers().';
    end;
  end if;
  return null;
end
$$;
comment on function _tessera_functions.announce() is
  'at the commit of CREATE EXTENSION, has pg_cron start the workers of this database';

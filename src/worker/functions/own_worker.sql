create function _tessera_functions.own_worker_job() returns text
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select format('select cron.schedule_in_database(%L, ''1 seconds'', %L, %L)',
    _tessera_functions.cron_name('own worker'), _tessera_functions.cron_command('own_worker()'), current_database())
$$;
comment on function _tessera_functions.own_worker_job() is
  'the statement by which a role registers a worker for itself, in the database of pg_cron';

create function _tessera_functions.own_worker_statements(role name) returns text
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  home constant name := coalesce(_tessera_functions.cron_database(), 'postgres');
  them constant jsonb := _tessera_functions.rights_in_cron_database(role);
  missing text[];
begin
  missing := array_remove(array[
    case when not coalesce((them ->> 'extension')::boolean, false) then 'create extension if not exists pg_cron' end,
    case when not coalesce((them ->> 'schema')::boolean, false) then format('grant usage on schema cron to %I', role) end,
    case when not coalesce((them ->> 'schedule')::boolean, false) then format('grant execute on function cron.schedule_in_database to %I', role) end],
    null);
  return concat_ws(E'\n',
    case when cardinality(missing) > 0 then format(E'-- in database "%s"\n%s;', home, array_to_string(missing, E';\n')) end,
    format(E'-- as role "%s", in database "%s"\n%s;', role, home, _tessera_functions.own_worker_job()));
end
$$;
comment on function _tessera_functions.own_worker_statements(name) is
  'what is to be typed for a role to have a worker that pg_cron starts, rights that are missing first';

create function _tessera_functions.register_own_worker() returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  home constant name := _tessera_functions.cron_database();
  statements text;
begin
  if home is null then
    raise exception using
      errcode = '42501', message = 'permission denied to start background workers',
      detail = format('Role "%s" owns the extension, and the server loads no pg_cron.', _tessera_functions.extension_owner()),
      hint = '-- run the command tessera worker as this role';
  end if;
  statements := _tessera_functions.own_worker_statements(current_user);
  if home <> current_database() or statements not like '-- as role%' then
    -- Going to that database would take the password of the caller, which is nobody's business.
    raise exception using
      errcode = '42501', message = 'permission denied to start background workers',
      detail = format('Role "%s" owns the extension. Another role has pg_cron start a worker for itself alone, in database "%s".',
        _tessera_functions.extension_owner(), home),
      hint = statements;
  end if;
  execute _tessera_functions.own_worker_job();
end
$$;
comment on function _tessera_functions.register_own_worker() is
  'has pg_cron run a worker of the caller; raises 42501 with the statements that are missing';

create procedure _tessera_functions.own_worker()
language plpgsql
as $$
declare
  until constant timestamptz := pg_catalog.clock_timestamp() operator(pg_catalog.+) interval '10 minutes';
  free int;
begin
  loop
    -- Held shared, so that whoever wants the database finds this session and can send it away.
    exit when not pg_catalog.pg_try_advisory_lock_shared(_tessera_functions.lock_class('pause'), 0);
    exit when _tessera_functions.database_is_wanted()
      or not _tessera_functions.setting('background_workers')::boolean
      or pg_catalog.clock_timestamp() operator(pg_catalog.>) until;
    perform pg_catalog.set_config('application_name', 'tessera worker', false);
    select w.slot into free
    from _tessera_catalog.worker_slot w
    where w.owner::pg_catalog.oid operator(pg_catalog.=) (
        select r.oid from pg_catalog.pg_roles r where r.rolname operator(pg_catalog.=) session_user)
      and not exists (
        select from _tessera_functions.lock_holders(_tessera_functions.lock_class('slot'), w.slot))
    order by w.slot
    limit 1;
    commit;
    if free is null then
      perform pg_catalog.pg_sleep(1);
      commit;
    else
      call _tessera_functions.worker(free);
    end if;
    perform pg_catalog.pg_advisory_unlock_all();
  end loop;
  perform pg_catalog.pg_advisory_unlock_all();
end
$$;
comment on procedure _tessera_functions.own_worker() is
'Works in whatever slot the scheduler gives the role that connected, and waits for one. For roles whose workers nobody else can start: a job of pg_cron that the role made, or the command tessera worker, calls it.
Privileges: anybody; only work of the role that connected is run';

create function _tessera_functions.role_is_served(role oid, driver text) returns boolean
language sql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
  -- A role that works in a session of its own is there to be seen; nobody else can open one in its name.
  select case driver
      when 'node' then not exists (
        select from _tessera_functions.lock_holders(_tessera_functions.lock_class('refused'), (role::int8 - 2147483648)::int4))
      else _tessera_functions.cron_starts_anybody()
        or role = (select r.oid from pg_roles r where r.rolname = _tessera_functions.cron_user())
    end
    or exists (
      select from pg_stat_get_activity(null) a
      where a.usesysid = role and a.application_name like 'tessera worker%'
        and a.datid = (select d.oid from pg_database d where d.datname = current_database()))
    or exists (
      select from _tessera_catalog.worker_slot w, _tessera_functions.lock_holders(_tessera_functions.lock_class('slot'), w.slot) p,
        pg_stat_get_activity(p) a
      where w.owner = role and a.usesysid = role)
$$;
comment on function _tessera_functions.role_is_served(oid, text) is
  'whether sessions can be had for the work of a role: started by the driver, or by the role itself';

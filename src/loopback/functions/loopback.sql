create function _tessera_functions.is_trusted(role oid) returns boolean
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select exists (
    select from pg_roles r
    where r.oid = role and (r.rolsuper or r.rolname = _tessera_functions.extension_owner()
      or r.oid = (select d.datdba from pg_database d where d.datname = current_database())))
$$;
comment on function _tessera_functions.is_trusted(oid) is
  'whether what a role owns can be tessera''s own: it owns the extension or the database, or is a superuser. A server of anybody else may say of itself what it likes';

create function _tessera_functions.loopback_options() returns table (name text, value text)
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  -- A short lock_timeout ends what no deadlock detector sees: a transaction that waits for itself through its own
  -- loopback connection. The rest makes what crosses the connection as text independent of anybody's settings.
  -- A row costs about what one of a heap does, since PostgreSQL 17 would have it cost twelve times as much: jit would compile plans
  -- over many chunks, which takes longer than to run them, and a nested loop that asks for each row would look cheap beside one scan.
  select v.name, v.value
  from (select coalesce(_tessera_functions.conninfo_part('host'), _tessera_functions.loopback_host()) as host,
      coalesce(_tessera_functions.conninfo_part('port'), current_setting('port')) as port) c,
    lateral (values
      ('host', c.host), ('port', c.port), ('dbname', current_database()::text),
      ('application_name', 'tessera loopback %p'), ('connect_timeout', '10'),
      ('fetch_size', '10000'), ('fdw_tuple_cost', '0.001'), ('async_capable', 'true'), ('truncatable', 'false'), ('keep_connections', 'on'),
      ('options', '-c tessera.loopback=on -c constraint_exclusion=on -c lock_timeout=10s -c statement_timeout=0 -c idle_in_transaction_session_timeout=0 '
        '-c jit=off -c lc_monetary=C -c bytea_output=hex -c xmloption=content')) v(name, value)
$$;
comment on function _tessera_functions.loopback_options() is 'options of a loopback server';

create function _tessera_functions.conninfo_part(part text) returns text
language sql stable
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
  select coalesce(m[1], replace(replace(m[2], '\''', ''''), '\\', '\'))
  from _tessera_catalog.loopback l,
    regexp_match(l.conninfo, '(?:^|\s)' || part || '\s*=\s*(?:([^''\s]+)|''((?:[^''\\]|\\.)*)'')') m
$$;
comment on function _tessera_functions.conninfo_part(text) is 'one parameter of what tessera.set_loopback() was given';

create function _tessera_functions.loopback_host() returns text
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  -- By TCP where the server listens there: its usual rules let a role in by password, those of the socket by the name
  -- of the user of the operating system.
  select case
    when exists (
      select from unnest(string_to_array(current_setting('listen_addresses'), ',')) a
      where trim(a) in ('*', '0.0.0.0', 'localhost', '127.0.0.1')) then '127.0.0.1'
    when exists (
      select from unnest(string_to_array(current_setting('listen_addresses'), ',')) a where trim(a) in ('::', '::1')) then '::1'
    else coalesce(nullif(trim(split_part(current_setting('unix_socket_directories'), ',', 1)), ''),
      trim(split_part(current_setting('listen_addresses'), ',', 1)))
  end
$$;
comment on function _tessera_functions.loopback_host() is 'where this server can be reached from itself';

create function _tessera_functions.login_of(owner name) returns name
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select format('tessera_loopback_%s_%s', (select oid from pg_database where datname = current_database()),
    (select oid from pg_roles where rolname = owner))::name
$$;
comment on function _tessera_functions.login_of(name) is 'the role as which the loopback server of an owner logs in';

create function _tessera_functions.loopback_owner(server oid) returns oid
language sql stable
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
  -- The login bears the OID of its owner, whom another name does not make another role. A server that came from another
  -- database has only the name.
  select case when l.oid is not null then (select r.oid from pg_roles r where r.oid = l.oid)
    else (select r.oid from pg_roles r where r.rolname = s.srvversion) end
  from pg_foreign_server s
  left join lateral (
    select substring(u from '_(\d+)$')::oid as oid
    from pg_user_mappings m, unnest(m.umoptions) u
    where m.srvid = s.oid and m.umuser = 0
      and u ~ format('^user=tessera_loopback_%s_\d+$', (select d.oid from pg_database d where d.datname = current_database()))) l on true
  where s.oid = server and s.srvtype = 'tessera loopback' and _tessera_functions.is_trusted(s.srvowner)
$$;
comment on function _tessera_functions.loopback_owner(oid) is 'the role whose chunks are read through a loopback server; null when it is gone';

create function _tessera_functions.loopback_of(owner name) returns name
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select s.srvname from pg_foreign_server s
  where s.srvtype = 'tessera loopback' and _tessera_functions.loopback_owner(s.oid) = (select r.oid from pg_roles r where r.rolname = owner)
  order by s.oid limit 1
$$;
comment on function _tessera_functions.loopback_of(name) is 'the loopback server of an owner';

create function _tessera_functions.make_login(owner name) returns table (login name, password text)
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  login := _tessera_functions.login_of(owner);
  password := encode(sha256(convert_to(concat(gen_random_uuid(), gen_random_uuid()), 'UTF8')), 'hex');
  if exists (select from pg_roles where rolname = login) then
    execute format('alter role %I login password %L', login, password);
  else
    execute format('create role %I login inherit password %L', login, password);
    execute format('comment on role %I is %L', login, format('reads compressed chunks of database %s for %s', current_database(), owner));
  end if;
  begin
    if not pg_has_role(login, owner, 'MEMBER') then
      execute format('grant %I to %I', owner, login);
    end if;
  exception
    -- Since PostgreSQL 16 a role that is no superuser cannot give itself away. The login gets rights on tables then.
    when insufficient_privilege then
      null;
  end;
  return next;
exception
  when insufficient_privilege then
    raise exception using
      errcode = '42501',
      message = format('cannot create the role through which chunks of "%s" are read', owner),
      detail = sqlerrm,
      hint = format('Give the owner of the extension, "%s", CREATEROLE.', _tessera_functions.extension_owner());
end
$$;
comment on function _tessera_functions.make_login(name) is 'creates the login of a loopback server, or gives it another password';

create function _tessera_functions.make_loopback(owner name) returns name
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  server name := _tessera_functions.loopback_of(owner);
  logs_in record;
  option record;
  known text[];
begin
  perform _tessera_functions.require_wrapper();
  select s.srvoptions into known from pg_foreign_server s where s.srvname = server;
  select * into logs_in from _tessera_functions.make_login(owner);
  if server is null then
    server := left('tessera_loopback_' || owner, 63);
    if octet_length('tessera_loopback_' || owner) > 63 or exists (select from pg_foreign_server where srvname = server) then
      server := 'tessera_loopback_' || md5(owner || current_database());
    end if;
    execute format('create server %I type %L version %L foreign data wrapper postgres_fdw', server, 'tessera loopback', owner);
    execute format('comment on server %I is %L', server, 'how sessions read compressed chunks; made by tessera');
  end if;
  execute format('alter server %I version %L', server, owner);
  for option in select * from _tessera_functions.loopback_options() loop
    execute format('alter server %I options (%s %I %L)', server,
      case when exists (select from unnest(known) k where k like option.name || '=%') then 'set' else 'add' end,
      option.name, option.value);
  end loop;
  if exists (select from pg_user_mappings m where m.srvname = server and m.umuser = 0) then
    execute format('drop user mapping for public server %I', server);
  end if;
  execute format('create user mapping for public server %I options (user %L, password %L%s)', server, logs_in.login, logs_in.password,
    -- Only a superuser may say so; where it is not said, the server must ask for the password.
    case when (select rolsuper from pg_roles where rolname = current_user) then $o$, password_required 'false'$o$ else '' end);
  execute format('grant usage on foreign server %I to %I', server, owner);
  return server;
end
$$;
comment on function _tessera_functions.make_loopback(name) is 'makes or repairs the loopback server for the chunks of an owner and returns its name';

create function _tessera_functions.request_loopback(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  relation oid := (payload ->> 'relid')::oid;
  owner name := (select pg_get_userbyid(relowner) from pg_class where oid = relation);
  server name;
begin
  perform _tessera_functions.require_owner(caller, relation);
  -- Two sessions that make the same one: the second waits and finds it.
  perform pg_advisory_xact_lock(hashtext('tessera loopback'), hashtext(owner));
  select s.srvname into server from pg_foreign_server s
  where s.srvname = _tessera_functions.loopback_of(owner) and not _tessera_functions.leads_elsewhere(s.oid);
  server := coalesce(server, _tessera_functions.make_loopback(owner));
  return (
    select jsonb_build_object('server', server, 'login', r.rolname, 'member', pg_has_role(r.oid, owner, 'MEMBER'))
    from pg_user_mappings m, unnest(m.umoptions) u, pg_roles r
    where m.srvname = server and m.umuser = 0 and u = 'user=' || r.rolname);
end
$$;
comment on function _tessera_functions.request_loopback(name, jsonb) is 'the loopback server for the owner of a hypertable, made if need be';

create function tessera.repair_loopback() returns integer
language plpgsql volatile
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
declare
  owners name[];
  owner name;
begin
  perform _tessera_functions.require_extension_owner('repair the loopback servers');
  owners := array(
    select distinct r.rolname from pg_foreign_server s join pg_roles r on r.oid = _tessera_functions.loopback_owner(s.oid)
    where s.srvtype = 'tessera loopback'
    order by 1);
  foreach owner in array owners loop
    perform _tessera_functions.make_loopback(owner);
  end loop;
  -- Logins of databases that are gone are nobody's.
  for owner in
    select r.rolname from pg_roles r
    where r.rolname ~ '^tessera_loopback_\d+_\d+$'
      and not exists (select from pg_database d where d.oid::text = split_part(r.rolname, '_', 3))
  loop
    begin
      execute format('drop role %I', owner);
    exception
      when dependent_objects_still_exist or insufficient_privilege or undefined_object then
        raise log 'login "%" of a database that is gone stays: %', owner, sqlerrm;
    end;
  end loop;
  return cardinality(owners);
end
$$;
comment on function tessera.repair_loopback() is
'Makes the loopback servers lead to this database again, with new passwords for their logins, and returns how many there are. Needed after a database that has compressed chunks was restored from a dump, copied or renamed, or when the server got another port; the scheduler does it by itself when it starts.
Privileges: members of the role that owns the extension';

create function _tessera_functions.loopback_client() returns integer
language plpgsql stable
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
declare
  client text := substring(current_setting('application_name') from '^tessera loopback (\d+)$');
begin
  if client is null and current_setting('tessera.loopback', true) = 'on' then
    raise exception using
      errcode = '55000',
      message = 'the loopback connection does not say whose it is',
      detail = format('Its application_name is "%s".', current_setting('application_name')),
      hint = 'Reset postgres_fdw.application_name.';
  end if;
  return client::int;
end
$$;
comment on function _tessera_functions.loopback_client() is
  'backend whose loopback connection this session is; null when it is none';

create function _tessera_functions.require_own_backend() returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  client int := _tessera_functions.loopback_client();
begin
  if client is not null and not exists (
    select from pg_stat_get_activity(client) a
    join pg_database d on d.oid = a.datid
    where d.datname = current_database())
  then
    raise exception using
      errcode = '08001',
      message = 'the loopback connection arrived at another database than it came from',
      detail = format('It arrived at database "%s" on port %s.', current_database(), current_setting('port')),
      hint = 'After a database was restored, copied or renamed: select tessera.repair_loopback();';
  end if;
end
$$;
comment on function _tessera_functions.require_own_backend() is
  'raises 08001 in a loopback connection whose client is no backend of this database';

create function _tessera_functions.leads_elsewhere(server oid) returns boolean
language sql stable
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
  select exists (
      select from _tessera_functions.loopback_options() o
      where not (o.name || '=' || o.value) = any(coalesce(s.srvoptions, '{}')))
    or not exists (
      select from pg_user_mappings m, unnest(m.umoptions) u, pg_roles r
      where m.srvid = s.oid and m.umuser = 0 and u = 'user=' || r.rolname
        and r.rolname like format('tessera\_loopback\_%s\_%%', (select oid from pg_database where datname = current_database())))
  from pg_foreign_server s
  where s.oid = server
$$;
comment on function _tessera_functions.leads_elsewhere(oid) is
  'whether a loopback server has options of another database, port or host than this one, or no login of this database';

create function _tessera_functions.loopback_leads_elsewhere() returns boolean
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select coalesce(bool_or(_tessera_functions.leads_elsewhere(s.oid)), false)
  from pg_foreign_server s
  where s.srvtype = 'tessera loopback' and _tessera_functions.loopback_owner(s.oid) is not null
$$;
comment on function _tessera_functions.loopback_leads_elsewhere() is 'whether a loopback server needs to be repaired';

create function _tessera_functions.mend_loopback() returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  if _tessera_functions.loopback_leads_elsewhere() then
    perform tessera.repair_loopback();
  end if;
exception
  when others then
    raise warning 'the loopback servers could not be repaired: %', sqlerrm
      using hint = 'Compressed chunks cannot be read until tessera.repair_loopback() was called.';
end
$$;
comment on function _tessera_functions.mend_loopback() is 'what the scheduler does first: repairs loopback servers that came from elsewhere';

create function _tessera_functions.reject_own_loopback() returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  perform pg_stat_clear_snapshot();
  -- Its locks would be waited for by the very session that keeps it open, which no deadlock detector sees.
  if exists (
    select from pg_stat_get_activity(null) a
    where a.application_name = 'tessera loopback ' || pg_backend_pid() and a.state like 'idle in transaction%')
  then
    raise exception using
      errcode = '25001',
      message = 'cannot change compressed chunks in a transaction that has read compressed rows',
      hint = 'Commit first, or do it before anything is read.';
  end if;
end
$$;
comment on function _tessera_functions.reject_own_loopback() is
  'raises 25001 when this transaction has work open in its loopback connection';

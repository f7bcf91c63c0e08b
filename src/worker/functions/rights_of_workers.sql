create function _tessera_functions.rights_in_cron_database(role name) returns jsonb
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  answer text;
  why text;
begin
  if current_database() = coalesce(_tessera_functions.cron_database(), 'postgres') then
    execute _tessera_functions.rights_query(role) into answer;
    return answer;
  end if;
  -- Where the parameter is hidden, its default.
  execute format('select x from %s.dblink($1, $2) as t(x text)',
    (select quote_ident(n.nspname) from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'dblink'))
  into answer
  using _tessera_functions.loopback_conninfo(coalesce(_tessera_functions.cron_database(), 'postgres')),
    _tessera_functions.rights_query(role);
  return answer;
exception
  when sqlclient_unable_to_establish_sqlconnection or connection_exception or sqlstate '2F003'
    or invalid_authorization_specification or insufficient_privilege or undefined_object then
    get stacked diagnostics why = pg_exception_detail;
    return jsonb_build_object('refused', concat_ws(': ', sqlerrm, split_part(trim(E' \n.' from why), E'\n', 1)));
end
$$;
comment on function _tessera_functions.rights_in_cron_database(name) is
'What a role may do in the database of pg_cron, asked over dblink as the owner of the extension; why it could not be asked, under "refused".
Privileges: anybody; it tells nothing else';

create function _tessera_functions.rights_query(role name) returns text
language sql immutable
set search_path to pg_catalog, pg_temp
as $$
  select format(
    $query$select pg_catalog.jsonb_build_object(
      'extension', exists (select from pg_catalog.pg_extension where extname = 'pg_cron'),
      'schema', pg_catalog.to_regnamespace('cron') is not null and pg_catalog.has_schema_privilege(%1$L, 'cron', 'USAGE'),
      'schedule', coalesce((
        select pg_catalog.bool_or(pg_catalog.has_function_privilege(%1$L, p.oid, 'EXECUTE'))
        from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'cron' and p.proname = 'schedule_in_database'), false))::text$query$,
    role)
$$;
comment on function _tessera_functions.rights_query(name) is 'the question what a role may do in the database of pg_cron';

create function _tessera_functions.missing_rights_of_workers(
  out place name, out statement text, out purpose text
) returns setof record
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  owner constant name := _tessera_functions.extension_owner();
  home constant name := coalesce(_tessera_functions.cron_database(), 'postgres');
  them jsonb;
begin
  if _tessera_functions.cron_starts_anybody() then
    return;
  end if;
  place := current_database();
  if current_database() = home then
    if current_user <> owner then
      statement := format('set role %I', owner);
      purpose := 'jobs of pg_cron belong to the role that registers them, and this is who looks after the workers';
      return next;
    end if;
  end if;
  them := _tessera_functions.rights_in_cron_database(_tessera_functions.cron_user());
  if current_database() <> home then
    if them ? 'refused' then
      statement := format('select tessera.set_loopback(%L)', format('host=%s user=%s password=...', _tessera_functions.loopback_host(), quote_ident(owner)));
      purpose := format('to register jobs in the database of pg_cron, which was refused: %s', them ->> 'refused');
      return next;
    end if;
  end if;
  if not (select r.rolcanlogin from pg_roles r where r.rolname = owner) then
    statement := format('alter role %I login', owner);
    purpose := 'pg_cron starts sessions of roles that can log in';
    return next;
  end if;
  if _tessera_functions.cron_state() = 'hidden' then
    statement := format('grant pg_read_all_settings to %I', owner);
    purpose := 'to see in which database pg_cron keeps its jobs';
    return next;
  end if;
  if not pg_has_role(owner, 'pg_read_all_stats', 'USAGE') then
    statement := format('grant pg_read_all_stats to %I', owner);
    purpose := 'to see what sessions of other roles do';
    return next;
  end if;
  if not pg_has_role(owner, 'pg_signal_backend', 'USAGE') then
    statement := format('grant pg_signal_backend to %I', owner);
    purpose := 'to end runs that take longer than max_runtime, and to send workers away';
    return next;
  end if;
  place := home;
  if not coalesce((them ->> 'extension')::boolean, false) then
    statement := 'create extension if not exists pg_cron';
    purpose := case when them ? 'refused' then 'if it is not there; it could not be looked up'
      else format('pg_cron is loaded, but its extension is not created in database "%s"', home) end;
    return next;
  end if;
  if not coalesce((them ->> 'schema')::boolean, false) then
    statement := format('grant usage on schema cron to %I', _tessera_functions.cron_user());
    purpose := 'to look at its own jobs';
    return next;
  end if;
  if not coalesce((them ->> 'schedule')::boolean, false) then
    statement := format('grant execute on function cron.schedule_in_database to %I', _tessera_functions.cron_user());
    purpose := 'to have pg_cron start sessions as itself';
    return next;
  end if;
end
$$;
comment on function _tessera_functions.missing_rights_of_workers() is
  'what keeps pg_cron from starting workers for an owner of the extension who is no superuser: statements, the database each is to be typed in, and what it is for';

create function _tessera_functions.require_rights_of_workers(act text) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  reasons text;
  statements text;
begin
  perform _tessera_functions.require_extension_owner(format('%s background workers', act));
  select string_agg(format('%s: %s.', m.statement, m.purpose), E'\n' order by m.n),
    (select string_agg(format(E'-- in database "%s"\n%s', p.place, p.statements), E'\n' order by p.n)
     from (
       select x.place, min(x.n) as n, string_agg(x.statement || ';', E'\n' order by x.n) as statements
       from _tessera_functions.missing_rights_of_workers() with ordinality x(place, statement, purpose, n)
       group by x.place) p)
  into reasons, statements
  from _tessera_functions.missing_rights_of_workers() with ordinality m(place, statement, purpose, n);
  if statements is not null then
    raise exception using
      errcode = '42501',
      message = format('permission denied to %s background workers', act),
      detail = reasons,
      hint = statements;
  end if;
end
$$;
comment on function _tessera_functions.require_rights_of_workers(text) is
  'raises 42501 with every right that is missing to have pg_cron start or stop workers, as statements to type; nothing has been changed then';

create function _tessera_functions.cron_drives() returns boolean
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  -- Where no rights were ever given for pg_cron, the command tessera worker does its work.
  select _tessera_functions.cron_database() is not null and (
    _tessera_functions.cron_starts_anybody()
    or current_database() = _tessera_functions.cron_database()
      and to_regnamespace('cron') is not null and has_schema_privilege('cron', 'USAGE')
    or exists (select from _tessera_catalog.loopback)
    or exists (select from _tessera_catalog.scheduler_state s where s.driver = 'pg_cron'))
$$;
comment on function _tessera_functions.cron_drives() is 'whether pg_cron may have jobs of this database';

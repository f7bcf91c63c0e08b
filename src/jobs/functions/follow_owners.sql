create function _tessera_functions.strayed_jobs() returns table (id int, name text, owner text, new_owner regrole, follows boolean)
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  -- What one role wrote runs by itself as another only if that is no more than whoever gives things away had anyway.
  select j.id, p.oid::regprocedure::text, coalesce((select quote_ident(r.rolname) from pg_roles r where r.oid = j.owner), 'that is gone'),
    p.proowner::regrole, not _tessera_functions.is_trusted(p.proowner) or _tessera_functions.is_trusted(j.owner)
  from _tessera_catalog.bgw_job j
  join pg_proc p on p.oid = j.own_procedure and p.oid = to_regprocedure(format('%I.%I(integer, jsonb)', j.proc_schema, j.proc_name))
  where p.proowner <> j.owner
$$;
comment on function _tessera_functions.strayed_jobs() is
'jobs whose procedure belonged to their owner and belongs to another role now, as REASSIGN OWNED does; they follow it, but to nobody as whom
tessera is trusted: a superuser, the owner of the extension or of the database';

create function _tessera_functions.follow_job_owners() returns void
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  update _tessera_catalog.bgw_job j set owner = s.new_owner from _tessera_functions.strayed_jobs() s where s.id = j.id and s.follows
$$;
comment on function _tessera_functions.follow_job_owners() is 'gives jobs to the roles that have their procedures';

create function _tessera_functions.doctor_job_owners(
  out check_name text, out status text, out detail text, out hint text
) returns setof record
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  strayed record;
begin
  check_name := 'owners of jobs';
  for strayed in select * from _tessera_functions.strayed_jobs() s order by s.id loop
    status := 'warning';
    detail := format('job %s belongs to role %s, its procedure %s to role %s', strayed.id, strayed.owner, strayed.name, strayed.new_owner);
    hint := case when strayed.follows then 'select tessera.sync_catalog();'
      else format(E'select delete_job(%s);\n-- Look at the procedure before add_job() has it run as role %s, which may do more than who wrote it.', strayed.id, strayed.new_owner) end;
    return next;
  end loop;
  for strayed in
    select j.id from _tessera_catalog.bgw_job j
    where not exists (select from pg_roles r where r.oid = j.owner) and j.id not in (select s.id from _tessera_functions.strayed_jobs() s)
    order by j.id
  loop
    status := 'warning';
    detail := format('the role that owns job %s is gone', strayed.id);
    hint := format('select delete_job(%s);', strayed.id);
    return next;
  end loop;
  if status is null then
    status := 'ok'; detail := 'each job belongs to a role, and to that which has its procedure, if it did'; hint := null;
    return next;
  end if;
end
$$;
comment on function _tessera_functions.doctor_job_owners() is 'what tessera.doctor() says about who owns jobs';

create function _tessera_functions.on_owned_drop() returns event_trigger
language plpgsql
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
declare
  said text;
  job int;
begin
  -- As the caller, who could delete the same jobs one by one: what the statement says besides does him no good.
  for said, job in
    select m[1], j.id
    from regexp_matches(current_query(), '\mdrop\s+owned\s+by\s+(.*?)(?:\mcascade\M|\mrestrict\M|;|$)', 'ig') m
    cross join lateral regexp_matches(m[1], '"((?:[^"]|"")+)"|([\w$]+)', 'g') w
    join pg_roles r on r.rolname = coalesce(replace(w[1], '""', '"'),
      case lower(w[2]) when 'current_user' then current_user when 'current_role' then current_user when 'session_user' then session_user else lower(w[2]) end)
    join _tessera_catalog.bgw_job j on j.owner = r.oid and j.id >= 1000
    where pg_has_role(r.oid, 'USAGE')
    order by j.id
  loop
    raise notice 'drop cascades to job %', job;
    perform _tessera_functions.send_request('job.delete', jsonb_build_object('job_id', job));
  end loop;
end
$$;
comment on function _tessera_functions.on_owned_drop() is 'event trigger: DROP OWNED takes the jobs of a role along';

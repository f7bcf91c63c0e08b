create function _tessera_functions.admit_owner(schema name, owner name) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  if schema <> '_tessera_internal' or has_schema_privilege(owner, schema, 'CREATE') then
    return;
  end if;
  -- One at a time: of two that grant at once, one fails.
  perform pg_advisory_xact_lock(1414725653, 0);
  execute format('grant create on schema _tessera_internal to %I', owner);
end
$$;
comment on function _tessera_functions.admit_owner(name, name) is 'lets the owner of a hypertable have chunks made in the schema that is made for them';

create function _tessera_functions.release_roles() returns void
language plpgsql
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
declare
  keeper constant name := _tessera_functions.extension_owner();
  idle record;
begin
  -- Whoever makes something for a role holds a lock until it has committed; what is not seen then is left to the next call.
  if current_setting('transaction_isolation') <> 'read committed' then
    return;
  end if;
  for idle in select r.rolname from _tessera_functions.roles_without_chunks() r(rolname) loop
    if pg_try_advisory_xact_lock(1414725653, 0) and idle.rolname in (select _tessera_functions.roles_without_chunks()) then
      execute format('revoke create on schema _tessera_internal from %I', idle.rolname);
    end if;
  end loop;
  for idle in
    select s.oid, s.srvname, s.srvowner, coalesce(r.rolname, s.srvversion) as rolname,
      (select substring(u from 6) from pg_user_mappings m, unnest(m.umoptions) u where m.srvid = s.oid and m.umuser = 0 and u like 'user=%') as login
    from pg_foreign_server s left join pg_roles r on r.oid = _tessera_functions.loopback_owner(s.oid)
    where s.srvtype = 'tessera loopback' and _tessera_functions.is_trusted(s.srvowner) and r.rolname is distinct from keeper
      and not exists (select from pg_foreign_table f where f.ftserver = s.oid)
  loop
    continue when not pg_has_role(idle.srvowner, 'USAGE')
      or not pg_try_advisory_xact_lock(hashtext('tessera loopback'), hashtext(idle.rolname))
      or exists (select from pg_foreign_table f where f.ftserver = idle.oid);
    begin
      execute format('drop user mapping if exists for public server %I', idle.srvname);
      execute format('drop server %I', idle.srvname);
      if idle.login ~ format('^tessera_loopback_%s_\d+$', (select d.oid from pg_database d where d.datname = current_database())) then
        execute format('drop role if exists %I', idle.login);
      end if;
    exception
      when dependent_objects_still_exist or insufficient_privilege or object_in_use then
        raise log 'loopback server "%" stays: %', idle.srvname, sqlerrm;
    end;
  end loop;
  for idle in
    select s.srvname, a.grantee::regrole as role
    from pg_foreign_server s, aclexplode(s.srvacl) a
    where s.srvtype = 'tessera node' and _tessera_functions.is_trusted(s.srvowner) and pg_has_role(s.srvowner, 'USAGE')
      and a.grantee not in (0, s.srvowner)
      and not exists (select from pg_foreign_table f where f.ftserver = s.oid)
  loop
    execute format('revoke all on foreign server %I from %s', idle.srvname, idle.role);
  end loop;
end
$$;
comment on function _tessera_functions.release_roles() is
  'takes from roles that own no chunks any more what they were given to have some, and their loopback servers: they can be dropped then';

create function _tessera_functions.roles_without_chunks() returns setof name
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select distinct r.rolname
  from pg_namespace n, aclexplode(n.nspacl) a join pg_roles r on r.oid = a.grantee
  where n.nspname = '_tessera_internal' and a.privilege_type = 'CREATE' and a.grantee <> n.nspowner
    and pg_has_role(n.nspowner, 'USAGE')
    and not exists (select from pg_class c where c.relnamespace = n.oid and c.relowner = a.grantee)
$$;
comment on function _tessera_functions.roles_without_chunks() is 'who may create in the schema for chunks and has nothing there';

create function _tessera_functions.out_of_line() returns table (hypertable_id int, mat_hypertable_id int, name text, why text)
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  with h as (
    select h.id, a.mat_hypertable_id, coalesce(a.user_view, h.relid)::text as name, coalesce(u.relowner, r.relowner) as owner, h.relid,
      h.associated_schema_name as place
    from _tessera_catalog.hypertable h
    join pg_class r on r.oid = h.relid
    left join _tessera_catalog.continuous_agg a on a.mat_hypertable_id = h.id
    left join pg_class u on u.oid = a.user_view
  ), parts as (
    select h.id, h.relid::oid as relation from h
    union all
    select c.hypertable_id, c.relid::oid from _tessera_catalog.chunk c where not c.dropped
    union all
    select h.id, i.inhrelid from h join pg_inherits i on i.inhparent = h.relid
    union all
    select p.hypertable_id, p.relation::oid from _tessera_catalog.hypertable_part p where p.relation is not null
    union all
    select c.hypertable_id, x.relation
    from _tessera_catalog.compressed_chunk k
    join _tessera_catalog.chunk c on c.id = k.chunk_id
    left join _tessera_catalog.compression_settings s on s.chunk_id = k.chunk_id,
      lateral (values (k.tail::oid), (k.remote::oid), (k.residue::oid), (k.rows_view::oid), (k.reader::oid), (s.compress_relid::oid)) x(relation)
    union all
    select a.mat_hypertable_id, x.relation
    from _tessera_catalog.continuous_agg a, lateral (values (a.partial_view::oid), (a.direct_view::oid)) x(relation)
  )
  select distinct on (h.id) h.id, h.mat_hypertable_id, h.name, f.why
  from h join (
    select p.id, format('"%s" belongs to role "%s"', c.oid::regclass, pg_get_userbyid(c.relowner)) as why
    from parts p join h on h.id = p.id join pg_class c on c.oid = p.relation
    where c.relowner <> h.owner
    union all
    select p.hypertable_id, format('function "%s" belongs to role "%s"', f.oid::regprocedure, pg_get_userbyid(f.proowner))
    from _tessera_catalog.hypertable_part p join h on h.id = p.hypertable_id join pg_proc f on f.oid = p.helper
    where f.proowner <> h.owner
    union all
    select p.id, format('"%s" is read as role "%s"', t.ftrelid::regclass, coalesce(pg_get_userbyid(o.owner), s.srvversion))
    from parts p join h on h.id = p.id
    join pg_foreign_table t on t.ftrelid = p.relation
    join pg_foreign_server s on s.oid = t.ftserver and s.srvtype = 'tessera loopback',
      lateral (select _tessera_functions.loopback_owner(s.oid) as owner) o
    where o.owner is distinct from h.owner
    union all
    select j.hypertable_id, format('job %s belongs to role "%s"', j.id, pg_get_userbyid(j.owner))
    from _tessera_catalog.bgw_job j join h on h.id = j.hypertable_id
    where j.proc_schema = '_tessera_functions' and j.owner::oid <> h.owner
    union all
    select h.id, format('role "%s" may not create in schema "%s"', pg_get_userbyid(h.owner), h.place)
    from h join pg_namespace n on n.nspname = h.place
    where not has_schema_privilege(h.owner, n.oid, 'CREATE')
  ) f on f.id = h.id
  order by h.id
$$;
comment on function _tessera_functions.out_of_line() is
  'hypertables and continuous aggregates whose parts, loopback servers or jobs belong to another role than they do, and what shows it';

create function _tessera_functions.follow_owners() returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  strayed record;
begin
  for strayed in select o.hypertable_id, o.mat_hypertable_id, o.name from _tessera_functions.out_of_line() o loop
    begin
      if strayed.mat_hypertable_id is null then
        perform _tessera_functions.sync_hypertable(strayed.hypertable_id);
      else
        perform _tessera_functions.sync_cagg(strayed.mat_hypertable_id);
      end if;
    exception when others then
      perform _tessera_functions.put_aside(strayed.name, sqlstate, sqlerrm);
    end;
  end loop;
  perform _tessera_functions.follow_job_owners();
  perform _tessera_functions.release_roles();
end
$$;
comment on function _tessera_functions.follow_owners() is
  'what the scheduler does now and then: REASSIGN OWNED fires no event trigger, so parts, servers and jobs are brought in line afterwards';

create function _tessera_functions.doctor_owners(
  out check_name text, out status text, out detail text, out hint text
) returns setof record
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  strayed record;
begin
  check_name := 'owners of parts';
  for strayed in
    select o.name, o.why, h.associated_schema_name as place, pg_get_userbyid(c.relowner) as owner
    from _tessera_functions.out_of_line() o
    join _tessera_catalog.hypertable h on h.id = o.hypertable_id join pg_class c on c.oid = h.relid
  loop
    status := 'warning';
    detail := format('%s changed hands, but %s', strayed.name, strayed.why);
    hint := case when strayed.place <> '_tessera_internal' and not has_schema_privilege(strayed.owner, strayed.place, 'CREATE')
      then format('grant create on schema %I to %I; ', strayed.place, strayed.owner) else '' end || 'select tessera.sync_catalog();';
    return next;
  end loop;
  for strayed in
    select c.oid::regclass as name, c.relowner::regrole as owner, p.owner as former
    from _tessera_catalog.pg_dist_partition p join pg_class c on c.oid = p.logicalrelid
    where c.relowner <> p.owner and exists (select from pg_roles r where r.oid = p.owner)
  loop
    status := 'warning';
    detail := format('distributed table %s belongs to role %s, its shards are those of role %s', strayed.name, strayed.owner, strayed.former);
    hint := format(E'alter table %s owner to %s;\n-- to give it away for good, run undistribute_table() before', strayed.name, strayed.former);
    return next;
  end loop;
  if status is null then
    status := 'ok'; detail := 'all parts of a hypertable or continuous aggregate belong to its owner'; hint := null;
    return next;
  end if;
end
$$;
comment on function _tessera_functions.doctor_owners() is 'what tessera.doctor() says about who owns the parts of hypertables and continuous aggregates';

create function _tessera_functions.row_security_check(relation oid, operation text) returns text
language plpgsql stable
set search_path to pg_catalog, pg_temp
set quote_all_identifiers to off
as $$
declare
  root text;
  permissive text;
  restrictive text;
begin
  -- Whoever updates a row has read it, so he must be able to read the new one, too. As in PostgreSQL one permissive policy
  -- is enough and all restrictive ones are needed; what a policy says of rows counts for new ones unless it says otherwise.
  with policy as (
    select p.polname, p.polpermissive, g.kind, e.expression
    from pg_policy p
    join (values ('write', case operation when 'INSERT' then 'a' else 'w' end), ('read', 'r')) g(kind, command)
      on p.polcmd in ('*', g.command::"char") and (g.kind = 'write' or operation = 'UPDATE'),
    lateral (select format('(%s)', coalesce(case g.kind when 'write' then pg_get_expr(p.polwithcheck, p.polrelid) end,
      pg_get_expr(p.polqual, p.polrelid)))) e(expression)
    where p.polrelid = relation
      and num_nonnulls(p.polqual, case g.kind when 'write' then p.polwithcheck end) > 0
      and exists (select from unnest(p.polroles) r where r = 0 or pg_has_role(r, 'USAGE'))
  )
  select string_agg(format('when (%s) is not true then %L', coalesce(x.any_of, 'false'), ''), ' ' order by x.kind desc),
    (select string_agg(format('when %s is not true then %L', r.expression, format(' "%s"', r.polname)), ' ' order by r.polname, r.kind)
     from policy r where not r.polpermissive)
  into permissive, restrictive
  from (
    select k.kind, string_agg(p.expression, ' or ') as any_of
    from unnest(case operation when 'INSERT' then array['write'] else array['write', 'read'] end) k(kind)
    left join policy p on p.kind = k.kind and p.polpermissive
    group by k.kind) x;
  select format('%I.%I', n.nspname, c.relname) into root from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = relation;
  -- Names are those of this function's search_path, and functions in the policies see that of the statement. The row is
  -- called like the table, which subqueries of policies name.
  return format('select case when set_config(''search_path'', $2, true) is null then '''' %s %s end from unnest(array[$1::%s]) as %I',
    permissive, restrictive, root, (select relname from pg_class where oid = relation));
end
$$;
comment on function _tessera_functions.row_security_check(oid, text) is
  'a query that says of a new row, its first argument, by which policy it is not allowed: null when it is allowed, empty when no policy allows it';

create function _tessera_functions.check_row_security() returns trigger
language plpgsql
as $$
declare
  root constant pg_catalog.oid := pg_catalog.pg_partition_root(tg_relid);
  path constant pg_catalog.text := pg_catalog.current_setting('search_path');
  check_query pg_catalog.text;
  violated pg_catalog.text;
begin
  if not pg_catalog.row_security_active(root) then
    return null;
  end if;
  check_query := _tessera_functions.row_security_check(root, tg_op);
  -- The query sets it back itself.
  perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  execute check_query into violated using new, path;
  if violated is not null then
    raise exception using errcode = '42501',
      message = pg_catalog.format('new row violates row-level security policy%s for table "%s"', violated,
        (select c.relname from pg_catalog.pg_class c where c.oid operator(pg_catalog.=) root));
  end if;
  return null;
end
$$;
comment on function _tessera_functions.check_row_security() is
  'trigger of distributed tables with row security: PostgreSQL does not check new rows of foreign tables';

create function _tessera_functions.unguarded_tables() returns setof regclass
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select p.logicalrelid
  from _tessera_catalog.pg_dist_partition p
  join pg_class c on c.oid = p.logicalrelid and c.relrowsecurity and p.repmodel = 's'
  where exists (
    -- ALTER TABLE reaches the partitions, one by one or not at all.
    select from pg_partition_tree(p.logicalrelid) x
    where not exists (
      select from pg_trigger t
      where t.tgrelid = x.relid and t.tgname = 'tessera_row_security' and t.tgenabled = 'A'
        and t.tgfoid = '_tessera_functions.check_row_security'::regproc))
$$;
comment on function _tessera_functions.unguarded_tables() is 'distributed tables with row security whose new rows nobody checks';

create function _tessera_functions.guard_row_security(relation regclass) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
set client_min_messages to warning
as $$
declare
  secured constant boolean := exists (
    select from pg_class c
    join _tessera_catalog.pg_dist_partition p on p.logicalrelid = c.oid and p.repmodel = 's'
    where c.oid = relation and c.relrowsecurity);
begin
  if secured and relation in (select t from _tessera_functions.unguarded_tables() t) then
    execute format('create or replace trigger tessera_row_security after insert or update on %s
      for each row execute function _tessera_functions.check_row_security()', relation);
    execute format('alter table %s enable always trigger tessera_row_security', relation);
  elsif not secured and exists (
    select from pg_trigger t
    where t.tgrelid = relation and t.tgname = 'tessera_row_security' and t.tgfoid = '_tessera_functions.check_row_security'::regproc)
  then
    execute format('drop trigger tessera_row_security on %s', relation);
  end if;
end
$$;
comment on function _tessera_functions.guard_row_security(regclass) is
  'gives a distributed table with row security the trigger that checks new rows, and takes it from one without';

create function _tessera_functions.guard_own() returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  t regclass;
begin
  for t in
    select p.logicalrelid from _tessera_catalog.pg_dist_partition p
    join pg_class c on c.oid = p.logicalrelid and pg_has_role(c.relowner, 'USAGE')
    where p.repmodel = 's'
  loop
    begin
      perform _tessera_functions.guard_row_security(t);
    exception when others then
      perform _tessera_functions.put_aside(t::text, sqlstate, sqlerrm);
    end;
  end loop;
  for t in
    select u from _tessera_functions.unguarded_reads() u join pg_class c on c.oid = u and pg_has_role(c.relowner, 'USAGE')
  loop
    begin
      perform _tessera_functions.guard_table(t);
    exception when others then
      perform _tessera_functions.put_aside(t::text, sqlstate, sqlerrm);
    end;
  end loop;
end
$$;
comment on function _tessera_functions.guard_own() is
  'guard_row_security() and guard_table() for all tables of the caller, who alone may make triggers and statistics of them; each by itself';

create function _tessera_functions.on_row_security() returns event_trigger
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  t regclass;
begin
  -- As whoever alters the table: he may make triggers of it.
  for t in
    select distinct p.logicalrelid
    from pg_event_trigger_ddl_commands() e
    join _tessera_catalog.pg_dist_partition p on p.logicalrelid::oid = e.objid and p.repmodel = 's'
    where e.classid = 'pg_class'::regclass
  loop
    perform _tessera_functions.guard_row_security(t);
  end loop;
end
$$;
comment on function _tessera_functions.on_row_security() is
  'event trigger: new rows of distributed tables are checked once ALTER TABLE has enabled row security';

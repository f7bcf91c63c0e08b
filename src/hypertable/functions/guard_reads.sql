-- PostgreSQL leaves TABLESAMPLE out for foreign tables and takes all rows, and ONLY of a partitioned table has none; neither is
-- an error, and nothing is called when a table is read. But each time a statement is planned the expressions of the extended
-- statistics of its tables are simplified, and a function of constants is called for that: a few microseconds per table and plan.

create function _tessera_functions.refuse_left_out(sent text) returns void
language plpgsql stable
as $$
declare
  -- As the statement finds it: with the search_path of the session.
  named record;
  found pg_catalog.regclass;
begin
  for named in
    select x.clause, x."table"
    from pg_catalog.json_to_recordset(_tessera_functions.clause_targets(sent)::pg_catalog.json) x(clause pg_catalog.text, "table" pg_catalog.text)
  loop
    begin
      found := pg_catalog.to_regclass(named."table");
    exception when syntax_error or invalid_name or insufficient_privilege or feature_not_supported then
      continue;
    end;
    if found is null or not _tessera_functions.has_foreign_rows(found, named.clause) then
      continue;
    end if;
    if named.clause operator(pg_catalog.=) 'ONLY' then
      raise exception using
        errcode = '0A000', message = pg_catalog.format('cannot read or change ONLY of distributed table "%s"', found),
        detail = 'The table itself has no rows, its shards have them.', hint = 'Leave out ONLY.';
    end if;
    raise exception using
      errcode = '0A000', message = pg_catalog.format('cannot use TABLESAMPLE on table "%s"', found),
      detail = 'PostgreSQL leaves TABLESAMPLE out for foreign tables, as which shards and compressed chunks are read, and takes all rows.',
      hint = pg_catalog.format('Write in its place: (select * from %s where random() < 0.1)', named."table");
  end loop;
end
$$;
comment on function _tessera_functions.refuse_left_out(text) is
  'raises 0A000 when a statement has TABLESAMPLE or ONLY for a table where PostgreSQL leaves that out';

create function _tessera_functions.has_foreign_rows(relation regclass, clause text) returns boolean
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select exists (select from _tessera_catalog.pg_dist_partition p where p.logicalrelid = relation and p.repmodel = 's')
    or (clause = 'TABLESAMPLE' and exists (select from _tessera_catalog.hypertable h where h.relid = relation)
      and exists (select from pg_partition_tree(relation) t join pg_class c on c.oid = t.relid and c.relkind = 'f'))
$$;
comment on function _tessera_functions.has_foreign_rows(regclass, text) is
  'whether a table is one of which PostgreSQL leaves the clause out: distributed, or a hypertable with compressed chunks';

create function _tessera_functions.refuse_left_out_inside(context text) returns void
language plpgsql stable
as $$
declare
  -- What a function runs stands in the second line between quotes, which are others in other languages; of one in SQL its name.
  running constant pg_catalog.text := pg_catalog.regexp_replace(context, e'^[^\\n]*\\n[^"»„«“]*["»„«“]', '');
  body pg_catalog.text;
begin
  perform _tessera_functions.refuse_left_out(running);
  for body in
    select f.prosrc from pg_catalog.pg_proc f join pg_catalog.pg_language l on l.oid operator(pg_catalog.=) f.prolang
    where f.proname operator(pg_catalog.=) (pg_catalog.regexp_match(running, e'^([^"»„«“\\s]+)["»„«“]'))[1]::pg_catalog.name
      and l.lanname operator(pg_catalog.=) 'sql' and pg_catalog.texticregexeq(f.prosrc, e'\\m(tablesample|only)\\M')
  loop
    perform _tessera_functions.refuse_left_out(body);
  end loop;
end
$$;
comment on function _tessera_functions.refuse_left_out_inside(text) is 'refuse_left_out() for what runs in a function, by the context of PL/pgSQL';

create function _tessera_functions.refuse_left_out_prepared(sent text) returns void
language plpgsql stable
as $$
declare
  prepared pg_catalog.text;
begin
  perform _tessera_functions.refuse_left_out(sent);
  for prepared in
    select s.statement from pg_catalog.pg_prepared_statements s
    where s.name operator(pg_catalog.=)
      (pg_catalog.parse_ident((pg_catalog.regexp_match(sent, e'\\mexecute\\s+("(?:[^"]|"")+"|[\\w$]+)', 'i'))[1], false))[1]
  loop
    perform _tessera_functions.refuse_left_out(prepared);
  end loop;
end
$$;
comment on function _tessera_functions.refuse_left_out_prepared(text) is 'refuse_left_out() for what was sent, and for the statement that it executes';

create function _tessera_functions.guard_reads() returns boolean
language plpgsql immutable parallel safe
as $$
declare
  context pg_catalog.text;
begin
  -- Few expressions and simple ones, as each costs some microseconds: what may be meant is looked at more closely by others.
  get diagnostics context = pg_context;
  if pg_catalog.strpos(context, e'\n') operator(pg_catalog.=) 0 then
    if pg_catalog.texticregexeq(pg_catalog.current_query(), e'tablesample|only[\\s(/"]|execute\\s') then
      perform _tessera_functions.refuse_left_out_prepared(pg_catalog.current_query());
    end if;
  elsif pg_catalog.texticregexeq(context, e'tablesample|only[\\s(/"]')
    or pg_catalog.textregexeq(context, e'\\n[^"»„«“\\n]*["»„«“][^"»„«“\\s]+["»„«“]')
  then
    perform _tessera_functions.refuse_left_out_inside(context);
  end if;
  return true;
end
$$;
comment on function _tessera_functions.guard_reads() is
  'expression of extended statistics, called whenever a statement that reads their table is planned: refuses clauses that PostgreSQL would leave out';

create function _tessera_functions.read_guard(relation regclass) returns oid
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select s.oid from pg_statistic_ext s
  where s.stxrelid = relation and exists (
    select from pg_depend d
    where d.classid = 'pg_statistic_ext'::regclass and d.objid = s.oid
      and d.refclassid = 'pg_proc'::regclass and d.refobjid = '_tessera_functions.guard_reads()'::regprocedure)
  limit 1
$$;
comment on function _tessera_functions.read_guard(regclass) is 'OID of the extended statistics that call guard_reads() when the table is read';

create function _tessera_functions.tables_to_guard() returns table (relation regclass, guard text)
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select p.logicalrelid, (
    select format('%I.%I', n.nspname, 'tessera_reads_' || s.shardid)
    from _tessera_catalog.pg_dist_shard s join pg_class f on f.oid = s.local_relid join pg_namespace n on n.oid = f.relnamespace
    where s.logicalrelid = p.logicalrelid order by s.shardid limit 1)
  from _tessera_catalog.pg_dist_partition p join pg_class c on c.oid = p.logicalrelid
  where p.repmodel = 's'
  union all
  select h.relid, format('%I.%I', h.associated_schema_name, h.associated_table_prefix || '_reads')
  from _tessera_catalog.hypertable h join pg_class c on c.oid = h.relid
  where exists (select from _tessera_catalog.compression_settings s where s.hypertable_id = h.id and s.chunk_id is null)
$$;
comment on function _tessera_functions.tables_to_guard() is
  'tables with partitions for which PostgreSQL leaves clauses out, and how the statistics are to be called that guard them';

create function _tessera_functions.unguarded_reads() returns setof regclass
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select t.relation from _tessera_functions.tables_to_guard() t where _tessera_functions.read_guard(t.relation) is null
$$;
comment on function _tessera_functions.unguarded_reads() is 'tables of which PostgreSQL would leave clauses out without an error';

create function _tessera_functions.guard_table(wanted regclass) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
set client_min_messages to warning
as $$
declare
  called constant text := (select t.guard from _tessera_functions.tables_to_guard() t where t.relation = wanted);
  holder constant oid := (select c.relowner from pg_class c where c.oid = wanted);
  present constant oid := _tessera_functions.read_guard(wanted);
  maintenance constant text := current_setting('tessera.maintenance', true);
begin
  -- Shards have no part in it.
  perform set_config('tessera.maintenance', 'on', true);
  if called is not null and present is null then
    execute format('create statistics %s on (_tessera_functions.guard_reads()) from %s', called, wanted);
    -- There is nothing to count.
    execute format('alter statistics %s set statistics 0', called);
    if holder <> current_user::regrole then
      execute format('alter statistics %s owner to %I', called, pg_get_userbyid(holder));
    end if;
  elsif called is null and present is not null then
    execute format('drop statistics %s', (
      select format('%I.%I', n.nspname, s.stxname) from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace where s.oid = present));
  end if;
  perform set_config('tessera.maintenance', coalesce(maintenance, ''), true);
end
$$;
comment on function _tessera_functions.guard_table(regclass) is
  'gives a table of which PostgreSQL would leave clauses out the statistics that refuse them, and takes them from any other';

create function _tessera_functions.samplers(relation regclass) returns setof text
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select pg_describe_object(case when o.kind = 'r' then 'pg_class' else 'pg_proc' end::regclass, o.id, 0)
  from (
    select 'r', r.ev_class, r.ev_action::text
    from pg_rewrite r
    where r.oid in (select d.objid from pg_depend d
      where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = relation)
    union all
    select 'f', f.oid, f.prosqlbody::text
    from pg_proc f
    where f.oid in (select d.objid from pg_depend d
      where d.classid = 'pg_proc'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = relation)
  ) o(kind, id, body)
  where o.body ~ format(e':relid %s [^{}]*:tablesample \\{', relation::oid)
$$;
comment on function _tessera_functions.samplers(regclass) is 'views and functions with TABLESAMPLE for a table in their query';

create function _tessera_functions.refuse_sampling_functions(created oid[]) returns void
language plpgsql stable
as $$
declare
  body pg_catalog.text;
begin
  for body in
    select f.prosrc from pg_catalog.pg_proc f join pg_catalog.pg_language l on l.oid operator(pg_catalog.=) f.prolang
    where f.oid operator(pg_catalog.=) any(created) and l.lanname operator(pg_catalog.=) 'sql' and pg_catalog.texticregexeq(f.prosrc, 'tablesample')
  loop
    perform _tessera_functions.refuse_left_out(body);
  end loop;
end
$$;
comment on function _tessera_functions.refuse_sampling_functions(oid[]) is
  'refuse_left_out() for the text of functions in SQL, which may become part of a statement that does not show it';

create function _tessera_functions.find_sampler() returns text
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select s
  from pg_event_trigger_ddl_commands() e
  left join pg_rewrite r on r.ev_class = e.objid and e.classid = 'pg_class'::regclass
  join pg_depend d on (d.classid, d.objid) in ((e.classid, e.objid), ('pg_rewrite'::regclass, r.oid)) and d.refclassid = 'pg_class'::regclass
  join _tessera_functions.tables_to_guard() t on t.relation = d.refobjid, _tessera_functions.samplers(t.relation) s
  where s = pg_describe_object(e.classid, e.objid, 0) or e.classid = 'pg_rewrite'::regclass
  limit 1
$$;
comment on function _tessera_functions.find_sampler() is 'what the statement has created with TABLESAMPLE for a table of which PostgreSQL would leave it out';

create function _tessera_functions.on_sampler_ddl() returns event_trigger
language plpgsql
as $$
declare
  sampler pg_catalog.text;
begin
  if not exists (select from _tessera_catalog.pg_dist_partition union all select from _tessera_catalog.compression_settings) then
    return;
  end if;
  -- With the search_path of the session, in which the function names its tables.
  perform _tessera_functions.refuse_sampling_functions(array(
    select e.objid from pg_catalog.pg_event_trigger_ddl_commands() e where e.classid operator(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass));
  sampler := _tessera_functions.find_sampler();
  if sampler is not null then
    raise exception using
      errcode = '0A000', message = pg_catalog.format('%s cannot use TABLESAMPLE on a distributed or compressed table', sampler),
      detail = 'PostgreSQL leaves TABLESAMPLE out for foreign tables, as which shards and compressed chunks are read, and takes all rows.',
      hint = 'Write in its place: where random() < 0.1';
  end if;
end
$$;
comment on function _tessera_functions.on_sampler_ddl() is
  'event trigger: views and functions have no TABLESAMPLE for tables of which PostgreSQL would leave it out';

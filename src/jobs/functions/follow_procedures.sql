create function _tessera_functions.follow_procedures(sent text) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  -- A job knows its procedure by name, so that a dump of it means something. Of what got another name the statement says the former one.
  update _tessera_catalog.bgw_job j set proc_schema = n.nspname, proc_name = p.proname
  from pg_event_trigger_ddl_commands() e
  join pg_proc p on e.classid = 'pg_proc'::regclass and p.oid = e.objid and p.proargtypes::text = '23 3802'
  join pg_namespace n on n.oid = p.pronamespace
  where to_regprocedure(format('%I.%I(integer, jsonb)', j.proc_schema, j.proc_name)) is null
    and (j.proc_schema = n.nspname and strpos(sent, j.proc_name) > 0 or j.proc_name = p.proname);
  update _tessera_catalog.bgw_job j set check_schema = n.nspname, check_name = p.proname
  from pg_event_trigger_ddl_commands() e
  join pg_proc p on e.classid = 'pg_proc'::regclass and p.oid = e.objid and p.proargtypes::text = '3802'
  join pg_namespace n on n.oid = p.pronamespace
  where j.check_name is not null and to_regprocedure(format('%I.%I(jsonb)', j.check_schema, j.check_name)) is null
    and (j.check_schema = n.nspname and strpos(sent, j.check_name) > 0 or j.check_name = p.proname);
  update _tessera_catalog.bgw_job j
  set proc_schema = case when j.proc_schema in (select nspname from pg_namespace) then j.proc_schema else n.nspname end,
    check_schema = case when j.check_schema is null or j.check_schema in (select nspname from pg_namespace) then j.check_schema else n.nspname end
  from pg_event_trigger_ddl_commands() e
  join pg_namespace n on e.classid = 'pg_namespace'::regclass and n.oid = e.objid
  where not (j.proc_schema in (select nspname from pg_namespace)) and strpos(sent, j.proc_schema) > 0
    or j.check_schema is not null and not (j.check_schema in (select nspname from pg_namespace)) and strpos(sent, j.check_schema) > 0;
end
$$;
comment on function _tessera_functions.follow_procedures(text) is 'jobs know the new name or schema of their procedure, and of the function that checks their configuration';

create function _tessera_functions.on_procedure_drop() returns event_trigger
language plpgsql security definer
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
declare
  job record;
begin
  if current_setting('tessera.maintenance', true) = 'on' then
    return;
  end if;
  for job in
    select j.id, d.object_identity
    from pg_event_trigger_dropped_objects() d
    join _tessera_catalog.bgw_job j on j.proc_schema = d.schema_name and j.proc_name = d.address_names[cardinality(d.address_names)]
    where d.classid = 'pg_proc'::regclass and d.address_args = array['integer', 'pg_catalog.jsonb'] and j.proc_schema <> '_tessera_functions'
    order by j.id
  loop
    if tg_tag in ('DROP FUNCTION', 'DROP PROCEDURE', 'DROP ROUTINE') and current_query() !~* '\mcascade\M' then
      raise exception using
        errcode = '2BP01',
        message = format('cannot drop %s because job %s depends on it', job.object_identity, job.id),
        hint = format('select delete_job(%s);', job.id);
    end if;
    raise notice 'drop cascades to job %', job.id;
    delete from _tessera_catalog.bgw_job j where j.id = job.id;
  end loop;
end
$$;
comment on function _tessera_functions.on_procedure_drop() is 'event trigger: the procedure of a job is dropped with CASCADE only, and takes the job along';

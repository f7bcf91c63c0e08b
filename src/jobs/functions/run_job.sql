create function _tessera_functions.job_command(
  job_id int, out command text, out is_procedure boolean, out autonomous boolean, out config jsonb, out application_name name
) returns record
language plpgsql stable
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
declare
  job _tessera_catalog.bgw_job;
  body text;
begin
  select * into job from _tessera_catalog.bgw_job j where j.id = job_command.job_id;
  select p.prokind = 'p', p.prosrc into is_procedure, body
  from pg_proc p
  where p.oid = to_regprocedure(format('%I.%I(integer, jsonb)', job.proc_schema, job.proc_name));
  if body is null then
    raise exception using
      errcode = '42883',
      message = format('function or procedure %I.%I(integer, jsonb) of job %s does not exist', job.proc_schema, job.proc_name, job.id),
      hint = format('Create it again, or delete the job: select delete_job(%s)', job.id);
  end if;
  command := format('%s %I.%I(%s, %L::pg_catalog.jsonb)',
    case when is_procedure then 'call' else 'select' end, job.proc_schema, job.proc_name, job.id, job.config);
  -- A word in a comment or string makes a procedure autonomous without need, which does no harm.
  autonomous := is_procedure and body ~* '\m(commit|rollback)\M';
  config := job.config;
  application_name := job.application_name;
end
$$;
comment on function _tessera_functions.job_command(int) is 'the statement that runs a job, and whether it ends transactions by itself';

create procedure @extschema@.run_job(job_id integer)
language plpgsql
as $$
declare
  job pg_catalog.record;
  of_another pg_catalog.bool;
  work_mem pg_catalog.text;
  began constant pg_catalog.timestamptz := pg_catalog.clock_timestamp();
begin
  if job_id is null then
    raise exception using errcode = '22023', message = '"job_id" must not be null';
  end if;
  select j.id, j.owner, pg_catalog.pg_has_role(j.owner, 'USAGE') as owned,
    j.proc_schema operator(pg_catalog.<>) '_tessera_functions'
      and j.owner::pg_catalog.oid operator(pg_catalog.<>) pg_catalog.quote_ident(current_user)::pg_catalog.regrole::pg_catalog.oid as of_another
  into job
  from _tessera_catalog.bgw_job j
  where j.id operator(pg_catalog.=) job_id;
  if job.id is null then
    raise exception using errcode = '42704', message = pg_catalog.format('job %s not found', job_id);
  end if;
  if not job.owned then
    raise exception using
      errcode = '42501', message = pg_catalog.format('insufficient permissions to run job %s', job_id),
      detail = pg_catalog.format('Job %s is owned by role %s.', job_id, job.owner);
  end if;
  of_another := job.of_another;
  select c.* into job from _tessera_functions.job_command(job_id) c;
  work_mem := pg_catalog.current_setting('work_mem');
  if job.config operator(pg_catalog.->>) 'work_mem' is not null then
    perform pg_catalog.set_config('work_mem', job.config operator(pg_catalog.->>) 'work_mem', false);
  end if;
  if of_another then
    perform _tessera_functions.run_as_owner(job_id);
  elsif job.autonomous then
    -- CALL takes no dynamic name, and EXECUTE of a CALL would forbid the COMMITs inside.
    execute pg_catalog.format(
      'create or replace procedure pg_temp.tessera_run() language plpgsql as %L', pg_catalog.format('begin %s; end', job.command));
    call pg_temp.tessera_run();
  else
    execute job.command;
  end if;
  perform pg_catalog.set_config('work_mem', work_mem, false);
  perform _tessera_functions.send_request('job.note_run', pg_catalog.jsonb_build_object('job_id', job_id, 'began', began));
end
$$;
comment on procedure @extschema@.run_job(integer) is
'Runs a job now, in this session and as the role that owns it, and leaves its schedule and statistics as they are; the job history gets a row when enable_job_execution_logging is on. Key work_mem of the configuration is set for the run.
job_id: the job
Privileges: member of the role that owns the job
Errors: 42704 no such job, 42501, 42883 its procedure is gone, 0A000 it ends transactions by itself and the caller is not its owner, and whatever the job raises';

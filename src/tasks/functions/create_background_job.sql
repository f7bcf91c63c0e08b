create function _tessera_functions.create_background_job(job_type name, description text) returns bigint
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
#variable_conflict use_variable
begin
  if job_type is null or description is null then
    raise exception using
      errcode = '22023',
      message = format('"%s" must not be null', case when job_type is null then 'job_type' else 'description' end);
  end if;
  return _tessera_functions.send_request('task.create_job', jsonb_build_object('job_type', job_type, 'description', description))::bigint;
end
$$;
comment on function _tessera_functions.create_background_job(name, text) is
  'makes a background job of the current user and returns its id; the work behind create_background_job()';

create function @extschema@.create_background_job(description text) returns bigint
language sql volatile
set search_path to pg_catalog, pg_temp
as $$select _tessera_functions.create_background_job('user', description)$$;
comment on function @extschema@.create_background_job(text) is
'Makes an empty background job of the current user and returns its id. It starts when it has tasks and the transaction is committed.
description: for people; must not be null
Privileges: anybody
Errors: 22023 description is null';

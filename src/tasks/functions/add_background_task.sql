create function _tessera_functions.schedule_background_task(
  job_id bigint,
  command text,
  depends_on bigint[] default '{}',
  nodes_involved int[] default null,
  owner regrole default null,
  not_before timestamptz default null
) returns bigint
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
#variable_conflict use_variable
begin
  if job_id is null or command is null then
    raise exception using
      errcode = '22023', message = format('"%s" must not be null', case when job_id is null then 'job_id' else 'command' end);
  end if;
  if btrim(command, E' \t\r\n;') = '' then
    raise exception using errcode = '22023', message = 'the command of a background task must not be empty';
  end if;
  if array_position(depends_on, null) is not null then
    raise exception using errcode = '22023', message = '"depends_on" must not contain nulls';
  end if;
  return _tessera_functions.send_request('task.add_task', jsonb_build_object(
    'job_id', job_id,
    'command', command,
    'depends_on', to_jsonb(coalesce(depends_on, '{}')),
    'nodes_involved', to_jsonb(nullif(nodes_involved, '{}')),
    'owner', coalesce(owner, quote_ident(current_user)::regrole)::oid::bigint,
    'not_before', not_before))::bigint;
end
$$;
comment on function _tessera_functions.schedule_background_task(bigint, text, bigint[], int[], regrole, timestamptz) is
  'adds a task to a background job and returns its id; the work behind add_background_task(). owner: null for the current user; nodes_involved: ids of nodes whose limits it counts against';

create function @extschema@.add_background_task(
  job_id bigint,
  command text,
  depends_on bigint[] default '{}',
  not_before timestamptz default null
) returns bigint
language sql volatile
set search_path to pg_catalog, pg_temp
as $$select _tessera_functions.schedule_background_task($1, $2, $3, null, null, $4)$$;
comment on function @extschema@.add_background_task(bigint, text, bigint[], timestamptz) is
'Adds a task to a background job and returns its id. The command runs in a session of the current user, all of it in one transaction.
job_id: the job, from create_background_job()
command: one or several SQL statements, without COMMIT and the like
depends_on: tasks of the same job that must be done before; null for none
not_before: earliest start; null for at once
Privileges: owner of the job; the current user must be able to log in
Locks: the row of the job to the end of the transaction, for which the ends of its running tasks wait
Errors: 42704 no such job or no such task in it, 42501 not owner of the job, 22023 null or empty command, 55000 the job is cancelled, a task it depends on has failed for good, or the current user cannot log in';

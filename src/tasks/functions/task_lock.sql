create function _tessera_functions.task_lock_class() returns int
language sql immutable parallel safe
as $$select 1414725646$$;
comment on function _tessera_functions.task_lock_class() is
  'first key of the advisory lock BG_TASK: 0x54530000 + 14';

create function _tessera_functions.task_lock_key(task_id bigint) returns int
language sql immutable strict parallel safe
as $$select task_id::bit(32)::int$$;
comment on function _tessera_functions.task_lock_key(bigint) is 'second key of BG_TASK: the low 32 bits of the id';

create function _tessera_functions.unlock_task(task_id bigint) returns boolean
language plpgsql volatile strict
set search_path to pg_catalog, pg_temp
as $$
begin
  return pg_advisory_unlock(_tessera_functions.task_lock_class(), _tessera_functions.task_lock_key(task_id));
end
$$;
comment on function _tessera_functions.unlock_task(bigint) is
  'gives BG_TASK back: what an executor does after the end of a task was committed';

create function _tessera_functions.is_executor_alive(task_id bigint, executor int) returns boolean
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  select exists (
    select from pg_locks l
    where l.locktype = 'advisory' and l.database = (select d.oid from pg_database d where d.datname = current_database())
      and l.classid = _tessera_functions.task_lock_class()::oid and l.objid = _tessera_functions.task_lock_key(task_id)::oid
      and l.objsubid = 2 and l.granted and l.pid = executor)
$$;
comment on function _tessera_functions.is_executor_alive(bigint, int) is
  'whether that very backend holds BG_TASK of the task; a pid that another backend got since is no executor';

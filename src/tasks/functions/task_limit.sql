create function _tessera_functions.task_limit(setting_name text) returns int
language plpgsql stable strict
set search_path to pg_catalog, pg_temp
as $$
begin
  return _tessera_functions.setting(setting_name)::int;
end
$$;
comment on function _tessera_functions.task_limit(text) is 'live value of a setting of the task queue';

create function _tessera_functions.task_backoff(failures int) returns interval
language sql immutable strict parallel safe
set search_path to pg_catalog, pg_temp
as $$
  select case
    when failures <= 0 then interval '0'
    when failures = 1 then interval '5 seconds'
    when failures = 2 then interval '20 seconds'
    when failures <= 32 then interval '60 seconds'
  end
$$;
comment on function _tessera_functions.task_backoff(int) is
  'how long to wait after so many failures of a task; null: it has failed for good';

create function _tessera_functions.lock_class(what text) returns int
language sql immutable parallel safe
set search_path to pg_catalog, pg_temp
as $$
  select case what
    when 'job' then 29749       -- second key: job id; held by the session that runs the job
    when 'slot' then 29750      -- second key: slot; held by the worker in that slot
    when 'scheduler' then 29751 -- second key: 0; held by the scheduler of the database
    when 'pause' then 29752     -- second key: 0; shared by scheduler and workers, exclusive by who wants them away
    when 'refused' then 29754   -- second key: a role, its OID minus 2^31; held by tessera worker while it cannot log in as that role
    when 'delivery' then 29753  -- second key: 0; held by the command that delivers telemetry reports
  end
$$;
comment on function _tessera_functions.lock_class(text) is 'first key of the advisory locks of background work';

create function _tessera_functions.lock_holders(class int, key int) returns setof int
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  select l.pid
  from pg_locks l
  where l.locktype = 'advisory' and l.granted and l.objsubid = 2
    and l.classid::bigint = $1 and l.objid::bigint = $2::bigint & 4294967295
    and l.database = (select oid from pg_database where datname = current_database())
$$;
comment on function _tessera_functions.lock_holders(int, int) is 'sessions that hold an advisory lock of this database';

create function _tessera_functions.job_runner(job_id int) returns int
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  -- Anybody may take an advisory lock, so only the session that recorded the start is believed to run the job.
  select s.pid
  from _tessera_catalog.bgw_job_stat s
  where s.job_id = $1
    and s.pid in (select _tessera_functions.lock_holders(_tessera_functions.lock_class('job'), $1))
$$;
comment on function _tessera_functions.job_runner(int) is 'the session in which the job runs now';

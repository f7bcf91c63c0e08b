create view tessera_information.scheduler as
select _tessera_functions.setting('background_workers')::boolean as wanted,
  exists (select from _tessera_functions.lock_holders(_tessera_functions.lock_class('scheduler'), 0)) as running,
  s.pid,
  s.driver,
  s.started_at,
  s.heartbeat,
  pg_catalog.clock_timestamp() - s.heartbeat as heartbeat_age,
  _tessera_functions.setting('worker_slots')::int as worker_slots,
  (select count(*)::int from _tessera_catalog.worker_slot w
    where exists (select from _tessera_functions.lock_holders(_tessera_functions.lock_class('slot'), w.slot))) as workers
from (values (1)) one(row)
left join _tessera_catalog.scheduler_state s on true;
comment on view tessera_information.scheduler is 'whether the scheduler of this database is wanted, runs, and when it last gave a sign of life';
grant select on tessera_information.scheduler to public;

create view tessera_information.workers as
select w.slot,
  w.owner,
  h.pid,
  case when h.pid is null then 'starting' when coalesce(r.job_id, t.task_id) is not null then 'running' else 'idle' end as state,
  r.job_id,
  t.task_id,
  r.last_start as since
from _tessera_catalog.worker_slot w
left join lateral _tessera_functions.lock_holders(_tessera_functions.lock_class('slot'), w.slot) h(pid) on true
left join _tessera_catalog.bgw_job_stat r on r.pid = h.pid and r.last_finish = '-infinity'
left join _tessera_catalog.pg_dist_background_task t on t.pid = h.pid and t.status in ('running', 'cancelling');
comment on view tessera_information.workers is 'the sessions of this database that run jobs and tasks';
grant select on tessera_information.workers to public;

create view tessera_information.job_states as
with state as (
  select j.id, j.application_name, j.owner, j.scheduled, j.max_runtime, s.next_start, s.last_start, s.pid, s.cancelled_at,
    s.consecutive_failures, s.consecutive_crashes, s.flags, s.last_finish,
    s.last_start > '-infinity' and s.last_finish = '-infinity' and s.flags & 1 = 0 as running,
    exists (select from pg_catalog.pg_roles r where r.oid = j.owner and r.rolcanlogin) as owner_can_login,
    pg_catalog.to_regprocedure(pg_catalog.format('%I.%I(integer, jsonb)', j.proc_schema, j.proc_name)) is not null as has_proc,
    exists (select from _tessera_catalog.worker_slot w where w.owner = j.owner) as has_slot,
    _tessera_functions.role_is_served(j.owner, (select x.driver from _tessera_catalog.scheduler_state x)) as served,
    (select i.pid from tessera_information.workers i where i.owner = j.owner and i.state = 'idle' limit 1) as idle_worker
  from _tessera_catalog.bgw_job j
  left join _tessera_catalog.bgw_job_stat s on s.job_id = j.id
)
select j.id as job_id,
  j.application_name,
  j.owner,
  case
    when j.running then 'running'
    when not j.scheduled or j.next_start = 'infinity' then 'paused'
    when j.next_start is null or j.next_start <= pg_catalog.now() then 'due'
    else 'scheduled'
  end as state,
  case when j.scheduled and not j.running then j.next_start end as next_start,
  case
    when j.scheduled and not j.running and j.next_start > '-infinity' and j.next_start < pg_catalog.now()
    then pg_catalog.now() - j.next_start
  end as lag,
  case
    when j.running and j.cancelled_at is not null then
      pg_catalog.format('it ran longer than max_runtime (%s) and was cancelled', j.max_runtime)
    when j.running then pg_catalog.format('it runs in session %s since %s', j.pid, j.last_start)
    when not j.scheduled and j.consecutive_failures > 0 then
      pg_catalog.format('it is not scheduled; %s runs in a row failed: alter_job(%s, scheduled => true) schedules it', j.consecutive_failures, j.id)
    when not j.scheduled then pg_catalog.format('it is not scheduled: alter_job(%s, scheduled => true) schedules it', j.id)
    when j.next_start = 'infinity' then pg_catalog.format('its next start is infinity: alter_job(%s, next_start => now()) starts it', j.id)
    when not j.owner_can_login then 'its owner was dropped or cannot log in'
    when not j.has_proc then 'its function or procedure does not exist'
    when not c.wanted then 'background workers are off in this database: start_background_workers() starts them'
    when not c.running then 'no scheduler runs in this database: see select * from tessera.doctor()'
    when j.next_start is null or j.next_start <= pg_catalog.now() then
      case
        when not j.has_slot and not j.served then pg_catalog.format(
          'role "%s" has no worker: as that role, start_background_workers() says how it starts one', pg_catalog.pg_get_userbyid(j.owner)::pg_catalog.text)
        when not j.has_slot then pg_catalog.format('all %s worker slots are taken by other roles', c.worker_slots)
        when j.idle_worker is null then 'all workers of its owner are busy or starting'
        else 'an idle worker will take it in a moment'
      end
    when j.consecutive_crashes > 0 and j.flags & 1 = 1 then 'its last run crashed; it waits before it is tried again'
    when j.consecutive_failures > 0 then
      pg_catalog.format('its last %s runs failed; it waits before it is tried again', j.consecutive_failures)
    else 'its next start lies ahead'
  end collate pg_catalog."default" as reason
from state j
cross join tessera_information.scheduler c;
comment on view tessera_information.job_states is
  'for every job: whether it runs, is due, waits or is paused, when it starts next, how late it is, and why, in words';
grant select on tessera_information.job_states to public;

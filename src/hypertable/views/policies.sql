create view tessera_information.policies as
select j.id as job_id,
  case j.proc_name
    when 'policy_retention' then 'retention'
    when 'policy_reorder' then 'reorder'
    when 'policy_compression' then 'compression'
    when 'policy_refresh_continuous_aggregate' then 'continuous aggregate'
    when 'policy_precreate_chunks' then 'chunk pre-creation'
    when 'policy_drain' then 'default partition drain'
    else j.proc_name
  end as policy,
  coalesce(a.user_view, h.relid) as hypertable,
  j.config - 'hypertable_id' as config,
  j.schedule_interval,
  j.owner,
  j.scheduled
from _tessera_catalog.bgw_job j
left join _tessera_catalog.hypertable h on h.id = j.hypertable_id
left join _tessera_catalog.continuous_agg a on a.mat_hypertable_id = h.id
where j.proc_schema = '_tessera_functions' and j.proc_name like 'policy\_%';
comment on view tessera_information.policies is
  'one row per policy, with its hypertable or continuous aggregate; those without one are built in and look after all';
grant select on tessera_information.policies to public;

create view tessera_information.drop_chunks_policies as
select h.relid as hypertable,
  j.config ->> 'drop_after' as older_than,
  coalesce((j.config ->> 'cascade')::boolean, false) as "cascade",
  j.id as job_id,
  j.schedule_interval,
  j.max_runtime,
  j.max_retries,
  j.retry_period,
  (j.config ->> 'cascade_to_materializations')::boolean as cascade_to_materializations
from _tessera_catalog.bgw_job j
join _tessera_catalog.hypertable h on h.id = j.hypertable_id
where j.proc_schema = '_tessera_functions' and j.proc_name = 'policy_retention';
comment on view tessera_information.drop_chunks_policies is 'retention policies, with the columns this view had before jobs';
grant select on tessera_information.drop_chunks_policies to public;

create view tessera_information.reorder_policies as
select h.relid as hypertable,
  (j.config ->> 'index_name')::name as hypertable_index_name,
  j.id as job_id,
  j.schedule_interval,
  j.max_runtime,
  j.max_retries,
  j.retry_period
from _tessera_catalog.bgw_job j
join _tessera_catalog.hypertable h on h.id = j.hypertable_id
where j.proc_schema = '_tessera_functions' and j.proc_name = 'policy_reorder';
comment on view tessera_information.reorder_policies is 'reorder policies, with the columns this view had before jobs';
grant select on tessera_information.reorder_policies to public;

create procedure _tessera_functions.policy_refresh_continuous_aggregate(job_id int, config jsonb)
language plpgsql
as $$
declare
  plan pg_catalog.jsonb := _tessera_functions.policy_refresh_plan(config);
begin
  -- Also says to whoever runs the job that it ends transactions by itself.
  commit;
  if plan is not null then
    call _tessera_functions.run_refresh(plan);
  end if;
end
$$;
comment on procedure _tessera_functions.policy_refresh_continuous_aggregate(int, jsonb) is
'What the job of a continuous aggregate runs: a refresh of the window its configuration gives, or up to refresh_lag before now.
config: mat_hypertable_id, start_offset, end_offset, buckets_per_batch, max_batches_per_execution, refresh_newest_first';

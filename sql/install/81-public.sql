-- What only functions that run as the owner of the extension call. It would do nobody any good, for it has no rights of its
-- own; but then nobody needs it either.
do $revoke$
declare
  f regprocedure;
begin
  for f in
    select p.oid from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = '_tessera_functions' and p.prokind = 'f' and (
      p.proname ~ '^request_(?!result$)' or p.proname ~ '(?<!ranges)_of_request$'
      or p.proname in (
        'check_association', 'check_bucket', 'check_job', 'check_next_start', 'check_payload', 'check_scalar', 'check_settings',
        'claim_id', 'draw_id', 'insert_dimension', 'insert_slice', 'record_parts', 'complete_parts', 'drop_part', 'forget_chunks', 'forget_gone', 'forget_hypertables', 'forget_cagg', 'forget_distributed',
        'erase_chunks', 'sync_hypertable', 'sync_hypertables', 'sync_associated_schemas', 'sync_compression', 'sync_cagg', 'sync_caggs',
        'put_aside', 'put_changes', 'forget_noted', 'move_changes', 'settle_threshold', 'require_part', 'require_partition',
        'mark_job_start', 'mark_job_end', 'mark_job_crash', 'start_or_pause', 'reap_run', 'supervise', 'supervise_step', 'supervise_runs',
        'complete_statistics', 'heal_task', 'heal_tasks', 'heal_blocked_tasks', 'repeat_cancel', 'record_task_failure',
        'make_login', 'make_loopback', 'on_shards_dropped', 'queue_reference_changes', 'keep_readers_out', 'cut_off_nodes', 'cut_off_copy'))
  loop
    execute format('revoke execute on function %s from public', f);
  end loop;
end
$revoke$;

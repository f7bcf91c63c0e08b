create function _tessera_functions.atomic_refusal() returns text
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  said text;
begin
  commit;
  return null;
exception
  when invalid_transaction_termination then
    get stacked diagnostics said = message_text;
    return said;
end
$$;
comment on function _tessera_functions.atomic_refusal() is
  'what PostgreSQL says, in the language of the session, to a COMMIT where no transaction may end: a procedure compares with it, for in a block it may say something else';

-- Procedures that commit can have no settings of their own, so every name and operator is qualified.
create procedure _tessera_functions.run_refresh(plan jsonb)
language plpgsql
as $$
declare
  batches pg_catalog.jsonb;
  finished boolean := false;
begin
  -- A level can be set only before the first snapshot of a transaction, so a COMMIT stands before each.
  commit;
  set transaction isolation level read committed;
  plan := _tessera_functions.refresh_threshold(plan);
  commit;
  set transaction isolation level read committed;
  if plan operator(pg_catalog.->>) 'end' is null then
    return;
  end if;
  batches := _tessera_functions.refresh_batches(plan);
  if batches is null then
    commit;
    return;
  end if;
  for batch in 0 .. pg_catalog.jsonb_array_length(batches) operator(pg_catalog.-) 1 loop
    commit;
    set transaction isolation level read committed;
    finished := _tessera_functions.refresh_batch(plan, batches operator(pg_catalog.->) batch);
  end loop;
  if not finished then
    commit;
    set transaction isolation level read committed;
    batches := _tessera_functions.refresh_rest(plan);
    -- Each in a transaction of its own: what a transaction has read of compressed rows it goes on to see.
    for batch in 0 .. pg_catalog.jsonb_array_length(batches) operator(pg_catalog.-) 1 loop
      commit;
      set transaction isolation level read committed;
      perform _tessera_functions.refresh_batch(plan operator(pg_catalog.||) '{"force": false}', batches operator(pg_catalog.->) batch);
    end loop;
    perform _tessera_functions.refresh_end(plan);
  end if;
  commit;
end
$$;
comment on procedure _tessera_functions.run_refresh(jsonb) is
'The steps of a refresh, each its own transaction: the threshold, the batches, one after the other, what others left.
plan: as refresh_plan() returns it';

create procedure @extschema@.refresh_continuous_aggregate(
  continuous_aggregate regclass,
  window_start anycompatible,
  window_end anycompatible,
  force boolean default false,
  options jsonb default null
)
language plpgsql
as $$
declare
  plan pg_catalog.jsonb;
  refusal pg_catalog.text;
begin
  begin
    commit;
  exception
    when invalid_transaction_termination then
      get stacked diagnostics refusal = message_text;
  end;
  if refusal operator(pg_catalog.=) _tessera_functions.atomic_refusal() then
    raise exception using
      errcode = '25001',
      message = 'refresh_continuous_aggregate() cannot run inside a transaction block',
      detail = 'It commits after each batch.';
  end if;
  plan := _tessera_functions.refresh_plan(continuous_aggregate::pg_catalog.oid::pg_catalog.int8, window_start::pg_catalog.text,
    window_end::pg_catalog.text, pg_catalog.pg_typeof(window_start)::pg_catalog.text, force, options);
  call _tessera_functions.run_refresh(plan);
end
$$;
comment on procedure @extschema@.refresh_continuous_aggregate(regclass, anycompatible, anycompatible, boolean, jsonb) is
'Brings a continuous aggregate up to date in a window of time: computes again what changed there and what was never computed, in batches that are committed one by one. tessera_information.continuous_aggregate_refreshes shows how far it is.
continuous_aggregate: its view
window_start, window_end: values of the time type; null leaves a side open. Only whole buckets inside are refreshed; rows from window_end on stay as they are
force: compute everything in the window again, whether it changed or not
options: buckets_per_batch, max_batches_per_execution (0 or null: no limit), refresh_newest_first
Privileges: owner of the continuous aggregate; the query runs as he
Locks: advisory locks of the parts it materializes, which another refresh waits for; ROW EXCLUSIVE on the results
Errors: 0A000 no continuous aggregate, 22023 no whole bucket in the window or a bad option, 25001 in a transaction block, 42501 not the owner';

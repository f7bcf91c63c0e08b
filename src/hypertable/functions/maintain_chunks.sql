create procedure _tessera_functions.policy_precreate_chunks(job_id int, config jsonb)
language plpgsql
as $$
declare
  h pg_catalog.record;
  tried int := 0;
  failed int := 0;
begin
  for h in select t.id, t.relid::pg_catalog.text as name from _tessera_catalog.hypertable t order by t.id loop
    tried := tried operator(pg_catalog.+) 1;
    begin
      perform _tessera_functions.precreate_chunks(h.id, config);
    exception when others then
      failed := failed operator(pg_catalog.+) 1;
      raise warning 'chunks ahead of time could not be created for hypertable "%": %', h.name, sqlerrm;
    end;
    -- One hypertable never waits for the locks of another.
    commit;
  end loop;
  if failed operator(pg_catalog.>) 0 and failed operator(pg_catalog.=) tried then
    raise exception using
      message = pg_catalog.format('chunks ahead of time could be created for none of %s hypertables', tried),
      hint = 'The warnings before this in the log of the server say why.';
  end if;
end
$$;
comment on procedure _tessera_functions.policy_precreate_chunks(int, jsonb) is
'What job 4 runs: creates the chunks that rows of the near future will need, for every hypertable that has a chunk near now.
config: ahead (chunk intervals, 1), active_within (chunk intervals back in which there must be a chunk, 3), except (names of hypertables)';

create procedure _tessera_functions.policy_drain(job_id int, config jsonb)
language plpgsql
as $$
declare
  h pg_catalog.record;
  tried int := 0;
  failed int := 0;
begin
  for h in
    select t.id, t.relid::pg_catalog.oid::pg_catalog.int8 as oid, t.relid::pg_catalog.text as name
    from _tessera_catalog.hypertable t
    order by t.id
  loop
    begin
      if _tessera_functions.has_waiting_rows(h.id, config) then
        tried := tried operator(pg_catalog.+) 1;
        perform _tessera_functions.drain_default_partition(h.oid);
      end if;
    exception
      when lock_not_available or deadlock_detected then
        -- Somebody writes for a long time; the next run comes soon.
        raise log 'rows of hypertable "%" stay in the default partition: %', h.name, sqlerrm;
      when others then
        failed := failed operator(pg_catalog.+) 1;
        raise warning 'rows of hypertable "%" stay in the default partition: %', h.name, sqlerrm;
    end;
    commit;
  end loop;
  -- The server does not keep for ever which transactions committed.
  for h in
    select c.relid::pg_catalog.oid::pg_catalog.int8 as oid, c.relid::pg_catalog.text as name
    from _tessera_catalog.compressed_chunk k
    join _tessera_catalog.chunk c on c.id operator(pg_catalog.=) k.chunk_id
    where pg_catalog.pg_relation_size(k.residue) operator(pg_catalog.>) 0
    order by c.id
  loop
    begin
      perform _tessera_functions.change_compression(h.oid, 'settle');
    exception
      when lock_not_available then
        -- Somebody uses the chunk; the next run comes soon.
        null;
      when others then
      raise warning 'changes of compressed chunk "%" could not be settled: %', h.name, sqlerrm;
    end;
    commit;
  end loop;
  if failed operator(pg_catalog.>) 0 and failed operator(pg_catalog.=) tried then
    raise exception using
      message = pg_catalog.format('the default partitions of %s hypertables could not be emptied', failed),
      hint = 'The warnings before this in the log of the server say why.';
  end if;
end
$$;
comment on procedure _tessera_functions.policy_drain(int, jsonb) is
'What job 5 runs: moves rows that wait in default partitions into chunks, and settles changes of compressed rows.
config: except (names of hypertables)';

create procedure _tessera_functions.policy_job_stat_history_retention(job_id int, config jsonb)
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  gone bigint;
begin
  with ranked as (
    select h.id, h.execution_start,
      row_number() over (partition by h.job_id, h.succeeded is true order by h.id desc) as age,
      h.succeeded is true as success
    from _tessera_catalog.bgw_job_stat_history h
  )
  delete from _tessera_catalog.bgw_job_stat_history d
  using ranked r
  where r.id = d.id
    and (r.execution_start < now() - coalesce((config ->> 'drop_after')::interval, '1 month')
      or r.age > greatest(10, case when r.success
          then coalesce((config ->> 'max_successes_per_job')::int, 1000)
          else coalesce((config ->> 'max_failures_per_job')::int, 1000) end));
  get diagnostics gone = row_count;
  raise log 'job %: deleted % rows from the job history', job_id, gone;
end
$$;
comment on procedure _tessera_functions.policy_job_stat_history_retention(int, jsonb) is
'What job 3 runs: deletes old rows of the job history.
config: drop_after (interval, 1 month), max_successes_per_job and max_failures_per_job (1000 each, 10 at least)';

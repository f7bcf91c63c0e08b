create function _tessera_functions.results_changed() returns trigger
language plpgsql security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  -- A chunk of its own has no root.
  root constant oid := coalesce(pg_partition_root(tg_relid), tg_relid);
  cagg _tessera_catalog.continuous_agg;
  chunk int;
  parts int8multirange := '{(,)}';
  part int8range;
begin
  -- Anybody may put this trigger on a table of his own, and nothing comes of it.
  select a.* into cagg
  from _tessera_catalog.continuous_agg a join _tessera_catalog.hypertable h on h.id = a.mat_hypertable_id
  where h.relid = root;
  if not found then
    return null;
  end if;
  select c.id into chunk
  from _tessera_catalog.chunk c join pg_partition_ancestors(tg_relid) p on p.relid = c.relid
  where c.hypertable_id = cagg.mat_hypertable_id;
  if found then
    select int8multirange(_tessera_functions.change_range(r.lowest, r.highest)) into parts from _tessera_functions.chunk_range(chunk) r;
  end if;
  -- Beyond the watermark all is stale, and what was kept of dropped rows stays what it is made to be.
  parts := (_tessera_functions.whole_buckets(cagg.mat_hypertable_id, parts) - _tessera_functions.frozen_parts(cagg.mat_hypertable_id))
    * int8multirange(int8range(null, _tessera_functions.cagg_watermark(cagg.mat_hypertable_id)));
  if isempty(parts) then
    return null;
  end if;
  perform _tessera_functions.put_changes(cagg.mat_hypertable_id, parts);
  for part in
    select unnest(parts) where exists (
      select from _tessera_catalog.continuous_agg a where a.parent_mat_hypertable_id = cagg.mat_hypertable_id)
  loop
    insert into _tessera_catalog.continuous_aggs_hypertable_invalidation_log
    values (cagg.mat_hypertable_id, 9223372036854775807,
      coalesce(lower(part), '-9223372036854775808'::int8), coalesce(upper(part) - 1, 9223372036854775807));
  end loop;
  raise notice using
    message = format('results of continuous aggregate "%s" were changed by hand: it computes them anew', cagg.user_view::text),
    hint = format('Run: call refresh_continuous_aggregate(%L, null, null);', cagg.user_view::text);
  return null;
end
$$;
comment on function _tessera_functions.results_changed() is
  'trigger on the tables with the results of a continuous aggregate: what others than its refreshes do there makes them stale, in the same transaction';

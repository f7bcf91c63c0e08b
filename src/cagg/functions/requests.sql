create function _tessera_functions.cagg_of_request(caller name, payload jsonb) returns _tessera_catalog.continuous_agg
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  found _tessera_catalog.continuous_agg;
begin
  select * into found from _tessera_catalog.continuous_agg where mat_hypertable_id = (payload ->> 'cagg')::int;
  if found.mat_hypertable_id is null then
    raise exception using errcode = '42704', message = format('there is no continuous aggregate with id %s', payload ->> 'cagg');
  end if;
  if not coalesce((select pg_has_role(caller, c.relowner, 'USAGE') from pg_class c where c.oid = found.user_view), false) then
    raise exception using
      errcode = '42501', message = format('must be owner of continuous aggregate "%s"', found.user_view_name);
  end if;
  return found;
end
$$;
comment on function _tessera_functions.cagg_of_request(name, jsonb) is 'the continuous aggregate a request is about, after its owner was checked';

create function _tessera_functions.request_cagg_create(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  mat int := (payload ->> 'cagg')::int;
  raw _tessera_catalog.hypertable;
begin
  select * into strict raw from _tessera_catalog.hypertable where id = (payload ->> 'raw')::int;
  perform _tessera_functions.require_owner(caller, raw.relid);
  perform _tessera_functions.require_owner(caller, (select relid from _tessera_catalog.hypertable where id = mat));
  perform _tessera_functions.require_owner(caller, v::oid)
  from unnest(array[payload ->> 'user_view', payload ->> 'partial_view', payload ->> 'direct_view']) v;
  insert into _tessera_catalog.continuous_agg (
    mat_hypertable_id, raw_hypertable_id, parent_mat_hypertable_id, user_view, user_view_schema, user_view_name, partial_view,
    partial_view_schema, partial_view_name, direct_view, direct_view_schema, direct_view_name, materialized_only, refresh_lag,
    max_interval_per_job, ignore_invalidation_older_than)
  select mat, raw.id, p.mat_hypertable_id, u.oid, un.nspname, u.relname, t.oid, tn.nspname, t.relname, d.oid, dn.nspname,
    d.relname, (payload ->> 'materialized_only')::boolean, (payload ->> 'refresh_lag')::bigint,
    (payload ->> 'max_interval_per_job')::bigint,
    coalesce((payload ->> 'ignore_invalidation_older_than')::bigint, 9223372036854775807)
  from pg_class u join pg_namespace un on un.oid = u.relnamespace,
    pg_class t join pg_namespace tn on tn.oid = t.relnamespace,
    pg_class d join pg_namespace dn on dn.oid = d.relnamespace
    left join _tessera_catalog.continuous_agg p on p.mat_hypertable_id = raw.id
  where u.oid = (payload ->> 'user_view')::oid and t.oid = (payload ->> 'partial_view')::oid
    and d.oid = (payload ->> 'direct_view')::oid;
  insert into _tessera_catalog.continuous_aggs_bucket_function
  select mat, b.bucket_width, b.bucket_origin, b.bucket_offset, b.bucket_timezone, b.bucket_fixed_width, b.bucket_period, b.bucket_phase
  from jsonb_populate_record(null::_tessera_catalog.continuous_aggs_bucket_function, payload -> 'bucket') b;
  insert into _tessera_catalog.continuous_aggs_watermark values (mat, '-9223372036854775808'::int8);
  insert into _tessera_catalog.continuous_aggs_materialization_invalidation_log
  values (mat, '-9223372036854775808'::int8, 9223372036854775807);
  return null;
end
$$;
comment on function _tessera_functions.request_cagg_create(name, jsonb) is 'records a continuous aggregate, all of which is still to be materialized';

create function _tessera_functions.request_cagg_alter(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  cagg _tessera_catalog.continuous_agg := _tessera_functions.cagg_of_request(caller, payload);
begin
  update _tessera_catalog.continuous_agg
  set materialized_only = coalesce((payload ->> 'materialized_only')::boolean, materialized_only),
    refresh_lag = coalesce((payload ->> 'refresh_lag')::bigint, refresh_lag),
    max_interval_per_job = coalesce((payload ->> 'max_interval_per_job')::bigint, max_interval_per_job),
    ignore_invalidation_older_than =
      coalesce((payload ->> 'ignore_invalidation_older_than')::bigint, ignore_invalidation_older_than)
  where mat_hypertable_id = cagg.mat_hypertable_id;
  return null;
end
$$;
comment on function _tessera_functions.request_cagg_alter(name, jsonb) is 'changes settings of a continuous aggregate';

create function _tessera_functions.request_cagg_forget(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  cagg _tessera_catalog.continuous_agg := _tessera_functions.cagg_of_request(caller, payload);
begin
  delete from _tessera_catalog.bgw_job where hypertable_id = cagg.mat_hypertable_id;
  delete from _tessera_catalog.continuous_agg where mat_hypertable_id = cagg.mat_hypertable_id;
  return null;
end
$$;
comment on function _tessera_functions.request_cagg_forget(name, jsonb) is 'deletes what the catalog knows of a continuous aggregate';

create function _tessera_functions.move_changes(raw integer) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  with changes as (
    delete from _tessera_catalog.continuous_aggs_hypertable_invalidation_log where hypertable_id = raw returning *
  ), merged as (
    select a.mat_hypertable_id, unnest(_tessera_functions.whole_buckets(a.mat_hypertable_id, range_agg(
      _tessera_functions.change_range(
        greatest(c.lowest_modified_value, _tessera_functions.change_cutoff(c.modification_time, a.ignore_invalidation_older_than)),
        c.greatest_modified_value)))) as part
    from changes c
    join _tessera_catalog.continuous_agg a on a.raw_hypertable_id = raw
    where c.greatest_modified_value >= _tessera_functions.change_cutoff(c.modification_time, a.ignore_invalidation_older_than)
    group by a.mat_hypertable_id
  )
  insert into _tessera_catalog.continuous_aggs_materialization_invalidation_log
  select m.mat_hypertable_id, coalesce(lower(m.part), '-9223372036854775808'::int8), coalesce(upper(m.part) - 1, 9223372036854775807)
  from merged m;
end
$$;
comment on function _tessera_functions.move_changes(integer) is
  'hands the logged changes of a raw hypertable to each of its continuous aggregates, without those it ignores';

create function _tessera_functions.request_cagg_threshold(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  cagg _tessera_catalog.continuous_agg := _tessera_functions.cagg_of_request(caller, payload);
  moved bigint;
begin
  if payload ->> 'threshold' is not null then
    -- Waits for writers that have read the threshold and are about to commit, and keeps others from reading it.
    perform _tessera_functions.lock_threshold(cagg.raw_hypertable_id);
    update _tessera_catalog.continuous_aggs_invalidation_threshold
    set watermark = greatest(watermark, (payload ->> 'threshold')::bigint)
    where hypertable_id = cagg.raw_hypertable_id
    returning watermark into moved;
  end if;
  perform _tessera_functions.move_changes(cagg.raw_hypertable_id);
  return to_jsonb(moved);
end
$$;
comment on function _tessera_functions.request_cagg_threshold(name, jsonb) is
  'moves the invalidation threshold of the raw hypertable up, where one is given, and hands logged changes on; changes below it are logged from the commit on';

create function _tessera_functions.request_cagg_take(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  cagg _tessera_catalog.continuous_agg := _tessera_functions.cagg_of_request(caller, payload);
  wanted int8range := _tessera_functions.change_range((payload ->> 'first')::bigint, (payload ->> 'last')::bigint);
  taken int8multirange;
  inside int8multirange;
begin
  -- 0x54530019, mat hypertable: one at a time cuts the log; what batches under way have locked is theirs.
  perform pg_advisory_xact_lock(1414725657, cagg.mat_hypertable_id);
  with gone as (
    delete from _tessera_catalog.continuous_aggs_materialization_invalidation_log l
    where l.ctid = any(array(
      select c.ctid from _tessera_catalog.continuous_aggs_materialization_invalidation_log c
      where c.materialization_id = cagg.mat_hypertable_id
        and _tessera_functions.change_range(c.lowest_modified_value, c.greatest_modified_value) && wanted
      for update skip locked))
    returning l.lowest_modified_value, l.greatest_modified_value
  )
  select coalesce(range_agg(_tessera_functions.change_range(g.lowest_modified_value, g.greatest_modified_value)), '{}')
  into taken from gone g;
  if (payload ->> 'force')::boolean then
    taken := taken + int8multirange(wanted);
  end if;
  inside := _tessera_functions.whole_buckets(cagg.mat_hypertable_id, taken) * wanted::int8multirange;
  perform _tessera_functions.put_changes(cagg.mat_hypertable_id, taken - inside);
  return coalesce((
    select jsonb_agg(jsonb_build_array(
      coalesce(lower(r), '-9223372036854775808'::int8)::text, coalesce(upper(r), 9223372036854775807)::text) order by r)
    from unnest(inside) r), '[]');
end
$$;
comment on function _tessera_functions.request_cagg_take(name, jsonb) is
  'takes what is stale in a window out of the log of a continuous aggregate and returns it as ranges of whole buckets, which the same transaction must put back';

create function _tessera_functions.put_changes(mat_hypertable_id integer, parts int8multirange) returns void
language sql
set search_path to pg_catalog, pg_temp
as $$
insert into _tessera_catalog.continuous_aggs_materialization_invalidation_log
select $1, coalesce(lower(r), '-9223372036854775808'::int8), coalesce(upper(r) - 1, 9223372036854775807)
from unnest(parts) r
$$;
comment on function _tessera_functions.put_changes(integer, int8multirange) is 'logs parts of a continuous aggregate as stale';

create function _tessera_functions.request_cagg_put(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  cagg _tessera_catalog.continuous_agg := _tessera_functions.cagg_of_request(caller, payload);
begin
  insert into _tessera_catalog.continuous_aggs_materialization_invalidation_log
  select cagg.mat_hypertable_id, (b ->> 0)::bigint, (b ->> 1)::bigint - ((b ->> 1)::bigint < 9223372036854775807)::int
  from jsonb_array_elements(payload -> 'parts') b;
  -- What sessions left that are gone, others may be deleting as well: nobody waits for that.
  delete from _tessera_catalog.continuous_aggs_refresh d
  where d.ctid = any(array(
    select r.ctid from _tessera_catalog.continuous_aggs_refresh r
    where r.pid = pg_backend_pid() or not exists (select from pg_stat_activity a where a.pid = r.pid)
    for update skip locked));
  if payload ->> 'batches' is not null then
    insert into _tessera_catalog.continuous_aggs_refresh (pid, materialization_id, window_start, window_end, batches)
    values (pg_backend_pid(), cagg.mat_hypertable_id, (payload ->> 'first')::bigint, (payload ->> 'last')::bigint,
      (payload ->> 'batches')::int);
  end if;
  return null;
end
$$;
comment on function _tessera_functions.request_cagg_put(name, jsonb) is
  'logs batches of a refresh as stale, each a row of its own, so that batches of others lock other rows';

create function _tessera_functions.request_cagg_cut(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  cagg _tessera_catalog.continuous_agg := _tessera_functions.cagg_of_request(caller, payload);
  batch int8range := _tessera_functions.change_range((payload ->> 'first')::bigint, (payload ->> 'last')::bigint);
  taken int8multirange;
begin
  loop
    with gone as (
      delete from _tessera_catalog.continuous_aggs_materialization_invalidation_log l
      where l.materialization_id = cagg.mat_hypertable_id
        and _tessera_functions.change_range(l.lowest_modified_value, l.greatest_modified_value) && batch
      returning l.lowest_modified_value, l.greatest_modified_value
    )
    select range_agg(_tessera_functions.change_range(g.lowest_modified_value, g.greatest_modified_value)) into taken from gone g;
    exit when taken is not null;
    -- A row that somebody cut while we waited for it left others, which only a new snapshot shows.
    exit when not exists (
      select from _tessera_catalog.continuous_aggs_materialization_invalidation_log l
      where l.materialization_id = cagg.mat_hypertable_id
        and _tessera_functions.change_range(l.lowest_modified_value, l.greatest_modified_value) && batch);
  end loop;
  perform _tessera_functions.put_changes(cagg.mat_hypertable_id, coalesce(taken, '{}') - int8multirange(batch));
  return to_jsonb(taken is not null);
end
$$;
comment on function _tessera_functions.request_cagg_cut(name, jsonb) is
  'takes a range out of the log of a continuous aggregate, which the same transaction materializes; false when nothing of it is stale';

create function _tessera_functions.request_cagg_done(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  cagg _tessera_catalog.continuous_agg := _tessera_functions.cagg_of_request(caller, payload);
begin
  if payload ->> 'watermark' is not null then
    update _tessera_catalog.continuous_aggs_watermark w set watermark = (payload ->> 'watermark')::bigint
    where w.mat_hypertable_id = cagg.mat_hypertable_id and w.watermark < (payload ->> 'watermark')::bigint;
  end if;
  perform _tessera_functions.put_changes(cagg.mat_hypertable_id,
    _tessera_functions.ranges_of_request(coalesce(payload -> 'unsettled', '[]')));
  update _tessera_catalog.continuous_aggs_refresh set done = done + 1 where pid = pg_backend_pid();
  if (payload ->> 'finished')::boolean then
    delete from _tessera_catalog.continuous_aggs_refresh where pid = pg_backend_pid();
  end if;
  return null;
end
$$;
comment on function _tessera_functions.request_cagg_done(name, jsonb) is 'records that a batch of a refresh, or all of it, is materialized';

create function _tessera_functions.lock_threshold(hypertable_id integer) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  before text := current_setting('lock_timeout');
begin
  for attempt in 1 .. 8 loop
    begin
      perform set_config('lock_timeout', (25 * (1 << attempt)) || 'ms', true);
      perform pg_advisory_xact_lock(1414725654, hypertable_id);
      perform set_config('lock_timeout', before, true);
      return;
    exception when lock_not_available then
      if attempt = 8 then
        raise exception using
          errcode = '55P03',
          message = 'could not move the invalidation threshold',
          detail = 'A transaction that has written to the hypertable is about to commit, or is prepared, and does not end.',
          hint = 'Look for prepared transactions in pg_prepared_xacts, and for old ones in pg_stat_activity.';
      end if;
    end;
    perform pg_sleep(0.02 * attempt);
  end loop;
end
$$;
comment on function _tessera_functions.lock_threshold(integer) is
  'keeps writers of a raw hypertable from reading its invalidation threshold until the end of the transaction; waits in short attempts, since they wait meanwhile';

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

create function _tessera_functions.check_bucket(raw _tessera_catalog.hypertable, bucket jsonb) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  time_type oid := (select d.column_type from _tessera_catalog.dimension d where d.hypertable_id = raw.id and d.interval_length is not null);
  width text := bucket ->> 'bucket_width';
  zone text := bucket ->> 'bucket_timezone';
begin
  -- They become constants of queries that run with the rights of the owner of the extension.
  if time_type in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) then
    perform width::int8, (bucket ->> 'bucket_origin')::int8, (bucket ->> 'bucket_offset')::int8;
  else
    perform width::interval, (bucket ->> 'bucket_origin')::timestamptz, (bucket ->> 'bucket_offset')::interval;
  end if;
  if zone is not null and not exists (select from pg_timezone_names z where lower(z.name) = lower(zone))
    and not exists (select from pg_timezone_abbrevs z where lower(z.abbrev) = lower(zone))
  then
    perform now() at time zone zone;
  end if;
end
$$;
comment on function _tessera_functions.check_bucket(_tessera_catalog.hypertable, jsonb) is
  'raises an error of class 22 unless the arguments of time_bucket() are of the types it takes';

create function _tessera_functions.request_cagg_create(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  mat int := (payload ->> 'cagg')::int;
  raw _tessera_catalog.hypertable;
  made _tessera_catalog.hypertable;
  parts oid[] := array[(payload ->> 'user_view')::oid, (payload ->> 'partial_view')::oid, (payload ->> 'direct_view')::oid];
begin
  select * into raw from _tessera_catalog.hypertable where id = (payload ->> 'raw')::int;
  select * into made from _tessera_catalog.hypertable where id = mat;
  if raw.id is null or made.id is null or raw.id = made.id then
    raise exception using errcode = 'TS001', message = 'a continuous aggregate needs a hypertable to read and one for its results';
  end if;
  perform _tessera_functions.require_owner(caller, raw.relid);
  perform _tessera_functions.require_owner(caller, made.relid);
  if exists (select from _tessera_catalog.continuous_agg a where a.raw_hypertable_id = mat or a.mat_hypertable_id = mat) then
    raise exception using errcode = '42710', message = format('"%s" belongs to another continuous aggregate', made.relid);
  end if;
  -- What becomes of one becomes of all of them: they change hands together and are dropped together.
  if (select count(distinct v) from unnest(parts) v) <> 3 or exists (
    select from unnest(parts) v
    where not exists (
      select from pg_class c join pg_class m on m.oid = made.relid
      where c.oid = v and c.relkind = 'v' and c.relowner = m.relowner and c.relpersistence = 'p'))
  then
    raise exception using
      errcode = '42501', message = 'the views of a continuous aggregate must belong to the owner of its results';
  end if;
  if (payload ->> 'max_interval_per_job')::int8 < 1 or (payload ->> 'ignore_invalidation_older_than')::int8 < 0
    or (payload #>> '{bucket,bucket_period}')::int8 < 1
  then
    raise exception using errcode = '22023', message = 'lengths of a continuous aggregate must be positive';
  end if;
  perform _tessera_functions.check_bucket(raw, payload -> 'bucket');
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
  if (payload ->> 'max_interval_per_job')::int8 < 1 or (payload ->> 'ignore_invalidation_older_than')::int8 < 0 then
    raise exception using errcode = '22023', message = 'lengths of a continuous aggregate must be positive';
  end if;
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
declare
  changed record;
begin
  for changed in
    with changes as (
      delete from _tessera_catalog.continuous_aggs_hypertable_invalidation_log where hypertable_id = raw returning *
    )
    select a.mat_hypertable_id as id, range_agg(_tessera_functions.change_range(
      greatest(c.lowest_modified_value, _tessera_functions.change_cutoff(c.modification_time, a.ignore_invalidation_older_than)),
      c.greatest_modified_value)) as parts
    from changes c
    join _tessera_catalog.continuous_agg a on a.raw_hypertable_id = raw
    where c.greatest_modified_value >= _tessera_functions.change_cutoff(c.modification_time, a.ignore_invalidation_older_than)
    group by a.mat_hypertable_id
  loop
    perform _tessera_functions.put_changes(changed.id, _tessera_functions.whole_buckets(changed.id, changed.parts));
  end loop;
  perform _tessera_functions.forget_noted(raw);
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
begin
  if (payload ->> 'alone')::boolean then
    perform _tessera_functions.lock_threshold(cagg.raw_hypertable_id),
      set_config('tessera.above_' || cagg.raw_hypertable_id, '', true);
  end if;
  update _tessera_catalog.continuous_aggs_invalidation_threshold set watermark = (payload ->> 'threshold')::bigint
  where hypertable_id = cagg.raw_hypertable_id and watermark < (payload ->> 'threshold')::bigint;
  if (payload ->> 'alone')::boolean then
    perform _tessera_functions.settle_threshold(cagg.raw_hypertable_id);
  end if;
  perform _tessera_functions.move_changes(cagg.raw_hypertable_id);
  return null;
end
$$;
comment on function _tessera_functions.request_cagg_threshold(name, jsonb) is
  'moves the invalidation threshold of the raw hypertable up, where one is given, and hands logged changes on; transactions that write from the commit on log changes below it. With "alone" there are no writers until then';

create function _tessera_functions.writers_of(hypertable_id integer) returns text[]
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
select coalesce(array_agg(distinct l.virtualtransaction), '{}') from pg_locks l
where l.locktype = 'advisory' and l.database = (select d.oid from pg_database d where d.datname = current_database())
  and l.classid = 1414725654 and l.objid = $1 and l.objsubid = 2 and l.granted and l.pid is distinct from pg_backend_pid()
$$;
comment on function _tessera_functions.writers_of(integer) is
  'virtual transactions of others that have written to a raw hypertable, as enlist_writer() marks them, prepared ones too';

create function _tessera_functions.settle_threshold(hypertable_id integer) returns boolean
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  known _tessera_catalog.continuous_aggs_invalidation_threshold;
  present text[];
  older text[];
begin
  select * into known from _tessera_catalog.continuous_aggs_invalidation_threshold t where t.hypertable_id = $1;
  if known.settled >= known.watermark is not false then
    return false;
  end if;
  present := _tessera_functions.writers_of($1);
  older := present;
  -- Nobody waits for this, and most of them end soon: a second in all.
  for attempt in 0 .. 9 loop
    exit when older = '{}';
    perform pg_sleep(0.001 * (1 << attempt));
    present := _tessera_functions.writers_of($1);
    older := array(select unnest(older) intersect select unnest(present));
  end loop;
  if older = '{}' then
    update _tessera_catalog.continuous_aggs_invalidation_threshold t set settled = known.watermark
    where t.hypertable_id = $1 and t.settled < known.watermark;
  elsif not known.writers && present and not exists (select from unnest(present) w where starts_with(w, '-1/')) then
    -- What was waited for is over, and nothing was prepared before a restart, which gave it another name. Who writes now
    -- keeps the rest from being settled.
    update _tessera_catalog.continuous_aggs_invalidation_threshold t
    set settled = greatest(t.settled, t.awaited), awaited = known.watermark, writers = older
    where t.hypertable_id = $1 and (t.awaited, t.writers) is not distinct from (known.awaited, known.writers);
  end if;
  return true;
end
$$;
comment on function _tessera_functions.settle_threshold(integer) is
'Records up to where no transaction is left that began to write to a raw hypertable before its threshold was moved there: a row of it that is
not logged would be among those a refresh does not see. Waits a second for such writers; those that take longer are asked after the next time.
True when the row of the hypertable may be locked until commit, which other refreshes wait for.';

create function _tessera_functions.open_part(hypertable_id integer) returns int8multirange
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
begin
  return coalesce((
    select int8multirange(int8range(nullif(t.settled, '-9223372036854775808'), null)) from _tessera_catalog.continuous_aggs_invalidation_threshold t
    where t.hypertable_id = $1 and t.settled < t.watermark), '{}');
end
$$;
comment on function _tessera_functions.open_part(integer) is
  'times of a raw hypertable of which rows may still come without being logged, so that results of them stay logged as stale';

create function _tessera_functions.request_cagg_look(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  cagg _tessera_catalog.continuous_agg := _tessera_functions.cagg_of_request(caller, payload);
  wanted int8range := _tessera_functions.change_range((payload ->> 'first')::bigint, (payload ->> 'last')::bigint);
  stale int8multirange;
  part int8range;
begin
  if _tessera_functions.settle_threshold(cagg.raw_hypertable_id) then
    return null;
  end if;
  select range_agg(_tessera_functions.change_range(l.lowest_modified_value, l.greatest_modified_value)) into stale
  from _tessera_catalog.continuous_aggs_materialization_invalidation_log l
  where l.materialization_id = cagg.mat_hypertable_id
    and _tessera_functions.change_range(l.lowest_modified_value, l.greatest_modified_value) && wanted;
  if stale is null then
    return '[]';
  end if;
  stale := _tessera_functions.whole_buckets(cagg.mat_hypertable_id, stale);
  part := range_merge(stale);
  if stale = int8multirange(part) and part <@ wanted and not stale && _tessera_functions.frozen_parts(cagg.mat_hypertable_id)
    and exists (
      select from _tessera_catalog.dimension d
      join _tessera_catalog.dimension_slice s on s.dimension_id = d.id and s.range_start <= lower(part) and s.range_end >= upper(part)
      where d.hypertable_id = cagg.mat_hypertable_id and d.interval_length is not null)
  then
    return jsonb_build_array(lower(part)::text, upper(part)::text);
  end if;
  return null;
end
$$;
comment on function _tessera_functions.request_cagg_look(name, jsonb) is
  'What is stale in a window, if that is one part that is entirely inside and has its results in one chunk, which is there: it needs no plan. An empty array when nothing is, null otherwise, and when the threshold, which is settled before, was not';

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
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  if isempty(parts) then
    return;
  end if;
  insert into _tessera_catalog.continuous_aggs_materialization_invalidation_log
  select $1, coalesce(lower(r), '-9223372036854775808'::int8), coalesce(upper(r) - 1, 9223372036854775807)
  from unnest(parts) r;
end
$$;
comment on function _tessera_functions.put_changes(integer, int8multirange) is 'logs parts of a continuous aggregate as stale';

create function _tessera_functions.request_cagg_put(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  cagg _tessera_catalog.continuous_agg := _tessera_functions.cagg_of_request(caller, payload);
begin
  perform _tessera_functions.ranges_of_request(payload -> 'parts');
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
  return jsonb_build_object('stale', taken is not null, 'open', _tessera_functions.open_part(cagg.raw_hypertable_id) && batch);
end
$$;
comment on function _tessera_functions.request_cagg_cut(name, jsonb) is
  'takes a range out of the log of a continuous aggregate, which the same transaction materializes; says whether anything of it is stale, and whether it reaches into the open part';

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
  if payload ->> 'unsettled' <> '[]' then
    perform _tessera_functions.put_changes(cagg.mat_hypertable_id, _tessera_functions.ranges_of_request(payload -> 'unsettled'));
  end if;
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
          detail = 'A transaction that has written to the hypertable is open, or prepared, and does not end.',
          hint = 'Look for prepared transactions in pg_prepared_xacts, and for old ones in pg_stat_activity.';
      end if;
    end;
    perform pg_sleep(0.02 * attempt);
  end loop;
end
$$;
comment on function _tessera_functions.lock_threshold(integer) is
  'has writers of a raw hypertable end, and keeps others from beginning until the end of the transaction; waits in short attempts, since they wait meanwhile';

create function _tessera_functions.note_time(hypertable_id int) returns void
language plpgsql volatile
as $$
declare
  name constant pg_catalog.text := 'tessera.modified_' operator(pg_catalog.||) hypertable_id;
  clock pg_catalog.text;
  value pg_catalog.int8;
begin
  if pg_catalog.current_setting(name, true) operator(pg_catalog.<>) '' or not exists (
    select from _tessera_catalog.continuous_agg a
    where a.raw_hypertable_id operator(pg_catalog.=) $1
      and a.ignore_invalidation_older_than operator(pg_catalog.<) 9223372036854775807)
  then
    return;
  end if;
  select pg_catalog.format('%I.%I', d.integer_now_func_schema, d.integer_now_func) into clock
  from _tessera_catalog.dimension d
  where d.hypertable_id operator(pg_catalog.=) $1 and d.integer_now_func is not null;
  if clock is not null then
    execute 'select ' operator(pg_catalog.||) clock operator(pg_catalog.||) '()::pg_catalog.int8' into value;
    perform pg_catalog.set_config(name, value::pg_catalog.text, true);
  end if;
end
$$;
comment on function _tessera_functions.note_time(int) is
'Notes once in a transaction what time it is for a hypertable of integers, where a continuous aggregate ignores changes of old rows.
It calls the integer_now function as whoever writes, never with the rights of the owner of the extension.';

create function _tessera_functions.note_change(hypertable_id int, key text, unit int8, low int8, high int8) returns boolean
language plpgsql volatile
as $$
declare
  lo_name constant pg_catalog.text := 'tessera.lo_' operator(pg_catalog.||) key;
  hi_name constant pg_catalog.text := 'tessera.hi_' operator(pg_catalog.||) key;
  due_name constant pg_catalog.text := 'tessera.due_' operator(pg_catalog.||) key;
  -- What lies beyond is not told apart any more: infinity, or the ends of the type.
  first constant pg_catalog.int8 :=
    case when unit operator(pg_catalog.=) 1 then '-9223372036854775808' when unit operator(pg_catalog.=) 1000000 then '-10000000000000'
      else '-2440588' end;
  last constant pg_catalog.int8 :=
    case when unit operator(pg_catalog.=) 1 then 9223372036854775807 when unit operator(pg_catalog.=) 1000000 then 10000000000001
      else 2145042906 end;
  lo pg_catalog.int8 := nullif(pg_catalog.current_setting(lo_name, true), '');
  hi pg_catalog.int8 := nullif(pg_catalog.current_setting(hi_name, true), '');
  step pg_catalog.int8;
  span pg_catalog.float8;
  slack pg_catalog.int8;
begin
  select t.step operator(pg_catalog./) unit into step
  from _tessera_catalog.continuous_aggs_invalidation_threshold t
  where t.hypertable_id operator(pg_catalog.=) $1;
  -- An older snapshot may not see that changes count by now.
  if not found and pg_catalog.current_setting('transaction_isolation') operator(pg_catalog.~) '^read' then
    return false;
  end if;
  low := greatest(low, first);
  high := case when high operator(pg_catalog.>=) last then last else greatest(high, first) operator(pg_catalog.+) 1 end;
  if lo is null or hi is null then
    lo := low;
    hi := high;
    if unit operator(pg_catalog.=) 1 then
      perform _tessera_functions.note_time($1);
    end if;
  else
    -- The slack has rows that come in the order of time be noted a logarithmic number of times.
    span := greatest(hi, high)::pg_catalog.float8 operator(pg_catalog.-) least(lo, low)::pg_catalog.float8;
    slack := least(
      greatest(least(span, coalesce(step, 0) operator(pg_catalog./) 4), span operator(pg_catalog./) 8), 4e18)::pg_catalog.int8;
    if low operator(pg_catalog.<) lo then
      lo := case when low operator(pg_catalog.<) (first operator(pg_catalog.+) slack) then first
        else low operator(pg_catalog.-) slack end;
    end if;
    if high operator(pg_catalog.>) hi then
      hi := case when high operator(pg_catalog.>) (last operator(pg_catalog.-) slack) then last
        else high operator(pg_catalog.+) slack end;
    end if;
  end if;
  perform pg_catalog.set_config(lo_name, lo::pg_catalog.text, true);
  perform pg_catalog.set_config(hi_name, hi::pg_catalog.text, true);
  if pg_catalog.current_setting(due_name, true) operator(pg_catalog.=) 'on' then
    return false;
  end if;
  perform pg_catalog.set_config(due_name, 'on', true);
  return true;
end
$$;
comment on function _tessera_functions.note_change(int, text, int8, int8, int8) is
'Notes that rows of a table changed whose times are low to high, in units of the given length of internal time, and says whether that
must be queued: once for a table and transaction. The range is kept in settings that last as long as the (sub)transaction.';

create function _tessera_functions.log_range(hypertable_id int, lowest int8, highest int8, modified int8) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  ignored int8;
  cutoff int8;
begin
  -- INVALIDATION (0x54530016, hypertable): whoever moves the threshold takes it alone, so what was found here stays true
  -- until the end of this transaction.
  perform pg_advisory_xact_lock_shared(1414725654, hypertable_id);
  if current_setting('transaction_isolation') ~ '^read' and not exists (
    select from _tessera_catalog.continuous_aggs_invalidation_threshold t where t.hypertable_id = $1 and t.watermark > lowest)
  then
    return;
  end if;
  select max(a.ignore_invalidation_older_than) into ignored
  from _tessera_catalog.continuous_agg a where a.raw_hypertable_id = $1;
  if ignored = 0 then
    return;
  end if;
  if ignored < 9223372036854775807 and modified < 9223372036854775807 then
    cutoff := case when modified < '-9223372036854775808'::int8 + ignored then '-9223372036854775808'::int8 else modified - ignored end;
    if highest < cutoff then
      return;
    end if;
    lowest := greatest(lowest, cutoff);
  end if;
  insert into _tessera_catalog.continuous_aggs_hypertable_invalidation_log
  values ($1, modified, lowest, highest);
end
$$;
comment on function _tessera_functions.log_range(int, int8, int8, int8) is
'Logs that rows of a hypertable changed at time modified whose times are lowest to highest, unless nothing is materialized there. Its
caller must be allowed to write the log.';

create function _tessera_functions.time_of_change(hypertable_id int, unit int8) returns int8
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select case
    when unit > 1 then (extract(epoch from now()) * 1000000)::int8
    else coalesce(nullif(current_setting('tessera.modified_' || hypertable_id, true), '')::int8, 9223372036854775807) end
$$;
comment on function _tessera_functions.time_of_change(int, int8) is
  'internal time of what this transaction changes; the greatest int8 where the time is an integer and nobody asks how old rows are';

create function _tessera_functions.log_noted(hypertable_id int, key text, unit int8) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  lo int8 := nullif(current_setting('tessera.lo_' || key, true), '');
  hi int8 := nullif(current_setting('tessera.hi_' || key, true), '');
  lowest int8 := '-9223372036854775808';
  highest int8 := 9223372036854775807;
begin
  -- What comes later in this transaction is noted anew.
  perform set_config('tessera.due_' || key, '', true), set_config('tessera.lo_' || key, '', true),
    set_config('tessera.hi_' || key, '', true);
  -- RESET ALL takes settings away as well; then it may be anything.
  if lo < hi then
    -- From the year 2242 on, and before 1698, seconds as float8 may be rounded to the next one.
    if unit = 1000000 then
      lo := lo - (abs(lo) >= 8589934592)::int;
      hi := hi + (abs(hi) >= 8589934592)::int;
    end if;
    if lo >= lowest / unit then
      lowest := lo * unit;
    end if;
    if hi < highest / unit then
      highest := hi * unit - 1;
    end if;
  end if;
  perform _tessera_functions.log_range(hypertable_id, lowest, highest, _tessera_functions.time_of_change(hypertable_id, unit));
end
$$;
comment on function _tessera_functions.log_noted(int, text, int8) is 'logs what note_change() noted under the key, and forgets it';

create function _tessera_functions.log_changes() returns trigger
language plpgsql security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  -- Anybody may put this trigger on a table of his own, and nothing comes of it.
  if exists (select from _tessera_catalog.hypertable h where h.id = tg_argv[0]::int and h.relid = pg_partition_root(tg_relid)) then
    perform _tessera_functions.log_noted(tg_argv[0]::int, tg_argv[1], tg_argv[2]::int8);
  end if;
  return null;
end
$$;
comment on function _tessera_functions.log_changes() is
  'deferred trigger on the tables of a hypertable with continuous aggregates: logs what was noted while rows changed';

create function _tessera_functions.chunk_range(chunk_id int, out lowest int8, out highest int8)
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select s.range_start, case when s.range_end = 9223372036854775807 then s.range_end else s.range_end - 1 end
  from _tessera_catalog.chunk_constraint k
  join _tessera_catalog.dimension_slice s on s.id = k.dimension_slice_id
  join _tessera_catalog.dimension d on d.id = s.dimension_id and d.interval_length is not null
  where k.chunk_id = $1
$$;
comment on function _tessera_functions.chunk_range(int) is 'internal times a chunk has rows of, both ends included';

create function _tessera_functions.log_truncate() returns trigger
language plpgsql security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  raw int := tg_argv[0];
  part record;
begin
  if exists (select from _tessera_catalog.hypertable h where h.id = raw and h.relid = pg_partition_root(tg_relid))
    and pg_relation_size(tg_relid) > 0
  then
    select * into part from _tessera_functions.chunk_range(tg_argv[3]::int);
    perform _tessera_functions.log_range(raw, coalesce(part.lowest, '-9223372036854775808'::int8), coalesce(part.highest, 9223372036854775807),
      _tessera_functions.time_of_change(raw, tg_argv[2]::int8));
  end if;
  return null;
end
$$;
comment on function _tessera_functions.log_truncate() is
  'trigger on the tables of a hypertable with continuous aggregates: logs that the rows of a chunk, or of the default partition, are gone';

create function _tessera_functions.request_enable_capture(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  parent _tessera_catalog.hypertable := _tessera_functions.hypertable_of_request(caller, payload);
begin
  insert into _tessera_catalog.continuous_aggs_invalidation_threshold as t (hypertable_id, watermark, step)
  values (parent.id, '-9223372036854775808', (payload ->> 'step')::int8)
  on conflict (hypertable_id) do update set step = excluded.step where excluded.step < t.step;
  return null;
end
$$;
comment on function _tessera_functions.request_enable_capture(name, jsonb) is 'records that changes of a hypertable are logged, and how exactly';

create function _tessera_functions.request_disable_capture(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  parent _tessera_catalog.hypertable := _tessera_functions.hypertable_of_request(caller, payload);
begin
  delete from _tessera_catalog.continuous_aggs_invalidation_threshold where hypertable_id = parent.id;
  delete from _tessera_catalog.continuous_aggs_hypertable_invalidation_log where hypertable_id = parent.id;
  return null;
end
$$;
comment on function _tessera_functions.request_disable_capture(name, jsonb) is 'records that changes of a hypertable are not logged, and forgets the log';

create function _tessera_functions.request_log_range(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  parent _tessera_catalog.hypertable := _tessera_functions.hypertable_of_request(caller, payload);
begin
  perform _tessera_functions.log_range(parent.id, (payload ->> 'lowest')::int8, (payload ->> 'highest')::int8,
    _tessera_functions.time_of_change(parent.id, (payload ->> 'unit')::int8));
  return null;
end
$$;
comment on function _tessera_functions.request_log_range(name, jsonb) is 'logs that rows of a hypertable changed by other means than statements on its tables';

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

create function _tessera_functions.enlist_writer(hypertable_id int, unit int8) returns int8
language plpgsql volatile
as $$
-- Called once a statement, where the search path is not pinned.
declare
  bound pg_catalog.int8;
begin
  -- A snapshot of the transaction may be older than the threshold is. The lock, WRITER (0x54530016, hypertable), comes before
  -- the threshold is read: whoever moves it looks for holders after that. Its result is never null.
  if pg_catalog.current_setting('transaction_isolation') in ('repeatable read', 'serializable')
    or pg_catalog.pg_advisory_xact_lock_shared(1414725654, $1) is null
  then
    return null;
  end if;
  -- Rounded up. No calendar begins before 4714 BC.
  select pg_catalog.set_config('tessera.above_' operator(pg_catalog.||) $1,
    case unit when 1 then t.watermark
      else greatest(t.watermark operator(pg_catalog./) unit operator(pg_catalog.+) (t.watermark operator(pg_catalog.%) unit operator(pg_catalog.>) 0)::pg_catalog.int4,
        -210866803200000000 operator(pg_catalog./) unit) end::pg_catalog.text, true) into bound
  from _tessera_catalog.continuous_aggs_invalidation_threshold t
  where t.hypertable_id operator(pg_catalog.=) $1 and t.watermark operator(pg_catalog.<) 9223372036854775807;
  return bound;
end
$$;
comment on function _tessera_functions.enlist_writer(int, int8) is
'Marks the transaction as one that writes to a hypertable, until it ends, and returns from which time on, in units of the given length of
internal time, it need not note what it changes; null where it notes all.';

create function _tessera_functions.unnoted_number(hypertable_id int) returns int8
language plpgsql immutable
as $$
begin
  return coalesce(
    nullif(pg_catalog.current_setting('tessera.above_' operator(pg_catalog.||) $1, true), '')::pg_catalog.int8,
    _tessera_functions.enlist_writer($1, 1));
end
$$;
comment on function _tessera_functions.unnoted_number(int) is
'enlist_writer() for the conditions of triggers. Called immutable, since PostgreSQL then replaces it by its result when a statement changes the
first row of a table, and has no more to do for the others than to compare. The older bound of a longer transaction is as good: it is listed.';

create function _tessera_functions.unnoted_timestamptz(hypertable_id int) returns timestamptz
language plpgsql immutable
as $$
begin
  return pg_catalog.to_timestamp(coalesce(
    nullif(pg_catalog.current_setting('tessera.above_' operator(pg_catalog.||) $1, true), '')::pg_catalog.float8,
    _tessera_functions.enlist_writer($1, 1000000)));
end
$$;
comment on function _tessera_functions.unnoted_timestamptz(int) is 'unnoted_number() for a timestamptz';

create function _tessera_functions.unnoted_timestamp(hypertable_id int) returns timestamp
language plpgsql immutable
as $$
begin
  return pg_catalog.timezone('UTC', _tessera_functions.unnoted_timestamptz($1));
end
$$;
comment on function _tessera_functions.unnoted_timestamp(int) is 'unnoted_number() for a timestamp';

create function _tessera_functions.unnoted_date(hypertable_id int) returns date
language plpgsql immutable
as $$
begin
  return date '1970-01-01' operator(pg_catalog.+) coalesce(
    nullif(pg_catalog.current_setting('tessera.above_' operator(pg_catalog.||) $1, true), '')::pg_catalog.int4,
    _tessera_functions.enlist_writer($1, 86400000000)::pg_catalog.int4);
end
$$;
comment on function _tessera_functions.unnoted_date(int) is 'unnoted_number() for a date';

create function _tessera_functions.note_change(hypertable_id int, key text, unit int8, "from" anyelement, "to" anyelement) returns boolean
language plpgsql volatile
as $$
begin
  -- What was noted needs no further look. Seconds as float8 take a third of the time that timestamps read from text do.
  if unit operator(pg_catalog.=) 1000000 then
    if pg_catalog.date_part('epoch', "from") operator(pg_catalog.>=)
        nullif(pg_catalog.current_setting('tessera.lo_' operator(pg_catalog.||) key, true), '')::pg_catalog.float8
      and pg_catalog.date_part('epoch', "to") operator(pg_catalog.<)
        nullif(pg_catalog.current_setting('tessera.hi_' operator(pg_catalog.||) key, true), '')::pg_catalog.float8
    then
      return false;
    end if;
  elsif unit operator(pg_catalog.=) 1 then
    if "from" operator(pg_catalog.>=) nullif(pg_catalog.current_setting('tessera.lo_' operator(pg_catalog.||) key, true), '')::pg_catalog.int8
      and "to" operator(pg_catalog.<) nullif(pg_catalog.current_setting('tessera.hi_' operator(pg_catalog.||) key, true), '')::pg_catalog.int8
    then
      return false;
    end if;
  -- A date may be one that has no timestamp.
  elsif "from" operator(pg_catalog.>=) (date '1970-01-01' operator(pg_catalog.+)
      nullif(pg_catalog.current_setting('tessera.lo_' operator(pg_catalog.||) key, true), '')::pg_catalog.int4)
    and "to" operator(pg_catalog.<) (date '1970-01-01' operator(pg_catalog.+)
      nullif(pg_catalog.current_setting('tessera.hi_' operator(pg_catalog.||) key, true), '')::pg_catalog.int4)
  then
    return false;
  end if;
  return _tessera_functions.note_range($1, key, unit, "from", "to");
end
$$;
comment on function _tessera_functions.note_change(int, text, int8, anyelement, anyelement) is
'Notes that rows of a table changed whose times lie between the two, and logs it at once, so that the same transaction sees its own changes.
True where the log is left to the trigger: once for a table and transaction. The range is kept, in units of the given length of internal time,
in settings that last as long as the (sub)transaction.';

create function _tessera_functions.note_range(hypertable_id int, key text, unit int8, "from" anyelement, "to" anyelement) returns boolean
language plpgsql volatile
as $$
-- PL/pgSQL prepares each expression anew in each transaction, 1 microsecond apiece: the first row of one gets by on few.
declare
  low pg_catalog.int8;
  high pg_catalog.int8;
begin
  -- In units. Infinity is a time beyond all others.
  if unit operator(pg_catalog.=) 1 then
    low := "from";
    high := "to";
    perform _tessera_functions.note_time($1);
  elsif unit operator(pg_catalog.=) 1000000 then
    low := pg_catalog.floor(greatest(least(pg_catalog.date_part('epoch', "from"), 1e13), -1e13));
    high := pg_catalog.floor(greatest(least(pg_catalog.date_part('epoch', "to"), 1e13), -1e13));
  else
    low := case when pg_catalog.isfinite("from") then least("from" operator(pg_catalog.-) date '1970-01-01', 2145042904)
      when "from" operator(pg_catalog.>) date '1970-01-01' then 2145042904 else -2440588 end;
    high := case when pg_catalog.isfinite("to") then least("to" operator(pg_catalog.-) date '1970-01-01', 2145042904)
      when "to" operator(pg_catalog.>) date '1970-01-01' then 2145042904 else -2440588 end;
  end if;
  if nullif(pg_catalog.current_setting('tessera.lo_' operator(pg_catalog.||) key, true), '') is not null then
    return _tessera_functions.widen_range($1, key, unit, low, high);
  end if;
  perform pg_catalog.set_config('tessera.lo_' operator(pg_catalog.||) key, low::pg_catalog.text, true),
    pg_catalog.set_config('tessera.hi_' operator(pg_catalog.||) key,
      (case when high operator(pg_catalog.=) 9223372036854775807 then high else high operator(pg_catalog.+) 1 end)::pg_catalog.text, true)
  from _tessera_catalog.continuous_aggs_invalidation_threshold t
  where t.hypertable_id operator(pg_catalog.=) $1;
  if found then
    return not _tessera_functions.log_noted($1, key, unit);
  end if;
  return _tessera_functions.widen_range($1, key, unit, low, high);
end
$$;
comment on function _tessera_functions.note_range(int, text, int8, anyelement, anyelement) is
  'the part of note_change() for what is not noted yet';

create function _tessera_functions.widen_range(hypertable_id int, key text, unit int8, low int8, high int8) returns boolean
language plpgsql volatile
as $$
declare
  lo_name constant pg_catalog.text := 'tessera.lo_' operator(pg_catalog.||) key;
  hi_name constant pg_catalog.text := 'tessera.hi_' operator(pg_catalog.||) key;
  first pg_catalog.int8 := '-9223372036854775808';
  last pg_catalog.int8 := 9223372036854775807;
  lo pg_catalog.int8 := nullif(pg_catalog.current_setting(lo_name, true), '');
  hi pg_catalog.int8 := nullif(pg_catalog.current_setting(hi_name, true), '');
  step pg_catalog.int8;
  phase pg_catalog.int8;
  wide pg_catalog.int8;
  slack pg_catalog.int8;
begin
  select t.step operator(pg_catalog./) unit, (t.watermark operator(pg_catalog./) unit) operator(pg_catalog.%) nullif(t.step operator(pg_catalog./) unit, 0)
  into step, phase
  from _tessera_catalog.continuous_aggs_invalidation_threshold t
  where t.hypertable_id operator(pg_catalog.=) $1;
  -- An older snapshot may not see that changes count by now.
  if step is null and pg_catalog.current_setting('transaction_isolation') in ('read committed', 'read uncommitted') then
    return false;
  end if;
  if unit operator(pg_catalog.=) 1000000 then
    first := -10000000000000;
    last := 10000000000001;
  elsif unit operator(pg_catalog.>) 1 then
    first := -2440588;
    last := 2145042905;
  end if;
  high := case when high operator(pg_catalog.>=) last then last else high operator(pg_catalog.+) 1 end;
  if lo is null or hi is null then
    lo := low;
    hi := high;
  elsif lo operator(pg_catalog.=) first and hi operator(pg_catalog.=) last then
    return false;
  end if;
  -- The slack has rows that come in the order of time be noted a logarithmic number of times. Where that would be less than
  -- a bucket it goes to the end of one, as they lie around the threshold: a bucket is computed again as a whole.
  wide := least((greatest(hi, high)::pg_catalog.float8 operator(pg_catalog.-) least(lo, low)::pg_catalog.float8) operator(pg_catalog./) 8, 4e18)::pg_catalog.int8;
  if low operator(pg_catalog.<) lo then
    slack := case when step operator(pg_catalog.>) wide and step operator(pg_catalog.<) 2000000000000000000
      then ((low operator(pg_catalog.%) step) operator(pg_catalog.-) phase operator(pg_catalog.+) (step operator(pg_catalog.+) step)) operator(pg_catalog.%) step
      else wide end;
    lo := case when low operator(pg_catalog.<) (first operator(pg_catalog.+) slack) then first
      else low operator(pg_catalog.-) slack end;
  end if;
  if high operator(pg_catalog.>) hi then
    slack := case when step operator(pg_catalog.>) wide and step operator(pg_catalog.<) 2000000000000000000
      then (phase operator(pg_catalog.-) (high operator(pg_catalog.%) step) operator(pg_catalog.+) (step operator(pg_catalog.+) step)) operator(pg_catalog.%) step
      else wide end;
    hi := case when high operator(pg_catalog.>) (last operator(pg_catalog.-) slack) then last
      else high operator(pg_catalog.+) slack end;
  end if;
  perform pg_catalog.set_config(lo_name, lo::pg_catalog.text, true), pg_catalog.set_config(hi_name, hi::pg_catalog.text, true);
  if pg_catalog.current_setting('tessera.due_' operator(pg_catalog.||) key, true) operator(pg_catalog.=) 'on' then
    return false;
  end if;
  return not _tessera_functions.log_noted($1, key, unit);
end
$$;
comment on function _tessera_functions.widen_range(int, text, int8, int8, int8) is
  'the part of note_range() that widens a range, and that does without the row of the hypertable where a snapshot is too old to see it';

create function _tessera_functions.noted_times(unit int8, lo int8, hi int8, out lowest int8, out highest int8)
language plpgsql immutable
as $$
-- Called once a transaction and table, where the search path is not pinned.
begin
  lowest := '-9223372036854775808';
  highest := 9223372036854775807;
  -- RESET ALL takes settings away as well; then it may be anything. Only the greatest int8 has no end behind it.
  if lo operator(pg_catalog.<=) hi then
    -- From the year 2242 on, and before 1698, seconds as float8 may be rounded to the next one.
    if unit operator(pg_catalog.=) 1000000 then
      lo := lo operator(pg_catalog.-) (pg_catalog.abs(lo) operator(pg_catalog.>=) 8589934592)::pg_catalog.int4;
      hi := hi operator(pg_catalog.+) (pg_catalog.abs(hi) operator(pg_catalog.>=) 8589934592)::pg_catalog.int4;
    end if;
    -- The first date stands for minus infinity too.
    lowest := case
      when lo operator(pg_catalog.>) (highest operator(pg_catalog./) unit) then highest
      when lo operator(pg_catalog.<) (lowest operator(pg_catalog./) unit)
        or unit operator(pg_catalog.=) 86400000000 and lo operator(pg_catalog.<=) -2440588 then lowest
      else lo operator(pg_catalog.*) unit end;
    highest := case
      when hi operator(pg_catalog.>=) (highest operator(pg_catalog./) unit) then highest
      when hi operator(pg_catalog.<=) ('-9223372036854775808'::pg_catalog.int8 operator(pg_catalog./) unit) then '-9223372036854775808'
      else hi operator(pg_catalog.*) unit operator(pg_catalog.-) 1 end;
  end if;
end
$$;
comment on function _tessera_functions.noted_times(int8, int8, int8) is
  'internal times, both included, of a range that note_change() noted in units of the given length';

create function _tessera_functions.log_noted(hypertable_id int, key text, unit int8) returns boolean
language plpgsql volatile
as $$
declare
  list constant pg_catalog.text := 'tessera.logged_' operator(pg_catalog.||) $1;
  chunk constant pg_catalog.int4 := pg_catalog.rtrim(pg_catalog.split_part(key, '_', 2), 'rs');
  listed constant pg_catalog.text := pg_catalog.concat(pg_catalog.current_setting(list, true), ' ');
  low pg_catalog.int8;
  high pg_catalog.int8;
  modified pg_catalog.int8;
  cutoff pg_catalog.int8;
begin
  -- What a loopback connection notes is logged by its client. Who may write to a chunk and not to its hypertable has the trigger do it,
  -- which knows a chunk that was detached as well. An older snapshot may not see the chunk.
  if pg_catalog.right(key, 1) in ('r', 's') and _tessera_functions.loopback_client() is not null or not exists (
    select from _tessera_catalog.hypertable h
    where h.id operator(pg_catalog.=) $1
      and (pg_catalog.has_any_column_privilege(h.relid, 'insert, update') or pg_catalog.has_table_privilege(h.relid, 'delete'))
      and (chunk operator(pg_catalog.=) 0
        or pg_catalog.current_setting('transaction_isolation') not in ('read committed', 'read uncommitted')
        or exists (
          select from _tessera_catalog.chunk c
          where c.id operator(pg_catalog.=) chunk and c.hypertable_id operator(pg_catalog.=) $1 and not c.dropped)))
  then
    perform pg_catalog.set_config('tessera.due_' operator(pg_catalog.||) key, 'on', true);
    return false;
  end if;
  select c.modified, c.cutoff, t.lowest, t.highest into modified, cutoff, low, high
  from _tessera_functions.noted_times(unit,
      nullif(pg_catalog.current_setting('tessera.lo_' operator(pg_catalog.||) key, true), '')::pg_catalog.int8,
      nullif(pg_catalog.current_setting('tessera.hi_' operator(pg_catalog.||) key, true), '')::pg_catalog.int8) t,
    _tessera_functions.counted_from($1, unit) c;
  -- Rows of heaps are noted below the threshold alone.
  if high operator(pg_catalog.>=) cutoff
    and (pg_catalog.right(key, 1) not in ('r', 's') or _tessera_functions.is_materialized($1, low))
  then
    insert into _tessera_functions.own_changes values ($1, modified, greatest(low, cutoff), high);
  end if;
  if pg_catalog.strpos(listed, ' ' operator(pg_catalog.||) key operator(pg_catalog.||) ' ') operator(pg_catalog.=) 0 then
    perform pg_catalog.set_config(list, pg_catalog.rtrim(listed) operator(pg_catalog.||) ' ' operator(pg_catalog.||) key, true);
  end if;
  return true;
end
$$;
comment on function _tessera_functions.log_noted(int, text, int8) is
'Logs what note_change() has noted of a table, as the caller, in the command after the one that changes its rows: what sees these sees that too.
False where it is left to log_changes().';

create function _tessera_functions.forget_noted(hypertable_id int) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  key text;
begin
  foreach key in array string_to_array(trim(coalesce(current_setting('tessera.logged_' || $1, true), '')), ' ') loop
    perform set_config('tessera.lo_' || key, '', true), set_config('tessera.hi_' || key, '', true);
  end loop;
  perform set_config('tessera.logged_' || $1, '', true);
end
$$;
comment on function _tessera_functions.forget_noted(int) is
  'Called by whoever takes changes out of the log: what the transaction changes from now on it notes and logs anew';

create function _tessera_functions.note_compressed_change(
  hypertable_id int, key text, unit int8, "from" anyelement, "to" anyelement
) returns boolean
language plpgsql volatile
as $$
declare
  client pg_catalog.int4;
begin
  if not _tessera_functions.note_change($1, key, unit, "from", "to") then
    return false;
  end if;
  client := _tessera_functions.loopback_client();
  if client is null then
    return true;
  end if;
  -- The client asks for what is noted when it finds this lock (0x54530017, client) taken.
  perform pg_catalog.pg_advisory_xact_lock_shared(1414725655, client),
    pg_catalog.set_config('tessera.noted_keys',
      pg_catalog.concat_ws(' ', nullif(pg_catalog.current_setting('tessera.noted_keys', true), ''), key), true);
  return false;
end
$$;
comment on function _tessera_functions.note_compressed_change(int, text, int8, anyelement, anyelement) is
'note_change() for compressed rows. In a loopback connection nothing is queued: the log must be committed by the client, never before.';

create function _tessera_functions.take_noted(out hypertable_id int, out low int8, out high int8) returns setof record
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  key text;
begin
  foreach key in array string_to_array(coalesce(current_setting('tessera.noted_keys', true), ''), ' ') loop
    hypertable_id := split_part(key, '_', 1);
    low := nullif(current_setting('tessera.lo_' || key, true), '');
    high := nullif(current_setting('tessera.hi_' || key, true), '');
    perform set_config('tessera.lo_' || key, '', true), set_config('tessera.hi_' || key, '', true),
      set_config('tessera.due_' || key, '', true);
    if low < high then
      return next;
    end if;
  end loop;
  perform set_config('tessera.noted_keys', '', true);
end
$$;
comment on function _tessera_functions.take_noted() is 'what a loopback connection noted of compressed rows, in units of each hypertable; forgets it';

create function _tessera_functions.counted_from(hypertable_id int, unit int8, out modified int8, out cutoff int8)
language plpgsql volatile
as $$
-- Called where the search path is pinned, and where it is not; to pin it again would cost as much as the rest.
declare
  ignored pg_catalog.int8 := 9223372036854775807;
begin
  modified := case
    when unit operator(pg_catalog.>) 1
      then (pg_catalog.date_part('epoch', pg_catalog.now()) operator(pg_catalog.*) 1000000::pg_catalog.float8)::pg_catalog.int8
    else coalesce(
      nullif(pg_catalog.current_setting('tessera.modified_' operator(pg_catalog.||) hypertable_id, true), '')::pg_catalog.int8,
      9223372036854775807) end;
  -- An older snapshot may not see the one that counts all.
  if pg_catalog.current_setting('transaction_isolation') in ('read committed', 'read uncommitted') then
    select coalesce(pg_catalog.max(a.ignore_invalidation_older_than), ignored) into ignored
    from _tessera_catalog.continuous_agg a where a.raw_hypertable_id operator(pg_catalog.=) $1;
  end if;
  if ignored operator(pg_catalog.>) 0 then
    cutoff := _tessera_functions.change_cutoff(modified, ignored);
  end if;
end
$$;
comment on function _tessera_functions.counted_from(int, int8) is
'The time of a change made now, which is the greatest int8 where time is an integer and nobody asks how old rows are, and the internal time
from which on rows count for some continuous aggregate; null when for none.';

create function _tessera_functions.log_range(hypertable_id int, unit int8, lowest int8, highest int8) returns void
language plpgsql volatile
as $$
declare
  modified pg_catalog.int8;
  cutoff pg_catalog.int8;
begin
  select c.modified, c.cutoff into modified, cutoff from _tessera_functions.counted_from($1, unit) c;
  if highest operator(pg_catalog.>=) cutoff then
    insert into _tessera_catalog.continuous_aggs_hypertable_invalidation_log
    values (hypertable_id, modified, greatest(lowest, cutoff), highest);
  end if;
end
$$;
comment on function _tessera_functions.log_range(int, int8, int8, int8) is
'Logs that rows of a hypertable changed whose internal times are lowest to highest, now. Its caller must be allowed to write the log.';

create function _tessera_functions.is_materialized(hypertable_id int, lowest int8) returns boolean
language plpgsql volatile
as $$
begin
  -- WRITER, as in enlist_writer(): whoever moves the threshold later sees that this may be counting on the old one.
  perform pg_catalog.pg_advisory_xact_lock_shared(1414725654, hypertable_id);
  return pg_catalog.current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') or exists (
    select from _tessera_catalog.continuous_aggs_invalidation_threshold t
    where t.hypertable_id operator(pg_catalog.=) $1 and t.watermark operator(pg_catalog.>) lowest);
end
$$;
comment on function _tessera_functions.is_materialized(int, int8) is
  'whether continuous aggregates may have rows of that time or a later one; a snapshot that could be too old says so always';

create function _tessera_functions.log_changes() returns trigger
language plpgsql security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  lo int8 := nullif(current_setting('tessera.lo_' || tg_argv[1], true), '');
  hi int8 := nullif(current_setting('tessera.hi_' || tg_argv[1], true), '');
  unit int8 := tg_argv[2];
  lowest int8;
  highest int8;
begin
  -- What comes later in this transaction is noted anew.
  perform set_config('tessera.due_' || tg_argv[1], '', true), set_config('tessera.lo_' || tg_argv[1], '', true),
    set_config('tessera.hi_' || tg_argv[1], '', true);
  if lo is null and tg_level = 'STATEMENT' then
    return null;
  end if;
  select * into lowest, highest from _tessera_functions.noted_times(unit, lo, hi);
  -- Anybody may put this trigger on a table of his own, and nothing comes of it.
  if _tessera_functions.is_materialized(tg_argv[0]::int, lowest) and exists (
    select from _tessera_catalog.hypertable h where h.id = tg_argv[0]::int and h.relid = pg_partition_root(tg_relid)
    union all
    select from _tessera_catalog.compressed_chunk k
    join _tessera_catalog.chunk c on c.id = k.chunk_id and c.hypertable_id = tg_argv[0]::int
    join _tessera_catalog.compression_settings s on s.chunk_id = k.chunk_id
    where tg_relid in (k.residue, s.compress_relid))
  then
    perform _tessera_functions.log_range(tg_argv[0]::int, unit, lowest, highest);
  end if;
  return null;
end
$$;
comment on function _tessera_functions.log_changes() is
  'deferred trigger on the tables of a hypertable with continuous aggregates: logs what note_change() noted and could not log, and forgets it';

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
  hypertable int := tg_argv[0];
  lowest int8 := '-9223372036854775808';
  highest int8 := 9223372036854775807;
  occupied bool := pg_relation_size(tg_relid) > 0;
begin
  if not occupied or not exists (
    select from _tessera_catalog.hypertable h where h.id = hypertable and h.relid = pg_partition_root(tg_relid))
  then
    return null;
  end if;
  if tg_argv[3] <> '0' then
    select * into lowest, highest from _tessera_functions.chunk_range(tg_argv[3]::int);
  elsif current_setting('transaction_isolation') = 'read committed' and has_table_privilege(tg_relid, 'select')
    and not row_security_active(tg_relid)
  then
    -- Rows that left the default partition for a chunk leave pages behind.
    execute format('select exists (select from only %s)', tg_relid::regclass) into occupied;
  end if;
  if occupied and _tessera_functions.is_materialized(hypertable, lowest) then
    perform _tessera_functions.log_range(hypertable, tg_argv[2]::int8, lowest, highest);
  end if;
  return null;
end
$$;
comment on function _tessera_functions.log_truncate() is
  'trigger on the tables of a hypertable with continuous aggregates: logs that the rows of a chunk, or of the default partition, are gone';

create function _tessera_functions.log_chunks(chunk_ids int[]) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  part record;
begin
  for part in
    select distinct c.hypertable_id as id, case when d.column_type in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) then 1 else 1000000 end as unit,
      r.lowest, r.highest
    from _tessera_catalog.chunk c
    join _tessera_catalog.continuous_aggs_invalidation_threshold t on t.hypertable_id = c.hypertable_id
    join _tessera_catalog.dimension d on d.hypertable_id = c.hypertable_id and d.interval_length is not null,
      _tessera_functions.chunk_range(c.id) r
    where c.id = any(chunk_ids) and not c.dropped
  loop
    if _tessera_functions.is_materialized(part.id, part.lowest) then
      perform _tessera_functions.log_range(part.id, part.unit, part.lowest, part.highest);
    end if;
  end loop;
end
$$;
comment on function _tessera_functions.log_chunks(int[]) is 'logs that all rows of chunks are gone, where changes of their hypertables are logged';

create function _tessera_functions.request_enable_capture(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  parent _tessera_catalog.hypertable := _tessera_functions.hypertable_of_request(caller, payload);
begin
  if (payload ->> 'step')::int8 < 1 then
    raise exception using errcode = '22023', message = '"step" must be positive';
  end if;
  insert into _tessera_catalog.continuous_aggs_invalidation_threshold as t (hypertable_id, watermark, step, settled)
  values (parent.id, '-9223372036854775808', (payload ->> 'step')::int8, '-9223372036854775808')
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
  perform _tessera_functions.forget_noted(parent.id);
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
  if (payload ->> 'unit')::int8 not in (1, 1000000, 86400000000) or (payload ->> 'lowest')::int8 > (payload ->> 'highest')::int8 then
    raise exception using errcode = '22023', message = 'a range of changes must begin before it ends, in units of its hypertable';
  end if;
  if _tessera_functions.is_materialized(parent.id, (payload ->> 'lowest')::int8) then
    perform _tessera_functions.log_range(
      parent.id, (payload ->> 'unit')::int8, (payload ->> 'lowest')::int8, (payload ->> 'highest')::int8);
  end if;
  return null;
end
$$;
comment on function _tessera_functions.request_log_range(name, jsonb) is 'logs that rows of a hypertable changed by other means than statements on its tables';

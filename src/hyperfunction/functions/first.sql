-- Transition functions are PL/pgSQL, the fastest language stock PostgreSQL has here: 0.3 us a row for
-- integers and 0.55 for timestamps with an array as state. A (by, value::text) pair takes 0.3 but not every value
-- reads back the same; SQL takes 1.3; (array_agg(value order by by))[1] 0.2, but with all rows in memory and never
-- in parallel.
create function _tessera_functions.first_step(state anyarray, value anynonarray, sort_by anycompatible)
returns anyarray
language plpgsql immutable parallel safe
as $$
declare
  key bigint;
begin
  if sort_by is null then
    return case when state is null then array[value] else state end;
  end if;
  key := _tessera_functions.order_key(sort_by);
  if key < _tessera_functions.bookend_key(state) then
    return _tessera_functions.bookend_state(value, key);
  end if;
  if state is null or pg_catalog.array_ndims(state) = 1 then
    return _tessera_functions.bookend_state(value, key);
  end if;
  return state;
end
$$;
comment on function _tessera_functions.first_step(anyarray, anynonarray, anycompatible) is
  'takes one row into the state of first';

create function _tessera_functions.first_merge(a anyarray, b anyarray)
returns anyarray
language plpgsql immutable strict parallel safe
as $$
begin
  if _tessera_functions.bookend_key(b) < _tessera_functions.bookend_key(a) or pg_catalog.array_ndims(a) = 1 then
    return b;
  end if;
  return a;
end
$$;
comment on function _tessera_functions.first_merge(anyarray, anyarray) is
  'joins two states of first from parallel workers';

create function _tessera_functions.first_step(
  state _tessera_functions.bookend,
  value anyelement,
  sort_by anycompatible
)
returns _tessera_functions.bookend
language plpgsql stable parallel safe
as $$
declare
  held sort_by%type;
begin
  if state.keyed then
    if sort_by is null then
      return state;
    end if;
    held := state.by_text;
    if not sort_by < held then
      return state;
    end if;
  elsif sort_by is null and state.keyed is not null then
    return state;
  elsif sort_by < sort_by then
    -- Never true: a type without the operator fails here, on its first row.
    return null;
  end if;
  if _tessera_functions.is_text_exact() then
    return row(
      sort_by is not null,
      pg_catalog.pg_typeof(sort_by),
      case when sort_by is not null then pg_catalog.format('%s', sort_by) end,
      case when value is distinct from null then pg_catalog.format('%s', value) end
    )::_tessera_functions.bookend;
  end if;
  return row(
    sort_by is not null, pg_catalog.pg_typeof(sort_by), _tessera_functions.exact_text(sort_by), _tessera_functions.exact_text(value)
  )::_tessera_functions.bookend;
end
$$;
comment on function _tessera_functions.first_step(_tessera_functions.bookend, anyelement, anycompatible) is
  'takes one row into the state of first, any types';

create function _tessera_functions.first_merge(a _tessera_functions.bookend, b _tessera_functions.bookend)
returns _tessera_functions.bookend
language plpgsql stable strict parallel safe
as $$
begin
  if b.keyed and (not a.keyed or _tessera_functions.text_precedes(b.by_text, a.by_text, a.by_type)) then
    return b;
  end if;
  return a;
end
$$;
comment on function _tessera_functions.first_merge(_tessera_functions.bookend, _tessera_functions.bookend) is
  'joins two states of first from parallel workers, any types';

create aggregate @extschema@.first(value anynonarray, by smallint) (
  sfunc = _tessera_functions.first_step,
  stype = anyarray,
  finalfunc = _tessera_functions.bookend_value,
  combinefunc = _tessera_functions.first_merge,
  parallel = safe
);
comment on aggregate @extschema@.first(anynonarray, smallint) is
  'value, NULL included, of the row with the smallest by; of equal ones any, without parallel workers the one read first; rows whose by is NULL count only when all are; NULL for no rows';

create aggregate @extschema@.first(value anynonarray, by integer) (
  sfunc = _tessera_functions.first_step,
  stype = anyarray,
  finalfunc = _tessera_functions.bookend_value,
  combinefunc = _tessera_functions.first_merge,
  parallel = safe
);
comment on aggregate @extschema@.first(anynonarray, integer) is
  'value, NULL included, of the row with the smallest by; of equal ones any, without parallel workers the one read first; rows whose by is NULL count only when all are; NULL for no rows';

create aggregate @extschema@.first(value anynonarray, by bigint) (
  sfunc = _tessera_functions.first_step,
  stype = anyarray,
  finalfunc = _tessera_functions.bookend_value,
  combinefunc = _tessera_functions.first_merge,
  parallel = safe
);
comment on aggregate @extschema@.first(anynonarray, bigint) is
  'value, NULL included, of the row with the smallest by; of equal ones any, without parallel workers the one read first; rows whose by is NULL count only when all are; NULL for no rows';

create aggregate @extschema@.first(value anynonarray, by real) (
  sfunc = _tessera_functions.first_step,
  stype = anyarray,
  finalfunc = _tessera_functions.bookend_value,
  combinefunc = _tessera_functions.first_merge,
  parallel = safe
);
comment on aggregate @extschema@.first(anynonarray, real) is
  'value, NULL included, of the row with the smallest by; of equal ones any, without parallel workers the one read first; rows whose by is NULL count only when all are; NULL for no rows';

create aggregate @extschema@.first(value anynonarray, by double precision) (
  sfunc = _tessera_functions.first_step,
  stype = anyarray,
  finalfunc = _tessera_functions.bookend_value,
  combinefunc = _tessera_functions.first_merge,
  parallel = safe
);
comment on aggregate @extschema@.first(anynonarray, double precision) is
  'value, NULL included, of the row with the smallest by; of equal ones any, without parallel workers the one read first; rows whose by is NULL count only when all are; NULL for no rows';

create aggregate @extschema@.first(value anynonarray, by date) (
  sfunc = _tessera_functions.first_step,
  stype = anyarray,
  finalfunc = _tessera_functions.bookend_value,
  combinefunc = _tessera_functions.first_merge,
  parallel = safe
);
comment on aggregate @extschema@.first(anynonarray, date) is
  'value, NULL included, of the row with the smallest by; of equal ones any, without parallel workers the one read first; rows whose by is NULL count only when all are; NULL for no rows';

create aggregate @extschema@.first(value anynonarray, by time) (
  sfunc = _tessera_functions.first_step,
  stype = anyarray,
  finalfunc = _tessera_functions.bookend_value,
  combinefunc = _tessera_functions.first_merge,
  parallel = safe
);
comment on aggregate @extschema@.first(anynonarray, time) is
  'value, NULL included, of the row with the smallest by; of equal ones any, without parallel workers the one read first; rows whose by is NULL count only when all are; NULL for no rows';

create aggregate @extschema@.first(value anynonarray, by timestamp) (
  sfunc = _tessera_functions.first_step,
  stype = anyarray,
  finalfunc = _tessera_functions.bookend_value,
  combinefunc = _tessera_functions.first_merge,
  parallel = safe
);
comment on aggregate @extschema@.first(anynonarray, timestamp) is
  'value, NULL included, of the row with the smallest by; of equal ones any, without parallel workers the one read first; rows whose by is NULL count only when all are; NULL for no rows';

create aggregate @extschema@.first(value anynonarray, by timestamptz) (
  sfunc = _tessera_functions.first_step,
  stype = anyarray,
  finalfunc = _tessera_functions.bookend_value,
  combinefunc = _tessera_functions.first_merge,
  parallel = safe
);
comment on aggregate @extschema@.first(anynonarray, timestamptz) is
  'value, NULL included, of the row with the smallest by; of equal ones any, without parallel workers the one read first; rows whose by is NULL count only when all are; NULL for no rows';

create aggregate @extschema@.first(value anyelement, by anycompatible) (
  sfunc = _tessera_functions.first_step,
  stype = _tessera_functions.bookend,
  finalfunc = _tessera_functions.bookend_value,
  finalfunc_extra,
  combinefunc = _tessera_functions.first_merge,
  parallel = safe
);
comment on aggregate @extschema@.first(anyelement, anycompatible) is
  'value, NULL included, of the row with the smallest by, a type with a < operator (else 42883); of equal ones any, without parallel workers the one read first; rows whose by is NULL count only when all are; NULL for no rows';

create function _tessera_functions.id_lock(kind text) returns int
language sql immutable parallel safe
set search_path to pg_catalog, pg_temp
as $$
  -- 0x5453001A and 0x5453001B
  select case kind when 'hypertable' then 1414725658 when 'chunk' then 1414725659 end
$$;
comment on function _tessera_functions.id_lock(text) is
  'first key of the advisory lock by which a transaction keeps an id it has drawn and not yet recorded';

create function _tessera_functions.draw_id(kind text) returns int
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  candidate int;
  free boolean;
begin
  loop
    -- It begins again when it has come to its end, so that nobody can use it up.
    candidate := nextval(pg_get_serial_sequence('_tessera_catalog.' || kind, 'id'));
    execute format('select not exists (select from _tessera_catalog.%I where id = $1)', kind) into free using candidate;
    if free and coalesce(pg_try_advisory_xact_lock(_tessera_functions.id_lock(kind), candidate), true) then
      return candidate;
    end if;
  end loop;
end
$$;
comment on function _tessera_functions.draw_id(text) is
  'an id for a row of a table of the catalog that no row has; ids of hypertables and chunks are kept for this transaction';

create function _tessera_functions.draw_ids(kind text, count int) returns int[]
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  drawn int[] := '{}';
  more int[];
begin
  while cardinality(drawn) < count loop
    -- As one statement: a hash dimension may want a thousand.
    execute format(
      'select array_agg(n) from (select nextval(%L)::int as n from generate_series(1, $1)) s
       where not exists (select from _tessera_catalog.%I where id = n) and coalesce(pg_try_advisory_xact_lock($2, n), true)',
      pg_get_serial_sequence('_tessera_catalog.' || kind, 'id'), kind)
    into more using count - cardinality(drawn), _tessera_functions.id_lock(kind);
    drawn := drawn || coalesce(more, '{}');
  end loop;
  return drawn;
end
$$;
comment on function _tessera_functions.draw_ids(text, int) is 'several ids, as draw_id() draws them';

create function _tessera_functions.claim_ids(kind text, wanted int[]) returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  drawn int;
  strange int;
begin
  execute format('select last_value from %s', pg_get_serial_sequence('_tessera_catalog.' || kind, 'id')) into drawn;
  -- An id that somebody else has drawn is locked by him until he has recorded it.
  execute format(
    'select w from unnest($1) w
     where exists (select from _tessera_catalog.%I where id = w) or w not between 1 and $2 or not pg_try_advisory_xact_lock($3, w) limit 1', kind)
  into strange using wanted, drawn, _tessera_functions.id_lock(kind);
  if strange is not null then
    raise exception using errcode = '42501', message = format('id %s of a %s was not drawn by this transaction', strange, kind);
  end if;
end
$$;
comment on function _tessera_functions.claim_ids(text, int[]) is
  'raises 42501 unless the ids are free and none that another transaction has drawn';

create function _tessera_functions.claim_id(kind text, wanted int) returns void
language sql
set search_path to pg_catalog, pg_temp
as $$
  select _tessera_functions.claim_ids($1, array[$2])
$$;
comment on function _tessera_functions.claim_id(text, int) is
  'raises 42501 unless the id is free and not one that another transaction has drawn';

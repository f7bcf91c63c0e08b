create function _tessera_functions.gapfill_bounds(start anyelement, finish anyelement)
returns void
language plpgsql immutable
as $$
begin
  if start is null or finish is null then
    raise exception 'start and finish of gapfill cannot be null or left out'
      using errcode = 'invalid_parameter_value',
        hint = 'Give both, for instance start => timestamptz ''2024-01-01'', finish => now(); they are not taken from WHERE.';
  end if;
  if pg_catalog.pg_typeof(start) <> 'bigint'::regtype
    and (start::text in ('infinity', '-infinity') or finish::text in ('infinity', '-infinity')) then
    raise exception 'start and finish of gapfill must be finite' using errcode = 'invalid_parameter_value';
  end if;
end
$$;
comment on function _tessera_functions.gapfill_bounds(anyelement, anyelement) is
  'raises 22023 when a bound of gapfill is NULL or infinite';

create function _tessera_functions.bucket_distance(start anyelement, finish anyelement)
returns numeric
language plpgsql immutable parallel safe
as $$
begin
  if pg_catalog.pg_typeof(start) in ('timestamptz'::regtype, 'timestamp'::regtype) then
    return extract(epoch from finish) - extract(epoch from start);
  end if;
  if pg_catalog.pg_typeof(start) = 'date'::regtype then
    return finish - start;
  end if;
  return finish::numeric - start::numeric;
end
$$;
comment on function _tessera_functions.bucket_distance(anyelement, anyelement) is
  'distance of two bucket starts in seconds, days (date) or units (integers)';

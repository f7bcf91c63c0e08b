create function _tessera_functions.histogram_step(
  counts integer[],
  value double precision,
  min double precision,
  max double precision,
  nbuckets integer
)
returns integer[]
language plpgsql immutable parallel safe
as $$
declare
  slot integer;
begin
  if value is null then
    return counts;
  end if;
  if counts is null or min is null or max is null or min > max
    or nbuckets is distinct from pg_catalog.cardinality(counts) - 2
  then
    perform _tessera_functions.check_histogram(counts, min, max, nbuckets);
    counts := coalesce(counts, pg_catalog.array_fill(0, array[nbuckets + 2]));
  end if;
  slot := pg_catalog.width_bucket(value, min, max, nbuckets) + 1;
  counts[slot] := counts[slot] + 1;
  return counts;
end
$$;
comment on function _tessera_functions.histogram_step(integer[], double precision, double precision, double precision, integer) is
  'takes one value into the counts of histogram';

create function _tessera_functions.check_histogram(
  counts integer[],
  min double precision,
  max double precision,
  nbuckets integer
)
returns void
language plpgsql immutable parallel safe
as $$
begin
  if min is null or max is null or nbuckets is null then
    raise exception 'bounds and number of buckets of a histogram cannot be null'
      using errcode = 'null_value_not_allowed';
  end if;
  if nbuckets < 1 or nbuckets > 1000000 then
    raise exception 'number of buckets of a histogram must be between 1 and 1000000'
      using errcode = 'invalid_parameter_value', detail = pg_catalog.format('The number given is %s.', nbuckets);
  end if;
  if min > max then
    raise exception 'lower bound of a histogram cannot exceed its upper bound'
      using errcode = 'invalid_parameter_value', detail = pg_catalog.format('The bounds given are %s and %s.', min, max);
  end if;
  if nbuckets <> pg_catalog.cardinality(counts) - 2 then
    raise exception 'number of buckets of a histogram cannot change between rows'
      using errcode = 'invalid_parameter_value',
        detail = pg_catalog.format('It was %s and became %s.', pg_catalog.cardinality(counts) - 2, nbuckets);
  end if;
end
$$;
comment on function _tessera_functions.check_histogram(integer[], double precision, double precision, integer) is
  'raises 22004 or 22023 for arguments histogram cannot use';

create function _tessera_functions.histogram_merge(a integer[], b integer[])
returns integer[]
language plpgsql immutable strict parallel safe
as $$
begin
  if pg_catalog.cardinality(a) <> pg_catalog.cardinality(b) then
    perform _tessera_functions.check_histogram(a, 0, 1, pg_catalog.cardinality(b) - 2);
  end if;
  for slot in 1 .. pg_catalog.cardinality(a) loop
    a[slot] := a[slot] + b[slot];
  end loop;
  return a;
end
$$;
comment on function _tessera_functions.histogram_merge(integer[], integer[]) is
  'adds two counts of histogram from parallel workers';

create aggregate @extschema@.histogram(
  value double precision,
  min double precision,
  max double precision,
  nbuckets integer
) (
  sfunc = _tessera_functions.histogram_step,
  stype = integer[],
  combinefunc = _tessera_functions.histogram_merge,
  parallel = safe
);
comment on aggregate @extschema@.histogram(double precision, double precision, double precision, integer) is
  'counts in nbuckets equal buckets between min (inside) and max (outside), with one count before for values below and one after for the rest: nbuckets + 2 elements; NULL values are skipped, NULL for none; errors: 22023 min above max, nbuckets below 1 or changing, 22004 NULL bound, 2201G NaN, or bounds equal or infinite';

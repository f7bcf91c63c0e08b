create function _tessera_functions.ranges_of_request(pairs jsonb) returns int8multirange
language sql immutable
set search_path to pg_catalog, pg_temp
as $$
select coalesce(range_agg(int8range(
  nullif((p ->> 0)::bigint, '-9223372036854775808'::int8), nullif((p ->> 1)::bigint, 9223372036854775807))), '{}')
from jsonb_array_elements(pairs) p
$$;
comment on function _tessera_functions.ranges_of_request(jsonb) is 'pairs of start and end, as text, as half-open ranges; the ends of int8 are open';

create function _tessera_functions.request_cagg_forsake(caller name, payload jsonb) returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  parent _tessera_catalog.hypertable := _tessera_functions.hypertable_of_request(caller, payload);
  cagg int;
  frozen int8multirange;
begin
  select a.mat_hypertable_id into strict cagg from _tessera_catalog.continuous_agg a
  where a.mat_hypertable_id = (payload ->> 'cagg')::int and a.raw_hypertable_id = parent.id;
  with gone as (
    delete from _tessera_catalog.continuous_aggs_frozen f where f.materialization_id = cagg
    returning f.lowest_value, f.greatest_value
  )
  select range_agg(_tessera_functions.change_range(g.lowest_value, g.greatest_value)) into frozen from gone g;
  insert into _tessera_catalog.continuous_aggs_frozen
  select cagg, coalesce(lower(r), '-9223372036854775808'::int8), coalesce(upper(r) - 1, 9223372036854775807)
  from unnest(frozen - _tessera_functions.ranges_of_request(payload -> 'gone')) r;
  perform _tessera_functions.put_changes(cagg, _tessera_functions.ranges_of_request(payload -> 'stale'));
  return null;
end
$$;
comment on function _tessera_functions.request_cagg_forsake(name, jsonb) is
  'for the owner of the raw hypertable: results of rows that are dropped are kept no longer, and what of them nobody deletes at once is stale';

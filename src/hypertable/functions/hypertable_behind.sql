create function _tessera_functions.hypertable_behind(relation regclass) returns regclass
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select coalesce((
    select h.relid from _tessera_catalog.continuous_agg a
    join _tessera_catalog.hypertable h on h.id = a.mat_hypertable_id where a.user_view = relation), relation)
$$;
comment on function _tessera_functions.hypertable_behind(regclass) is
  'the hypertable with the results of a continuous aggregate; any other relation is itself';

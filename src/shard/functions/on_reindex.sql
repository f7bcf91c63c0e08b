create function _tessera_functions.on_reindex() returns event_trigger
language plpgsql
set search_path to pg_catalog, pg_temp
set standard_conforming_strings to on
as $$
declare
  context text;
  typed constant text := (regexp_match(current_query(),
    '^\s*reindex\s*(?:\([^()]*\)\s*)?(?:table|index)\s+(?:concurrently\s+)?((?:"(?:[^"]|"")+"|[\w$]+)(?:\s*\.\s*(?:"(?:[^"]|"")+"|[\w$]+))?)\s*;?\s*$', 'i'))[1];
  target regclass;
begin
  -- What a function runs is not what was sent.
  get diagnostics context = pg_context;
  if typed is null or strpos(context, e'\n') > 0 or not exists (select from _tessera_catalog.pg_dist_partition) then
    return;
  end if;
  select p.logicalrelid into target
  from _tessera_catalog.pg_dist_partition p
  where p.repmodel = 's' and (p.logicalrelid::oid = _tessera_functions.table_called(typed) or exists (
    select from parse_ident(typed) n(parts), pg_index i
    join pg_class c on c.oid = i.indexrelid and c.relkind = 'I'
    where i.indrelid = p.logicalrelid::oid and c.relname = n.parts[cardinality(n.parts)]
      and n.parts[1] in (c.relname, c.relnamespace::regnamespace::name)))
  limit 1;
  if target is not null then
    raise notice 'REINDEX does not reach the shards of distributed table "%"', target
      using hint = format('select tessera.reindex_shards(%L);', target::text);
  end if;
end
$$;
comment on function _tessera_functions.on_reindex() is 'event trigger: says that REINDEX of a distributed table does nothing, and what does it; PostgreSQL fires it from version 17 on';

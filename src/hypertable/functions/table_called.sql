create function _tessera_functions.table_called(typed text) returns oid
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  -- Without a schema it is known only where there is no other table of that name.
  select c.oid
  from parse_ident(typed) p(parts), pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  where c.relname = p.parts[cardinality(p.parts)] and c.relkind in ('r', 'p', 'f')
    and (cardinality(p.parts) = 2 and n.nspname = p.parts[1]
      or not exists (select from pg_class o where o.relname = c.relname and o.relkind in ('r', 'p', 'f') and o.oid <> c.oid))
$$;
comment on function _tessera_functions.table_called(text) is
  'OID of the table that a statement calls so, null when there is none or it may be another; raises 22023 when it is no name';

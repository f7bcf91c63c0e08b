create view tessera_information.keys as
select n.nspname as table_schema, c.relname as table_name, k.name as constraint_name,
  case k.kind when 'p' then 'PRIMARY KEY' when 'u' then 'UNIQUE' when 'x' then 'EXCLUDE' when 'f' then 'FOREIGN KEY' else 'UNIQUE INDEX' end
    as constraint_type,
  k.columns as column_names,
  pg_catalog.replace(k.definition, ' REFERENCES %s(', pg_catalog.format(' REFERENCES %s(', k.referenced)) as definition,
  k.definition !~ ' NOT VALID$' as is_valid
from (
  select d.logicalrelid::oid as relid, d.name, d.kind, d.columns, d.definition, d.referenced from _tessera_catalog.pg_dist_key d
  union all
  select h.relid::oid, d.name, d.kind, d.columns, d.definition, null
  from _tessera_catalog.chunk_key d join _tessera_catalog.hypertable h on h.id = d.hypertable_id
) k
join pg_catalog.pg_class c on c.oid = k.relid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where not exists (
  select from pg_catalog.pg_constraint s
  where s.conrelid = k.relid and s.conname = k.name and s.contype = k.kind);
comment on view tessera_information.keys is
  'keys of distributed tables, which their shards have, and of hypertables with compression, which their chunks have: PostgreSQL''s catalog shows none of these of the table';
grant select on tessera_information.keys to public;

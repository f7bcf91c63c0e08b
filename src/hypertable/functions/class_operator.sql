create function _tessera_functions.class_operator(class oid, strategy integer) returns text
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select format('operator(%I.%s)', n.nspname, o.oprname)
  from pg_opclass c
  join pg_amop m on m.amopfamily = c.opcfamily and m.amoplefttype = c.opcintype and m.amoprighttype = c.opcintype
    and m.amopstrategy = strategy
  join pg_operator o on o.oid = m.amopopr
  join pg_namespace n on n.oid = o.oprnamespace
  where c.oid = class
$$;
comment on function _tessera_functions.class_operator(oid, integer) is
  'the operator of a strategy in an operator class, as it stands between two values: operator(schema.name)';

create function _tessera_functions.key_collation(of_key oid, of_column oid) returns text
language sql stable
set search_path to pg_catalog, pg_temp
as $$
  select coalesce((
    select format(' collate %I.%I', n.nspname, l.collname)
    from pg_collation l join pg_namespace n on n.oid = l.collnamespace
    where l.oid = of_key and of_key <> of_column), '')
$$;
comment on function _tessera_functions.key_collation(oid, oid) is
  'the clause that gives a column the collation of an index; empty where it is that of the column';

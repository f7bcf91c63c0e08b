create function @extschema@.alter_distributed_table(
  table_name regclass,
  distribution_column text default null,
  shard_count integer default null,
  colocate_with text default null,
  cascade_to_colocated boolean default null
) returns void
language plpgsql volatile
as $$
declare
  other pg_catalog.text := colocate_with;
begin
  if other operator(pg_catalog.<>) all (array['default', 'none']) then
    other := other::pg_catalog.regclass::pg_catalog.oid::pg_catalog.text;
  end if;
  perform _tessera_functions.alter_distributed_table(
    table_name::pg_catalog.oid::pg_catalog.int8, distribution_column, shard_count, other, cascade_to_colocated);
end
$$;
comment on function @extschema@.alter_distributed_table(regclass, text, integer, text, boolean) is
'Distributes a distributed table in another way; its rows are written anew.
table_name: the table
distribution_column: another hash key; null to keep it
shard_count: another number of shards; null to keep it
colocate_with: default, none, or a table whose group it joins; null to decide by the rest
cascade_to_colocated: whether the tables of its group get the same number of shards; needed when there are such and shard_count is given
Privileges: owner of the table, and of the others where it cascades
Locks: ACCESS EXCLUSIVE on the table
Errors: 22023 nothing would change, or arguments that exclude each other; 2BP01 foreign keys connect it to other tables';

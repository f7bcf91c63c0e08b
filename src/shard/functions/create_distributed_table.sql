create function @extschema@.create_distributed_table(
  table_name regclass,
  distribution_column text,
  distribution_type _tessera_catalog.distribution_type default 'hash',
  colocate_with text default 'default',
  shard_count integer default null
) returns void
language plpgsql volatile
as $$
declare
  other pg_catalog.text := colocate_with;
begin
  -- A name is looked up as the caller would.
  if other operator(pg_catalog.<>) all (array['default', 'none']) then
    other := other::pg_catalog.regclass::pg_catalog.oid::pg_catalog.text;
  end if;
  perform _tessera_functions.create_distributed_table(
    table_name::pg_catalog.oid::pg_catalog.int8, distribution_column, distribution_type::pg_catalog.text, other, shard_count);
end
$$;
comment on function @extschema@.create_distributed_table(regclass, text, _tessera_catalog.distribution_type, text, integer) is
'Spreads a table over the nodes by the hash of a column; rows it has are moved. Unique constraints must contain the column; they and foreign keys are watched over by the shards. Foreign keys of plain tables to it are set aside until those are distributed.
table_name: the table, which must be owned by the caller; null does nothing
distribution_column: the hash key; null for a table of one shard
distribution_type: hash
colocate_with: default for the group of a table that a foreign key leads to by the distribution columns, or that of tables with the same type of key and number of shards, none for a group of its own, or a table; null does nothing
shard_count: 1 to 64000, default the setting shard_count
Privileges: owner of the table
Locks: ACCESS EXCLUSIVE on the table
Errors: 42P16 it is distributed already or has a foreign key to a local table, 0A000 a constraint that shards cannot keep, 55000 there is no node, 25001 a table it refers to was used in this transaction, 55P03 a shard of the group is being moved';

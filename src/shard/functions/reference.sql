create function _tessera_functions.capture_reference() returns trigger
language plpgsql security definer
set search_path to pg_catalog, pg_temp
set datestyle to 'ISO, MDY'
set intervalstyle to 'postgres'
set extra_float_digits to 3
set lc_monetary to 'C'
set bytea_output to 'hex'
set xmloption to 'content'
as $$
begin
  -- Anybody may put this trigger on a table of his own, and nothing comes of it.
  if not exists (select from _tessera_catalog.pg_dist_partition p where p.logicalrelid = tg_relid and p.repmodel = 't') then
    return null;
  end if;
  -- x.* and not x: a column may have the name of the alias. By format(), which asks the type for its text: for ::text
  -- the owner of the table could have made a cast, which would run with our rights.
  if tg_level = 'ROW' then
    insert into _tessera_catalog.reference_change (relid, kind, old_row, new_row) values (tg_relid, 'u', format('%s', old), format('%s', new));
  elsif tg_op = 'INSERT' then
    insert into _tessera_catalog.reference_change (relid, kind, new_row) select tg_relid, 'i', format('%s', n.*) from new_rows n;
  elsif tg_op = 'DELETE' then
    insert into _tessera_catalog.reference_change (relid, kind, old_row) select tg_relid, 'd', format('%s', o.*) from old_rows o;
  else
    insert into _tessera_catalog.reference_change (relid, kind) values (tg_relid, 't');
  end if;
  -- One mark for the transaction: when it commits, the copies on the nodes are written, whatever has been said about all
  -- constraints.
  set constraints _tessera_catalog.prepare_remotely deferred;
  insert into _tessera_catalog.remote_command (nodeid, server, command)
  select 0, '', 'reference'
  where not exists (
    select from _tessera_catalog.remote_command c where c.transaction_id = pg_current_xact_id() and c.nodeid = 0);
  return null;
end
$$;
comment on function _tessera_functions.capture_reference() is
  'trigger of reference tables: notes what was done, for the copies on the nodes';

create function _tessera_functions.await_references() returns trigger
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  -- Free unless somebody is committing a change of a reference table: then its copies are not all up to date.
  perform pg_advisory_lock_shared(1414725649, 0);
  perform pg_advisory_unlock_shared(1414725649, 0);
  return null;
end
$$;
comment on function _tessera_functions.await_references() is
  'trigger of tables with foreign keys to reference tables: waits for the end of a commit that changes those';

create function @extschema@.create_reference_table(table_name regclass) returns void
language sql volatile strict
set search_path to pg_catalog, pg_temp
as $$select _tessera_functions.create_reference_table($1::oid::int8)$$;
comment on function @extschema@.create_reference_table(regclass) is
'Puts a copy of a table on every node, kept identical with two-phase commit; foreign keys of distributed tables can point at it. It is read on the coordinator like any table.
table_name: the table, which must be owned by the caller; null does nothing
Privileges: owner of the table
Locks: SHARE ROW EXCLUSIVE on the table
Errors: 42P16 it is distributed already or has a foreign key to a local table, 0A000 a foreign key to a distributed table';

create function @extschema@.replicate_reference_tables(
  shard_transfer_mode _tessera_catalog.shard_transfer_mode default 'auto'
) returns void
language sql volatile
set search_path to pg_catalog, pg_temp
as $$select _tessera_functions.request_result('shard.replicate_references', '{}')$$;
comment on function @extschema@.replicate_reference_tables(_tessera_catalog.shard_transfer_mode) is
'Copies reference tables to all active nodes that lack them. Writers of reference tables wait meanwhile, in every mode.
shard_transfer_mode: for old callers
Privileges: members of the role that owns the extension';

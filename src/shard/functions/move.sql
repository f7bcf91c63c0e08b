create function @extschema@.citus_move_shard_placement(
  shard_id bigint,
  source_node_id integer,
  target_node_id integer,
  transfer_mode _tessera_catalog.shard_transfer_mode default 'auto'
) returns void
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  select _tessera_functions.request_result('shard.move',
    jsonb_build_object('shard', $1::text, 'source', $2, 'target', $3, 'mode', $4))
$$;
comment on function @extschema@.citus_move_shard_placement(bigint, integer, integer, _tessera_catalog.shard_transfer_mode) is
'Moves a shard, and those of colocated tables that belong with it, from one node to another.
shard_id: one of the shards
source_node_id, target_node_id: nodes
transfer_mode: auto and force_logical let writers go on until the last moment, auto refuses tables whose rows could not be updated meanwhile; block_writes keeps writers of the tables waiting, and needs neither a primary key nor wal_level = logical
Privileges: owner of all tables of the group
Locks: ACCESS EXCLUSIVE on the tables for the moment of the switch, short and tried again while statements that read for long hold it up; EXCLUSIVE from the start with block_writes
Errors: 22023 same node or already there, 22000 not on the source, 0A000 no replica identity or unfit target, 25001 this transaction has changed the tables, 55000 wal_level of the source or a missing copy of a reference table, 55P03 another move of the shard, or a change of the tables, is under way';

create function @extschema@.citus_move_shard_placement(
  shard_id bigint,
  source_node_name text,
  source_node_port integer,
  target_node_name text,
  target_node_port integer,
  shard_transfer_mode _tessera_catalog.shard_transfer_mode default 'auto'
) returns void
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  select _tessera_functions.request_result('shard.move',
    jsonb_build_object('shard', $1::text, 'sourceName', $2, 'sourcePort', $3, 'targetName', $4, 'targetPort', $5, 'mode', $6,
      'source', null, 'target', null))
$$;
comment on function @extschema@.citus_move_shard_placement(bigint, text, integer, text, integer, _tessera_catalog.shard_transfer_mode) is
'As the other form, with the addresses of the nodes.
shard_id: one of the shards
source_node_name, source_node_port, target_node_name, target_node_port: the nodes
shard_transfer_mode: as there
Privileges: owner of all tables of the group';

create function @extschema@.citus_copy_shard_placement(
  shard_id bigint,
  source_node_id integer,
  target_node_id integer,
  transfer_mode _tessera_catalog.shard_transfer_mode default 'auto'
) returns void
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  select _tessera_functions.request_result('shard.copy',
    jsonb_build_object('shard', $1::text, 'source', $2, 'target', $3, 'mode', $4))
$$;
comment on function @extschema@.citus_copy_shard_placement(bigint, integer, integer, _tessera_catalog.shard_transfer_mode) is
'Copies a reference table, and all others with it, to a node that lacks them. Shards of distributed tables have one placement and can only be moved.
shard_id: shard of a reference table
source_node_id: a node that has it
target_node_id: the node
transfer_mode: for old callers; writers of reference tables wait in every mode
Privileges: members of the role that owns the extension
Errors: 0A000 a shard of a distributed table or an inactive node, 22000 the source has no copy';

create function @extschema@.citus_copy_shard_placement(
  shard_id bigint,
  source_node_name text,
  source_node_port integer,
  target_node_name text,
  target_node_port integer,
  transfer_mode _tessera_catalog.shard_transfer_mode default 'auto'
) returns void
language sql volatile
set search_path to pg_catalog, pg_temp
as $$
  select _tessera_functions.request_result('shard.copy',
    jsonb_build_object('shard', $1::text, 'sourceName', $2, 'sourcePort', $3, 'targetName', $4, 'targetPort', $5, 'mode', $6,
      'source', null, 'target', null))
$$;
comment on function @extschema@.citus_copy_shard_placement(bigint, text, integer, text, integer, _tessera_catalog.shard_transfer_mode) is
'As the other form, with the addresses of the nodes.
shard_id: shard of a reference table
source_node_name, source_node_port, target_node_name, target_node_port: the nodes
transfer_mode: as there
Privileges: members of the role that owns the extension';

create type _tessera_catalog.noderole as enum ('primary', 'secondary', 'unavailable');
create type _tessera_catalog.distribution_type as enum ('hash', 'range', 'append');
create type _tessera_catalog.shard_transfer_mode as enum ('auto', 'force_logical', 'block_writes');

create sequence _tessera_catalog.pg_dist_groupid_seq as int;
create table _tessera_catalog.pg_dist_node (
  nodeid serial primary key,
  groupid int not null default nextval('_tessera_catalog.pg_dist_groupid_seq'),
  nodename text not null,
  nodeport int not null default 5432,
  noderack text not null default 'default',
  hasmetadata boolean not null default false,
  isactive boolean not null default true,
  noderole _tessera_catalog.noderole not null default 'primary',
  nodecluster name not null default 'default',
  metadatasynced boolean default false,
  shouldhaveshards boolean not null default true,
  nodeisclone boolean not null default false,
  nodeprimarynodeid int not null default 0,
  unique (nodename, nodeport),
  constraint primaries_are_only_allowed_in_the_default_cluster check (nodecluster = 'default' or noderole <> 'primary')
);
create unique index pg_dist_node_one_primary_idx on _tessera_catalog.pg_dist_node (groupid) where noderole = 'primary';
comment on table _tessera_catalog.pg_dist_node is 'nodes of the cluster; placements point at their groups. Group 0 is the coordinator';
comment on column _tessera_catalog.pg_dist_node.hasmetadata is 'always false: only the coordinator has metadata';

create table _tessera_catalog.pg_dist_authinfo (
  nodeid int not null,
  authinfo text not null,
  primary key (nodeid)
);
comment on table _tessera_catalog.pg_dist_authinfo is
  'libpq options, passwords among them, with which the owner of the extension connects to a node; node 0 means all others';

create table _tessera_catalog.pg_dist_origin (
  only_row boolean primary key default true check (only_row),
  origin text not null
);
comment on table _tessera_catalog.pg_dist_origin is
  'the server and database that this catalog of nodes belongs to: a copy of the database must not manage them';

create table _tessera_catalog.pg_dist_colocation (
  colocationid serial primary key,
  shardcount int not null check (shardcount between 1 and 64000),
  replicationfactor int not null,
  distributioncolumntype regtype,
  distributioncolumncollation regcollation,
  explicit boolean not null default false
);
create index pg_dist_colocation_configuration_index on _tessera_catalog.pg_dist_colocation
  (distributioncolumntype, shardcount, replicationfactor, distributioncolumncollation);
comment on table _tessera_catalog.pg_dist_colocation is
  'groups of tables whose shards of the same index are on the same node; replication factor -1 is the group of reference tables';
comment on column _tessera_catalog.pg_dist_colocation.explicit is
  'made for one table with colocate_with = none: never chosen by default';

create table _tessera_catalog.pg_dist_partition (
  logicalrelid regclass primary key,
  partmethod "char" not null check (partmethod in ('h', 'n')),
  partkey name,
  colocationid int not null references _tessera_catalog.pg_dist_colocation (colocationid),
  repmodel "char" not null check (repmodel in ('s', 't')),
  autoconverted boolean not null default false,
  owner regrole not null,
  definition jsonb not null
);
create index pg_dist_partition_colocationid_idx on _tessera_catalog.pg_dist_partition (colocationid);
comment on table _tessera_catalog.pg_dist_partition is
  'distributed tables (repmodel s) and reference tables (t); partmethod h has a hash key, n has none';
comment on column _tessera_catalog.pg_dist_partition.owner is 'whose shards they are: each owner has a login of his own on the nodes';
comment on column _tessera_catalog.pg_dist_partition.definition is 'what the shards look like on the nodes';

create sequence _tessera_catalog.pg_dist_shardid_seq start 102008;
create table _tessera_catalog.pg_dist_shard (
  logicalrelid regclass not null references _tessera_catalog.pg_dist_partition (logicalrelid) on delete cascade,
  shardid bigint primary key default nextval('_tessera_catalog.pg_dist_shardid_seq'),
  shardstorage "char" not null default 't',
  shardminvalue text,
  shardmaxvalue text,
  modulus int,
  remainder int,
  shard_schema name not null,
  shard_name name not null,
  local_relid regclass
);
create index pg_dist_shard_logicalrelid_index on _tessera_catalog.pg_dist_shard (logicalrelid);
comment on table _tessera_catalog.pg_dist_shard is
  'shards of distributed and reference tables: table shard_schema.shard_name on each node that has a placement';
comment on column _tessera_catalog.pg_dist_shard.shardminvalue is
  'always null: shards are hash partitions of PostgreSQL, which divide by modulus and remainder and not by ranges';
comment on column _tessera_catalog.pg_dist_shard.local_relid is 'foreign table through which the coordinator reaches the shard';

create table _tessera_catalog.pg_dist_placement (
  placementid bigserial primary key,
  shardid bigint not null references _tessera_catalog.pg_dist_shard (shardid) on delete cascade,
  shardstate int not null default 1,
  shardlength bigint not null default 0,
  groupid int not null,
  unique (shardid, groupid)
);
create index pg_dist_placement_groupid_index on _tessera_catalog.pg_dist_placement (groupid);
comment on table _tessera_catalog.pg_dist_placement is 'which groups of nodes have a copy of which shard';

create table _tessera_catalog.pg_dist_key (
  logicalrelid regclass not null references _tessera_catalog.pg_dist_partition (logicalrelid) on delete cascade,
  name name not null,
  kind "char" not null check (kind in ('p', 'u', 'x', 'f', 'i')),
  definition text not null,
  columns name[] not null,
  referenced regclass,
  referenced_columns name[] not null default '{}',
  on_update "char",
  on_delete "char",
  comment text,
  primary key (logicalrelid, name)
);
comment on table _tessera_catalog.pg_dist_key is
  'keys that every shard has for itself because the table cannot: p primary key, u unique, x exclusion, f foreign key, i unique index';
comment on column _tessera_catalog.pg_dist_key.definition is 'what follows ADD CONSTRAINT <name>; %s stands for the referenced shard';

create sequence _tessera_catalog.pg_dist_operationid_seq;
create table _tessera_catalog.pg_dist_cleanup (
  record_id bigserial primary key,
  operation_id bigint not null,
  object_type int not null check (object_type between 1 and 6),
  object_name text not null,
  node_group_id int not null,
  policy_type int not null check (policy_type between 0 and 2),
  message text not null default ''
);
create index pg_dist_cleanup_operation_id_idx on _tessera_catalog.pg_dist_cleanup (operation_id);
comment on table _tessera_catalog.pg_dist_cleanup is
  'objects on nodes that have to go: 1 shard, 2 subscription, 3 replication slot, 4 publication, 5 role, 6 database; policy 0 always, 1 on failure, 2 deferred on success';
comment on column _tessera_catalog.pg_dist_cleanup.message is 'why the last attempt to drop it failed';

create table _tessera_catalog.removed_node (
  groupid int primary key,
  nodename text not null,
  nodeport int not null,
  removed_at timestamptz not null default clock_timestamp()
);
comment on table _tessera_catalog.removed_node is
  'nodes that did not answer when they were removed, and have objects of ours, which are in pg_dist_cleanup under this group';

create table _tessera_catalog.remote_txn (
  remote_transaction_id text primary key check (remote_transaction_id ~ '^tessera-1-[0-9a-f]+-\d+-\d+(-\d+)?$'),
  nodeid int not null,
  server name not null
);
create index remote_txn_nodeid_idx on _tessera_catalog.remote_txn (nodeid);
comment on table _tessera_catalog.remote_txn is
  'prepared transactions on nodes that must be committed: the row is committed with the transaction they belong to';

create table _tessera_catalog.remote_command (
  command_id bigserial primary key,
  transaction_id xid8 not null default pg_current_xact_id(),
  nodeid int not null,
  server name not null,
  command text not null,
  relid oid,
  rewrites boolean not null default false
);
create index remote_command_transaction_id_idx on _tessera_catalog.remote_command (transaction_id);
comment on table _tessera_catalog.remote_command is
  'what the transaction under way has to do on nodes when it commits; empty but for open transactions';
comment on column _tessera_catalog.remote_command.relid is 'distributed table whose shards are changed';
comment on column _tessera_catalog.remote_command.rewrites is 'older snapshots do not see the rows of its shards afterwards';

create table _tessera_catalog.reference_change (
  change_id bigserial primary key,
  transaction_id xid8 not null default pg_current_xact_id(),
  relid oid not null,
  kind "char" not null check (kind in ('i', 'u', 'd', 't')),
  old_row text,
  new_row text
);
create index reference_change_transaction_id_idx on _tessera_catalog.reference_change (transaction_id, change_id);
comment on table _tessera_catalog.reference_change is
  'what the transaction under way has done to reference tables, for their copies on nodes; empty but for open transactions';

create table _tessera_catalog.shard_transfer (
  operation_id bigint not null,
  pid int not null,
  operation_type text not null,
  table_name regclass not null,
  shardid bigint not null,
  source_nodeid int not null,
  target_nodeid int not null,
  status text not null,
  source_size bigint not null default 0,
  started_at timestamptz not null default clock_timestamp(),
  subscription name,
  slot name,
  primary key (operation_id, shardid)
);
comment on table _tessera_catalog.shard_transfer is 'moves and copies of shards under way, written outside their transactions';

create table _tessera_catalog.pg_dist_rebalance_strategy (
  name name primary key,
  default_strategy boolean not null default false,
  shard_cost_function regproc not null,
  node_capacity_function regproc not null,
  shard_allowed_on_node_function regproc not null,
  default_threshold float4 not null,
  minimum_threshold float4 not null default 0,
  improvement_threshold float4 not null default 0
);
comment on table _tessera_catalog.pg_dist_rebalance_strategy is 'how the rebalancer weighs shards and nodes';

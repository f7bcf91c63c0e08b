-- The catalog by the names and with the columns that it has in Citus.
create view @extschema@.pg_dist_node as
select nodeid, groupid, nodename, nodeport, noderack, hasmetadata, isactive, noderole, nodecluster, metadatasynced, shouldhaveshards,
  nodeisclone, nodeprimarynodeid
from _tessera_catalog.pg_dist_node;
comment on view @extschema@.pg_dist_node is 'nodes; group 0 is the coordinator';
grant select on @extschema@.pg_dist_node to public;

create view @extschema@.pg_dist_partition as
select logicalrelid, partmethod, partkey::text as partkey, colocationid, repmodel, autoconverted from _tessera_catalog.pg_dist_partition;
comment on view @extschema@.pg_dist_partition is
  'distributed and reference tables; partkey is the name of the distribution column, null for a table of one shard and for reference tables';
grant select on @extschema@.pg_dist_partition to public;

create view @extschema@.pg_dist_shard as
select logicalrelid, shardid, shardstorage, shardminvalue, shardmaxvalue from _tessera_catalog.pg_dist_shard;
comment on view @extschema@.pg_dist_shard is 'shards; shardminvalue and shardmaxvalue are null, since shards are hash partitions and no ranges';
grant select on @extschema@.pg_dist_shard to public;

create view @extschema@.pg_dist_placement as
select placementid, shardid, shardstate, shardlength, groupid from _tessera_catalog.pg_dist_placement;
comment on view @extschema@.pg_dist_placement is 'which groups of nodes have a copy of which shard';
grant select on @extschema@.pg_dist_placement to public;

create view @extschema@.pg_dist_colocation as
select colocationid, shardcount, replicationfactor, distributioncolumntype::oid as distributioncolumntype,
  coalesce(distributioncolumncollation::oid, 0::oid) as distributioncolumncollation
from _tessera_catalog.pg_dist_colocation;
comment on view @extschema@.pg_dist_colocation is 'groups of colocated tables';
grant select on @extschema@.pg_dist_colocation to public;

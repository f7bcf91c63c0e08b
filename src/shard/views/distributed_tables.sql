create view @extschema@.citus_tables as
select t.logicalrelid as table_name,
  case when t.repmodel = 't' then 'reference' else 'distributed' end as citus_table_type,
  coalesce(t.partkey::text, '<none>') as distribution_column,
  t.colocationid as colocation_id,
  pg_catalog.pg_size_pretty(_tessera_functions.distributed_size(t.logicalrelid, 'total')) as table_size,
  (select pg_catalog.count(*) from _tessera_catalog.pg_dist_shard s where s.logicalrelid = t.logicalrelid) as shard_count,
  pg_catalog.pg_get_userbyid(c.relowner) as table_owner,
  'heap'::name as access_method
from _tessera_catalog.pg_dist_partition t
join pg_catalog.pg_class c on c.oid = t.logicalrelid
order by t.logicalrelid::text;
comment on view @extschema@.citus_tables is 'distributed and reference tables; table_size is asked from the nodes';
grant select on @extschema@.citus_tables to public;

create view @extschema@.citus_shards as
select s.logicalrelid as table_name, s.shardid, pg_catalog.format('%I.%I', s.shard_schema, s.shard_name) as shard_name,
  case when t.repmodel = 't' then 'reference' else 'distributed' end as citus_table_type,
  t.colocationid as colocation_id, n.nodename, n.nodeport, coalesce(z.total, 0) as shard_size
from _tessera_catalog.pg_dist_shard s
join _tessera_catalog.pg_dist_partition t on t.logicalrelid = s.logicalrelid
join _tessera_catalog.pg_dist_placement p on p.shardid = s.shardid
join _tessera_catalog.pg_dist_node n on n.groupid = p.groupid
left join _tessera_functions.visible_shard_sizes() z on z.shardid = p.shardid and z.groupid = p.groupid
order by s.logicalrelid::text, s.shardid;
comment on view @extschema@.citus_shards is 'every placement of every shard, with its size as its node says';
grant select on @extschema@.citus_shards to public;

create view @extschema@.pg_dist_shard_placement as
select p.shardid, p.shardstate, p.shardlength, n.nodename, n.nodeport, p.placementid
from _tessera_catalog.pg_dist_placement p
join _tessera_catalog.pg_dist_node n on n.groupid = p.groupid and n.noderole = 'primary';
comment on view @extschema@.pg_dist_shard_placement is 'placements with the addresses of their nodes';
grant select on @extschema@.pg_dist_shard_placement to public;

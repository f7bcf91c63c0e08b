create view @extschema@.citus_nodes as
select nodename, nodeport, case groupid when 0 then 'coordinator' else 'worker' end as role, isactive as active
from _tessera_catalog.pg_dist_node;
comment on view @extschema@.citus_nodes is 'the nodes of the cluster';
grant select on @extschema@.citus_nodes to public;

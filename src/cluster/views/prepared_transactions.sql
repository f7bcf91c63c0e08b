create view tessera_information.prepared_transactions as
select t.remote_transaction_id, n.nodename, n.nodeport, 'commit'::text as decision
from _tessera_catalog.remote_txn t
join _tessera_catalog.pg_dist_node n on n.nodeid = t.nodeid;
comment on view tessera_information.prepared_transactions is
  'decisions to commit that may not yet have been carried out on their nodes; a prepared transaction without one is rolled back';
grant select on tessera_information.prepared_transactions to public;

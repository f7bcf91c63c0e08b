create view _tessera_functions.own_changes as
select l.hypertable_id, l.modification_time, l.lowest_modified_value, l.greatest_modified_value
from _tessera_catalog.continuous_aggs_hypertable_invalidation_log l
where l.lowest_modified_value <= l.greatest_modified_value and exists (
  select from _tessera_catalog.hypertable h
  where h.id = l.hypertable_id
    and (pg_catalog.has_any_column_privilege(h.relid, 'insert, update') or pg_catalog.has_table_privilege(h.relid, 'delete')))
with check option;
comment on view _tessera_functions.own_changes is
'By which whoever changes rows of a hypertable logs that. PostgreSQL asks the condition of the role that inserts, in whose name no function of the
owner of the extension could ask: who may not write to a hypertable makes nothing of it stale. Who may can do so by writing as well';
grant insert on _tessera_functions.own_changes to public;

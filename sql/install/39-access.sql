-- How a function that runs as its caller has the catalog written: it inserts a request here, by send_request(). The first trigger runs as
-- the caller and notes who that is, which nobody can forge; the second runs as the owner of the extension, checks
-- that the caller owns the hypertable, and does the work.
create view _tessera_catalog.request as
  select null::name as caller, null::text as operation, null::jsonb as payload, null::jsonb as result;
comment on view _tessera_catalog.request is 'entrance for catalog changes on behalf of the owner of a hypertable';

-- pg_dump reads every table while it looks for inheritance, and the values of sequences, so everybody may read all of them but
-- those whose content is nobody's business. Numbers are drawn by functions of the owner of the extension alone.
grant select on all tables in schema _tessera_catalog to public;
grant select on all sequences in schema _tessera_catalog to public;
grant insert on _tessera_catalog.request to public;
revoke select on _tessera_catalog.loopback, _tessera_catalog.bgw_job_stat_history,
  _tessera_catalog.telemetry_report, _tessera_catalog.pg_dist_authinfo, _tessera_catalog.remote_command,
  _tessera_catalog.reference_change from public;

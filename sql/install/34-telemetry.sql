create table _tessera_catalog.telemetry_report (
  id bigint generated always as identity primary key,
  created_at timestamptz not null default pg_catalog.now(),
  report jsonb not null,
  delivered_at timestamptz,
  delivery_error text
);
comment on table _tessera_catalog.telemetry_report is
  'reports that job 1 stored in this database, the last thirty of them; nothing leaves it unless the command tessera deliver-telemetry is run and telemetry_endpoint is set';

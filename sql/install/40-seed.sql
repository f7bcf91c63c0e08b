insert into _tessera_catalog.metadata (key, value, include_in_telemetry)
values
  ('uuid', pg_catalog.gen_random_uuid()::text, true),
  ('install_timestamp', pg_catalog.now()::text, true)
on conflict do nothing;

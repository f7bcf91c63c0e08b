-- As JSON writes it, since the text of a timestamp depends on DateStyle.
insert into _tessera_catalog.metadata (key, value, include_in_telemetry)
values
  ('uuid', pg_catalog.gen_random_uuid()::text, true),
  ('install_timestamp', pg_catalog.to_json(pg_catalog.now()) #>> '{}', true)
on conflict do nothing;

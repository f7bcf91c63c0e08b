-- Stands behind the functions because version() is one of them; an update changes the row.
insert into _tessera_catalog.metadata (key, value, include_in_telemetry)
values ('tessera_version', _tessera_functions.version(), true);

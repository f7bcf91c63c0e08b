create table _tessera_catalog.setting (
  name name primary key,
  value text not null
);
comment on table _tessera_catalog.setting is
  'settings of this database that differ from their defaults; tessera.settings() lists all, tessera.set_setting() changes one';

create table _tessera_catalog.loopback (
  only_row boolean primary key default true check (only_row),
  conninfo text not null
);
comment on table _tessera_catalog.loopback is
  'how the server reaches itself over libpq, where a local socket without a password does not do; may hold a password';

#!/bin/sh
# Makes the data directory when there is none and runs the server in the foreground, as the user postgres.
set -eu
bin=$(echo /usr/lib/postgresql/*/bin) # the image has one version
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  "$bin/initdb" -D "$PGDATA" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >&2
  # Tests reach a container over its network; it is theirs alone.
  echo 'host all all all trust' >> "$PGDATA/pg_hba.conf"
  cat "${TESSERA_CONF:-/etc/tessera.conf}" >> "$PGDATA/postgresql.conf"
  echo "listen_addresses = '*'" >> "$PGDATA/postgresql.conf"
  echo "unix_socket_directories = '/tmp'" >> "$PGDATA/postgresql.conf"
fi
exec "$bin/postgres" -D "$PGDATA" "$@"

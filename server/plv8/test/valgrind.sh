#!/usr/bin/env bash
# Runs a single-user backend of the embedded server's root under memcheck over a script that uses every part of the handler,
# and fails on an error whose stack touches plv8.so. V8 makes code at run time, hence --smc-check=all-non-file.
set -euo pipefail
project=$(cd "$(dirname "$0")/../../.." && pwd)
root=$project/.pg/root
[ "${PG_MAJOR:-17}" = 17 ] || root=$project/.pg/$PG_MAJOR/root
[ -d "$root/usr" ] || { echo "run make up first" >&2; exit 1; }
[ -x "$root/usr/bin/valgrind" ] || chroot "$root" sh -c 'apt-get update -qq && apt-get install -y -qq valgrind' >/dev/null
bin=$(echo "$root"/usr/lib/postgresql/*/bin)
bin=${bin#"$root"}
data=/var/lib/tessera/valgrind
as_postgres() { chroot --userspec=postgres:postgres "$root" env LC_ALL=C.UTF-8 "$@"; }
# valgrind reads /proc; a private mount namespace leaves nothing behind.
if [ "${1-}" != inside ]; then exec unshare --mount "$0" inside; fi
mount -t proc proc "$root/proc"
rm -rf "${root:?}$data"
as_postgres $bin/initdb -D $data -U postgres --no-sync >/dev/null
cp "$(dirname "$0")/valgrind.sql" "$root/tmp/valgrind.sql"
as_postgres sh -c "valgrind --quiet --smc-check=all-non-file --error-limit=no --num-callers=30 --log-file=$data/valgrind.log \
  $bin/postgres --single -j -D $data -c max_stack_depth=1MB postgres < /tmp/valgrind.sql" > "$root$data/out.log" 2>&1 || true
grep -q 'everything ran' "$root$data/out.log" || { tail -20 "$root$data/out.log"; echo "the script did not run to its end" >&2; exit 1; }
# Blocks of the log with a frame of ours: named by its source file, as plv8.so has debug information, else by the library.
ours='plv8\\.so|\\((handler|context|convert|jsonb|spi|error)\\.cc:'
awk -v RS='==[0-9]+== \n' -v ours="$ours" '$0 ~ ours' "$root$data/valgrind.log" > "$root$data/ours.log"
echo "memcheck: $(grep -cE '\b(at|by) 0x.*(plv8\.so|(handler|context|convert|jsonb|spi|error)\.cc:)' "$root$data/ours.log" || true) frames of plv8.so in $(wc -l < "$root$data/valgrind.log") lines of log"
if [ -s "$root$data/ours.log" ]; then head -60 "$root$data/ours.log"; exit 1; fi

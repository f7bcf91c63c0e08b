# tessera: make demo shows it, make test proves it. See README.md.
# PG_MAJOR=15|17|18 chooses the servers that up, psql, test, demo and bench bring along; 17 unless it is given.
PG_CONFIG ?= pg_config
WORKERS ?= 0
STANDBYS ?= 0
# managed: servers as a managed service hands them over, to an administrator who is no superuser.
PROFILE ?=
T ?=
ARGS ?=
SHELL := /bin/bash
export PROFILE

.PHONY: build check test demo psql schema bench up down install install-plv8 clean docs

node_modules: package.json package-lock.json
	npm ci --no-audit --no-fund
	@touch node_modules

build: node_modules
	@npx tsx build/main.ts

check: node_modules
	npx tsc --noEmit
	npx biome ci --diagnostic-level=error
	npx tsx build/checks/main.ts

# Brings up a server, runs everything, and ends with a line "N passed, N failed". ALSO_ON="15 18" runs what depends on the
# version on those, too.
test: build
	@npx tsx test/run.ts $(T)

demo: build
	@npx tsx demo/main.ts

bench: build
	@npx tsx bench/main.ts

up: build
	@npx tsx server/main.ts up --workers=$(WORKERS) --standbys=$(STANDBYS)

down: node_modules
	@npx tsx server/main.ts down

psql: node_modules
	@npx tsx server/main.ts psql $(ARGS)

# Dump of a fresh install, to be reviewed as a diff. Other versions print views in another way.
schema: build
	@PG_MAJOR= npx tsx test/schema.ts

docs: node_modules
	@npx tsx build/reference-docs.ts

# Puts the extension where CREATE EXTENSION finds it.
install: build
	@test -n "$$($(PG_CONFIG) --sharedir 2>/dev/null)" || \
	  { echo "$(PG_CONFIG) is not there or gives no --sharedir: make install PG_CONFIG=/path/to/pg_config" >&2; exit 1; }
	install -d "$(DESTDIR)$$($(PG_CONFIG) --sharedir)/extension"
	install -m 644 dist/tessera.control dist/tessera--*.sql "$(DESTDIR)$$($(PG_CONFIG) --sharedir)/extension/"

# The language, for servers without plv8; needs libnode-dev and the server's development package.
install-plv8:
	$(MAKE) -C server/plv8 PG_CONFIG=$(PG_CONFIG)
	$(MAKE) -C server/plv8 install PG_CONFIG=$(PG_CONFIG)

clean: down
	rm -rf dist .pg

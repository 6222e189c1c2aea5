# The commands of this project. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help setup tools run demo cluster-demo test test-fast test-redis test-machines test-stores check clients wheels licences sbom release-files bench bench-sockets bench-reindex bench-takeover bench-uploads screenshots

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## create .venv with everything that Semantik needs; quick if nothing has changed
	@bin/setup

tools:
	@bin/setup --tests

run: setup ## start the server on the folder data/, at http://127.0.0.1:8080
	@exec bin/semantik-server --config conf/semantik.toml

demo: setup ## index a folder with live progress and search it: make demo [FOLDER=/some/folder]
	@exec bin/semantik-demo $${FOLDER:+"$$FOLDER"}

cluster-demo: tools ## the same on several machines, each a process of this one: make cluster-demo [ARGS=--serve]
	@PYTHONPATH=tests .venv/bin/python -m support.cluster_demo $(ARGS) $${FOLDER:+"$$FOLDER"}

# Compiled modules are stored: hundreds of processes of the tests import the same ones.
unexport PYTHONDONTWRITEBYTECODE

# Three workers a core: most tests wait for something most of the time.
PARALLEL = -n $(shell echo $$(( 3 * $$(nproc) ))) --dist loadgroup

test: tools ## run all tests: make test [ARGS="-k search"]
	@.venv/bin/python -m pytest $(PARALLEL) $(ARGS)

test-fast: tools ## run the tests that need no server, no browser and no model
	@.venv/bin/python -m pytest $(PARALLEL) -m "not server and not model" $(ARGS)

test-redis: tools ## run the tests that need Redis on the redis-server of this machine
	@PYTHONPATH=tests .venv/bin/python -m support.on_redis $(PARALLEL) $(ARGS)

test-machines: tools ## try every fault on every machine of a cluster in network namespaces; takes more than an hour, and root
	@SEMANTIK_TEST_ALL_FAULTS=1 .venv/bin/python -m pytest tests/cluster $(ARGS)

test-stores: tools ## run the tests of the stores over TCP, on SecantusDB and redis-server with TLS and passwords; many minutes
	@PYTHONPATH=tests .venv/bin/python -m support.on_stores $(PARALLEL) $(ARGS)

check: tools ## format, lint, types, import contracts, known vulnerabilities of packages
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@PYTHONPATH=tests .venv/bin/python -m support.package_audit

clients: tools ## write the generated parts of the clients again, after a change of docs/openapi.yaml
	@.venv/bin/python -m clients.generate
	@clients/javascript/node_modules/.bin/openapi-typescript docs/openapi.yaml --default-non-nullable=false -o clients/javascript/schema.d.ts >/dev/null

wheels: tools ## ask the package index which packages have no wheel for x86-64 or aarch64
	@PYTHONPATH=tests .venv/bin/python -m support.package_wheels

licences: setup ## list the packages that Semantik runs with, and their licences
	@.venv/bin/python -P -m semantik components --licences

sbom: setup ## print a software bill of materials (CycloneDX)
	@.venv/bin/python -P -m semantik components --sbom

RELEASE = build/release
release-files: setup ## write what a release has beside it: hashes of all packages, bill of materials, licences
	@mkdir -p $(RELEASE)
	@.venv/bin/python -m pip install --quiet --dry-run --ignore-installed --constraint conf/constraints.txt \
		--report $(RELEASE)/resolved.json '.[multilingual]'
	@.venv/bin/python -P -m semantik components --hashes $(RELEASE)/resolved.json > $(RELEASE)/requirements.txt
	@.venv/bin/python -P -m semantik components --sbom > $(RELEASE)/sbom.json
	@.venv/bin/python -P -m semantik components --licences > $(RELEASE)/licences.txt
	@rm $(RELEASE)/resolved.json
	@ls $(RELEASE)

bench: ## run the benchmarks, each with its reference: make bench [QUICK=1] [ARGS="query engines"]
	@bin/setup --bench
	@.venv/bin/python -m bench $(if $(QUICK),--quick) $(ARGS)

bench-sockets: tools ## compare the live sockets with a minimal Tornado server
	@.venv/bin/python -m bench.sockets $(ARGS)

bench-reindex: tools ## measure searches while a folder is reindexed
	@.venv/bin/python -m bench.reindexing $(ARGS)

bench-takeover: tools ## measure how long an operation is interrupted when its server is killed
	@.venv/bin/python -m bench.takeover $(ARGS)

bench-uploads: tools ## measure uploads during searches, with a kill in the middle
	@.venv/bin/python -m bench.uploads $(ARGS)

screenshots: tools ## make a picture of every page, in full and phone width, light and dark, in build/screenshots
	@PYTHONPATH=tests .venv/bin/python -m support.screenshots $(ARGS)

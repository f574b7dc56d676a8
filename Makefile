# install · run · test · test-fast · faults · lint · bench · load — CI calls the same.
PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: install run test contract-without-lane pictures test-fast faults scale-out attacks long fuzz fuzz-install audit lint lint-openapi typescript-client lock bench load clean

install: $(STAMP)

$(STAMP): requirements-dev.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $(STAMP)

run: install
	$(BIN)/checker demo --port $(PORT)

# SEED=N draws the random tests of an earlier run again.
test: install lint-openapi typescript-client
	$(BIN)/python -m compileall -q cache checker loadtest
	$(BIN)/python -m pytest --numprocesses 3 --dist loadgroup --durations 20 $(SEED:%=--seed %)

# The contract without the lane: a traced server has none. `make test` drives it with the lane.
contract-without-lane: install
	OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:9 $(BIN)/python -m pytest --numprocesses 2 --dist loadgroup tests/contract

# The pictures of the README, by the tests of the pages. Needs Chromium, and fonts-noto-cjk.
pictures: install
	CHECKER_TAKE_PICTURES=1 $(BIN)/python -m pytest --numprocesses 0 tests/browser

# Starts no server.
test-fast: install
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal --durations 10 $(SEED:%=--seed %) tests/property tests/unit tests/tidy

# Some twenty minutes; writes docs/reliability.md. FAULT_SECONDS=30 lets each fault last longer.
faults: install
	CHECKER_RUNS=faults FAULT_SECONDS=$${FAULT_SECONDS:-10} $(BIN)/python -m pytest --numprocesses 0 $(SEED:%=--seed %) tests/faults

# What is too long for CI beside the rest: a rotation of keys, shared servers, upgrades, a large oracle.
long: install
	CHECKER_RUNS=long $(BIN)/python -m pytest --numprocesses 2 --dist loadgroup $(SEED:%=--seed %) tests/contract/test_http_rotation.py tests/contract/test_load_scenarios.py tests/integration/embedded/test_shared_server.py tests/integration/loadtest/test_bench_rows.py tests/integration/notices/test_endings_written.py tests/integration/registry/test_platform_oracle.py

# A pooler, a standby, a balancer, a Redis cluster, rights and TLS. Needs Debian's pgbouncer, haproxy and redis-server.
scale-out: install
	CHECKER_RUNS=scale-out $(BIN)/python -m pytest --numprocesses 2 --dist loadgroup tests/faults/test_pooler.py tests/faults/test_standby.py tests/faults/test_balancer.py tests/faults/test_guarded_stores.py tests/faults/test_redis_failover.py tests/faults/test_redis_cluster.py

# Coverage-guided fuzzing of one parser (tests/property/parsers/parsers.py): PARSER=url SECONDS=600. On Linux.
FUZZ := .venv-fuzz/bin
PARSER ?= url
SECONDS ?= 60

fuzz-install: .venv-fuzz/.installed

.venv-fuzz/.installed: tests/property/parsers/requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv-fuzz
	$(FUZZ)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tests/property/parsers/requirements.lock
	$(FUZZ)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

fuzz: fuzz-install
	$(FUZZ)/python -m tests.property.parsers.fuzz $(PARSER) --seconds $(SECONDS) --found .venv-fuzz/found

# schemathesis, with the keys of each role: half an hour. ATTACK_EXAMPLES=10 is shorter, SEED=N draws again.
attacks: install
	CHECKER_RUNS=attacks ATTACK_EXAMPLES=$${ATTACK_EXAMPLES:-50} $(BIN)/python -m pytest --numprocesses 0 $(SEED:%=--seed %) tests/contract/attacks/test_long_attacks.py

# Known faults of the locked packages, and their list as CycloneDX (sbom.json). Needs uv and PyPI.
audit:
	uvx pip-audit==2.10.1 --require-hashes --disable-pip --requirement requirements.lock
	uvx --from cyclonedx-bom==7.5.0 cyclonedx-py requirements requirements.lock --output-file sbom.json

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Needs Node, and `npm ci` in this folder; without them the lint is left out, and says so.
lint-openapi:
	tests/contract/openapi_lint/lint

# Needs the same in its folder. The tests then run the compiled program against a server.
typescript-client:
	tests/contract/clients/typescript

# Needs uv; run after a change of dependencies in pyproject.toml.
lock:
	uv pip compile --quiet pyproject.toml --universal --generate-hashes --no-header --no-annotate --output-file requirements.lock
	uv pip compile --quiet pyproject.toml --all-extras --universal --generate-hashes --no-header --no-annotate --output-file requirements-dev.lock
	uv pip compile --quiet --group docs --universal --generate-hashes --no-header --no-annotate --output-file requirements-docs.lock
	uv pip compile --quiet pyproject.toml tests/property/parsers/requirements.in --extra embedded --constraint requirements-dev.lock --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --output-file tests/property/parsers/requirements.lock

# Under eight minutes. BENCH="innocent batch" measures these rows alone, BENCH=--large the long row too.
# wrk and nginx (loadtest/baselines/running.py) are Debian packages; without them rows are left out.
bench: install
	$(BIN)/python -m loadtest.bench --keep --write $(BENCH)

# Against `make run` of this folder; exit code 1 beyond the budget. SCENARIO="TicketRush --rush".
load: install
	$(BIN)/python -m loadtest.load --port $(PORT) --html load.html $(SCENARIO)

# `make docs`: the site of docs/, in .site/site; a dead link fails. The tool has a .venv of its own.
.PHONY: docs
docs: install .site/.installed
	$(BIN)/python -m docs.site.prepare .site
	.site/.venv/bin/zensical build --strict --clean --config-file .site/zensical.toml

.site/.installed: requirements-docs.lock
	$(PYTHON) -m venv .site/.venv
	.site/.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-docs.lock
	touch $@

clean:
	rm -rf .site .venv .venv-fuzz sbom.json .mypy_cache .pytest_cache .ruff_cache .hypothesis

# Croupier's commands. `make demo` and `make test` need Python >= 3.11 and make, nothing else.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo check audit-dependencies sbom test long test-secure certify chaos simulate soak model bench scale format lock

BIN := .venv/bin
STAMP := .venv/.croupier-setup

help: ## these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## .venv with the locked dependencies and the croupier script

# A .venv that is there is completed, not replaced; what is installed already at its locked version is left alone.
$(STAMP): pyproject.toml requirements/all.txt
	@sh requirements/venv.sh .venv
	@echo "Installing the locked dependencies into .venv (some 200 MB the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/all.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: setup ## the whole thing on this machine, in about a minute
	@$(BIN)/croupier demo

check: setup ## format, lint, types, walls, compose file, what invites trouble
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml processor schemas

audit-dependencies: setup ## known faults of what is locked; fails where nobody can be asked
	$(BIN)/pip-audit --strict --require-hashes --disable-pip -r requirements/all.txt

sbom: setup ## the bill of materials of a worker (CycloneDX), into build/
	@mkdir -p build
	$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible \
	  --output-file build/sbom.cdx.json requirements/runtime.txt

test: setup ## all tests but the long ones
	$(BIN)/python -m pytest

long: setup ## the tests that take minutes: all acceptance cases, a fifth sent twice, a worker killed
	$(BIN)/python -m pytest tests/acceptance tests/integration -m long --timeout=900

certify: setup ## the acceptance cases on a stack and a worker of their own (ARGS="--duplicate 0.2 --kill")
	$(BIN)/croupier certify --embedded $(ARGS) tests/cases/*.yaml

# The runbook stays out: it types pg_dump, and the packaged one speaks no TLS.
test-secure: setup ## the acceptance tests on a stack with TLS, passwords and access rights
	CROUPIER_TEST_SECURED=1 $(BIN)/python -m pytest tests/acceptance tests/integration/postgres --ignore=tests/acceptance/runbook -m "long or not long" --timeout=900

chaos: setup ## what must survive, tried: every failure of the suite, long ones too
	$(BIN)/python -m pytest tests/chaos -m "long or not long" --timeout=900

soak: setup ## an hour with trouble every minute (SOAK="--seconds 600 --rate 100" for less)
	$(BIN)/python -m tests.chaos.soak $(SOAK)

SEEDS ?= 2000
simulate: setup ## the lanes in simulated worlds: SEEDS=2000 of them, or SEED=n again with its trace
	$(BIN)/python -m tests.simulation $(if $(SEED),--seed $(SEED),--seeds $(SEEDS))

model: setup ## 10,000 random histories against a second, naive wallet
	$(BIN)/python -m pytest -m model --hypothesis-profile=model --timeout=3600

bench: setup ## throughput and latency, side by side with a bare loop
	$(BIN)/croupier bench

TRANSACTIONS ?= 10000000
scale: setup ## how long pages of history take among ten million transactions (10 minutes, 10 GB of disk)
	$(BIN)/python -m tests.scale --transactions $(TRANSACTIONS)

format: setup ## put the code in shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: ## write requirements/*.txt anew from pyproject.toml (after `make setup`)
	UV=$(BIN)/uv sh requirements/lock.sh

# Every verb of the project; `make help` lists them. ARGS=… is handed on to the tool behind a verb.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup lakehouse java-client run demo up platform doctor infra infra-tools package test faults test-emulators test-lakehouse bundle lint fmt type bench cost settings dictionary compile clean distclean
MAKEFLAGS += --no-print-directory

PYTHON := .venv/bin/python
LAKEHOUSE_PYTHON := .venv-lakehouse/bin/python
ARGS ?=
RECORDING ?=
FEED ?=
DURABLE ?= storage
RECORDED := $(if $(RECORDING),--recording "$(RECORDING)")
CACHES := .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

help: ## Say what each verb does
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | while IFS=$$'\t' read -r verb text; do \
	  printf '  make %-14s %s\n' "$$verb" "$$text"; done

setup: ## Make the clone ready: Python 3.13, pinned packages, Azurite, a JavaScript client for the tests; nothing outside the clone
	@scripts/setup

lakehouse: setup ## Make Spark ready too: its environment and jars (Java 17 or 21, Maven)
	@scripts/setup-lakehouse

java-client: setup ## Make the Java client of Event Hubs ready, which the emulators' tests run (a JDK from 17 on, Maven)
	@scripts/setup-java-client

infra-tools: setup ## Make the checks of infra ready: the schema of the Terraform provider, checkov
	@scripts/setup-infra

infra: infra-tools ## Check the infrastructure offline: Terraform against the provider's schema, with mocks; policies; definitions
	@$(PYTHON) -m pytest tests/infra $(ARGS)

package: setup ## Build dist/app.zip, exactly what is published of the app (DURABLE=scheduler: for the Durable Task Scheduler)
	@$(PYTHON) scripts/package --durable $(DURABLE)

run: lakehouse ## Show one short window of each feed and check its counts; RECORDING=<file> replays exchange frames
	@$(PYTHON) -m local run $(RECORDED) $(ARGS)

demo: lakehouse ## Show one feed alone: make demo FEED=shop
	@$(PYTHON) -m local run --name demo --feed "$(FEED)" $(RECORDED) $(ARGS)

up: lakehouse ## Run the whole local platform until Ctrl-C (ARGS=--clear empties its state first)
	@$(PYTHON) -m local up $(RECORDED) $(ARGS)

platform: lakehouse ## Run all but the Functions host, for `func start`
	@$(PYTHON) -m local platform $(RECORDED) $(ARGS)

doctor: ## Say what is missing or misconfigured
	@if [[ -x $(PYTHON) ]]; then $(PYTHON) -m local doctor; else python3 -m local doctor; fi

test: lakehouse java-client infra-tools ## Run every test, of the app, the emulators and the lakehouse; ARGS=<pytest's arguments> for some of the app's
	@scripts/test $(ARGS)

faults: lakehouse ## Run the fault tests at full length; their figures go to docs/reliability.md (ARGS=-k f07 for one row)
	@$(PYTHON) -m pytest tests/faults --long -n 2 --dist loadfile $(ARGS)

test-emulators: java-client ## Run the tests of the emulators alone
	@cd emulators && ../$(PYTHON) -m pytest $(or $(ARGS),-n 2)

test-lakehouse: lakehouse ## Run the tests of the wheel and its jobs on real Spark alone
	@$(LAKEHOUSE_PYTHON) -m pytest --config-file databricks/pyproject.toml $(or $(ARGS),databricks/tests)

bundle: lakehouse ## Build the wheel and check every target of the Databricks bundle
	@scripts/bundle

lint: setup ## Check style, format and the direction of imports
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@.venv/bin/lint-imports

fmt: setup ## Format the code and fix what can be fixed
	@$(PYTHON) -m ruff check --fix-only --quiet .
	@$(PYTHON) -m ruff format .

type: lakehouse ## Check the types
	@$(PYTHON) -m mypy
	@$(PYTHON) -m mypy --config-file databricks/pyproject.toml --python-executable $(LAKEHOUSE_PYTHON) databricks/src/lakehouse

bench: lakehouse ## Measure against the peers; writes benchmarks/results.json
	@$(PYTHON) -m benchmarks $(ARGS)

cost: setup ## Work out what a month costs: make cost ARGS="--feeds trades,shop"; ARGS=--document writes docs/deploy.md
	@$(PYTHON) -m cost $(ARGS)

settings: setup ## Write local.settings.sample.json and the tables of docs/settings.md from the app's settings
	@$(PYTHON) scripts/write-settings

dictionary: lakehouse ## Write docs/lakehouse-tables.md from the contracts and the lakehouse's tables
	@$(LAKEHOUSE_PYTHON) -m lakehouse.dictionary > docs/lakehouse-tables.md

compile: setup ## Pin the requirements anew from their .in files (ARGS=--upgrade takes newer versions)
	@scripts/compile $(ARGS)

clean: ## Remove all local state, the built wheel and the tools' caches
	rm -rf .local dist databricks/dist $(CACHES) $(addprefix emulators/,$(CACHES))
	find . -name __pycache__ -type d -not -path './.venv*/*' -not -path './node_modules/*' -not -path './.cache/*' -prune -exec rm -rf {} +

distclean: clean ## Remove what `make setup` made, too
	rm -rf .venv .venv-checkov .venv-lakehouse node_modules .cache emulators/tests/clients/javascript/node_modules

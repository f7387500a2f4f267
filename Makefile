# Every verb of the project. `make` alone lists them.
SHELL := /bin/bash
PYTHON := .venv/bin/python
LOCAL := $(PYTHON) -m deploy.local
SERVICES := user_service product_service order_service notification_service
COMPILE := uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url

.DEFAULT_GOAL := help
.PHONY: help setup run up status logs down reset demo env secrets test check unit lint types chaos soak bench fuzz audit screenshots lock wheels test-deploy

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:
	@deploy/local/bootstrap.sh

run: setup ## start everything, with all logs on the terminal, until Ctrl-C
	@$(LOCAL) run

up: setup ## start everything in the background
	@$(LOCAL) up

status: installed ## show what runs
	@$(LOCAL) status

logs: installed ## follow the logs of a running shop
	@$(LOCAL) logs

down: installed ## stop everything
	@$(LOCAL) down

reset: installed ## stop everything and delete the local data (YES=1 does not ask)
	@$(LOCAL) reset

demo: installed ## the journey of a customer through the running shop
	@$(LOCAL) demo

env: setup ## make .env with fresh secrets
	@$(LOCAL) env

secrets: installed ## a file for each secret of .env, for deploy/compose/secrets.yaml
	@$(PYTHON) -m deploy.compose.secret_files

test: ## every test, on real servers of its own
	@deploy/local/bootstrap.sh chromium
	@$(PYTHON) -m pytest -n auto

check: unit lint types ## what needs no server: unit tests, lint, types

unit: setup
	@$(PYTHON) -m pytest -q -m "unit or architecture"

lint: setup ## ruff and the import rules
	@$(PYTHON) -m ruff check
	@$(PYTHON) -m ruff format --check
	@.venv/bin/lint-imports

types: setup ## mypy, strict
	@$(PYTHON) -m tests.type_check

chaos: setup ## all fault tests but the soak, in half an hour
	@$(PYTHON) -m pytest chaos

soak: setup ## half an hour of customers and random faults
	@$(PYTHON) -m pytest -s chaos -m soak

test-deploy: setup ## build the images and test the shop in containers (needs a Docker engine)
	@$(PYTHON) -m pytest deploy/tests

fuzz: setup ## 5,000 generated requests to each service
	@FUZZ_CASES=5000 $(PYTHON) -m pytest -s tests/fuzz

screenshots: ## pictures of the pages for the documents, of a shop of its own
	@deploy/local/bootstrap.sh chromium
	@$(PYTHON) -m tests.browser.screenshots

audit: setup ## look the locked packages up among the known vulnerabilities
	@deploy/audit/run

bench: ## measure a shop of its own, into bench/results/
	@deploy/local/bootstrap.sh wrk
	@$(PYTHON) -m bench

lock: ## resolve the locks anew (needs uv)
	@for service in $(SERVICES); do $(COMPILE) -c constraints.txt $$service/requirements.in -o $$service/requirements.txt; done
	@$(COMPILE) -c constraints.txt requirements-dev.in -o requirements-dev.txt
	@$(COMPILE) deploy/audit/requirements.in -o deploy/audit/requirements.txt
	@$(COMPILE) deploy/local/downloads/sendria.in -o deploy/local/downloads/sendria.txt

wheels: setup ## check that every locked package has wheels for amd64 and arm64
	@$(PYTHON) -m deploy.wheels

.PHONY: installed
installed:
	@test -x $(PYTHON) || { echo 'error: nothing is installed here yet: `make up` does it' >&2; exit 1; }

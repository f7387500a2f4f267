# Every command of the project. `make` without a target lists them.
SHELL := /bin/bash
PYTHON := .venv/bin/python
LOCAL := $(PYTHON) -m deploy.local
SERVICES := $(patsubst %/__main__.py,%,$(wildcard *_service/__main__.py))
COMPILE := uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url
LOCK := $(COMPILE) -c requirements/constraints.txt

.DEFAULT_GOAL := help
.PHONY: help setup run up status logs follow observe kafka down reset demo load seed-large manage env secrets test check unit lint types chaos soak bench fuzz audit screenshots lock metrics wheels pin test-deploy

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:
	@deploy/install/bootstrap.sh

run: setup ## start everything and show all logs, until Ctrl-C
	@$(LOCAL) run

up: setup ## start everything in the background, or restart what a change of .env concerns
	@$(LOCAL) up

status: installed ## list the processes with their state
	@$(LOCAL) status

logs: installed ## follow the services' logs: ORDER= TRACE= REQUEST= SERVICE= LEVEL= choose lines, SERVERS=1 adds the servers'
	@$(LOCAL) logs $(foreach name,ORDER TRACE REQUEST SERVICE LEVEL SERVERS,$(if $($(name)),$(name)='$($(name))'))

follow: installed ## print the story of an order across the services: ORDER=id
	@$(LOCAL) follow $(if $(ORDER),ORDER='$(ORDER)')

observe: setup ## start Zipkin, Prometheus and Alertmanager beside the shop, and print their pages
	@deploy/install/bootstrap.sh prometheus prometheus-alertmanager prometheus-node-exporter
	@$(LOCAL) observe

kafka: setup ## show topics, groups and lag in the terminal: TOPIC=name for messages, PAGE=1 for the browser
	@$(LOCAL) kafka $(foreach name,TOPIC PAGE,$(if $($(name)),$(name)='$($(name))'))

down: installed ## stop everything
	@$(LOCAL) down

reset: installed ## stop everything and delete the local data (YES=1: without a question)
	@$(LOCAL) reset

demo: installed ## register, order and receive mails as a customer of the running shop
	@$(LOCAL) demo

load: installed ## let customers order for a minute: RATE=20 orders a second, SECONDS=60
	@$(LOCAL) load $(foreach name,RATE SECONDS,$(if $($(name)),$(name)='$($(name))'))

seed-large: installed ## write a million products and orders into the running shop: COUNT=, or PRODUCTS= and ORDERS=
	@$(LOCAL) seed-large $(foreach name,COUNT PRODUCTS ORDERS,$(if $($(name)),$(name)='$($(name))'))

manage: installed ## run a command of a service: SERVICE=product_service ARGS="dlq list"
	@$(LOCAL) manage $(SERVICE) $(ARGS)

env: setup ## write .env with fresh secrets
	@$(LOCAL) env

secrets: installed ## write a file for each secret of .env, for deploy/compose/secrets.yaml
	@$(PYTHON) -m deploy.compose.secret_files

test: ## run every test on real servers of its own
	@deploy/install/bootstrap.sh chromium prometheus prometheus-alertmanager prometheus-node-exporter
	@$(PYTHON) -m pytest -n auto

check: unit lint types ## run the checks that need no server: unit tests, lint, types

unit: setup
	@$(PYTHON) -m pytest -q -m "unit or architecture"

lint: setup ## check the code with ruff, the import rules and the prose
	@$(PYTHON) -m ruff check
	@$(PYTHON) -m ruff format --check
	@.venv/bin/lint-imports
	@$(PYTHON) -m tests.prose_check

types: setup ## check the types with mypy
	@$(PYTHON) -m tests.type_check

chaos: ## run all fault tests except the soak
	@deploy/install/bootstrap.sh prometheus
	@$(PYTHON) -m pytest chaos

soak: setup ## run customers under random faults for 30 min
	@$(PYTHON) -m pytest -s chaos -m soak

test-deploy: setup ## build the images and test the shop in containers (needs a Docker engine)
	@$(PYTHON) -m pytest deploy/tests

fuzz: setup ## send 5,000 generated requests to each service
	@FUZZ_CASES=5000 $(PYTHON) -m pytest -s tests/fuzz

screenshots: ## take the pictures of the documents from a shop of its own
	@deploy/install/bootstrap.sh chromium
	@$(PYTHON) -m tests.browser.screenshots

audit: setup ## search the known vulnerabilities of the locked packages
	@deploy/audit/run

bench: ## measure a shop of its own into bench/results/, 20 min: ONLY= parts or routes, ROUNDS=3 SECONDS=6
	@deploy/install/bootstrap.sh wrk
	@$(PYTHON) -m bench $(if $(ONLY),--only '$(ONLY)') $(if $(ROUNDS),--rounds '$(ROUNDS)') $(if $(SECONDS),--seconds '$(SECONDS)')

lock: ## update the locks in requirements/ after a change of a *.in file (needs uv)
	@for service in $(SERVICES); do $(LOCK) requirements/$$service.in -o requirements/$$service.txt; done
	@$(LOCK) requirements/otel.in -o requirements/otel.txt
	@$(LOCK) requirements/dev.in requirements/otel.in $(SERVICES:%=requirements/%.in) -o requirements/dev.txt
	@for place in deploy/audit bench/plots bench/peers/fastapi; do $(COMPILE) $$place/requirements.in -o $$place/requirements.txt; done
	@for tool in sendria kaskade; do $(COMPILE) deploy/install/locks/$$tool.in -o deploy/install/locks/$$tool.txt; done

metrics: setup ## write docs/metrics.md from the code
	@$(PYTHON) -m tests.exported_metrics

wheels: setup ## check that every locked package has wheels for amd64 and arm64
	@$(PYTHON) -m deploy.wheels

pin: setup ## add digests to the tags of all images (needs a Docker engine and the registries)
	@$(PYTHON) -m deploy.pin

.PHONY: installed
installed:
	@test -x $(PYTHON) || { echo 'error: nothing is installed here yet: run `make up`' >&2; exit 1; }

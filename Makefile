# Everything from a clone to a running, tested platform. `make help` lists the targets.
# Nothing is installed outside .venv and node_modules, but for missing Debian packages when run as root.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
PROXY := $(VENV)/share/pumpkin/proxy
LAB := $(shell find labextension -type f -not -path '*/node_modules/*' -not -path '*/lib/*' -not -name schema.ts -not -name build.log)
ifdef DATA
export PUMPKIN_DATA := $(abspath $(DATA))
endif
PORT ?=
T ?=
B ?=
export PATH := $(abspath $(BIN)):$(PATH)

.PHONY: help install up down demo test lint models lock bench clean
help: ## list the targets
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 10

install: $(STAMPS)/python $(STAMPS)/proxy $(STAMPS)/lab ## set up everything that `up` needs

up: install ## start the platform (DATA=folder, PORT=8000) and return once it answers
	@$(BIN)/python -m pumpkin_hub up --detach $(if $(PORT),--port=$(PORT))

down: ## stop it; jobs and notebooks that run go on running
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m pumpkin_hub down; else echo "Nothing is installed here, so nothing runs."; fi

demo: install ## take the road from a folder of data to a scored model through the real API
	@$(BIN)/python examples/digits/demo.py

test: install $(STAMPS)/system ## run every test, or one folder of tests/ with T=folder
	@$(BIN)/python -m pytest $(if $(T),tests/$(T))

lint: $(STAMPS)/python $(STAMPS)/lab ## check style, types and the arrows between packages
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright
	@$(BIN)/lint-imports
	@cd labextension && npm run --silent lint

bench: install ## run a benchmark: B=submit, queue, list, idle, log or lab
	@[ -n "$(B)" ] || { echo "Say which: make bench B=submit (or queue, list, idle, log, lab)"; exit 2; }
	@$(BIN)/python -m bench.$(B)

models: $(STAMPS)/python ## renew docs/openapi.json and what is made from it: the SDK's models and its synchronous client
	@$(BIN)/python -m pumpkin_services.openapi > docs/openapi.json
	@$(BIN)/python -m pumpkin._generate docs/openapi.json
	@$(BIN)/python -m pumpkin._unasync

lock: $(STAMPS)/python ## renew requirements/ and the lock files of the proxy and the extension
	@for extra in all dev; do \
	  $(BIN)/uv pip compile --universal --python-version 3.11 --upgrade --no-header --no-emit-index-url \
	    --quiet --extra $$extra setup.py -o requirements/$$extra.txt; done
	@cd hub_config/pumpkin_hub/node && npm update --package-lock-only --no-audit --no-fund
	@cd labextension && npm update --package-lock-only

clean: ## remove what was installed and built; data folders stay
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

$(STAMPS)/tools:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed: $(PYTHON) is $$($(PYTHON) --version 2>&1). Name another with PYTHON=."; exit 1; }
	@node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' 2>/dev/null \
	  || { echo "Node.js 20.19 or newer is needed: $$(node --version 2>/dev/null || echo none) is on PATH."; exit 1; }
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV) 2>/dev/null || { rm -rf $(VENV); \
	  .ci/system python3-venv && $(PYTHON) -m venv $(VENV); }
	@[ -x $(BIN)/uv ] || $(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep '^uv==' requirements/dev.txt)"
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/python: setup.py requirements/dev.txt | $(STAMPS)/tools
	@echo "Installing the Python packages into $(VENV)"
	@VIRTUAL_ENV=$(abspath $(VENV)) $(BIN)/uv pip install --quiet -r requirements/dev.txt
	@VIRTUAL_ENV=$(abspath $(VENV)) $(BIN)/uv pip install --quiet --no-deps -e .
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/proxy: hub_config/pumpkin_hub/node/package-lock.json | $(STAMPS)/python
	@echo "Installing the proxy into $(PROXY)"
	@$(BIN)/python -m pumpkin_hub.proxy
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/node: labextension/package-lock.json | $(STAMPS)/python
	@echo "Installing what the Lab extension is built with"
	@cd labextension && npm install --no-save --silent
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/lab: $(LAB) docs/openapi.json | $(STAMPS)/node
	@echo "Building the Lab extension"
	@cd labextension && npm run --silent build >build.log 2>&1 || { cat build.log; exit 1; }
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/system: .ci/system | $(STAMPS)/tools
	@.ci/system bubblewrap chromium fonts-noto-cjk mariadb-client-core mariadb-server-core postgresql
	@mkdir -p $(STAMPS) && touch $@

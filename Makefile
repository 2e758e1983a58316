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
LAB := $(shell find labextension -type f -not -path '*/node_modules/*' -not -path '*/lib/*' -not -name schema.ts -not -name build.log) \
  $(wildcard extensions/pumpkin_server/locale/*/LC_MESSAGES/pumpkin.json)
ifdef DATA
export PUMPKIN_DATA := $(abspath $(DATA))
endif
PORT ?=
T ?=
B ?=
export PATH := $(abspath $(BIN)):$(PATH)

.PHONY: help install up down demo test cluster-up cluster-down wheel lint models lock bench pictures clean
help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 14

install: $(STAMPS)/python $(STAMPS)/proxy $(STAMPS)/lab ## set up everything that `up` needs

up: install ## start the platform (DATA=folder, PORT=8000) and return once it answers
	@$(BIN)/python -m pumpkin_hub up --detach $(if $(PORT),--port=$(PORT))

down: ## stop it; jobs and notebooks that run go on running
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m pumpkin_hub down; else echo "Nothing is installed here, so nothing runs."; fi

demo: install ## take the road from a folder of data to a scored model through the real API
	@$(BIN)/python examples/digits/demo.py

test: install $(STAMPS)/system $(STAMPS)/s3 ## run every test, two files at a time, or one folder of tests/ with T=folder
	@$(BIN)/python -m pytest $(if $(T),tests/$(T),--numprocesses=2 --no-loadscope-reorder)

cluster-up: install $(STAMPS)/cluster ## start a Kubernetes with Volcano and the platform's images on this machine (as root)
	@$(BIN)/python -m tests.cluster.rig up

cluster-down: ## stop it, and leave nothing of it but its cache
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m tests.cluster.rig down; else echo "Nothing is installed here, so nothing runs."; fi

wheel: $(STAMPS)/lab ## build the package for helm/images into dist/
	@rm -rf dist build && $(BIN)/uv build --quiet --wheel --out-dir dist .

lint: $(STAMPS)/python $(STAMPS)/lab ## check style, types and the arrows between packages
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright
	@$(BIN)/lint-imports
	@cd labextension && npm run --silent lint

bench: install $(if $(filter spawn volcano waiting,$(B)),$(STAMPS)/cluster) ## run one: B=submit, queue, list, idle, log, lab, bigfile (SIZE=1G), reversion, smallfiles, materialise; on a cluster (as root) spawn, volcano, waiting
	@[ -n "$(B)" ] || { echo "Say which: make bench B=submit (or queue, list, idle, log, lab, bigfile, reversion, smallfiles, materialise, spawn, volcano, waiting)"; exit 2; }
	@$(BIN)/python -m bench.$(B)

pictures: install $(STAMPS)/system ## take the documentation's pictures anew
	@$(BIN)/python -m docs.pictures

models: $(STAMPS)/python ## renew docs/openapi.json and what is made from it: the SDK's models and its synchronous client
	@$(BIN)/python -m pumpkin_services.openapi > docs/openapi.json
	@$(BIN)/python -m pumpkin._generate docs/openapi.json
	@$(BIN)/python -m pumpkin._unasync

lock: $(STAMPS)/python ## renew requirements/ and the lock files of the proxy and the extension
	@for extra in all dev; do \
	  $(BIN)/uv pip compile --universal --python-version 3.11 --upgrade --no-header --no-emit-index-url \
	    --quiet --extra $$extra setup.py -o requirements/$$extra.txt; done
	@for image in "notebook --extra notebook" "platform --extra hub --extra service"; do \
	  $(BIN)/uv pip compile --universal --python-version 3.11 --no-header --no-annotate --no-emit-index-url \
	    --quiet -c requirements/all.txt $${image#* } setup.py -o requirements/$${image%% *}.txt; done
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

$(STAMPS)/cluster: .ci/system | $(STAMPS)/tools
	@.ci/system buildah containerd containernetworking-plugins debootstrap iproute2 iptables openssl python3 runc
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/s3: tests/s3.py | $(STAMPS)/python
	@$(BIN)/python -m tests.s3 >/dev/null
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/system: .ci/system | $(STAMPS)/tools $(STAMPS)/cluster
	@.ci/system bubblewrap chromium fonts-noto-cjk git mariadb-client-core mariadb-server-core postgresql
	@mkdir -p $(STAMPS) && touch $@

# Everything Treeline needs is made from here; `make help` lists the commands.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run test test-fast lint types migrations assets screenshots bench clean

PORT ?= 8000
DATA_DIR ?= ./data
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
UV_VERSION := 0.13.8
BY_MANY := --numprocesses auto --dist loadfile --no-loadscope-reorder
IN_TESTS := DJANGO_SETTINGS_MODULE=tests.settings
export PORT DATA_DIR

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.runtime assets ## start Treeline on PORT (8000) with its data in DATA_DIR (./data); Ctrl-C stops it
	@if [ -z "$${SECRET_KEY:-}$${SECRET_KEY_FILE:-}" ]; then \
		export SECRET_KEY_FILE="$(DATA_DIR)/secret-key"; \
		(umask 077; mkdir -p "$(DATA_DIR)"; \
		[ -s "$$SECRET_KEY_FILE" ] || $(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))' >"$$SECRET_KEY_FILE"); \
	fi; \
	export LOCAL="$${LOCAL:-on}" BASE_URL="$${BASE_URL:-http://localhost:$(PORT)}"; \
	export DEMO="$${DEMO:-$$LOCAL}"; \
	exec $(BIN)/python manage.py up --port "$(PORT)"

test: $(VENV)/.dev assets ## everything that guards a change; installs PostgreSQL, Redis and Chromium where it may
	@scripts/system-packages
	@$(MAKE) --no-print-directory lint types migrations
	@if docker compose version >/dev/null 2>&1; then \
		env POSTGRES_PASSWORD=x REDIS_PASSWORD=x SECRET_KEY=x HOST_NAME=localhost MAIL_FROM=x docker compose config --quiet; \
	else echo "docker compose is not installed: docker-compose.yml was not read"; fi
	@if [ -d tests/js ]; then $(BIN)/python scripts/assets.py --run node --test tests/js; fi
	$(BIN)/python -m pytest $(BY_MANY) -m "not services and not e2e and not commits"
	$(BIN)/python -m pytest $(BY_MANY) -m "not services and (e2e or commits)"
	$(BIN)/python -m tests.servers $(BIN)/python -m pytest -m services

test-fast: $(VENV)/.dev ## the tests without browser and services
	$(BIN)/python -m pytest $(BY_MANY) -m "not services and not e2e and not commits"
	$(BIN)/python -m pytest -m "not services and not e2e and commits"

lint: $(VENV)/.dev ## ruff, djhtml, import-linter
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .
	$(BIN)/djhtml --tabwidth 2 --check templates
	$(BIN)/lint-imports --no-logo

types: $(VENV)/.dev ## mypy, strict
	$(BIN)/mypy .

migrations: $(VENV)/.dev ## models and migrations agree, Django's own checks pass
	$(IN_TESTS) $(BIN)/python manage.py makemigrations --check --dry-run
	$(IN_TESTS) $(BIN)/python manage.py check

assets: $(UV) ## fetch the front-end files by npm into static/vendor
	@$(BIN)/python scripts/assets.py

screenshots: $(VENV)/.dev assets ## the pictures of README and docs, from the demo data
	$(BIN)/python scripts/screenshots.py

bench: $(VENV)/.dev assets ## benchmarks, one line each; fails if one is over its limit
	$(BIN)/python -m bench

clean: ## delete what was made here; DATA_DIR stays
	rm -rf $(VENV) node_modules static/vendor .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# -- The virtual environment: exactly what the lock files say -------------------------------------------------------------
# `.runtime` and `.dev` are empty files that say from which lock file the environment was last filled.

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Treeline needs Python 3.11 or newer: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "On Debian: apt-get install python3-venv"; rm -rf $(VENV); exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(VENV)/.runtime: requirements.txt | $(UV)
	@rm -f $(VENV)/.dev
	@$(UV) pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt | $(UV)
	@$(UV) pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements-dev.txt
	@touch $@ $(VENV)/.runtime

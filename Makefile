# Everything a contributor runs. `make run` and `make test` set up what they need by themselves.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh

PYTHON := .venv/bin/python
UV := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)
STAMP := .venv/.installed
COMPILE = $(UV) pip compile --quiet --universal --python-version 3.13 --generate-hashes --no-annotate \
	--custom-compile-command "make lock" $(UPGRADE)
PORT ?= 7071
HOST ?= 127.0.0.1

.PHONY: help run chat test check lint types imports index drift bench lock compile clean

help: ## show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -e 's/:.*## /\t/' | expand -t 10

run: $(STAMP) ## start the API on this machine (PORT=7071)
	@$(PYTHON) -m devhost --host $(HOST) --port $(PORT)

chat: $(STAMP) ## ask from the terminal: make chat Q="How is AAPL doing?"
	@$(PYTHON) examples/chat.py --url http://$(HOST):$(PORT) $(if $(Q),"$(Q)")

test: $(STAMP) ## run all tests
	@$(PYTHON) -m pytest

check: $(STAMP) lint types imports index drift test ## what CI runs

lint: $(STAMP)
	@echo "lint and format"
	@$(PYTHON) -m ruff check --quiet .
	@$(PYTHON) -m ruff format --check --quiet .

types: $(STAMP)
	@echo "types"
	@$(PYTHON) -m mypy --no-error-summary

imports: $(STAMP)
	@echo "direction of dependencies"
	@.venv/bin/lint-imports --no-logo >.venv/imports.log || { cat .venv/imports.log; exit 1; }

index: $(STAMP)
	@echo "index of functions"
	@$(PYTHON) -m devhost --check >.venv/index.log 2>&1 || { cat .venv/index.log; exit 1; }

drift: $(STAMP)
	@echo "locked requirements"
	@mkdir -p .venv/drift && cp requirements*.txt .venv/drift/
	@$(MAKE) --no-print-directory compile INTO=.venv/drift/
	@for file in requirements.txt requirements-dev.txt requirements-uv.txt; do \
		for side in . .venv/drift; do grep '==' $$side/$$file >.venv/drift/$$(basename $$side | tr . _).pins; done; \
		diff .venv/drift/_.pins .venv/drift/drift.pins || { echo "$$file is out of date: run make lock"; exit 1; }; done

bench: $(STAMP) ## measure: ratios against floors and peers
	@for file in benchmarks/*_bench.py; do echo "== $$file"; PYTHONPATH=. $(PYTHON) $$file || exit 1; done

lock: ## write the requirements anew from pyproject.toml
	@$(MAKE) --no-print-directory compile INTO=

# Pins that are still allowed stay as they are; UPGRADE=--upgrade takes the newest.
compile: $(filter .tools/bin/uv,$(UV))
	@$(COMPILE) pyproject.toml -o $(INTO)requirements.txt
	@$(COMPILE) --extra dev -c $(INTO)requirements.txt pyproject.toml -o $(INTO)requirements-dev.txt
	@$(COMPILE) requirements-uv.in -o $(INTO)requirements-uv.txt

clean: ## remove the environment and caches
	rm -rf .venv .tools .data .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.tools/bin/uv:
	@echo "Installing uv privately into .tools (a few seconds, once)"
	@python3 -m venv .tools && .tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt

$(STAMP): requirements-dev.txt .python-version $(filter .tools/bin/uv,$(UV))
	@echo "Setting up .venv with Python $$(cat .python-version) (about half a minute, once)"
	@$(UV) venv --quiet --clear --python "$$(cat .python-version)" .venv
	@$(UV) pip sync --require-hashes --python $(PYTHON) requirements-dev.txt
	@$(PYTHON) -m compileall -q shared functions devhost function_app.py
	@touch $@

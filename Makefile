# Everything a developer or CI does. `make` alone lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
VENV_LOWEST := .venv-lowest
BIN := $(VENV)/bin

# Tests of one file stay together, for the stores and campaigns that they share; a process more costs an import of MLflow.
PARALLEL := -n auto --maxprocesses 4 --dist loadfile

# What is installed of the package, with the extras that tests need. The oldest environment takes no part in what the
# model providers require of LangChain.
INSTALLED := .[dev,providers]
INSTALLED_LOWEST := .[dev]
# The oldest supported versions. langgraph-prebuilt is named because LangGraph 1.0.0 accepts, but does not work with, a newer one.
LOWEST := 'mlflow==3.9.*' 'langgraph==1.0.0' 'langgraph-prebuilt==1.0.0'

# What test-lowest runs: the rooms that use MLflow or LangGraph, with their fast tests; and the slow tests of the tracker,
# which is the room that hides what differs between versions, and of the dirt that migrations meet. Pure rooms, documents and the wheel are the same everywhere,
# and the mock LLM's clients are packages of the providers, which the oldest environment does not have.
ON_LOWEST := tests/integration --ignore=tests/integration/packaging --ignore=tests/integration/docs \
  --ignore=tests/integration/reporting --ignore=tests/integration/mock_llm \
  $(addprefix tests/unit/,delivery judging tracking workflows)
SLOW_ON_LOWEST := tests/integration/tracking tests/integration/delivery tests/browser/test_mlflow_ui.py \
  tests/integration/stores/test_dirty_file_store.py

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENV)/ready ## Measure a LangGraph workflow under MLflow tracing, judge it, write the report
	$(BIN)/tracegauge demo

.PHONY: test
test: $(VENV)/ready ## Run the fast tests
	$(BIN)/python -m pytest $(PARALLEL) -m "not slow"

.PHONY: test-all
test-all: test ## Run the fast tests, then the slow ones
	$(BIN)/python -m pytest $(PARALLEL) -m slow

.PHONY: test-lowest
test-lowest: $(VENV_LOWEST)/ready ## Run the tests on the oldest supported MLflow and LangGraph
	$(VENV_LOWEST)/bin/python -m pytest $(PARALLEL) -m "not slow" $(ON_LOWEST)
	$(VENV_LOWEST)/bin/python -m pytest $(PARALLEL) -m slow $(SLOW_ON_LOWEST)

.PHONY: lint
lint: $(VENV)/ready ## Check style and formatting
	$(BIN)/ruff check
	$(BIN)/ruff format --check

.PHONY: format
format: $(VENV)/ready ## Format the code and mend what can be mended
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: type
type: $(VENV)/ready ## Check the types of the package
	$(BIN)/mypy

.PHONY: bench
bench: $(VENV)/ready ## Run the benchmarks as pytest tests
	$(BIN)/python -m pytest bench

.PHONY: docs
docs: $(VENV)/ready ## Build the documentation site into build/site; a broken link fails
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

TREES := tests/integration/tracking
.PHONY: tree-table
tree-table: $(VENV)/ready $(VENV_LOWEST)/ready ## Write docs/tree_correctness.md from the tests, on both pairs of versions
	@rm -f build/trees.jsonl && mkdir -p build
	for environment in $(VENV_LOWEST) $(VENV); do TRACEGAUGE_TREE_TABLE=build/trees.jsonl \
	  $$environment/bin/python -m pytest -n 0 -q $(TREES)/test_tree_correctness.py::test_tree; done
	$(BIN)/python $(TREES)/tree_table.py build/trees.jsonl >build/trees.md && mv build/trees.md docs/tree_correctness.md

.PHONY: sample
sample: $(VENV)/ready ## Make the sample report and its screenshots from a measured campaign: CAMPAIGN=reports/NAME
	$(BIN)/python docs/site/sample.py $(CAMPAIGN)

.PHONY: lock
lock: ## Resolve the newest versions again and write both constraints files
	@$(require_python)
	.ci/lock $(PYTHON) constraints.txt '$(INSTALLED)'
	.ci/lock $(PYTHON) constraints-lowest.txt '$(INSTALLED_LOWEST)' $(LOWEST)

.PHONY: clean
clean: ## Remove environments, caches and build output; reports stay
	rm -rf $(VENV) $(VENV_LOWEST) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
	find src tests bench examples -name __pycache__ -prune -exec rm -rf {} +

define require_python
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
  echo "tracegauge needs CPython 3.11 or newer, and '$(PYTHON)' is: $$($(PYTHON) --version 2>&1 || true)" >&2; \
  echo "Name another one, for example: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }; \
$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
  echo "'$(PYTHON)' cannot make virtual environments (on Debian and Ubuntu: apt-get install python3-venv)" >&2; exit 1; }
endef

# An environment is ready when it was installed after the last change of what it is installed from.
$(VENV)/ready: INSTALL := -c constraints.txt -e '$(INSTALLED)'
$(VENV)/ready: constraints.txt
$(VENV_LOWEST)/ready: INSTALL := -c constraints-lowest.txt -e '$(INSTALLED_LOWEST)'
$(VENV_LOWEST)/ready: constraints-lowest.txt
$(VENV)/ready $(VENV_LOWEST)/ready: pyproject.toml
	@$(require_python)
	@echo "Setting up $(@D) (one to three minutes, again only when pyproject.toml or its lock changes)"
	@test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check $(INSTALL)
	@touch $@

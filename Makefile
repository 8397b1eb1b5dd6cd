# Everything runs in .venv, built from requirements.lock. Needs Python 3.11 or later
# with pip, and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ROOMS := interface theory numerics validation
# pip outside the environment: works also where Python comes without ensurepip.
PIP := $(PYTHON) -m pip --python $(BIN)/python --disable-pip-version-check
UV_VERSION := 0.13.9
# Its driver is as large as all else together, so that the lock has it not.
BROWSER := playwright==1.65.2 axe-playwright-python==0.1.8

.DEFAULT_GOAL := help
COUNT ?= 10000

.PHONY: help setup test lint docs slow bench browser stress theorems mutants trend network spectra demo lock clean FORCE

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' $(MAKEFILE_LIST) | \
	  while IFS='|' read -r name what; do printf '  make %-8s %s\n' "$$name" "$$what"; done

setup: $(VENV)/linked ## build .venv with the locked packages and detequiv itself

test: lint ## lint, types, tests, doctests and documentation
	$(BIN)/python -m pytest -n auto --dist worksteal
	@$(MAKE) --no-print-directory docs

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

docs: setup ## build the documentation into build/docs and run its examples
	$(BIN)/sphinx-build -q -E -W --keep-going -b html docs build/docs/html
	$(BIN)/sphinx-build -q -E -W --keep-going -b doctest docs build/docs/doctest

slow: setup ## run the tests that take minutes
	$(BIN)/python -m pytest -m slow

bench: setup ## measure speed, and print ratios to what one would write without the package
	$(BIN)/python -m pytest -m bench -s

browser: setup ## play with the explorer and read the pages in a headless Chromium
	$(PIP) install --quiet $(BROWSER)
	$(BIN)/python -m pytest -m browser

stress: setup ## solve COUNT random problems and check each; goes on where it stopped
	OPENBLAS_NUM_THREADS=1 $(BIN)/python tests/numerics/solving/stress.py $(COUNT) --workers 2

theorems: setup ## check COUNT random claims and try what is proved; goes on where it stopped
	OPENBLAS_NUM_THREADS=1 $(BIN)/python tests/numerics/discovery/theorems.py $(COUNT)

mutants: setup ## reject wrong theories, accept the right one with a hundred seeds
	$(BIN)/python -m detequiv.validation.studies.rejection

trend: setup ## compare theory with simulation as the dimension grows
	$(BIN)/python -m detequiv.validation.studies.trend

network: setup ## compare theory with the trained network itself
	$(BIN)/python -m detequiv.validation.studies.training

spectra: setup ## compare eigenvalues and outliers with simulated matrices
	$(BIN)/python -m detequiv.validation.studies.outliers
	$(BIN)/python -m detequiv.validation.studies.eigenvalues

demo: setup ## what one gradient step buys: figures, tables and a page in out/demo
	@$(BIN)/python -m detequiv.demo

lock: ## renew requirements.lock (every Python from 3.11 on, every platform)
	$(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install --quiet uv==$(UV_VERSION)
	build/lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --fork-strategy fewest \
	  --no-config --no-emit-index-url --generate-hashes --all-extras --group dev \
	  --custom-compile-command "make lock" --output-file requirements.lock pyproject.toml

clean: ## remove everything that make made
	rm -rf $(VENV) build dist .hypothesis .benchmarks .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment starts afresh when the lock changes, so that nothing unlocked stays.
$(VENV)/locked: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	  "Python 3.11 or later is needed: make $(MAKECMDGOALS) PYTHON=python3.11")'
	$(PYTHON) -m venv --clear --without-pip $(VENV)
	$(PIP) install --quiet --require-hashes --requirement requirements.lock
	@touch $@

# A strict editable install links each module when it is made: a module that comes or
# goes asks for a new one.
$(VENV)/linked: $(VENV)/locked pyproject.toml build/modules
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# Rewritten only when the set of files changes, whatever their contents.
build/modules: FORCE
	@mkdir -p build
	@find $(ROOMS) -type f ! -name '*.pyc' | LC_ALL=C sort > $@.now
	@cmp -s $@.now $@ && rm $@.now || mv $@.now $@

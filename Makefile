# Every chore of this repository, one command each: `make help` lists them.
# Needs Python 3.11 to 3.13, git and make; everything else is installed into .venv from the hashes in requirements/.

# The first Python on the PATH that mlox supports; `make setup PYTHON=/path/to/python3.13 VENV=.venv-3.13` for another.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& { echo $$python; break; }; done)
VENV ?= .venv
DEMO_VENV ?= .venv-demo
WORKERS ?= logical
PYTEST_ARGS ?=
LAB_ARGS ?=

BIN = $(VENV)/bin
PYTEST = $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadgroup $(PYTEST_ARGS)
ENGINE = $(BIN)/python -m tests.live.engine run --ahead --
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock" $(UPGRADE)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PRECIOUS: %/.uv %/.installed
.PHONY: help setup demo lab test test-fast test-exhaustive live-requirements lint format types docs bench lock build clean

help: ## list the chores
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.installed ## create .venv with everything that developing and testing needs

demo: $(DEMO_VENV)/.installed ## the main job: a real MLflow from a notebook, in a new folder, shown cell by cell
	$(DEMO_VENV)/bin/python notebooks/run.py notebooks/01-quickstart.ipynb

lab: $(DEMO_VENV)/.installed ## open JupyterLab on the notebooks
	$(DEMO_VENV)/bin/jupyter lab --notebook-dir=notebooks $(if $(filter 0,$(shell id -u)),--allow-root) $(LAB_ARGS)

test: setup lint types live-requirements ## lint, types and every test but the exhaustive ones, on real services
	$(ENGINE) $(PYTEST) -m "not exhaustive"

test-fast: setup ## the tests that need no real service (under two minutes)
	$(PYTEST) -m "not live and not slow and not exhaustive"

test-exhaustive: setup live-requirements ## every test there is, full matrices too
	$(ENGINE) $(PYTEST)

live-requirements: # the programs that live tests take from the PATH
	@tests/live/install

lint: setup ## ruff: rules and format, changing nothing
	$(BIN)/ruff check
	$(BIN)/ruff format --check

format: setup ## ruff: mend what can be mended, and format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

types: setup ## mypy, strict
	$(BIN)/mypy

docs: setup ## write docs/services again, from the catalog files
	$(BIN)/python -m mlox.catalog.pages docs/services

bench: setup ## run the benchmarks and print their ratios
	@failed=0; for benchmark in benchmarks/*.py; do \
		echo "== $$benchmark"; $(BIN)/python "$$benchmark" || failed=1; done; exit $$failed

lock: $(VENV)/.uv ## write requirements/*.txt again (`make lock UPGRADE=--upgrade` for the newest versions)
	$(LOCK) pyproject.toml --extra all --extra dev --group demo --output-file requirements/dev.txt
	$(LOCK) pyproject.toml --extra all --group demo --constraints requirements/dev.txt \
		--output-file requirements/demo.txt
	echo uv | $(LOCK) - --constraints requirements/dev.txt --output-file requirements/uv.txt

build: setup ## build the sdist and the wheel into dist/
	$(BIN)/python -m build --no-isolation

clean: ## remove environments, builds and caches (running services and their data stay: see `mlox down --purge`)
	rm -rf $(VENV) $(DEMO_VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

# An environment is: python -m venv, then uv, then the lock, then mlox itself as an editable install.
%/.uv: requirements/uv.txt
	@test -n "$(PYTHON)" || { echo "error: no Python 3.11 to 3.13 on the PATH"; \
		echo "hint: install one, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12"; exit 1; } >&2
	@test -x $*/bin/python || { rm -rf $* && $(PYTHON) -m venv $*; }
	$*/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

$(VENV)/.installed: requirements/dev.txt
$(DEMO_VENV)/.installed: requirements/demo.txt
%/.installed: %/.uv pyproject.toml
	$*/bin/uv pip sync --quiet --python $*/bin/python --require-hashes --compile-bytecode $(filter requirements/%,$^)
	$*/bin/uv pip install --quiet --python $*/bin/python --no-deps --no-build-isolation --editable .
	@touch $@

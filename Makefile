PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: serve test lint types docs explanations clean

serve: $(VENV)/serve model.joblib  ## serve the model in this folder, or an example, on http://localhost:5000
	$(BIN)/python service.py

test: lint types docs  ## lint, types, docs and all tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev
	$(BIN)/mypy

docs: $(VENV)/dev  ## the documentation, in docs/_build/html
	$(BIN)/python -m sphinx -n -W -q docs docs/_build/html

explanations: $(VENV)/dev  ## measure docs/explanations.md anew
	$(BIN)/python -m benchmarks.explanations

model.joblib: | $(VENV)/serve
	$(BIN)/python python/example/build_rf_binary.py

$(VENV)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make serve PYTHON=python3.x")'
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/serve: requirements.txt requirements-service.txt | $(VENV)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-service.txt -r requirements.txt
	touch $@

$(VENV)/dev: requirements-dev.txt $(VENV)/serve
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

clean:
	rm -rf $(VENV) docs/_build .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
COMPOSE ?= $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)
# The environments of other libraries, and the rows, of docs/served-table.md.
SERVED := build/served
# What locks, lists and audits the packages of the image, and the Python of the image.
TOOLS := build/tools
IMAGE_PYTHON ?= 3.13
# Where uWSGI without containers keeps what it serves.
RUN_FOLDER ?= build/run
PRODUCTION = $(COMPOSE) --file docker-compose-production.yml

.PHONY: serve check up up-production serve-production swap rollback models test test-quick test-containers lint types docs
.PHONY: lock sbom audit explanations served bench bench-quick clean

serve: $(VENV)/serve model.joblib  ## serve model.joblib, or an example, on http://localhost:5000
	$(BIN)/python service.py

check: $(VENV)/serve  ## say whether model.joblib, or MODEL=other.joblib, will be served, as what, and what it costs
	@$(BIN)/python -m python.model $(or $(MODEL),model.joblib)

up:  ## run the development service in a container, on http://localhost:5000
	test -f model.joblib || $(MAKE) model.joblib
	$(COMPOSE) up --build

up-production:  ## run uWSGI behind nginx in containers, on http://localhost
	test -n "$$MODEL_FOLDER" || test -f model.joblib || test -f models/model.joblib || $(MAKE) model.joblib
	@$(DEPLOY) place
	$(PRODUCTION) up --build --detach

serve-production: $(VENV)/serve  ## run uWSGI without containers, with the settings of variables.env
	@RUN_FOLDER=$(RUN_FOLDER) $(BIN)/python -m python.production.deployment serve

# Without containers, the same packages as those of the service are needed.
DEPLOY = RUN_FOLDER=$(RUN_FOLDER) PRODUCTION="$(PRODUCTION)" $(or $(wildcard $(BIN)/python),python3) -m python.production.deployment

swap:  ## serve MODEL=new.joblib, or the file in its place, from every replica; a refused model changes nothing
	@$(DEPLOY) swap "$(MODEL)" "$(SHA256)"

rollback:  ## serve the model that was served before
	@$(DEPLOY) rollback "$(SHA256)"

models:  ## list the models that are kept, and who serves which
	@$(DEPLOY) models

# A worker that has run out of tests takes some of the other's: a single one can take half a minute.
# LightGBM starts a thread for each processor whatever OMP_NUM_THREADS says, and threads that wait spin.
PYTEST = OMP_NUM_THREADS=1 OMP_THREAD_LIMIT=1 $(BIN)/python -m pytest -n 2 --dist worksteal
# Says whether the containers can be tested.
DOCKER ?= docker info >/dev/null 2>&1

test: lint types docs  ## run all checks and tests; those of the containers only with Docker
	$(PYTEST) --ignore=tests/containers
	@if $(DOCKER); then \
	    $(MAKE) --no-print-directory test-containers; \
	else \
	    echo "tests/containers: skipped, because no Docker engine answers"; \
	fi

test-quick: $(VENV)/dev  ## run the tests that need no container, no server and no slow fit, in three minutes
	$(PYTEST) --ignore=tests/containers --no-cov -m "not slow"

SWARM := tests/containers/test_swarm.py
# An engine that leaves a swarm may stop to resolve names for the stacks of another test.
test-containers: $(VENV)/dev  ## build the images, run the stacks and break them on purpose
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-cov tests/containers --ignore=$(SWARM)
	$(BIN)/python -m pytest --no-cov $(SWARM)

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev
	$(BIN)/mypy

docs: $(VENV)/dev  ## build the documentation in docs/_build/html
	$(BIN)/python -m sphinx -E -n -W -q docs docs/_build/html

lock: $(TOOLS)/made  ## write requirements.lock, with hashes; UPGRADE=1 takes the newest versions that fit
	$(TOOLS)/bin/python -m python.production.packages lock $(if $(UPGRADE),--upgrade)

# The lines of the lock that hold for the Python of the image.
$(TOOLS)/image.txt: requirements.lock $(TOOLS)/made
	$(TOOLS)/bin/uv pip compile --quiet --no-config --no-header --no-annotate --no-deps --generate-hashes \
	    --python-version $(IMAGE_PYTHON) --python-platform linux --output-file $@ $<

sbom: $(TOOLS)/image.txt  ## write build/sbom.json, the bill of materials of the image (CycloneDX)
	$(TOOLS)/bin/cyclonedx-py requirements --output-reproducible --output-format JSON --output-file build/sbom.json $<

audit: $(TOOLS)/image.txt  ## look for advisories about the packages of the image
	$(TOOLS)/bin/pip-audit --strict --require-hashes --disable-pip --requirement $<

explanations: $(VENV)/dev  ## measure the figures of docs/explanations.md, docs/shap-compared.md and docs/reading-explanations.md
	$(BIN)/python -m benchmarks.explanations
	$(BIN)/python -m benchmarks.shap_compared
	$(BIN)/python -m benchmarks.reading

served: $(VENV)/dev $(SERVED)/heavy/made $(SERVED)/old/made  ## serve artifacts of every kind and write the table of docs/served.md
	$(BIN)/python -m benchmarks.served $(SERVED)

bench: $(VENV)/dev  ## measure the figures of docs/speed.md, in about 15 minutes; needs wrk
	$(BIN)/python -m benchmarks.speed
	$(BIN)/python -m benchmarks.start
	$(BIN)/python -m benchmarks.score

bench-quick: $(VENV)/dev  ## compare the service with its bounds, in a minute; needs wrk
	$(BIN)/python -m benchmarks.speed --quick

model.joblib: | $(VENV)/serve
	@echo "There is no model.joblib yet: building the one of python/example/build_rf_binary.py"
	@$(BIN)/python python/example/build_rf_binary.py >/dev/null  # it prints what to try next, too soon

$(VENV)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make serve PYTHON=python3.x")'
	@echo "Creating a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# Names each package as pip comes to it, since pip says either nothing or very much.
# Warnings and errors pass by on the other stream. The last line has the status of a pip that failed.
INSTALL = { $(BIN)/python -m pip install --progress-bar off --disable-pip-version-check
NAMED = || echo "status=$$?"; } | while read -r verb what rest; do case $$verb in \
    Collecting | Processing) echo "  $${what\#\#*/}" ;; \
    Installing) echo "Unpacking them, which takes longest" ;; \
    status=*) exit "$${verb\#status=}" ;; \
    esac; done

$(VENV)/serve: requirements.txt requirements-service.txt | $(VENV)/python
	@echo "Installing what the service and the model need; this takes a few minutes the first time"
	@$(INSTALL) -r requirements-service.txt -r requirements.txt $(NAMED)
	@touch $@

$(SERVED)/heavy/made: benchmarks/served/requirements.txt requirements.txt requirements-service.txt | $(VENV)/python
	$(BIN)/python -m venv $(SERVED)/heavy
	$(SERVED)/heavy/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

$(SERVED)/old/made: benchmarks/served/requirements-old.txt | $(VENV)/python
	$(BIN)/python -m venv $(SERVED)/old
	$(SERVED)/old/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

$(TOOLS)/made: requirements-tools.txt | $(VENV)/python
	$(BIN)/python -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

$(VENV)/dev: requirements-dev.txt $(VENV)/serve
	@echo "Installing what tests, lint, types and docs need"
	@$(INSTALL) -r requirements-dev.txt $(NAMED)
	@touch $@

clean:
	rm -rf $(VENV) build docs/_build docs/code .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis

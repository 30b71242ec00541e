# make demo    set up, train on the bundled script, and chat with the innkeeper (FRESH=1 trains anew)
# make test    set up, and run every test;  make test-fast leaves out the slow ones and those that need the network
# make check   lint, types, import contract
# make bench   the measurements in docs/benchmarks.md (needs DATA=RickAndMortyScripts.csv)

PYTHON ?= python3
VENV ?= .venv
RUN := $(VENV)/bin/python
DATA ?= RickAndMortyScripts.csv

.PHONY: demo test test-fast check bench clean

demo: $(VENV)/installed
	@$(RUN) examples/demo.py $(if $(FRESH),--fresh)

test: $(VENV)/installed-dev
	OMP_NUM_THREADS=1 $(RUN) -m pytest -n 2

test-fast: $(VENV)/installed-dev
	OMP_NUM_THREADS=1 $(RUN) -m pytest -n 2 -m "not slow and not network"

check: $(VENV)/installed-dev
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(VENV)/bin/lint-imports

bench: $(VENV)/installed
	$(RUN) -m pip install --quiet --disable-pip-version-check -r bench/requirements.txt
	$(RUN) bench/training.py speed --data $(DATA)
	$(RUN) bench/training.py learning --data $(DATA)
	$(RUN) bench/endurance.py --data $(DATA)
	$(RUN) bench/chat_memory.py
	$(RUN) bench/processes.py --data $(DATA)
	$(RUN) bench/importers.py

# The stamp files say that the folder holds what the requirements name; an interrupted install leaves none.
$(VENV)/installed: requirements.txt pyproject.toml
	@test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(RUN) -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.txt
	$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

clean:
	rm -rf build dist src/*.egg-info demo_model demo_model.unfinished

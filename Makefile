# make demo    set up, train on the bundled script, and chat with the innkeeper (FRESH=1 trains anew)
#              LANG=ja: the same in Japanese, with the keeper of a hot spring
# make page    set up, and open the page in a browser: make characters from your own files, and talk with them (PORT=8081)
# make test    set up, and run every test;  make test-fast leaves out the slow ones and those that need the network
# make check   lint, types, import contract
# make docs    the documentation as a site in build/docs;  make screenshots takes its pictures anew (after make demo)
# make build   the wheel and the source archive in dist, tried out in an empty environment
# make bench   the measurements in docs/benchmarks.md (needs DATA=RickAndMortyScripts.csv)
# make reference   docs/reference.md and docs/reference.ja.md anew, from the settings
# make lock    the lock files anew, from requirements*.txt
# make sbom    build/sbom.json (CycloneDX) and build/licences.md: every package that is installed, and its licence
# make test-newest   the tests with the newest libraries that pyproject.toml allows, in .venv-newest
#
# TORCH=cpu or TORCH=cuda chooses PyTorch's build; without it the machine decides.

PYTHON ?= python3
VENV ?= .venv
RUN := $(VENV)/bin/python
SET_UP := $(VENV)/installed$(TORCH:%=-%)
DATA ?= RickAndMortyScripts.csv

.PHONY: demo page test test-fast check docs screenshots build bench reference lock sbom test-newest clean

# Every shell has a LANG. Only one typed after `make` chooses the demo's language; `ja` is no locale, so no program sees it.
ifeq ($(origin LANG) $(LANG),command line ja)
DEMO := --language ja
unexport LANG
endif

demo: $(SET_UP)
	@$(RUN) examples/demo.py $(DEMO) $(if $(FRESH),--fresh)

page: $(SET_UP)
	@$(VENV)/bin/wolf-chatbox web $(if $(PORT),--port $(PORT)) $(patsubst %/run.json,%,$(wildcard demo_model/run.json demo_model_ja/run.json))

test: $(SET_UP)-dev
	OMP_NUM_THREADS=1 $(RUN) -m pytest -n 2 --dist worksteal

test-fast: $(SET_UP)-dev
	OMP_NUM_THREADS=1 $(RUN) -m pytest -n 2 --dist worksteal -m "not slow and not network"

check: $(SET_UP)-dev
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(VENV)/bin/lint-imports

docs: $(SET_UP)-dev
	$(RUN) scripts/site.py

screenshots: $(SET_UP)-dev
	$(RUN) scripts/screenshots.py

build: $(SET_UP)-dev
	rm -rf dist
	$(VENV)/bin/uv build --quiet --no-build-isolation --python $(RUN)
	scripts/check_wheel $(VENV)

bench: $(SET_UP)
	$(RUN) -m pip install --quiet --disable-pip-version-check -r bench/requirements.txt
	$(RUN) bench/training.py speed --data $(DATA)
	$(RUN) bench/training.py learning --data $(DATA)
	$(RUN) bench/endurance.py --data $(DATA)
	$(RUN) bench/chat_memory.py
	$(RUN) bench/processes.py --data $(DATA)
	$(RUN) bench/importers.py

reference: $(SET_UP)-dev
	$(RUN) scripts/reference.py
	$(RUN) scripts/formats_page.py

lock: $(SET_UP)-dev
	UV=$(VENV)/bin/uv scripts/lock

sbom: $(SET_UP)-dev
	@mkdir -p build
	$(VENV)/bin/uv tool run --from cyclonedx-bom==7.5.0 cyclonedx-py environment --pyproject pyproject.toml -o build/sbom.json $(RUN)
	$(VENV)/bin/uv tool run pip-licenses==5.5.5 --python $(RUN) --format markdown --with-urls --order license --output-file build/licences.md

test-newest:
	scripts/test_newest

# The stamp files say that the folder holds what the lock files name; an interrupted set-up leaves none.
LOCKS := requirements.lock requirements-torch.lock requirements-uv.lock pyproject.toml scripts/set_up

$(SET_UP): $(LOCKS)
	@PYTHON=$(PYTHON) TORCH=$(TORCH) scripts/set_up $(VENV)
	@touch $@

$(SET_UP)-dev: $(LOCKS) requirements-dev.lock
	@PYTHON=$(PYTHON) TORCH=$(TORCH) scripts/set_up $(VENV) dev
	@touch $(SET_UP) $@

clean:
	rm -rf build dist src/*.egg-info demo_model demo_model.unfinished demo_model_ja demo_model_ja.unfinished .venv-newest

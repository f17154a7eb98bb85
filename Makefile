# Two commands do everything on a fresh machine with Python 3.11+: `make report` and `make test`.
# Each sets up what it needs in .venv; `make report PARTNER=CHN RELEASE=2024-08` does any other.
PYTHON ?= python3
PARTNER ?= KOR
RELEASE ?= 2018-07
VENV := .venv
BIN := $(VENV)/bin
ORIGINALS ?= ../shared/data
# Where this is set, each of the programs that a test or a sweep starts would compile all of its modules anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: report test versions bench trials lab docs guides lint format bundle airflow clean

report: $(VENV)/installed
	@$(BIN)/tradelib report --partner "$(PARTNER)" --release $(RELEASE) $(if $(AS_OF),--as-of $(AS_OF)) $(ARGS)
	@echo "All else: $(BIN)/tradelib --help"

test: $(VENV)/installed-test
	$(BIN)/python -m pytest -n 2 $(ARGS)

# A chosen core of the tests on the other Pythons that are here, and with the lowest versions that are allowed.
versions:
	.ci/versions

# Each thing a user waits for, against the way without it: one table, kept in tests/benchmarks/last_run.md.
bench: $(VENV)/installed-test
	$(BIN)/python tests/benchmarks/bench.py

# Counts over everything, some of which take an hour: what is right, refused, wrong, lost or made twice.
trials: $(VENV)/installed-test
	$(BIN)/python tests/benchmarks/headlines.py
	$(BIN)/python tests/benchmarks/first_print.py
	$(BIN)/python tests/benchmarks/second.py
	$(BIN)/python tests/benchmarks/identities.py --log $$(mktemp)
	$(BIN)/python tests/benchmarks/identities.py --log $$(mktemp) --releases 482 --partners KOR,EU,TUV
	$(BIN)/python tests/benchmarks/kills.py 200
	$(BIN)/python tests/benchmarks/fuzz.py 20000
	$(BIN)/python tests/benchmarks/hs10.py
	$(BIN)/python tests/benchmarks/sweep.py --partners all
	$(BIN)/python tests/benchmarks/sweep_kills.py 10
	$(BIN)/python tests/benchmarks/check.py
	$(BIN)/python tests/benchmarks/hosts.py 1000

lab: $(VENV)/installed
	$(BIN)/jupyter lab --ServerApp.root_dir="$(CURDIR)" --LabApp.default_url=/lab/tree/notebooks \
	  $(if $(filter 0,$(shell id -u)),--allow-root --no-browser) $(ARGS)

# The reference, from the docstrings, and the codebook, from the code.
docs: $(VENV)/installed
	$(BIN)/python -m pip install --quiet '.[docs]'
	$(BIN)/python -c "import pathlib, pdoc, tradelib; tradelib.contributors; \
	  pdoc.render.configure(docformat='numpy', show_source=False); \
	  pdoc.pdoc('tradelib', output_directory=pathlib.Path('docs'))"
	$(BIN)/tradelib codebook --format html > docs/codebook.html

# The parts of notebooks/guides that are made from the code.
guides: $(VENV)/installed-test
	PYTHONPATH=tests/support $(BIN)/python tests/test_docs.py --renew

lint: $(VENV)/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

format: $(VENV)/installed-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(VENV)/installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/installed-test: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	touch $@ $(VENV)/installed

# Airflow, in an environment of its own: with it the tests have it read the DAG of `tradelib example airflow`.
airflow: .venv-airflow/installed
.venv-airflow/installed:
	$(PYTHON) -m venv .venv-airflow
	.venv-airflow/bin/python -m pip install --quiet apache-airflow apache-airflow-providers-papermill --editable .
	touch $@

# Compiles the bundled vintages from the originals with the command a user would use; duties, whose copies
# have forms of their own, with a script.
INGEST = $(BIN)/tradelib ingest --store tradelib/data/vintages
bundle: $(VENV)/installed
	for file in $(ORIGINALS)/census/country_*; do \
	  stem=$${file##*country_}; $(INGEST) $$file --published $${stem%.*} \
	    --note "copy saved by others of country.xlsx as it stood on the release day" || exit 1; done
	$(INGEST) $(ORIGINALS)/census/ctyseasonal_2025-04-03.csv --published 2025-04-03 \
	  --note "copy saved by others as CSV"
	$(INGEST) $(ORIGINALS)/bea/trad-geo-time-series_2025-03-06.xlsx --note "copy saved by others"
	$(INGEST) $(ORIGINALS)/census/api_*_total_2025-10-18.parquet --saved 2025-10-18 \
	  --note "Census API replies saved by others by this day; after the June 2025 annual revision"
	$(INGEST) $(ORIGINALS)/census/hs2/exports_*.parquet --published 2020-12-04 \
	  --note "Census API replies saved by others; 20 partners and the total"
	$(INGEST) $(ORIGINALS)/census/hs2/imports_*.parquet --published 2020-12-04 \
	  --note "Census API replies saved by others; 20 partners and the total"
	$(INGEST) $(ORIGINALS)/census/api_imports_general_hs2_2023-2024_2025-10-18.parquet --saved 2025-10-18 \
	  --note "Census API replies saved by others by this day; after the June 2025 annual revision"
	$(INGEST) $(ORIGINALS)/ft900/ft900xlsx_2108.zip --note "the archive of that release, saved by others"
	PYTHONPATH=tests/support $(BIN)/python tests/support/compile_tariffs.py $(ORIGINALS) tradelib/data/vintages

clean:
	rm -rf $(VENV) .venv-airflow build dist .pytest_cache .ruff_cache .hypothesis

# make train · make test · make check · make bench; each sets up what it needs in .venv first.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: train test check format bench bundled serve docs fuzz mutants release lock clean
train: .venv/ready
	$(BIN)/tenfold train --recipe classic --run runs/classic --resume

# Two processes, each with whole files, so that what a file's tests share is made once; tests/conftest.py says which file comes first.
TWO := --numprocesses 2 --dist loadfile --no-loadscope-reorder
test: check
	KERAS_BACKEND=tensorflow $(BIN)/python -m pytest $(TWO)
	KERAS_BACKEND=jax $(BIN)/python -m pytest $(TWO) tests/learn -m "not one_backend"

check: .venv/ready
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check

format: .venv/ready
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# Rivals side by side on this machine: about 40 minutes. Prints the tables; those of rivals.py go into docs/benchmarks.md and RESULTS.md.
bench: .venv/rivals
	$(BIN)/python benchmarks/cold_start.py
	$(BIN)/python benchmarks/classic.py classic
	$(BIN)/python benchmarks/classic.py mlp
	$(BIN)/python benchmarks/rivals.py
	$(BIN)/python benchmarks/service.py

.venv/rivals: .venv/ready benchmarks/requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement benchmarks/requirements.txt
	@touch $@

# The networks that ship, trained again from scratch; about three hours on 2 cores. Words on the pages are in fonts of
# Debian, too; what is missing is said before anything begins. glibc is told to keep freed memory, which halves the time of the
# finder's steps.
bundled: .venv/ready
	MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=20000000000 $(BIN)/python -m tenfold.learn.bundling

# The page to draw on and the HTTP interface, on this machine alone: http://127.0.0.1:8000
serve: .venv/ready
	$(BIN)/tenfold serve --open

docs: .venv/ready
	$(BIN)/python docs/generate.py

# Each parser gets ever new bytes for FUZZ_S seconds (atheris; Linux), then the service is held to its description (schemathesis):
# about a quarter of an hour.
FUZZ_S ?= 60
FUZZED := csv idx npz samples decode pages recipe run model protocol form field
fuzz: .venv/fuzz
	set -e; for target in $(FUZZED); do $(BIN)/python fuzz $$target $(FUZZ_S); done
	$(BIN)/python fuzz/service.py

.venv/fuzz: .venv/ready fuzz/requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement fuzz/requirements.txt
	@touch $@

# The code with one small change at a time: does a test notice? Every change, some 1,200: about an hour.
mutants: .venv/ready
	set -e; for area in lines runs storage sources picture; do $(BIN)/python fuzz/mutate.py $$area; done

# sdist, wheel and the list of all they need (SBOM, CycloneDX) in dist/.
release: .venv/ready
	$(PYTHON) -m venv .venv/release
	.venv/release/bin/pip install --quiet --disable-pip-version-check cyclonedx-bom==7.5.0
	$(BIN)/python -m hatchling build
	.venv/release/bin/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --output-reproducible --of JSON -o dist/tenfold.cdx.json

# What the container installs and is built with is locked too, at the same versions. Needs uv (https://docs.astral.sh/uv). No index address gets into the file.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url \
	  --all-extras --upgrade pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url \
	  --extra serve --constraint requirements.lock pyproject.toml -o requirements-serve.lock
	echo hatchling | uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url \
	  --constraint requirements.lock - -o requirements-build.lock

# What was installed and what tests left behind; runs/ stays.
clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache dist build

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "tenfold needs Python 3.11 or newer: make PYTHON=python3.11 …")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

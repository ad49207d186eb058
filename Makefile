# Two commands do everything: `make serve` and `make test`. The rest are their parts.
.DEFAULT_GOAL := help
PY := .venv/bin/python
export PYTHON CHROMIUM
# Built files carry the commit's time, so two builds of one commit are equal.
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 1700000000)
# MkDocs and Material are pinned below their next majors; their advertisement is not news.
export NO_MKDOCS_2_WARNING := 1
# All tests, a file to a core, in the order of tests/conftest.py; each core has one thread, since two that wait
# for each other are slower.
ALL_TESTS = -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder --cov --cov-report=term:skip-covered
NAME ?=
ARGS ?=

.PHONY: help serve site test bench data mutants check linkcheck book-tools test-tools clean

help:  ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /  make \1\t/' | expand -t 20

serve: book-tools  ## build the book and serve it on 127.0.0.1:8000 with live reload
	$(PY) -m mkdocs serve --dev-addr 127.0.0.1:8000 $(ARGS)

site: book-tools  ## build the book into site/
	$(PY) -m mkdocs build --strict --clean

test: test-tools site  ## set up what the tests need and run them all
	$(PY) -m pytest $(or $(ARGS),$(ALL_TESTS))
test: export OMP_NUM_THREADS = 1
test: export OPENBLAS_NUM_THREADS = 1

bench: test-tools site  ## measure, and print medians and ratios
	$(PY) -m build_scripts.bench $(ARGS)

data: test-tools  ## train and export one recipe: make data NAME=digits-trajectory
	@test -n "$(NAME)" || { echo "which recipe? make data NAME=..."; $(PY) -m build_scripts.precompute --list; exit 2; }
	$(PY) -m build_scripts.precompute $(NAME) $(ARGS)

mutants: test-tools  ## change the losses one wrong step at a time, and list what no test notices
	$(PY) -m build_scripts.mutants $(ARGS)

check: test-tools  ## check every promise of the book, types and style
	$(PY) -m build_scripts.check
	$(PY) -m ruff check .
	$(PY) -m mypy
	node_modules/.bin/tsc --noEmit -p sims/player

linkcheck: site  ## check every link and address of the built site
	$(PY) -m build_scripts.linkcheck site

book-tools:
	@sh build_scripts/setup.sh book

test-tools:
	@sh build_scripts/setup.sh test

clean:  ## delete what was built (not the downloads in .cache, nor .venv)
	rm -rf build site

# Everything a person runs. All of it works on a fresh machine with Python 3.11 or newer and make: the first target
# that needs .venv makes it, and each target installs what it needs and nothing more.

USABLE := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c '$(USABLE)' >/dev/null 2>&1 && echo $$p && break; done)
RUN := .venv/bin/python

.NOTPARALLEL:
.PHONY: help demo test check versions coverage mutants notebooks lab bench clean

help:  ## say what there is
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1|\2/p' Makefile | awk -F'|' '{printf "%-16s%s\n", $$1, $$2}'

demo: .venv/demo.installed  ## train on real data and show what was learned (ARGS="--help" tells the options)
	$(RUN) -m nn $(ARGS)

test: .venv/test.installed  ## run every test, and every example in a docstring or on a page
	$(RUN) -m pytest $(ARGS)

check: .venv/check.installed  ## ruff on everything, mypy --strict on engine and nn
	$(RUN) -m ruff check .
	$(RUN) -m mypy

versions: .venv/versions.installed  ## run the tests of the core on the oldest and the newest Python
	$(RUN) tests/versions.py

coverage: .venv/test.installed  ## run every test and say which branches none of them took
	$(RUN) -m coverage run -m pytest $(ARGS)
	$(RUN) -m coverage report

# Some mutants would fill the memory: hence ulimit.
mutants: .venv/mutants.installed  ## break the core line by line, and see that a test notices (hours; ARGS="nn.losses*")
	ulimit -v 8000000; .venv/bin/mutmut run $(ARGS)
	.venv/bin/mutmut results | sed "/not checked/d"

notebooks: .venv/notebooks.installed  ## execute the notebooks and compare their outputs
	$(if $(wildcard notebooks/*.ipynb),$(RUN) -m pytest -m notebooks tests/test_notebooks.py $(ARGS),@echo "no notebooks yet")

lab: .venv/lab.installed  ## open the notebooks in JupyterLab
	$(RUN) -m jupyterlab --notebook-dir=notebooks $(ARGS)

bench: .venv/bench.installed  ## measure the engine beside its peers
	@$(RUN) -m pip install --quiet minigrad==0.0.6 >/dev/null 2>&1 \
		|| echo "minigrad did not install (it is built from C source and needs a compiler): measuring without it"
	$(RUN) benchmarks/eager.py $(ARGS)
	$(RUN) benchmarks/traced.py --quick
	$(RUN) benchmarks/gpt.py --quick

clean:  ## remove what these targets made
	rm -rf .venv out dist .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache mutants

# One stamp an extra, so that a change of pyproject.toml installs again and nothing else does.
.venv/%.installed: pyproject.toml .venv/bin/pip
	$(RUN) -m pip install --quiet --editable '.[$*]'
	@touch $@

# pip is the last thing that venv puts in, so a half-made .venv is made again.
.venv/bin/pip:
	@"$(PYTHON)" -c '$(USABLE)' 2>/dev/null || { \
		echo "chalkgrad needs Python 3.11 or newer with its venv module (Debian: apt install python3-venv), and"; \
		echo "found $(or $(PYTHON),none on PATH). To name another: make PYTHON=/path/to/python3"; exit 1; } >&2
	"$(PYTHON)" -m venv .venv

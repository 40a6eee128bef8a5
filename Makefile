# All commands. They work on a fresh machine with Python 3.11 or newer and make: the first target that needs .venv
# creates it, and each target installs only what it needs.

USABLE := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3.14 python3 python; do \
	$$p -c '$(USABLE)' >/dev/null 2>&1 && echo $$p && break; done)
RUN := .venv/bin/python

.NOTPARALLEL:
.PHONY: help demo test site browser check versions coverage mutants notebooks lab bench package clean

help:  ## list the commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1|\2/p' Makefile | awk -F'|' '{printf "%-16s%s\n", $$1, $$2}'

demo: .venv/demo.installed  ## train on real data and show what was learned (ARGS="--help" lists the options)
	$(RUN) -m nn $(ARGS)

test: .venv/test.installed  ## run the tests, and every example in a docstring or on a page (ARGS="-k value": some)
	$(RUN) -m pytest --numprocesses auto $(ARGS)

site: .venv/docs.installed docs/node_modules/.package-lock.json  ## build the page with the documentation: out/site
	rm -rf out/site
	$(RUN) -m sphinx --quiet --fail-on-warning --fresh-env --jobs auto -d out/doctrees -c docs/site . out/site
	$(RUN) web/build.py out/site
	$(RUN) docs/site/check.py out/site

browser: .venv/test.installed site  ## test the player and the built page in a Chromium (Node, too, must be there)
	@for name in chromium chromium-browser google-chrome chrome; do \
		command -v $$name >/dev/null 2>&1 && exit 0; \
	done; echo "these tests need Chromium or Chrome on PATH (Debian: apt install chromium), and found none" >&2; exit 1
	$(RUN) -m pytest -m "site or not site" tests/engine/view/test_player.py tests/web $(ARGS)

check: .venv/check.installed  ## check style, format and types: ruff, mypy --strict, and pyright on a user's file
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(RUN) -m basedpyright

versions: .venv/versions.installed  ## run the core's tests on the oldest and the newest Python
	$(RUN) tests/tools/versions.py

coverage: .venv/test.installed  ## run the tests and report the branches that no test takes
	$(RUN) -m coverage run -m pytest $(ARGS)
	$(RUN) -m coverage report

# Some mutants allocate without end: hence ulimit.
mutants: .venv/mutants.installed  ## make small changes to the core and report those that no test notices (takes hours)
	ulimit -v 8000000; .venv/bin/mutmut run $(ARGS)
	.venv/bin/mutmut results | sed "/not checked/d"

notebooks: .venv/notebooks.installed  ## execute the notebooks and compare their outputs
	$(RUN) -m pytest --numprocesses auto -m notebooks tests/test_notebooks.py $(ARGS)

lab: .venv/lab.installed  ## open the notebooks in JupyterLab
	$(RUN) -m jupyterlab --notebook-dir=notebooks $(ARGS)

bench: .venv/bench.installed  ## compare the speed with other engines
	@$(RUN) -m pip install --quiet minigrad==0.0.6 >/dev/null 2>&1 \
		|| echo "minigrad did not install (it is built from C source and needs a compiler): measuring without it"
	$(RUN) benchmarks/eager.py $(ARGS)
	$(RUN) benchmarks/traced.py --quick
	$(RUN) benchmarks/fit.py --quick
	$(RUN) benchmarks/gpt.py --quick

# `python -I` imports neither this folder's packages nor the user's.
package: .venv/package.installed  ## build wheel and sdist, install each into an empty environment, run the README's example
	rm -rf dist
	$(RUN) -m hatchling build -d dist
	for file in dist/*; do \
		$(RUN) -m venv --clear .venv/empty && .venv/empty/bin/python -m pip install --quiet "$$file" && \
		.venv/empty/bin/python -I tests/tools/readme.py README.md || exit 1; done

clean:  ## remove everything that these commands created
	rm -rf .venv out dist docs/node_modules web/code/node_modules .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache mutants

# One stamp for each extra: it is installed again only when pyproject.toml changes.
.venv/%.installed: pyproject.toml .venv/bin/pip
	$(RUN) -m pip install --quiet --editable '.[$*]' $(PINS)
	@touch $@

.venv/docs.installed: PINS = --constraint docs/site/requirements.txt
.venv/docs.installed: docs/site/requirements.txt

# npm writes this file last.
docs/node_modules/.package-lock.json: docs/package.json docs/package-lock.json
	@command -v npm >/dev/null 2>&1 || { echo "the page needs npm (Debian: apt install npm), and found none" >&2; exit 1; }
	cd docs && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# pip is what venv installs last, so an incomplete .venv is created again.
.venv/bin/pip:
	@"$(PYTHON)" -c '$(USABLE)' 2>/dev/null || { \
		echo "chalkgrad needs Python 3.11 or newer with its venv module (Debian: apt install python3-venv), and"; \
		echo "found $(or $(PYTHON),none on PATH). To name another: make PYTHON=/path/to/python3"; exit 1; } >&2
	"$(PYTHON)" -m venv .venv

"""Settings of all tests and examples: random draws, the table of operations, Ctrl-C, plots, pages."""

import doctest
import importlib
import os
import re
import signal
from pathlib import Path

import pytest
from hypothesis import settings

from engine import Value, ops
from engine.core import specialize
from engine.core.op import rows

ROOT = Path(__file__).parent
collect_ignore = ["tests/support/answers"]  # cells of notebooks, no modules
os.environ.setdefault("MPLBACKEND", "Agg")
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job starts with SIGINT ignored

# Locally, hypothesis looks for new counterexamples in each run; in CI every run has the same ones.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None, print_blob=True)
settings.register_profile("mutants", deadline=None, derandomize=True, database=None, max_examples=15)
settings.load_profile("ci" if os.environ.get("CI") else "local")


EXTRAS = {"jax", "llvmlite", "numpy", "torch"}


def pytest_ignore_collect(collection_path):
    """Skip the examples of a backend whose package is not installed."""
    backends = ROOT / "engine" / "compiler" / "backends"
    if collection_path.suffix == ".py" and collection_path.is_relative_to(backends):
        module = collection_path.relative_to(ROOT).with_suffix("").parts
        try:
            importlib.import_module(".".join(module))
        except ModuleNotFoundError as error:
            return True if error.name in EXTRAS else None
    return None


_parse = doctest.DocTestParser.parse


def _parse_page(self, string, name="<string>"):
    """Parse ``` as an empty line, so that it ends an expected output."""
    return _parse(self, re.sub(r"^```.*$", "", string, flags=re.MULTILINE), name)


doctest.DocTestParser.parse = _parse_page


@pytest.fixture(autouse=True)
def restored_table():
    """Remove the operations that a test or an example defines, and their methods, when it ends."""
    rows, methods = dict(ops.table), set(vars(Value))
    yield
    ops.table.clear()
    ops.table.update(rows)
    for name in set(vars(Value)) - methods:
        delattr(Value, name)


@pytest.fixture(autouse=True)
def compile_rows_again_for_mutants(pytestconfig):
    """Compile the rows again for each test; otherwise only the first test that uses a row would do it."""
    if pytestconfig.getoption("--hypothesis-profile") == "mutants":
        specialize.variant.cache_clear()
        specialize.disable()
        for op in rows().values():
            op.__dict__.pop("value", None)
        specialize.enable()

"""What all tests and examples share: the same random draws, one table, Ctrl-C, and no window of a plot."""

import os
import signal

import pytest
from hypothesis import settings

from engine import Value, ops
from engine.core import specialize
from engine.core.op import rows

os.environ.setdefault("MPLBACKEND", "Agg")
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background begins deaf to it

# At a desk hypothesis looks for new counterexamples on each run; in CI a red run blames the change only.
settings.register_profile("desk", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None, print_blob=True)
settings.register_profile("mutants", deadline=None, derandomize=True, database=None, max_examples=15)
settings.load_profile("ci" if os.environ.get("CI") else "desk")


@pytest.fixture(autouse=True)
def the_same_table_afterwards():
    """Whatever rows a test or an example defines are gone when it ends, and the methods that they became."""
    rows, methods = dict(ops.table), set(vars(Value))
    yield
    ops.table.clear()
    ops.table.update(rows)
    for name in set(vars(Value)) - methods:
        delattr(Value, name)


@pytest.fixture(autouse=True)
def every_row_is_written_anew_where_mutants_are_sought(pytestconfig):
    """Else only the first test that uses a row would see how it becomes a function."""
    if pytestconfig.getoption("--hypothesis-profile") == "mutants":
        specialize.variant.cache_clear()
        specialize.disable()
        for op in rows().values():
            op.__dict__.pop("value", None)
        specialize.enable()

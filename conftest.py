"""What all tests and examples share: the same random draws, one table, Ctrl-C, and no window of a plot."""

import os
import signal

import pytest
from hypothesis import settings

from engine import Value, ops

os.environ.setdefault("MPLBACKEND", "Agg")
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background begins deaf to it

# At a desk hypothesis looks for new counterexamples on each run; in CI a red run blames the change only.
settings.register_profile("desk", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None, print_blob=True)
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

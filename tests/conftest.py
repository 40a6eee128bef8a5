"""What every test shares: the same random draws on every machine, and no window that a plot opens."""

import os

from hypothesis import settings

os.environ.setdefault("MPLBACKEND", "Agg")

# At a desk hypothesis looks for new counterexamples on each run; in CI a red run blames the change only.
settings.register_profile("desk", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "desk")

"""The cost of importing nn, and the names that it offers."""

import json
import subprocess
import sys

import pytest

import nn

LOADED = "import json, sys; before = {*sys.modules}; import nn; print(json.dumps([*{*sys.modules} - before]))"


def test_importing_nn_loads_nothing_that_is_slow_and_seldom_needed():
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert "nn.training.fit" in loaded
    assert not loaded & {"dataclasses", "hashlib", "inspect", "json", "pathlib", "random", "signal", "urllib"}
    late = ("engine.compiler", "engine.view", "nn.textbook", "nn.plots")
    assert not any(name.startswith(late) for name in loaded)


def test_a_name_whose_module_is_imported_late_is_there_when_it_is_used():
    code = "import nn; print(nn.plots.__name__, nn.textbook.__name__, nn.deltas.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "nn.plots nn.textbook deltas\n"


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'nn' has no attribute 'delta'"):
        _ = nn.delta


def test_the_names_of_version_0_1_0_are_there():
    assert nn.losses.find is nn.losses.get_loss
    assert nn.init.find is nn.init.get_initializer
    assert {"uniform", "zeros", "normal", "xavier", "he", "lecun", "table", "generator"} <= {*vars(nn.init)}
    assert {"decide", "name", "table"} <= {*vars(nn.losses)}
    assert {"moons", "split", "standardise", "table"} <= {*vars(nn.data)}
    assert {"forward", "update", "deltas", "activations", "losses"} <= {*vars(nn.textbook)}

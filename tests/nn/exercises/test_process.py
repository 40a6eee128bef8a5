"""Files are checked in a process of their own: whatever they do, the result says it in one line."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.students import BACKPROP, CLOSURES, TUPLES

from engine import Player
from nn.exercises import check_file

LIMITS = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")


@pytest.fixture
def checked(tmp_path):
    def check(topic, text, **options):
        path = tmp_path / "solution.py"
        path.write_text(text, "utf-8")
        return check_file(topic, path, **options)

    return check


def test_a_right_file_passes(checked):
    assert checked("value", TUPLES)
    assert checked("deltas", BACKPROP)


def test_a_slip_in_a_file_is_named_and_its_graph_can_be_played(checked):
    result = checked("value", CLOSURES.replace("reversed(topo)", "topo"))
    assert result.cause == "the order is not reversed"
    assert isinstance(result.play(), Player)


@pytest.mark.parametrize(("text", "said"), [
    ("import os\nos._exit(0)\n", "it ended Python before the check was done (exit code 0)"),
    ("import sys\nsys.exit(3)\n", "SystemExit: 3 (line 2: sys.exit(3))"),
    ("def neuron(\n", "SyntaxError: '(' was never closed"),
    ("1 / 0\n", "ZeroDivisionError: division by zero (line 1: 1 / 0)"),
    ("x = 1\n", "it defines no neuron"),
    ("neuron = 3\n", "expected a function (w, x, b)"),
    ("def neuron(w, x, b):\n    while True: pass\n", "endless loop"),
])  # fmt: skip
def test_a_file_that_ends_early_is_said_in_one_line(checked, text, said):
    result = checked("neuron", text)
    assert not result
    assert said in result.yours
    assert "\n" not in result.yours


@LIMITS
@pytest.mark.parametrize(("text", "said"), [
    ("sum(iter(int, 1))\n", "stopped after 2 seconds"),
    ("x = [0] * 10**10\n", "MemoryError"),
    ("import ctypes\nctypes.string_at(0)\n", "Python crashed (signal 11)"),
])  # fmt: skip
def test_a_file_that_takes_too_much_is_ended(checked, text, said):
    assert said in checked("neuron", text).yours


FORK = "import os, time\nif os.fork() == 0:\n    time.sleep(60)\n    os._exit(0)\n"


@LIMITS
def test_a_file_that_starts_a_process_is_checked_and_its_process_ends(checked, tmp_path):
    noted = f"import os\nopen({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpgid(0)))\n"
    assert checked("neuron", noted + FORK + BACKPROP)
    group = int((tmp_path / "pid").read_text())
    assert group != os.getpgid(0)
    for _ in range(100):  # a killed process stands in the table until it is reaped
        states = [s.read_text().rpartition(")")[2].split() for s in Path("/proc").glob("[0-9]*/stat")]
        if not [state for state in states if int(state[2]) == group and state[0] != "Z"]:
            return
        time.sleep(0.05)
    raise AssertionError("a process of the file is still there")


@LIMITS
def test_what_a_file_prints_is_thrown_away(checked):
    text = "import os\nassert os.path.sameopenfile(1, os.open(os.devnull, os.O_WRONLY))\n"
    assert checked("neuron", text + BACKPROP)


def test_a_file_that_prints_does_not_disturb_the_result(checked, capfd):
    assert checked("neuron", "print('hello')\n" + BACKPROP)
    assert capfd.readouterr().out == ""


def test_bad_arguments_are_refused_before_the_file_is_run(checked, tmp_path):
    with pytest.raises(ValueError, match="no topic"):
        checked("neurons", "import os; os._exit(1)")
    with pytest.raises(OSError, match=r"missing\.py"):
        check_file("neuron", tmp_path / "missing.py")
    assert os.listdir(tmp_path) == ["solution.py"]


# In a browser, which starts no processes


@pytest.fixture
def browser(monkeypatch):
    def start(*_, **__):
        raise OSError("emscripten does not support processes.")

    monkeypatch.setattr(sys, "platform", "emscripten")
    monkeypatch.setattr(subprocess, "Popen", start)


def test_in_a_browser_a_file_is_checked_in_this_process(checked, browser, capsys):
    assert checked("deltas", "print('hello')\n" + BACKPROP)
    assert capsys.readouterr().out == ""
    result = checked("value", CLOSURES.replace("reversed(topo)", "topo"))
    assert result.cause == "the order is not reversed"
    assert result.picture


@pytest.mark.parametrize(("text", "said"), [
    ("while True: pass\n", "endless loop: the code was stopped after 1,000,000 instructions"),
    ("import sys\nsys.exit(3)\n", "SystemExit: 3 (line 2: sys.exit(3))"),
    ("x = 1 +\n", "SyntaxError: invalid syntax"),
    ("x = 1\n", "it defines no neuron"),
])  # fmt: skip
def test_in_a_browser_a_file_that_does_not_run_is_a_result(text, said, checked, browser):
    result = checked("neuron", text)
    assert not result
    assert result.yours.startswith(said)


def test_in_a_browser_an_endless_loop_in_a_function_ends(checked, browser):
    result = checked("neuron", "def neuron(w, x, b):\n    while True:\n        pass\n")
    assert result.yours.startswith("endless loop")

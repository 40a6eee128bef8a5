"""Whatever a student's code does, the check survives it, says it in one line, and leaves Python as it was."""

import itertools
import sys

import pytest

from nn.exercises import check
from nn.exercises.budget import STEPS


class Silent(Exception):
    def __str__(self):
        raise ValueError


class Looping:
    def __repr__(self):
        while True:
            pass


class Broken:
    def __repr__(self):
        raise ValueError


class LoopingNode:
    @property
    def data(self):
        while True:
            pass


def neuron(result):
    def f(w, x, b):
        if isinstance(result, type) and issubclass(result, BaseException):
            raise result
        return result() if isinstance(result, type) else result

    return check("neuron", f)


@pytest.mark.parametrize(("result", "said"), [
    (Silent, "Silent ("), (GeneratorExit, "GeneratorExit ("), (SystemExit, "SystemExit ("),
    (Looping, f"after {STEPS:,} instructions"), (LoopingNode, f"after {STEPS:,} instructions"),
    (Broken, "an object of the class Broken"), (10**400, "1000000"),
    (10**10_000, "an object of the class int"),
    (1j, "1j"), ("0.15", "'0.15'"), ([0.1, None], "[0.1, nothing]"), (None, "nothing"), (..., "..."),
    (float("nan"), "nan"),
], ids=itertools.count())  # fmt: skip
def test_odd_results_and_errors_are_said_in_one_line(result, said):
    shown = neuron(result)
    assert not shown
    assert said in shown.yours
    assert "\n" not in shown.yours


def test_a_message_of_empty_lines_is_left_out():
    def f(w, x, b):
        raise ValueError("\n\n")

    assert check("neuron", f).yours.startswith("ValueError (line")


def test_the_limit_of_recursion_and_the_trace_are_restored():
    before = sys.getrecursionlimit(), sys.gettrace()

    def f(w, x, b):
        sys.setrecursionlimit(100_000)
        sys.settrace(None)
        return 0.0

    assert not check("neuron", f)
    assert (sys.getrecursionlimit(), sys.gettrace()) == before


def test_an_iterator_without_end_is_shown_and_ends():
    assert neuron(itertools.count()).yours == "[0, 1, 2, 3, 4, 5, …]"


def test_an_interrupt_of_the_user_is_passed_on():
    with pytest.raises(KeyboardInterrupt):
        neuron(KeyboardInterrupt)

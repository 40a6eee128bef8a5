"""The command line: ``chalkgrad``, or ``python -m nn``, trains a net on a data set and shows the result."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from math import isfinite
from pathlib import Path
from typing import NoReturn, cast

from engine import BACKENDS, did_you_mean
from nn.demo.run import DEFAULTS, RATES, Options, run
from nn.model import initializers as init
from nn.model.activations import get_activation
from nn.training import losses

PURPOSE = "Train a net on a data set, validate it on samples that it was not trained on, and show the result."

EPILOG = """\
Into the folder --out go model.json (for nn.load), loss.png, for digits digits.png, for data in the plane
boundary.png, graph.svg (the loss of a batch, folded), and neuron.html (one neuron, to step through).
One sample in five is kept for validation and not used for training.

"exercises" as the first argument begins the course of exercises: see "exercises --help".
"""


class Parser(argparse.ArgumentParser):
    """A parser that reports an error in one line, without the usage above it."""

    def error(self, message: str) -> NoReturn:
        """Print the error, and exit with status 2."""
        self.exit(2, f"{self.prog}: {' '.join(message.split())} (see --help)\n")

    def _check_value(self, action: argparse.Action, value: object) -> None:
        """Raise an error if a value is none of the choices, and name the most similar one."""
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            error.message += did_you_mean(value, map(str, action.choices or ()))
            raise

    def parse(self, arguments: Sequence[str] | None) -> argparse.Namespace:
        """Return the options; an unknown one is an error that names the most similar one."""
        options, unknown = self.parse_known_args(arguments)
        if unknown:
            hint = did_you_mean(unknown[0].partition("=")[0], self._option_string_actions)
            self.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
        return options


def parser() -> Parser:
    """Return the parser of the options."""
    p = Parser(prog=_program(), description=PURPOSE, epilog=EPILOG, allow_abbrev=False)
    add = p.add_argument
    add("--data", choices=DEFAULTS, default="digits", help="the data set (default: digits)")
    add(
        "--layers",
        type=_whole,
        nargs="*",
        metavar="N",
        help="sizes of the hidden layers (default: depends on the data)",
    )
    add(
        "--activation",
        type=_activation,
        default="relu",
        metavar="NAME",
        help="of the hidden layers: relu, tanh, sigmoid, gelu, softplus, ... (default: relu)",
    )
    add("--loss", choices=losses.table, default="cross_entropy", help="(default: cross_entropy)")
    add("--init", choices=init.table, default="he", help="the initial weights (default: he)")
    add("--optimizer", choices=RATES, default="sgd", help="sgd has momentum 0.9 (default: sgd)")
    add(
        "--lr",
        type=_rate,
        metavar="RATE",
        help="the learning rate at the start; it falls to 0 (default: 0.1 for sgd, 0.01 for adam)",
    )
    add("--epochs", type=_whole, metavar="N", help="passes over the data (default: depends on the data)")
    add("--batch-size", type=_whole, default=32, metavar="N", help="samples in each step (default: 32)")
    add("--seed", type=int, default=0, metavar="N", help="of the random numbers (default: 0)")
    add(
        "--backend",
        choices=("eager", *BACKENDS),
        default="eager",
        metavar="NAME",
        help="eager, on Values, or the traced graph as python, numpy, llvm, jax, torch (default: eager)",
    )
    add("--out", type=Path, default=Path("out"), metavar="FOLDER", help="where to write (default: out)")
    return p


def main(arguments: Sequence[str] | None = None) -> None:
    """Run with these arguments; None for those of the command line."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given[:1] == ["exercises"]:
        from nn.exercises.command import main as do_exercises  # a command of its own, with its own --help

        sys.exit(do_exercises(given[1:]))
    options = parser().parse(arguments)
    try:
        result = run(cast("Options", options))
    except (ArithmeticError, ImportError, OSError, RuntimeError, TypeError, ValueError) as error:
        _drop_output()
        parser().error(f"{type(error).__name__}: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    if not result.printed:
        _drop_output()
        parser().exit(1, f"{_program()}: the output could not be written; the files are in {options.out}\n")
    if result.diverged:
        parser().exit(1, f"{_program()}: {result.diverged}\n")


def _program() -> str:
    """Return the command that was given: chalkgrad, or python -m nn."""
    return "chalkgrad" if Path(sys.argv[0]).name.partition(".")[0] == "chalkgrad" else "python -m nn"


def _drop_output() -> None:
    """Discard what is still in the buffer of an output that cannot be written.

    Python would try to write it at exit, and print a traceback when that fails.
    """
    with suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()
        return
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _whole(text: str) -> int:
    if not text.isdecimal() or len(text) > 9 or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 to 999999999, not {text!r:.60}")
    return int(text)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not (isfinite(rate) and rate > 0):
        raise argparse.ArgumentTypeError(f"expected a number above 0, not {text!r:.60}")
    return rate


def _activation(text: str) -> str:
    try:
        get_activation(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


if __name__ == "__main__":
    main()

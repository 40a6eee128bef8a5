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
from nn.demo.samples import OF_A_TABLE, is_table
from nn.model import initializers as init
from nn.model.activations import get_activation
from nn.training import losses

PURPOSE = """\
Train a net on a data set, or on your own table, and validate it on samples that
it was not trained on."""

WRITTEN = """\
files written into the folder --out:
  model.json      the trained model: nn.load("out/model.json").predict([...])
                  takes the features as they are in the data
  loss.png        loss and accuracy of each epoch, training and validation
  gradients.png   the gradient of the weights in each layer, after training
  landscape.png   the loss from the first to the last parameters
  digits.png      predictions (data: digits)
  boundary.png    the prediction for each point of the plane (two features)
  graph.svg       the graph of a batch's loss, folded
  neuron.html     one neuron, to step through: open this one in a browser
"""

TABLES = """\
tables (--data FILE.csv):
  The columns are separated by commas, semicolons or tabs, and fields may be
  quoted. The first line may be a header. The last column is the target: names
  of classes, or whole numbers. All other columns are features: numbers, which
  are scaled to mean 0 and standard deviation 1. Numbers with a fraction are not
  classes: to fit them, use nn.fit with the loss mean_squared_error.
"""

EXIT = """\
One sample in five is kept for validation and not used for training. The exit
status is 0; 1 if the loss diverged or the output could not be written; 2 for an
error; 130 after Ctrl-C before the training.

"chalkgrad exercises" is the course of exercises: see its --help.
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
    p = Parser(
        prog=_program(),
        usage=f"{_program()} [options]",
        description=PURPOSE,
        epilog=f"{_defaults()}\n{TABLES}\n{WRITTEN}\n{EXIT}",
        allow_abbrev=False,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(
            prog, max_help_position=24, width=80
        ),
    )
    add = p.add_argument
    add(
        "--data",
        type=_data,
        default="digits",
        metavar="NAME",
        help=f"the data: {', '.join(DEFAULTS)}, or the name of a CSV file (default: digits)",
    )
    add(
        "--layers",
        type=_whole,
        nargs="*",
        metavar="N",
        help="sizes of the hidden layers; none for no hidden layer (default: by the data, see below)",
    )
    add(
        "--activation",
        type=_activation,
        default="relu",
        metavar="NAME",
        help="activation of the hidden layers: relu, tanh, sigmoid, gelu, softplus, or any other operation "
        "of one argument (default: relu)",
    )
    add(
        "--loss",
        choices=losses.table,
        default="cross_entropy",
        metavar="NAME",
        help=f"the loss: {', '.join(losses.table)} (default: cross_entropy)",
    )
    add(
        "--init",
        choices=init.table,
        default="he",
        metavar="NAME",
        help=f"the initial weights: {', '.join(init.table)} (default: he)",
    )
    add(
        "--optimizer",
        choices=RATES,
        default="sgd",
        metavar="NAME",
        help="the optimizer: sgd, with momentum 0.9, or adam (default: sgd)",
    )
    add(
        "--lr",
        type=_rate,
        metavar="RATE",
        help="the learning rate at the start; it falls to 0 (default: 0.1 for sgd, 0.01 for adam)",
    )
    add(
        "--epochs",
        type=_whole,
        metavar="N",
        help="passes over the training samples (default: by the data, see below)",
    )
    add("--batch-size", type=_whole, default=32, metavar="N", help="samples in each step (default: 32)")
    add(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="seed of the random numbers: samples, split, weights, order (default: 0)",
    )
    add(
        "--backend",
        choices=("auto", "eager", *BACKENDS),
        default="auto",
        metavar="NAME",
        help="how to compute: eager, on Values; the compiled graph as "
        f"{', '.join(BACKENDS)}; auto, the one that is estimated to finish first (default: auto)",
    )
    add(
        "--lens",
        action="store_true",
        help="print Δ of each neuron for the least certain sample (default: off)",
    )
    add(
        "--out",
        type=Path,
        default=Path("out"),
        metavar="FOLDER",
        help="the folder for all files (default: out)",
    )
    return p


def _defaults() -> str:
    """Return the defaults that depend on the data, as a table."""
    rows = [*DEFAULTS.items(), ("a CSV file", OF_A_TABLE)]
    lines = [
        f"  {name:15} --layers {' '.join(map(str, layers)):7} --epochs {n}" for name, (layers, n) in rows
    ]
    return "\n".join(["defaults by the data:", *lines, ""])


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


def _data(text: str) -> str:
    if text not in DEFAULTS and not is_table(text):
        known = ", ".join(DEFAULTS)
        hint = did_you_mean(text, DEFAULTS)
        raise argparse.ArgumentTypeError(f"invalid choice: {text!r:.60} (a CSV file or {known}){hint}")
    return text


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

"""The command line: ``python -m nn`` trains on a data set and shows what was learned."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import NoReturn

from engine import BACKENDS
from nn.demo.run import RATES, SUITS, run
from nn.model import activations as activation
from nn.model import initializers as init
from nn.training import losses

PURPOSE = "Train a net on a data set, test it on what was held back, and show what it has learned."

EPILOG = """\
Into the folder --out go model.json (for nn.load), loss.png, for digits digits.png, for data in the plane
boundary.png, graph.svg (the loss of a batch, folded), and neuron.html (one neuron, to step through).
One sample in five is held back from the learning and used to test it.
"""


class Parser(argparse.ArgumentParser):
    """One line for an error, without the usage above it."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and exit with status 2."""
        self.exit(2, f"{self.prog}: {' '.join(message.split())} (see --help)\n")


def parser() -> Parser:
    """Every option, with what it may be."""
    p = Parser(prog="python -m nn", description=PURPOSE, epilog=EPILOG, allow_abbrev=False)
    add = p.add_argument
    add("--data", choices=SUITS, default="digits", help="what to learn (default: digits)")
    add(
        "--layers",
        type=_whole,
        nargs="*",
        metavar="N",
        help="sizes of the hidden layers (default: suits the data)",
    )
    add(
        "--activation",
        type=_activation,
        default="relu",
        metavar="NAME",
        help="of the hidden layers: relu, tanh, sigmoid, gelu, softplus, ... (default: relu)",
    )
    add("--loss", choices=losses.table, default="cross_entropy", help="(default: cross_entropy)")
    add("--init", choices=init.table, default="he", help="how the weights begin (default: he)")
    add("--optimizer", choices=RATES, default="sgd", help="sgd has momentum 0.9 (default: sgd)")
    add(
        "--lr",
        type=_rate,
        metavar="RATE",
        help="the learning rate at the start; it falls to 0 (default: 0.1 for sgd, 0.01 for adam)",
    )
    add("--epochs", type=_whole, metavar="N", help="passes over the data (default: suits the data)")
    add("--batch-size", type=_whole, default=32, metavar="N", help="samples before each step (default: 32)")
    add("--seed", type=int, default=0, metavar="N", help="of all that is random (default: 0)")
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
    options = parser().parse_args(arguments)
    try:
        run(options)
    except (ArithmeticError, ImportError, OSError, RuntimeError, TypeError, ValueError) as error:
        parser().error(f"{type(error).__name__}: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


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
        activation.find(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


if __name__ == "__main__":
    main()

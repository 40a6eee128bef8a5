"""One run from the data to the pictures: train, validate, save, and show one sample in detail."""

from __future__ import annotations

import random
import warnings
from collections.abc import Sequence
from math import tanh
from pathlib import Path
from typing import NamedTuple, Protocol

from nn import plots
from nn.data import datasets as data
from nn.demo import graphs
from nn.model.modules import MLP
from nn.model.serialization import save
from nn.textbook.lens import deltas
from nn.training import losses
from nn.training.fit import fit
from nn.training.history import History
from nn.training.optim import SGD, Adam, OptimizerLike
from nn.training.progress import show
from nn.training.targets import Classes

__all__ = ["DEFAULTS", "RATES", "Options", "Result", "run"]

SHADES = " .:-=+*#%@"  # from paper to ink
RATES = {"sgd": 0.1, "adam": 0.01}  # the learning rate at the start, which falls to 0

#: The hidden layers and the number of epochs for each data set.
DEFAULTS = {
    "digits": ([32], 10),
    "moons": ([16, 16], 40),
    "circles": ([16], 40),
    "spirals": ([24, 24], 80),
    "xor": ([8], 40),
    "iris": ([16], 40),
    "breast_cancer": ([8], 5),
}


class Options(Protocol):
    """The options of the command line."""

    data: str
    layers: Sequence[int] | None
    activation: str
    loss: str
    init: str
    optimizer: str
    lr: float | None
    epochs: int | None
    batch_size: int
    seed: int
    backend: str
    out: Path


class Result(NamedTuple):
    """How a run ended."""

    printed: bool  #: whether all that was to be printed could be printed
    diverged: str = ""  #: a sentence, if the loss grew instead of falling


class Printer:
    """Prints lines until one cannot be written; the run then goes on without output."""

    def __init__(self) -> None:
        self.works = True

    def __call__(self, text: str) -> None:
        self.works = self.works and show(text)


def run(options: Options) -> Result:
    """Train as the options say, save the model, then print and draw how it went.

    Returns:
        How it ended. The model is saved in any case.

    Raises:
        ValueError: an option does not fit the others.
        ArithmeticError: a number in the training is not finite; the message names the place.
        OSError: the files cannot be written.
        ImportError: the package that draws the pictures, or a data set, is not installed.
        RuntimeError: the program dot, which draws the graphs, is not installed.
    """
    plots.check()
    graphs.check()
    options.out.mkdir(parents=True, exist_ok=True)
    rng = random.Random(options.seed)
    train, test = _load_data(options.data, rng)
    (xs, ys), (test_xs, test_ys) = train, test
    classes = Classes(options.loss, max(*ys, *test_ys) + 1)
    default_layers, default_epochs = DEFAULTS[options.data]
    hidden = default_layers if options.layers is None else options.layers
    epochs = options.epochs or default_epochs
    model = MLP(len(xs[0]), [*hidden, classes.outputs], options.activation, init=options.init, rng=rng)
    targets = [classes.target(y) for y in ys]
    show_line = Printer()
    show_line(f"{options.data}: {len(xs)} samples for training, {len(test_xs)} for validation")
    show_line(f"{model}: {len(model.parameters())} parameters, {options.loss}, {options.optimizer}")

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "the loss has grown")  # the last line says it
        history = fit(
            model,
            xs,
            targets,
            options.loss,
            _optimizer(options, model, steps=epochs * -(-len(xs) // options.batch_size)),
            epochs,
            options.batch_size,
            rng,
            options.backend,
            validation=(test_xs, [classes.target(y) for y in test_ys]),
        )
    written = [options.out / "model.json"]
    save(model, written[0])  # saved first, so that no later failure loses it
    if history.interrupted:
        show_line(f"interrupted after {len(history.epochs)} of {epochs} epochs; the model so far is saved")
    predictions = [classes.predicted(model.predict(x)) for x in test_xs]
    n_wrong = sum(a != b for a, b in zip(predictions, test_ys))
    accuracy = 1 - n_wrong / len(test_xs)
    show_line(f"accuracy on the {len(test_xs)} validation samples: {accuracy:.1%} ({n_wrong} wrong)")
    show_line(_closer_look(model, classes, test, predictions, options))

    written.append(options.out / "loss.png")
    plots.curve(history, written[-1])
    if options.data == "digits":
        written.append(options.out / "digits.png")
        plots.digits(test_xs, test_ys, predictions, written[-1])
    if len(xs[0]) == 2:

        def score(points: list[list[float]]) -> list[float]:
            return [tanh(classes.difference(y)) for y in model.predict_many(points)]

        written.append(options.out / "boundary.png")
        plots.boundary(score, train, test, written[-1])
    written += [options.out / "graph.svg", options.out / "neuron.html"]
    n = options.batch_size
    graphs.batch(model, xs[:n], targets[:n], losses.get_loss(options.loss), written[-2])
    graphs.neuron(written[-1])
    show_line(f"\nwritten: {', '.join(map(str, written))}")
    return Result(show_line.works, _divergence(history, options))


def _divergence(history: History, options: Options) -> str:
    """Return a sentence if the loss grew instead of falling, else ""."""
    if not history.diverged:
        return ""
    rate = RATES[options.optimizer] if options.lr is None else options.lr
    return (
        f"the run diverged: the loss has grown from {history.initial_loss:.4g} to {history.loss[-1]:.4g}; "
        f"try a learning rate below {rate:g}"
    )


def _load_data(name: str, rng: random.Random) -> tuple[data.Dataset, data.Dataset]:
    """Return four fifths for training and one fifth for validation; iris and breast_cancer standardised."""
    plane = name in ("moons", "circles", "spirals", "xor")
    xs, ys = data.table[name](n=300, rng=rng) if plane else data.table[name]()
    (xs, ys), (test_xs, test_ys) = data.split(xs, ys, rng=rng)
    if name in ("iris", "breast_cancer"):
        xs, test_xs = data.standardise(xs, test_xs)
    return (xs, ys), (test_xs, test_ys)


def _optimizer(options: Options, model: MLP, steps: int) -> OptimizerLike:
    """Return the optimizer of that name, with a rate that falls linearly to 0 (after the last step)."""
    rate = RATES[options.optimizer] if options.lr is None else options.lr

    def lr(step: int) -> float:
        return max(0.0, rate * (1 - step / steps))

    if options.optimizer == "adam":
        return Adam(model.parameters(), lr)
    return SGD(model.parameters(), lr, momentum=0.9)


def _closer_look(
    model: MLP, classes: Classes, test: data.Dataset, predictions: list[int], options: Options
) -> str:
    """Return the lens's report on one sample: a wrong prediction, or else the least certain one."""
    xs, ys = test
    i = min(range(len(xs)), key=lambda i: (predictions[i] == ys[i], classes.margin(model.predict(xs[i]))))
    verdict = (
        "the least certain prediction"
        if predictions[i] == ys[i]
        else f"class {ys[i]}, predicted as {predictions[i]}"
    )
    lines = [f"\nA closer look at validation sample {i}, {verdict}:"]
    if options.data == "digits":
        for row in range(8):
            shades = [2 * SHADES[round(9 * ink)] for ink in xs[i][8 * row : 8 * row + 8]]
            lines.append(f"    {''.join(shades)}")
    lines.append(str(deltas(model, xs[i], classes.target(ys[i]), options.loss)))
    return "\n".join(lines)

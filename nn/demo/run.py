"""One run from the data to the pictures: train, validate, save, draw, and name what is least certain."""

from __future__ import annotations

import random
import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from math import tanh
from pathlib import Path
from textwrap import shorten
from typing import NamedTuple, Protocol

from nn import plots
from nn.demo import estimate, graphs
from nn.demo.report import EpochTable, Printer, least_certain, wrapped
from nn.demo.samples import DEFAULTS, Samples, default, load, with_scales
from nn.model.modules import MLP
from nn.model.serialization import save
from nn.textbook.lens import deltas
from nn.training import losses
from nn.training.fit import fit
from nn.training.history import Epoch, History
from nn.training.optim import SGD, Adam
from nn.training.progress import is_terminal
from nn.training.targets import Classes

__all__ = ["DEFAULTS", "RATES", "Options", "Result", "run"]

SHADES = " .:-=+*#%@"  # from paper to ink
RATES = {"sgd": 0.1, "adam": 0.01}  # the learning rate at the start, which falls to 0
POINTS = 40  # of the path of descent
SEEN = 100  # training samples in the pictures of gradients and of the landscape


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
    lens: bool
    out: Path


class Result(NamedTuple):
    """How a run ended."""

    printed: bool  #: whether all that was to be printed could be printed
    diverged: str = ""  #: a sentence, if the loss grew instead of falling


class Task(NamedTuple):
    """The samples of a run, and their classes as targets of the loss."""

    samples: Samples
    classes: Classes
    targets: list[int | list[int]]  #: of the training samples
    test_targets: list[int | list[int]]


def run(options: Options) -> Result:
    """Train with these options, save the model, then print and draw the results.

    Returns:
        How it ended. The model is saved, unless its numbers have become infinite.

    Raises:
        ValueError: an option does not fit the others, or a line of the table is no sample.
        ArithmeticError: a number of the first step is not finite; the message names the place.
        OSError: the table cannot be read, or the files cannot be written.
        ImportError: the package that draws the pictures, or a data set, is not installed.
        RuntimeError: the program dot, which draws the graphs, is not installed.
    """
    plots.check()
    graphs.check()
    rng = random.Random(options.seed)
    task = _task(load(options.data, rng), options.loss)
    options.out.mkdir(parents=True, exist_ok=True)
    default_layers, default_epochs = default(options.data)
    hidden = default_layers if options.layers is None else options.layers
    epochs = options.epochs or default_epochs
    (xs, _), (test_xs, test_ys) = task.samples.train, task.samples.test
    sizes = [*hidden, task.classes.outputs]
    model = MLP(len(xs[0]), sizes, options.activation, init=options.init, rng=rng)
    show_line = Printer()
    _introduce(show_line, options, task, model, epochs)

    optimizer = _optimizer(options, model, steps=epochs * -(-len(xs) // options.batch_size))
    descent = Descent(model, epochs)
    try:
        history = _train(options, task, model, optimizer, epochs, rng, show_line, descent)
    except ArithmeticError as error:
        if not optimizer.steps:
            raise
        cause = shorten(str(error), 160, placeholder=" ...")
        return Result(show_line.works, f"the run diverged: {cause}; {_advice(options)}")
    final = with_scales(model, task.samples.scales)
    save(final, options.out / "model.json")  # saved first, so that no later failure loses it
    if history.interrupted:
        show_line(f"interrupted after {len(history.epochs)} of {epochs} epochs; the model so far is saved")

    outputs = [model.predict(x) for x in test_xs]
    predictions = [task.classes.predicted(y) for y in outputs]
    n_wrong = sum(a != b for a, b in zip(predictions, test_ys))
    accuracy = 1 - n_wrong / len(test_xs)
    show_line(f"\naccuracy on the {len(test_xs)} validation samples: {accuracy:.1%} ({n_wrong} wrong)")
    i, text = least_certain(task.classes, outputs, test_ys, task.samples.classes)
    show_line(text)
    written = _draw(options, task, model, final, history, descent, predictions)
    show_line(wrapped(f"written to {options.out}: {', '.join(['model.json', *written])}"))
    show_line(f"open {options.out / 'neuron.html'}")
    if options.lens:
        show_line(_lens(model, task, i, options))
    return Result(show_line.works, _divergence(history, options))


def _task(samples: Samples, loss: str) -> Task:
    classes = Classes(loss, len(samples.classes))
    targets, test_targets = ([classes.target(y) for y in ys] for _, ys in (samples.train, samples.test))
    return Task(samples, classes, targets, test_targets)


def _introduce(show_line: Printer, options: Options, task: Task, model: MLP, epochs: int) -> None:
    """Print the data, the model and how it is trained."""
    samples = task.samples
    n, n_test = len(samples.train_xs), len(samples.test_xs)
    show_line(wrapped(f"{Path(options.data).name}: {n} samples for training, {n_test} for validation"))
    if samples.about:
        show_line(wrapped(samples.about))
    show_line(wrapped(str(model)))
    show_line(wrapped(f"{len(model.parameters())} parameters, {options.loss}, {options.optimizer}"))
    if options.backend != "eager":
        loss = losses.get_loss(options.loss)
        each = estimate.operations(model, loss, samples.train[0][0], task.targets[0])
        if line := estimate.sentence(each, n * epochs):
            show_line(line)


class Descent:
    """The parameters of a model on the way through a run: at the start, and after some of its epochs."""

    def __init__(self, model: MLP, epochs: int) -> None:
        self.parameters, self.every = model.parameters(), -(-epochs // POINTS)
        self.points = [self._point()]

    def add(self, number: int) -> None:
        """Note the parameters after the epoch of that number, if it is one of those kept."""
        if number % self.every == 0:
            self.points.append(self._point())

    def _point(self) -> list[float]:
        return [p.data for p in self.parameters]


def _train(
    options: Options,
    task: Task,
    model: MLP,
    optimizer: SGD | Adam,
    epochs: int,
    rng: random.Random,
    show_line: Printer,
    descent: Descent,
) -> History:
    """Train the model; print a table of the epochs: as they end, or after a bar in a terminal."""
    table = EpochTable(show_line, epochs)
    bar = is_terminal() and find_spec("tqdm") is not None

    def after_epoch(number: int, epoch: Epoch) -> None:
        descent.add(number)
        if not bar:
            table.add(number, epoch)

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "the loss has grown")  # the last line says it
        history = fit(
            model,
            task.samples.train[0],
            task.targets,
            options.loss,
            optimizer,
            epochs,
            options.batch_size,
            rng,
            options.backend,
            progress=bar,
            validation=(task.samples.test[0], task.test_targets),
            callback=after_epoch,
        )
    if bar:
        for number, epoch in enumerate(history.epochs, 1):
            table.add(number, epoch)
    return history


def _draw(
    options: Options,
    task: Task,
    model: MLP,
    final: MLP,
    history: History,
    descent: Descent,
    predictions: Sequence[int],
) -> list[str]:
    """Write the pictures, and return the names of their files."""
    samples, out, written = task.samples, options.out, []

    def file(name: str) -> Path:
        written.append(name)
        return out / name

    xs, targets = samples.train[0][:SEEN], task.targets[:SEEN]
    plots.curve(history, file("loss.png"))
    plots.gradient_flow(model, xs, targets, options.loss, file("gradients.png"))
    if descent.points[0] != descent.points[-1]:
        plots.loss_landscape(model, xs, targets, options.loss, descent.points, file("landscape.png"))
    if options.data == "digits":
        plots.digits(samples.test_xs, samples.test[1], predictions, file("digits.png"))
    if len(xs[0]) == 2:
        _boundary(task, final, file("boundary.png"))
    n = options.batch_size
    loss = losses.get_loss(options.loss)
    graphs.batch(model, samples.train[0][:n], task.targets[:n], loss, file("graph.svg"))
    graphs.neuron(file("neuron.html"))
    return written


def _boundary(task: Task, model: MLP, path: Path) -> None:
    """Draw the plane of two features, in the units in which they were measured."""
    classes, samples = task.classes, task.samples
    train, test = (samples.train_xs, samples.train[1]), (samples.test_xs, samples.test[1])

    def score(points: list[list[float]]) -> list[float]:
        outputs = model.predict_many(points)
        if classes.count > 2:
            return [classes.predicted(y) for y in outputs]
        return [tanh(classes.difference(y)) for y in outputs]

    if samples.about:
        plots.boundary(score, train, test, path, classes=samples.classes)
    else:
        plots.boundary(score, train, test, path)


def _divergence(history: History, options: Options) -> str:
    """Return a sentence if the loss grew instead of falling, else ""."""
    if not history.diverged:
        return ""
    return (
        f"the run diverged: the loss has grown from {history.initial_loss:.4g} to {history.loss[-1]:.4g}; "
        + _advice(options)
    )


def _advice(options: Options) -> str:
    rate = RATES[options.optimizer] if options.lr is None else options.lr
    return f"try a learning rate below {rate:g}"


def _optimizer(options: Options, model: MLP, steps: int) -> SGD | Adam:
    """Return the optimizer of that name, with a rate that falls linearly to 0 (after the last step)."""
    rate = RATES[options.optimizer] if options.lr is None else options.lr

    def lr(step: int) -> float:
        return max(0.0, rate * (1 - step / steps))

    if options.optimizer == "adam":
        return Adam(model.parameters(), lr)
    return SGD(model.parameters(), lr, momentum=0.9)


def _lens(model: MLP, task: Task, i: int, options: Options) -> str:
    """Return the report of the lens on a validation sample; a digit with its picture."""
    x = task.samples.test[0][i]
    lines = [f"\nA closer look at validation sample {i}:"]
    if options.data == "digits":
        for row in range(8):
            lines.append(f"    {''.join(2 * SHADES[round(9 * ink)] for ink in x[8 * row : 8 * row + 8])}")
    lines.append(str(deltas(model, x, task.test_targets[i], options.loss)))
    return "\n".join(lines)

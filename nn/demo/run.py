"""One run from the data to the pictures: learn, test on what was held back, look closely, write it down."""

from __future__ import annotations

import random
from math import tanh
from typing import Any

from nn import plots
from nn.data import datasets as data
from nn.demo import graphs
from nn.model.modules import MLP
from nn.model.serialization import save
from nn.textbook.lens import deltas
from nn.training import losses
from nn.training.fit import fit
from nn.training.optim import SGD, Adam, Optimizer
from nn.training.targets import Classes

__all__ = ["SUITS", "run"]

SHADES = " .:-=+*#%@"  # from paper to ink
RATES = {"sgd": 0.1, "adam": 0.01}  # where a run begins; it slows down to 0

#: For each data set, the hidden layers and the epochs that suit it.
SUITS = {
    "digits": ([32], 10),
    "moons": ([16, 16], 40),
    "circles": ([16], 40),
    "spirals": ([24, 24], 80),
    "xor": ([8], 40),
    "iris": ([16], 40),
    "breast_cancer": ([8], 5),
}


def run(options: Any) -> None:
    """Train as the options of the command line say, print how it went, and write the files.

    Raises:
        ValueError: an option does not fit the others.
        ArithmeticError: the training ran out of numbers; the message says where.
        OSError: the files cannot be written.
        ImportError: what draws the pictures, or a data set, is not installed.
        RuntimeError: the program dot, which draws the graphs, is not.
    """
    plots.check()
    graphs.check()
    options.out.mkdir(parents=True, exist_ok=True)
    rng = random.Random(options.seed)
    learned, tested = _data(options.data, rng)
    classes = Classes(options.loss, max(*learned[1], *tested[1]) + 1)
    layers, epochs = _suited(options)
    nouts = [*layers, classes.outputs]
    model = MLP(len(learned[0][0]), nouts, options.activation, init=options.init, rng=rng)
    steps = epochs * -(-len(learned[0]) // options.batch_size)
    print(f"{options.data}: {len(learned[0])} samples to learn from, {len(tested[0])} held back")
    print(f"{model}: {len(model.parameters())} parameters, {options.loss}, {options.optimizer}")

    history = fit(
        model,
        learned[0],
        [classes.target(y) for y in learned[1]],
        options.loss,
        _optimizer(options, model, steps),
        epochs,
        options.batch_size,
        rng,
        options.backend,
        validation=(tested[0], [classes.target(y) for y in tested[1]]),
    )
    if history.interrupted:
        print(f"interrupted after {len(history.epochs)} of {epochs} epochs; this is what was learned so far")
    said = _test(model, classes, tested)
    _look(model, classes, tested, said, options)

    written = [options.out / "model.json", options.out / "loss.png"]
    save(model, written[0])
    plots.curve(history, written[1])
    if options.data == "digits":
        written.append(options.out / "digits.png")
        plots.digits(*tested, said, written[-1])
    if len(learned[0][0]) == 2:
        written.append(options.out / "boundary.png")
        plots.boundary(
            lambda points: [tanh(classes.lean(y)) for y in model.predict_many(points)],
            learned,
            tested,
            written[-1],
        )
    written += [options.out / "graph.svg", options.out / "neuron.html"]
    xs, ys = learned[0][: options.batch_size], learned[1][: options.batch_size]
    graphs.batch(model, xs, [classes.target(y) for y in ys], losses.find(options.loss), written[-2])
    graphs.neuron(written[-1])
    print(f"\nwritten: {', '.join(map(str, written))}")


def _suited(options: Any) -> tuple[list[int], int]:
    """The hidden layers and the epochs: as asked for, else as they suit the data."""
    layers, epochs = SUITS[options.data]
    return (layers if options.layers is None else options.layers), options.epochs or epochs


def _data(name: str, rng: random.Random) -> tuple[data.Dataset, data.Dataset]:
    """What to learn from and the fifth that is held back; measurements are brought to one scale."""
    plane = name in ("moons", "circles", "spirals", "xor")
    xs, ys = data.table[name](n=300, rng=rng) if plane else data.table[name]()
    (xs, ys), (test_xs, test_ys) = data.split(xs, ys, rng=rng)
    if name in ("iris", "breast_cancer"):
        xs, test_xs = data.standardise(xs, test_xs)
    return (xs, ys), (test_xs, test_ys)


def _optimizer(options: Any, model: MLP, steps: int) -> Optimizer:
    """The optimiser that was asked for, with a rate that falls in a straight line to 0 at the last step."""
    rate = RATES[options.optimizer] if options.lr is None else options.lr

    def lr(step: int) -> float:
        return max(0.0, rate * (1 - step / steps))

    if options.optimizer == "adam":
        return Adam(model.parameters(), lr)
    return SGD(model.parameters(), lr, momentum=0.9)


def _test(model: MLP, classes: Classes, tested: data.Dataset) -> list[int]:
    """What the model says of each sample that was held back; print how often that is right."""
    xs, ys = tested
    said = [classes.of(model.predict(x)) for x in xs]
    wrong = sum(a != b for a, b in zip(said, ys))
    print(f"accuracy on the {len(xs)} samples held back: {1 - wrong / len(xs):.1%} ({wrong} wrong)")
    return said


def _look(model: MLP, classes: Classes, tested: data.Dataset, said: list[int], options: Any) -> None:
    """Hold the Δ lens over one sample that it got wrong, or else over the one that it is least sure of."""
    xs, ys = tested
    i = min(range(len(xs)), key=lambda i: (said[i] == ys[i], classes.lead(model.predict(xs[i]))))
    verdict = (
        "the one it is least sure of" if said[i] == ys[i] else f"a {ys[i]} that it takes for a {said[i]}"
    )
    print(f"\nA closer look at sample {i} of those held back, {verdict}:")
    if options.data == "digits":
        for row in range(8):
            print("   ", "".join(2 * SHADES[round(9 * ink)] for ink in xs[i][8 * row : 8 * row + 8]))
    print(deltas(model, xs[i], classes.target(ys[i]), options.loss))

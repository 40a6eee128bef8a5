"""The samples of a run: a data set or a person's own table, in two parts, with the scale of its features."""

from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import NamedTuple

from nn import data
from nn.data.datasets import Dataset
from nn.model.modules import MLP, set_numbers

__all__ = ["DEFAULTS", "Samples", "default", "is_table", "load", "with_scales"]

N = 300  # points of a data set in the plane
PLANE = ("moons", "circles", "spirals", "xor")

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
OF_A_TABLE = ([16], 40)

#: The names of the classes; of all others "class 0", "class 1", ...
NAMES = {
    "digits": list("0123456789"),
    "iris": ["setosa", "versicolor", "virginica"],
    "breast_cancer": ["malignant", "benign"],
}


class Samples(NamedTuple):
    """Four fifths of the samples for training and one fifth for validation."""

    train: Dataset  #: as the model is trained on them
    test: Dataset
    train_xs: list[list[float]]  #: as they were measured
    test_xs: list[list[float]]
    classes: list[str]  #: the names of the classes
    scales: tuple[list[float], list[float]] | None  #: mean and deviation of each feature, where it was scaled
    about: str = ""  #: a line about the features and classes of a table


def default(name: str) -> tuple[list[int], int]:
    """Return the hidden layers and the number of epochs for a data set, or for a table.

    >>> default("xor"), default("flowers.csv")
    (([8], 40), ([16], 40))
    """
    return DEFAULTS.get(name, OF_A_TABLE)


def load(name: str, rng: random.Random) -> Samples:
    """Return the samples of a data set, or of a CSV file; measurements are standardised.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no table of samples with classes; the message names the line.
        ImportError: scikit-learn, which ships the data set, is not installed.
    """
    about = ""
    if name in DEFAULTS:
        xs, ys = data.table[name](n=N, rng=rng) if name in PLANE else data.table[name]()
        names = NAMES.get(name, ["class 0", "class 1"])
    else:
        xs, ys, names, features, target = data.read_csv(name)
        few = ", ".join(names[:5]) + f", ... {names[-1]}" * (len(names) > 5)
        about = (
            f"{len(features)} feature{'s' * (len(features) > 1)}; {len(names)} classes of {target!r}: {few}"
        )
    (train_xs, train_ys), (test_xs, test_ys) = data.split(xs, ys, rng=rng)
    train, test, scales = train_xs, test_xs, None
    if name not in PLANE and name != "digits":
        scales = data.scales(train_xs)
        train, test = data.standardise(train_xs, test_xs)
    return Samples((train, train_ys), (test, test_ys), train_xs, test_xs, names, scales, about)


def with_scales(model: MLP, scales: tuple[list[float], list[float]] | None) -> MLP:
    """Return a model that takes measurements, from one that takes them standardised.

    Its first layer does both: Σ_i w_i (x_i - mean_i) / deviation_i + b is a weighted sum of the x_i, too.

    >>> model = MLP(1, [1], init="zeros")
    >>> neuron = model.layers[0].neurons[0]
    >>> neuron.w[0].data, neuron.b.data = 3.0, 1.0
    >>> with_scales(model, ([10.0], [2.0])).predict([14.0])
    7.0
    """
    if scales is None:
        return model
    model = copy.deepcopy(model)
    for neuron in model.layers[0].neurons:
        weights = [w.data / deviation for w, deviation in zip(neuron.w, scales[1])]
        shift = sum(w * mean for w, mean in zip(weights, scales[0]))
        set_numbers(neuron.parameters(), [*weights, neuron.b.data - shift])
    return model


def is_table(name: str) -> bool:
    """Return whether a name is that of a file.

    >>> is_table("flowers.csv"), is_table("iris")
    (True, False)
    """
    return name not in DEFAULTS and (
        bool(Path(name).suffix) or Path(name).name != name or Path(name).is_file()
    )

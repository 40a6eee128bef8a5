"""Small data sets: generated points in the plane, and real measurements that scikit-learn ships.

Each function returns ``(xs, ys)``: a list of samples, each a list of floats, and their classes 0, 1, 2, ...
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import cos, inf, isfinite, pi, sin, sqrt
from typing import TypeAlias, TypeVar, cast

from engine import brief
from nn.validation import Floats, Rng, Rows, as_floats, as_list, count, generator, look_up, number

__all__ = [
    "breast_cancer", "circles", "digits", "get_dataset", "iris", "moons", "scales", "spirals", "split",
    "standardise", "table", "xor",
]  # fmt: skip

X = TypeVar("X")
Y = TypeVar("Y")

MOST = 10_000_000  # points of a data set: more may not fit into memory
Dataset: TypeAlias = tuple[list[list[float]], list[int]]


def moons(n: int = 100, noise: float = 0.1, rng: Rng | None = None) -> Dataset:
    """Return points on two interleaving half circles, one for each class; the classes alternate.

    Args:
        n: the number of points.
        noise: the standard deviation of the noise on each coordinate; the half circles have radius 1.
        rng: a source of random numbers, as random.Random is; None for the module `random`.

    Raises:
        ValueError: n is not a whole number of at least 2, or noise is negative or not finite.
        TypeError: noise is not a number, or rng is no source of random numbers.

    >>> xs, ys = moons(2, noise=0.0)
    >>> [[round(p, 3) for p in x] for x in xs], ys  # the top of one, the bottom of the other
    ([[0.0, 1.0], [1.0, -0.5]], [0, 1])
    """

    def point(k: int, where: float) -> list[float]:
        c, s = cos(pi * where), sin(pi * where)
        return [c, s] if k == 0 else [1 - c, 0.5 - s]

    return _scatter(point, 2, n, noise, rng)


def circles(n: int = 100, noise: float = 0.05, rng: Rng | None = None) -> Dataset:
    """Return points on circles of radius 1 and ½ with one centre. Arguments and errors as for `moons`.

    >>> xs, ys = circles(4, noise=0.0)
    >>> [round(p * p + q * q, 3) for p, q in xs], ys
    ([1.0, 0.25, 1.0, 0.25], [0, 1, 0, 1])
    """

    def point(k: int, where: float) -> list[float]:
        r = 1 - 0.5 * k
        return [r * cos(2 * pi * where), r * sin(2 * pi * where)]

    return _scatter(point, 2, n, noise, rng)


def spirals(n: int = 200, noise: float = 0.02, rng: Rng | None = None) -> Dataset:
    """Return points on two interleaved spirals of radius 1. Arguments and errors as for `moons`.

    >>> xs, ys = spirals(2, noise=0.0)
    >>> [[round(p, 3) + 0.0 for p in x] for x in xs], ys  # half-way out, on opposite sides
    ([[0.0, -0.55], [0.0, 0.55]], [0, 1])
    """

    def point(k: int, where: float) -> list[float]:
        r, angle = 0.1 + 0.9 * where, pi * (3 * where + k)
        return [r * cos(angle), r * sin(angle)]

    return _scatter(point, 2, n, noise, rng)


def xor(n: int = 100, noise: float = 0.1, rng: Rng | None = None) -> Dataset:
    """Return points around the corners of the unit square; no straight line separates the two classes.

    Arguments and errors as for `moons`. Four points without noise are the truth table:

    >>> xor(4, noise=0.0)
    ([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]], [0, 1, 0, 1])
    """
    corners = [[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]]
    xs, corner = _scatter(lambda k, where: corners[k], 4, n, noise, rng)
    return xs, [k % 2 for k in corner]


def _scatter(
    point: Callable[[int, float], list[float]], kinds: int, n: int, noise: float, rng: Rng | None
) -> Dataset:
    """Return n points: the kinds alternate, and the points of each are spread evenly over 0 < where < 1."""
    n = count("n, the number of points,", n, kinds, MOST)
    noise_given, noise = noise, number("noise", noise)
    if not 0 <= noise < inf:
        raise ValueError(f"noise is a standard deviation, finite and not negative, not {brief(noise_given)}")
    rng = generator(rng)
    xs, ys = [], []
    for i in range(n):
        turn, k = divmod(i, kinds)
        exact = point(k, (turn + 0.5) / len(range(k, n, kinds)))
        xs.append([p + (rng.gauss(0.0, noise) if noise else 0.0) for p in exact])
        ys.append(k)
    return xs, ys


def iris() -> Dataset:
    """Return 150 flowers of three species: length and width, in cm, of sepals and petals (Fisher, 1936).

    Raises:
        ImportError: scikit-learn is not installed.

    >>> xs, ys = iris()
    >>> len(xs), xs[0], ys[0]
    (150, [5.1, 3.5, 1.4, 0.2], 0)
    """
    return _shipped("iris.csv", "load_iris", header=1)


def breast_cancer() -> Dataset:
    """Return 569 tumours with 30 measurements of their cells: 0 malignant, 1 benign (Wisconsin, 1995).

    Raises:
        ImportError: scikit-learn is not installed.

    >>> xs, ys = breast_cancer()
    >>> len(xs), len(xs[0]), sum(ys)
    (569, 30, 357)
    """
    return _shipped("breast_cancer.csv", "load_breast_cancer", header=1)


def digits() -> Dataset:
    """Return 1,797 handwritten digits of 8 × 8 pixels, from 0 (paper) to 1 (ink) (Alpaydin and Kaynak, 1998).

    Raises:
        ImportError: scikit-learn is not installed.

    >>> xs, ys = digits()
    >>> len(xs), len(xs[0]), xs[0][:8], ys[0]
    (1797, 64, [0.0, 0.0, 0.3125, 0.8125, 0.5625, 0.0625, 0.0, 0.0], 0)
    """
    xs, ys = _shipped("digits.csv.gz", "load_digits", header=0)
    return [[pixel / 16 for pixel in x] for x in xs], ys


def _shipped(file: str, loader: str, header: int) -> Dataset:
    """Return the samples of a file that scikit-learn ships, without importing it: that takes seconds.

    Args:
        file: the name of the file.
        loader: the function of scikit-learn that reads it, for a version that keeps it in another place.
        header: the number of lines before the samples.
    """
    from importlib.util import find_spec
    from pathlib import Path

    spec = find_spec("sklearn")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("this data set comes with scikit-learn: pip install 'chalkgrad[data]'")
    path = Path(spec.submodule_search_locations[0], "datasets", "data", file)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        from sklearn import datasets

        xs, ys = getattr(datasets, loader)(return_X_y=True)
        return xs.tolist(), ys.tolist()
    if file.endswith(".gz"):
        from gzip import decompress

        content = decompress(content)
    rows = [[float(field) for field in line.split(",")] for line in content.decode().split()[header:]]
    return [row[:-1] for row in rows], [int(row[-1]) for row in rows]


#: Every data set, by its name.
table: dict[str, Callable[..., Dataset]] = {
    f.__name__: f for f in (moons, circles, spirals, xor, iris, breast_cancer, digits)
}


def get_dataset(which: str | Callable[..., Dataset]) -> Callable[..., Dataset]:
    """Return the function of that name, which returns a data set; a function is returned as it is.

    Raises:
        ValueError: there is none of that name; the message lists the names.
        TypeError: it is neither a name nor a function.

    >>> get_dataset("moons") is moons
    True
    """
    return look_up("data set", "() -> (xs, ys)", which, table)


def split(
    xs: Sequence[X], ys: Sequence[Y], held_back: float = 0.2, rng: Rng | None = None
) -> tuple[tuple[list[X], list[Y]], tuple[list[X], list[Y]]]:
    """Shuffle the samples and return two parts, ``(xs, ys)`` for training and ``(xs, ys)`` for validation.

    Args:
        xs: the samples.
        ys: their targets.
        held_back: the fraction for validation, between 0 and 1; each part has at least one sample.
        rng: a source of random numbers, as random.Random is; None for the module `random`.

    Raises:
        TypeError: xs or ys is not a list, or held_back is not a number.
        ValueError: the numbers of samples and targets differ, there are fewer than two samples, or held_back
            is not between 0 and 1.

    >>> import random
    >>> train, validation = split([[1.0], [2.0], [3.0], [4.0], [5.0]], [1, 2, 3, 4, 5], rng=random.Random(0))
    >>> train
    ([[2.0], [1.0], [5.0], [4.0]], [2, 1, 5, 4])
    >>> validation
    ([[3.0]], [3])
    """
    for name, given in ("xs", xs), ("ys", ys):
        as_list(f"{name} is a list", given)  # the entries are returned as they are
    if len(xs) != len(ys):
        raise ValueError(f"expected as many targets as samples: {len(xs)} samples, {len(ys)} targets")
    if len(xs) < 2:
        raise ValueError(f"expected at least two samples to split, not {len(xs)}")
    fraction = number("held_back", held_back)
    if not 0 < fraction < 1:
        raise ValueError(f"held_back is a fraction between 0 and 1, not {brief(held_back)}")
    order = list(range(len(xs)))
    generator(rng).shuffle(order)
    cut = min(max(round(len(xs) * fraction), 1), len(xs) - 1)
    second, first = order[:cut], order[cut:]
    return ([xs[i] for i in first], [ys[i] for i in first]), (
        [xs[i] for i in second],
        [ys[i] for i in second],
    )


def standardise(xs: Rows, *others: Rows) -> tuple[list[list[float]], ...]:
    """Shift and scale each feature of ``xs`` to mean 0 and standard deviation 1, and ``others`` as ``xs``.

    Pass the validation samples as ``others``, so that they have no influence on training. A feature that is
    constant over ``xs`` is only shifted.

    Raises:
        ValueError: there is no sample, the samples have different numbers of features, a feature is not
            finite, or a feature is so large that its mean or its standard deviation overflows.
        TypeError: a sample is not a list of numbers.

    >>> standardise([[1.0], [3.0]], [[5.0]])
    ([[-1.0], [1.0]], [[3.0]])
    """
    first, *rest = (_finite_rows(part) for part in (xs, *others))
    means, deviations = scales(first)
    for x in (x for part in rest for x in part):
        _check_features(x, len(means))
    return tuple(
        [[(p - mean) / scale for p, mean, scale in zip(x, means, deviations)] for x in part]
        for part in (first, *rest)
    )


def scales(xs: Rows) -> tuple[list[float], list[float]]:
    """Return the mean and the standard deviation of each feature; 1.0 for the deviation of a constant one.

    `standardise` subtracts the one and divides by the other. Errors as for `standardise`.

    >>> scales([[1.0, 7.0], [3.0, 7.0]])
    ([2.0, 7.0], [1.0, 1.0])
    """
    rows = _finite_rows(xs)
    if not rows:
        raise ValueError("expected at least one sample to standardise by")
    for x in rows:
        _check_features(x, len(rows[0]))
    means = [sum(column) / len(rows) for column in zip(*rows)]
    deviations = [
        sqrt(sum((p - mean) * (p - mean) for p in column) / len(rows)) or 1.0
        for column, mean in zip(zip(*rows), means)
    ]
    for k, (mean, deviation) in enumerate(zip(means, deviations)):
        if not isfinite(deviation):
            raise ValueError(
                f"feature {k} is too large: its mean is {mean}, its standard deviation {deviation}"
            )
    return means, deviations


def _check_features(x: list[float], n: int) -> None:
    if len(x) != n:
        raise ValueError(f"expected {n} features in every sample, not {len(x)}: {brief(x)}")


def _finite_rows(xs: Rows) -> list[list[float]]:
    """Return the samples as lists of finite floats."""
    rows = [as_floats(cast("Floats", x)) for x in as_list("expected a list of samples", xs)]
    for i, x in enumerate(rows):
        for k, p in enumerate(x):
            if not isfinite(p):
                raise ValueError(f"sample {i}: feature {k} is {p}; expected a finite number")
    return rows

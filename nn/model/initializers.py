"""Initial weights of a net: each initializer draws one weight from a random generator.

nin is the number of inputs of a neuron, nout the number of neurons in its layer. `xavier`, `he` and `lecun`
keep the size of the signals about the same from layer to layer. Biases start at 0.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import TypeAlias

from nn.validation import Rng, generator, look_up

__all__ = [
    "uniform", "zeros", "normal", "xavier", "he", "lecun", "table", "get_initializer", "find", "generator",
]  # fmt: skip

Initializer: TypeAlias = Callable[[Rng, int, int], float]  # (rng, nin, nout) -> one weight


def uniform(rng: Rng, nin: int, nout: int) -> float:
    """Draw from U(-1, 1), micrograd's choice.

    >>> import random
    >>> -1 <= uniform(random.Random(0), 2, 16) <= 1
    True
    """
    return float(rng.uniform(-1.0, 1.0))


def zeros(rng: Rng, nin: int, nout: int) -> float:
    """Return 0, to show why weights start at random: from equal weights, all neurons of a layer stay equal.

    >>> import random
    >>> zeros(random.Random(0), 2, 16)
    0.0
    """
    return 0.0


def normal(rng: Rng, nin: int, nout: int) -> float:
    """Draw from N(0, 1).

    >>> import random
    >>> round(normal(random.Random(0), 2, 16), 6)
    0.941715
    """
    return float(rng.gauss(0.0, 1.0))


def xavier(rng: Rng, nin: int, nout: int) -> float:
    """Draw from U(-r, r) with r = √(6 / (nin + nout)): for tanh (Glorot and Bengio, 2010).

    >>> import random
    >>> abs(xavier(random.Random(0), 2, 4)) <= 1.0
    True
    """
    r = sqrt(6.0 / (nin + nout))
    return float(rng.uniform(-r, r))


def he(rng: Rng, nin: int, nout: int) -> float:
    """Draw from N(0, variance 2 / nin): for relu (He, Zhang, Ren and Sun, 2015).

    >>> import random
    >>> he(random.Random(0), 2, 16) == normal(random.Random(0), 2, 16)
    True
    """
    return float(rng.gauss(0.0, sqrt(2.0 / nin)))


def lecun(rng: Rng, nin: int, nout: int) -> float:
    """Draw from N(0, variance 1 / nin) (LeCun, Bottou, Orr and Müller, 1998).

    >>> import random
    >>> lecun(random.Random(0), 1, 16) == normal(random.Random(0), 1, 16)
    True
    """
    return float(rng.gauss(0.0, sqrt(1.0 / nin)))


#: Every initializer, by its name.
table: dict[str, Initializer] = {f.__name__: f for f in (uniform, zeros, normal, xavier, he, lecun)}


def get_initializer(which: str | Initializer) -> Initializer:
    """Return the initializer of that name; a function ``(rng, nin, nout) -> weight`` is returned as it is.

    Raises:
        ValueError: there is none of that name; the message lists the names.
        TypeError: it is neither a name nor a function.

    >>> get_initializer("he") is he
    True
    """
    return look_up("init", "(rng, nin, nout) -> weight", which, table)


find = get_initializer  # its name in version 0.1.0

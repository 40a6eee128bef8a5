"""How the weights of a net begin: each initialiser draws one weight from a random generator.

The last three keep the size of the signal steady from layer to layer, for a neuron with nin inputs in a
layer of nout neurons. Biases begin at 0.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from math import sqrt
from typing import Any

from nn.validation import generator

__all__ = ["uniform", "zeros", "normal", "xavier", "he", "lecun", "table", "find", "generator"]

Initialiser = Callable[[Any, int, int], float]  # (rng, nin, nout) -> one weight


def uniform(rng: Any, nin: int, nout: int) -> float:
    """U(-1, 1), micrograd's choice.

    >>> -1 <= uniform(random.Random(0), 2, 16) <= 1
    True
    """
    return float(rng.uniform(-1.0, 1.0))


def zeros(rng: Any, nin: int, nout: int) -> float:
    """0, to see why nobody does this: all neurons of a layer stay alike.

    >>> zeros(random.Random(0), 2, 16)
    0.0
    """
    return 0.0


def normal(rng: Any, nin: int, nout: int) -> float:
    """N(0, 1).

    >>> round(normal(random.Random(0), 2, 16), 6)
    0.941715
    """
    return float(rng.gauss(0.0, 1.0))


def xavier(rng: Any, nin: int, nout: int) -> float:
    """U(-r, r) with r = √(6 / (nin + nout)): for tanh and sigmoid (Glorot and Bengio, 2010).

    >>> abs(xavier(random.Random(0), 2, 4)) <= 1.0
    True
    """
    r = sqrt(6.0 / (nin + nout))
    return float(rng.uniform(-r, r))


def he(rng: Any, nin: int, nout: int) -> float:
    """N(0, variance 2 / nin): for relu (He, Zhang, Ren and Sun, 2015).

    >>> he(random.Random(0), 2, 16) == normal(random.Random(0), 2, 16)
    True
    """
    return float(rng.gauss(0.0, sqrt(2.0 / nin)))


def lecun(rng: Any, nin: int, nout: int) -> float:
    """N(0, variance 1 / nin) (LeCun, Bottou, Orr and Müller, 1998).

    >>> lecun(random.Random(0), 1, 16) == normal(random.Random(0), 1, 16)
    True
    """
    return float(rng.gauss(0.0, sqrt(1.0 / nin)))


#: Every initialiser, by its name.
table: dict[str, Initialiser] = {f.__name__: f for f in (uniform, zeros, normal, xavier, he, lecun)}


def find(which: str | Initialiser) -> Initialiser:
    """The initialiser of that name; a function ``(rng, nin, nout) -> weight`` is one as it stands.

    Raises:
        ValueError: there is none of that name; the message lists those that there are.
        TypeError: it is neither a name nor a function.

    >>> find("he") is he
    True
    """
    if isinstance(which, str):
        if which not in table:
            raise ValueError(f"unknown init {which!r:.60}; there are {', '.join(table)}")
        return table[which]
    if not callable(which):
        raise TypeError(f"init is a name or a function (rng, nin, nout) -> weight, not {which!r:.60}")
    return which

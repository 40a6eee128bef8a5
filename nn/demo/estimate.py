"""Estimate the time of a run on Values: its operations, times the time that one takes."""

from __future__ import annotations

from collections.abc import Sequence

from engine import as_value, topological_order
from nn.model.modules import MLP
from nn.training.auto import COSTS
from nn.training.losses import Loss

__all__ = ["operations", "sentence"]

EACH = COSTS["eager"].edge  # seconds, forward and backward


def operations(model: MLP, loss: Loss, x: Sequence[float], t: object) -> int:
    """Return the number of edges in the graph of one sample's loss: one product and one sum each way.

    >>> from nn.training import losses
    >>> operations(MLP(2, [3]), losses.cross_entropy, [1.0, 2.0], 0) > 3 * (2 + 2 + 1)  # w, x and b
    True
    """
    return sum(len(node.parents) for node in topological_order(as_value(loss(model(x), t))))


def sentence(each: int, samples: int) -> str:
    """Return a line with the time that training would take on Values; "" for less than 2 seconds.

    Args:
        each: the operations for one sample.
        samples: how often a sample is used: the samples times the epochs.

    >>> sentence(5_000, 14_000)
    'on Values (--backend eager): about 28 s, estimated from 70 million operations'
    """
    n = each * samples
    if n * EACH < 2:
        return ""
    return (
        f"on Values (--backend eager): about {_duration(n * EACH)}, estimated from {_rounded(n)} operations"
    )


def _duration(seconds: float) -> str:
    """Return a time with one or two digits.

    >>> [_duration(s) for s in (43.7, 400.0, 90000.0)]
    ['44 s', '7 min', '25 h']
    """
    for unit, size in ("h", 3600), ("min", 60):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _rounded(n: int) -> str:
    """Return a large number in words.

    >>> _rounded(4_460_000), _rounded(69_700_000)
    ('4.5 million', '70 million')
    """
    millions = n / 1e6
    return f"{millions:.1f} million" if millions < 10 else f"{millions:,.0f} million"

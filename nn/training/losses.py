"""How wrong the outputs of one sample are: losses in plain Value arithmetic.

Each takes the outputs of a model (a Value or a list of them; plain numbers give a plain number) and the
target of the sample, and returns one Value. The last three classify: their outputs are not probabilities but
logits, any numbers, the greater the surer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from engine import Value, as_float, logsumexp, ops, relu, softplus, total, weighted_sum

__all__ = [
    "half_squared_error", "mean_squared_error", "hinge", "binary_cross_entropy", "cross_entropy",
    "table", "find", "name", "decide",
]  # fmt: skip

Loss = Callable[[Any, Any], Any]


def half_squared_error(outputs: Any, targets: Any) -> Any:
    """E = ½ Σ_k (t_k - a_k)², the textbook's error.

    Args:
        outputs: a_k, a Value or a list.
        targets: t_k, as many numbers.

    Raises:
        ValueError: there are not as many targets as outputs.
        TypeError: a target is not a number.
        OverflowError: a difference is so large that its square is no float.

    >>> half_squared_error([1.0, 2.0], [0.0, 4.0])
    2.5
    """
    return 0.5 * _sum(_squares(outputs, targets))


def mean_squared_error(outputs: Any, targets: Any) -> Any:
    """The mean of (t_k - a_k)² over the outputs. Arguments and errors as for `half_squared_error`.

    >>> mean_squared_error([1.0, 2.0], [0.0, 4.0])
    2.5
    """
    return _mean(_squares(outputs, targets))


def hinge(outputs: Any, targets: Any) -> Any:
    """The mean of max(0, 1 - t_k s_k): nothing is lost once every output is on its side by a margin of 1.

    Args:
        outputs: the scores s_k, a Value or a list.
        targets: the sides t_k, each -1 or 1.

    Raises:
        ValueError: there are not as many targets as outputs, or one is neither -1 nor 1.
        TypeError: a target is not a number.

    >>> hinge(0.25, -1)
    1.25
    """
    return _mean([relu(1 - t * s) for s, t in _pairs(outputs, targets, allowed=(-1.0, 1.0))])


def binary_cross_entropy(outputs: Any, targets: Any) -> Any:
    """The mean of -t log p - (1 - t) log(1 - p), where p = sigmoid(s) is the chance of yes.

    For t = 1 that is softplus(-s), for t = 0 softplus(s), so it is written softplus((1 - 2t) s): exact for
    logits of any size.

    Args:
        outputs: the logits s_k, a Value or a list.
        targets: t_k, each 0 (no) or 1 (yes).

    Raises:
        ValueError: there are not as many targets as outputs, or one is neither 0 nor 1.
        TypeError: a target is not a number.

    >>> binary_cross_entropy([1000.0, -1000.0], [0, 0])
    500.0
    """
    return _mean([softplus((1 - 2 * t) * s) for s, t in _pairs(outputs, targets, allowed=(0.0, 1.0))])


def cross_entropy(outputs: Any, target: Any) -> Any:
    """-log softmax(s)_t = log Σ_k exp(s_k) - s_t, the surprise at seeing class t.

    Args:
        outputs: the logits, a list of at least two, one for each class.
        target: t, the number of the class, counted from 0; or one-hot, a list with 1 at t and 0 elsewhere.

    Raises:
        ValueError: the target is none of the classes, or not one-hot; or there are fewer than two outputs.
        TypeError: the target is not a number or a list of them.

    >>> cross_entropy([0.0, 1000.0], 1), cross_entropy([0.0, 1000.0], [1, 0])
    (0.0, 1000.0)
    """
    logits = _listed(outputs)
    if len(logits) < 2:
        raise ValueError(
            f"cross_entropy expects one output for each of two or more classes, not {len(logits)}"
        )
    if _is_list(target):
        one_hot = [t for _, t in _pairs(logits, target, allowed=(0.0, 1.0))]
        if sum(map(_number, one_hot)) != 1:
            raise ValueError(f"a one-hot target has a single 1, not {target!r:.60}")
        return logsumexp(logits) - weighted_sum(one_hot, logits)
    t = _number(target)
    if not (0 <= t < len(logits) and t == int(t)):
        raise ValueError(f"the class is a whole number from 0 to {len(logits) - 1}, not {target!r:.60}")
    return logsumexp(logits) - logits[int(t)]


#: Every loss, by its name.
table: dict[str, Loss] = {
    f.__name__: f
    for f in (half_squared_error, mean_squared_error, hinge, binary_cross_entropy, cross_entropy)
}


def find(which: str | Loss) -> Loss:
    """The loss of that name; a function ``(outputs, target) -> Value`` is one as it stands.

    Raises:
        ValueError: there is none of that name; the message lists those that there are.
        TypeError: it is neither a name nor a function.

    >>> find("hinge") is hinge
    True
    """
    if isinstance(which, str):
        if which not in table:
            raise ValueError(f"unknown loss {which!r:.60}; there are {', '.join(table)}")
        return table[which]
    if not callable(which):
        raise TypeError(f"a loss is a name or a function (outputs, target) -> Value, not {which!r:.60}")
    return which


def name(loss: Loss) -> str:
    """What a loss is called, be it one of these or a function of your own.

    >>> name(hinge)
    'hinge'
    """
    return getattr(loss, "__name__", type(loss).__name__)


def decide(loss: Loss, answer: Any) -> Any:
    """What an answer, of a model in plain numbers or of a target, says: which class, or which side.

    Returns:
        For cross_entropy the number of the class; for hinge and binary_cross_entropy, of each number, whether
        it is on the side of yes; None if the loss has no classes. A sample is right if its outputs and its
        target say the same.

    >>> decide(cross_entropy, [0.1, 2.0, -1.0]), decide(cross_entropy, 1)
    (1, 1)
    >>> decide(hinge, 0.3), decide(hinge, -1)
    ([True], [False])
    """
    if loss is cross_entropy:
        return max(range(len(answer)), key=lambda k: answer[k]) if _is_list(answer) else int(answer)
    if loss in (hinge, binary_cross_entropy):
        return [bool(number > 0) for number in _listed(answer)]
    return None


def _squares(outputs: Any, targets: Any) -> list[Any]:
    return [ops.pow(t - a, 2) for a, t in _pairs(outputs, targets)]  # of floats, too, says what is too large


def _sum(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else total(values)


def _mean(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else total(values) / len(values)


def _is_list(x: Any) -> bool:
    no_list = (Value, str, bytes, dict, set)
    return hasattr(x, "__len__") and not isinstance(x, no_list) and getattr(x, "shape", None) != ()


def _listed(x: Any) -> list[Any]:
    return list(x) if _is_list(x) else [x]


def _number(t: Any) -> float:
    return t.data if isinstance(t, Value) else as_float(t)


def _pairs(outputs: Any, targets: Any, allowed: Sequence[float] = ()) -> list[tuple[Any, Any]]:
    """Each output with its target, once the targets are known to fit. (To be traced, a target is a Value.)"""
    outs, given = _listed(outputs), _listed(targets)
    if len(outs) != len(given) or not outs:
        raise ValueError(f"expected one target for each output: {len(outs)} outputs, {len(given)} targets")
    for t in given:
        if _number(t) not in allowed and allowed:
            raise ValueError(f"a target of this loss is {allowed[0]:g} or {allowed[1]:g}, not {t!r:.60}")
    return list(zip(map(_either, outs), map(_either, given)))


def _either(x: Any) -> Any:
    return x if isinstance(x, Value) else as_float(x)

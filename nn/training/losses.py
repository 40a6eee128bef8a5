"""Loss functions: the error of the outputs of one sample, in plain Value arithmetic.

Each takes the outputs of a model (a Value or a list of them) and the target of the sample, and returns one
Value; for plain numbers it returns a plain number. The last three are for classification: their outputs are
not probabilities but logits, any numbers, where a greater number means more certainty.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite
from typing import TYPE_CHECKING, TypeAlias, overload

from engine import (
    Number,
    Role,
    Value,
    as_float,
    brief,
    log_softmax,
    logsumexp,
    ops,
    relu,
    softplus,
    total,
    weighted_sum,
)
from nn.validation import Floats, as_list, is_list, look_up

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "half_squared_error", "mean_squared_error", "hinge", "binary_cross_entropy", "cross_entropy",
    "table", "get_loss", "find", "name", "decide", "decide_many",
]  # fmt: skip

Values: TypeAlias = "Value | Sequence[Value]"
Numbers: TypeAlias = "float | Floats"
Outputs: TypeAlias = "Number | Sequence[Number] | Floats"
#: A loss of your own may expect outputs and targets of one kind only, so a loss has any parameters.
Loss: TypeAlias = Callable[..., Number]

# The role of the nodes of each loss: its name and its formula, for pictures.
HALF_SQUARED_ERROR = Role("half squared error", formula="½ Σₖ (tₖ − aₖ)²")
MEAN_SQUARED_ERROR = Role("mean squared error", formula="1/n Σₖ (tₖ − aₖ)²")
HINGE = Role("hinge", formula="1/n Σₖ max(0, 1 − tₖ sₖ)")
BINARY_CROSS_ENTROPY = Role(
    "binary cross-entropy", formula="−1/n Σₖ tₖ log pₖ + (1 − tₖ) log(1 − pₖ)\nwith pₖ = 1 / (1 + exp(−sₖ))"
)
CROSS_ENTROPY = Role("cross-entropy", formula="−Σₖ tₖ log pₖ\nwith pₖ = exp(sₖ) / Σᵢ exp(sᵢ)")


@overload
def half_squared_error(outputs: Values, targets: Outputs) -> Value: ...
@overload
def half_squared_error(outputs: Numbers, targets: Numbers) -> float: ...
@overload
def half_squared_error(outputs: Outputs, targets: Outputs) -> Number: ...
def half_squared_error(outputs: Outputs, targets: Outputs) -> Number:
    """Return E = ½ Σ_k (t_k - a_k)², the textbook's error.

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
    squares = _squares(outputs, targets)
    error = 0.5 * _sum(squares)
    error = error if isfinite(_data(error)) else _scaled(squares, 0.5, 1.0)
    return _marked(error, HALF_SQUARED_ERROR, outputs, targets)


@overload
def mean_squared_error(outputs: Values, targets: Outputs) -> Value: ...
@overload
def mean_squared_error(outputs: Numbers, targets: Numbers) -> float: ...
@overload
def mean_squared_error(outputs: Outputs, targets: Outputs) -> Number: ...
def mean_squared_error(outputs: Outputs, targets: Outputs) -> Number:
    """Return the mean of (t_k - a_k)² over the outputs. Arguments and errors as for `half_squared_error`.

    >>> mean_squared_error([1.0, 2.0], [0.0, 4.0])
    2.5
    """
    return _marked(_mean(_squares(outputs, targets)), MEAN_SQUARED_ERROR, outputs, targets)


@overload
def hinge(outputs: Values, targets: Outputs) -> Value: ...
@overload
def hinge(outputs: Numbers, targets: Numbers) -> float: ...
@overload
def hinge(outputs: Outputs, targets: Outputs) -> Number: ...
def hinge(outputs: Outputs, targets: Outputs) -> Number:
    """Return the mean of max(0, 1 - t_k s_k): 0 once every output is on its side by a margin of 1.

    Args:
        outputs: the scores s_k, a Value or a list.
        targets: the sides t_k, each -1 or 1.

    Raises:
        ValueError: there are not as many targets as outputs, or one is neither -1 nor 1.
        TypeError: a target is not a number.

    >>> hinge(0.25, -1)
    1.25
    """
    mean = _mean([relu(1 - t * s) for s, t in _pairs(outputs, targets, allowed=(-1.0, 1.0))])
    return _marked(mean, HINGE, outputs, targets)


@overload
def binary_cross_entropy(outputs: Values, targets: Outputs) -> Value: ...
@overload
def binary_cross_entropy(outputs: Numbers, targets: Numbers) -> float: ...
@overload
def binary_cross_entropy(outputs: Outputs, targets: Outputs) -> Number: ...
def binary_cross_entropy(outputs: Outputs, targets: Outputs) -> Number:
    """Return the mean of -t log p - (1 - t) log(1 - p), where p = sigmoid(s) is the probability of 1.

    It is written t softplus(-s) + (1 - t) softplus(s), of which one term is left for t = 0 and t = 1: exact
    for logits of any size.

    Args:
        outputs: the logits s_k, a Value or a list.
        targets: t_k, each 0 (no), 1 (yes), or a probability in between.

    Raises:
        ValueError: there are not as many targets as outputs, or one is not between 0 and 1.
        TypeError: a target is not a number.

    >>> binary_cross_entropy([1000.0, -1000.0], [0, 0])
    500.0
    """
    mean = _mean([_surprise(s, t) for s, t in _probabilities(outputs, targets)])
    return _marked(mean, BINARY_CROSS_ENTROPY, outputs, targets)


@overload
def cross_entropy(outputs: Values, target: Outputs) -> Value: ...
@overload
def cross_entropy(outputs: Numbers, target: Numbers) -> float: ...
@overload
def cross_entropy(outputs: Outputs, target: Outputs) -> Number: ...
def cross_entropy(outputs: Outputs, target: Outputs) -> Number:
    """Return -log softmax(s)_t = log Σ_k exp(s_k) - s_t: -log of the probability of class t.

    Args:
        outputs: the logits, a list of at least two, one for each class.
        target: t, the number of the class, counted from 0; or the probabilities t_k of all classes, such as 1
            at one class and 0 elsewhere, for -Σ_k t_k log softmax(s)_k.

    Raises:
        ValueError: the target is none of the classes, or the probabilities do not add up to 1 (within 1e-9);
            or there are fewer than two outputs.
        TypeError: the target is not a number or a list of them.

    >>> cross_entropy([0.0, 1000.0], 1), cross_entropy([0.0, 1000.0], [1, 0])
    (0.0, 1000.0)
    """
    logits = [_as_number(s) for s in _entries(outputs)] if is_list(outputs) else []
    if len(logits) < 2:
        found = len(logits) or 1 - is_list(outputs)
        raise ValueError(f"cross_entropy expects one output for each of two or more classes, not {found}")
    if is_list(target):
        pairs = _probabilities(logits, target)
        if not abs(sum(_data(t) for _, t in pairs) - 1) <= 1e-9:
            raise ValueError(f"the probabilities of the classes add up to 1, not {brief(target)}")
        ts = [t for _, t in pairs]
        if any(isinstance(t, Value) for t in ts) or not (1.0 in ts and ts.count(0.0) == len(ts) - 1):
            kept = [(t, log_p) for t, log_p in zip(ts, log_softmax(logits)) if isinstance(t, Value) or t]
            surprise = -weighted_sum([t for t, _ in kept], [log_p for _, log_p in kept])
            return _marked(surprise, CROSS_ENTROPY, outputs, target)
        target = ts.index(1.0)
    t = target.data if isinstance(target, Value) else as_float(target)  # the graph depends on the class
    if not (0 <= t < len(logits) and t == int(t)):
        raise ValueError(f"the class is a whole number from 0 to {len(logits) - 1}, not {brief(target)}")
    right = logits[int(t)]  # subtracted first: for s = 1e16, log Σ exp(s) has no digits after the point
    surprise = logsumexp([0.0 if k == t else s - right for k, s in enumerate(logits)])
    return _marked(surprise, CROSS_ENTROPY, outputs, target)


#: Every loss, by its name.
table: dict[str, Loss] = {
    f.__name__: f
    for f in (half_squared_error, mean_squared_error, hinge, binary_cross_entropy, cross_entropy)
}


def get_loss(which: str | Loss) -> Loss:
    """Return the loss of that name; a function ``(outputs, target) -> Value`` is returned as it is.

    Raises:
        ValueError: there is none of that name; the message lists the names.
        TypeError: it is neither a name nor a function.

    >>> get_loss("hinge") is hinge
    True
    """
    return look_up("loss", "(outputs, target) -> Value", which, table)


find = get_loss  # its name in version 0.1.0


def name(loss: Loss) -> str:
    """Return the name of a loss, one of these or a function of your own.

    >>> name(hinge)
    'hinge'
    """
    return getattr(loss, "__name__", type(loss).__name__)


def decide(loss: Loss, answer: object) -> int | list[bool] | None:
    """Return the class of a target, or of outputs in plain numbers.

    Returns:
        For cross_entropy the number of the class; for hinge and binary_cross_entropy, for each number,
        whether it is on the side of 1; None if the loss has no classes. A prediction is correct if the
        outputs and the target have the same class.

    >>> decide(cross_entropy, [0.1, 2.0, -1.0]), decide(cross_entropy, 1)
    (1, 1)
    >>> decide(hinge, 0.3), decide(hinge, -1)
    ([True], [False])
    """
    if loss not in (cross_entropy, hinge, binary_cross_entropy):
        return None
    numbers = [_data(x) for x in _entries(answer)]
    if loss is cross_entropy:
        return max(range(len(numbers)), key=lambda k: numbers[k]) if is_list(answer) else int(numbers[0])
    return [x > 0 for x in numbers]


def _marked(loss: Number, role: Role, outputs: object, targets: object) -> Number:
    """Set the role of the nodes that compute the loss from outputs and targets; return the loss."""
    if isinstance(loss, Value):
        done = {x for given in (outputs, targets) for x in _entries(given) if isinstance(x, Value)}
        todo = [loss]
        while todo:
            node = todo.pop()
            if node.parents and node not in done:
                node.role = role
                done.add(node)
                todo += node.parents
    return loss


def decide_many(loss: Loss, outputs: np.ndarray) -> np.ndarray:
    """Return `decide` of many samples, for a loss that has classes.

    Args:
        loss: the loss.
        outputs: an array with a row for each output and a column for each sample.

    Returns:
        For cross_entropy the number of the class of each sample; else an array of truths of the same shape.

    >>> import numpy as np
    >>> decide_many(cross_entropy, np.array([[0.1, 3.0], [2.0, 3.0], [-1.0, 0.0]]))
    array([1, 0])
    """
    decided: np.ndarray = outputs.argmax(0) if loss is cross_entropy else outputs > 0
    return decided


def _squares(outputs: object, targets: object) -> list[Number]:
    # ops.pow and not **, whose error for floats does not name the numbers
    return [ops.pow(t - a, 2) for a, t in _pairs(outputs, targets)]


def _sum(values: list[Number]) -> Number:
    return values[0] if len(values) == 1 else total(values)


def _mean(values: list[Number]) -> Number:
    n = len(values)
    if n == 1:
        return values[0]
    mean = total(values) / n
    part = 0.5 ** n.bit_length()  # a power of 2, so that nothing is rounded
    return mean if isfinite(_data(mean)) else _scaled(values, part, n * part)


def _scaled(values: list[Number], part: float, divisor: float) -> Number:
    """Return the sum of part · value, divided by ``divisor``: for values whose sum is no float."""
    whole = weighted_sum([part] * len(values), values)
    return whole if divisor == 1.0 else whole / divisor


def _entries(x: object) -> list[object]:
    """Return the entries of a list, or a single number as a list of one."""
    return as_list("expected a list of numbers", x) if is_list(x) else [x]


def _data(x: object) -> float:
    return x._data if isinstance(x, Value) else as_float(x)


def _as_number(x: object) -> Number:
    return x if isinstance(x, Value) else as_float(x)


def _surprise(s: Number, t: Number) -> Number:
    if isinstance(t, Value) or 0 < t < 1:
        return t * softplus(-s) + (1 - t) * softplus(s)
    return softplus(-s if t else s)


def _probabilities(outputs: object, targets: object) -> list[tuple[Number, Number]]:
    """Return each output with its target, a number from 0 to 1."""
    pairs = _pairs(outputs, targets)
    for _, t in pairs:
        if not 0 <= _data(t) <= 1:
            raise ValueError(f"a target of this loss is a number from 0 to 1, not {brief(t)}")
    return pairs


def _pairs(outputs: object, targets: object, allowed: Sequence[float] = ()) -> list[tuple[Number, Number]]:
    """Return each output with its target, after checking the targets, which are Values in a traced graph."""
    outs, given = _entries(outputs), _entries(targets)
    if len(outs) != len(given) or not outs:
        raise ValueError(f"expected one target for each output: {len(outs)} outputs, {len(given)} targets")
    for t in given:
        if _data(t) not in allowed and allowed:
            raise ValueError(f"a target of this loss is {allowed[0]:g} or {allowed[1]:g}, not {brief(t)}")
    return list(zip(map(_as_number, outs), map(_as_number, given)))

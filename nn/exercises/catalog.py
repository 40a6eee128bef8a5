"""The topics that can be checked, and the check of a solution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from engine import brief, did_you_mean
from nn.exercises.checker import Topic, check_topic
from nn.exercises.result import Result
from nn.exercises.topics import by_hand, learning, passes, rules, training, value

__all__ = ["check", "topics"]

_ASKED = {
    "by_hand": "a function (a, b, c) -> the derivatives of d = a*b + c by a, b and c",
    "chain": "a function (a, b, c, f) -> the derivatives of L = (a*b + c) * f by a, b, c and f",
    "value": "a class of nodes: Mine(2.0), + and *, .data, .grad, .backward()",
    "operation": "a pair of functions (f, derivative), with name= the operation, such as 'tanh'",
    "topological_order": "a function (root) -> all nodes of engine's Values, parents before children",
    "backward": "a function (root) that fills .grad, by .parents and .local_gradients() of engine's Values",
    "zero_grad": "a function (parameters) that sets every .grad to 0",
    "neuron": "a function (w, x, b) -> tanh(b + Σ w x)",
    "layer": "a function (W, b, a) -> z = W a + b",
    "forward": "a function (layers, x) -> (zs, activations); a layer is (W, b, (g, derivative))",
    "output_deltas": "a function (z, a, t, (g, derivative)) -> the Δ_k of the output neurons",
    "hidden_deltas": "a function (z, (g, derivative), W_next, deltas_next) -> the Δ_j of hidden neurons",
    "deltas": "a function (layers, x, t) -> the Δ of each layer",
    "gradients": "a function (layers, x, t) -> (-∂E/∂W, -∂E/∂b) of each layer",
    "update": "a function (layers, steps, rate) -> the layers after w ← w + η a_j Δ_k",
    "train_step": "a function (layers, x, t, rate) -> the layers after a step on one sample",
    "backward_matrix": "a function (layers, x, t) -> (δs, [(∂E/∂W, ∂E/∂b), ...])",
    "training_loop": "a function (loss, parameters, rate, steps): loss() returns a new graph's root",
    "train": "a function (layers, xs, ts, rate, epochs) -> the layers after a step for each sample",
    "initializer": "a function (rng, nin, nout) -> one weight, with name= the initializer, such as 'he'",
}


def topics() -> dict[str, str]:
    """Return the name of each topic, and the solution that it asks for.

    >>> topics()["neuron"]
    'a function (w, x, b) -> tanh(b + Σ w x)'
    """
    return dict(_ASKED)


def check(topic: str, mine: object, **options: object) -> Result:
    """Compare a solution with the right one on small cases, the smallest first.

    Args:
        topic: the name of the topic; `topics` lists them.
        mine: the solution.
        options: for "value": ``make`` (makes a leaf from a number), ``data``, ``grad`` and ``backward`` (the
            names of the attributes and of the method, or functions of a node), ``operations`` (a list of
            those to check); for "operation" and "initializer": ``name``.

    Returns:
        A `Result`: whether it passed, or the smallest case that fails, the first wrong step of it with both
        numbers, and the likely cause. Numbers agree to a relative 1e-9.

    Raises:
        ValueError: there is no such topic, operation or initializer.
        TypeError: the solution is no class or function as the topic asks for, or there is no such option.

    >>> def neuron(w, x, b):
    ...     from math import tanh
    ...     return tanh(sum(w_j * x_j for w_j, x_j in zip(w, x)))
    >>> check("neuron", neuron)
    neuron: not yet.
    The smallest case that fails:
        a net 1-1 of tanh, x = [0.7], t = [0.9]
        W1 = [[0.5]], b1 = [-0.2]
    The first step that is wrong: tanh(b + Σ w x)
        yours  0.336376
        right  0.148885
    The likely cause: the bias is forgotten. in_k = b_k + Σ_j w_jk a_j: the bias belongs to the sum.
    """
    result = check_topic(*prepare(topic, mine, options))
    return result if options.get("operations") is None else replace(result, skipped=())


def prepare(name: str, mine: object, options: Mapping[str, object]) -> tuple[Topic, object]:
    """Return the topic, and the student's code as its solution."""
    if not isinstance(name, str):
        raise TypeError(f"a topic is the name of an exercise, not {type(name).__name__}: {brief(name)}")
    if name not in _ASKED:
        raise ValueError(
            f"there is no topic {name!r}{did_you_mean(name, _ASKED) or f'; expected one of {list(_ASKED)}'}"
        )
    allowed = {
        "value": ("make", "data", "grad", "backward", "operations"),
        "operation": ("name",),
        "initializer": ("name",),
    }
    if unknown := [option for option in options if option not in allowed.get(name, ())]:
        raise TypeError(
            f"{name!r} takes no option {unknown[0]!r}{did_you_mean(unknown[0], allowed.get(name, ()))}"
        )
    if name == "value":
        return value.topic(), value.prepare(mine, **options)  # type: ignore[arg-type]
    if name == "operation":
        if not isinstance(mine, (tuple, list)) or len(mine) != 2 or not all(map(callable, mine)):
            raise TypeError(f"expected {_ASKED[name]}, not {brief(mine)}")
        return training.operation_topic(_name(name, options)), tuple(mine)
    if not callable(mine):
        raise TypeError(f"expected {_ASKED[name]}, not {brief(mine)}")
    if name == "initializer":
        return training.initializer_topic(_name(name, options)), mine
    if name == "training_loop":
        return training.loop_topic(), mine
    if name == "train":
        return learning.topic(), mine
    if name in by_hand.FORMULAS:
        return by_hand.topic(name), mine
    return (rules if name in rules.EXERCISES else passes).topic(name), mine


def _name(topic: str, options: Mapping[str, object]) -> str:
    name = options.get("name")
    if not isinstance(name, str):
        raise TypeError(f"{topic!r} needs name=, a string: {_ASKED[topic]}; not {brief(name)}")
    return name


def expected_name(topic: str) -> tuple[str, ...]:
    """Return the names that a file with a solution defines.

    >>> expected_name("value"), expected_name("deltas")
    (('Value',), ('deltas',))
    """
    return {"value": ("Value",), "operation": ("f", "derivative")}.get(topic, (topic,))

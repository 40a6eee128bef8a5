"""A scalar autograd engine: numbers that remember how they were made, and the chain rule."""

from typing import TYPE_CHECKING, Any

from engine import operators as operators  # it gives Values their operators
from engine import ops
from engine.anomaly import detect_anomaly, stale
from engine.backward import Contribution, backward_steps, grad, topological_order
from engine.check import check_row, gradcheck
from engine.draw import draw_dot
from engine.explain import explain
from engine.ops import (
    Op,
    cos,
    erf,
    erfc,
    exp,
    expm1,
    gelu,
    leaky_relu,
    log,
    log1p,
    maximum,
    minimum,
    relu,
    sigmoid,
    sin,
    softplus,
    sqrt,
    tan,
    tanh,
)
from engine.pause import no_grad
from engine.play import play
from engine.sums import log_softmax, logsumexp, softmax, total, weighted_sum
from engine.value import Value

if TYPE_CHECKING:
    from engine.program import Program
    from engine.tracing import trace

__all__ = [
    "Contribution",
    "Op",
    "Program",
    "Value",
    "backward_steps",
    "check_row",
    "cos",
    "detect_anomaly",
    "draw_dot",
    "erf",
    "erfc",
    "exp",
    "explain",
    "expm1",
    "gelu",
    "grad",
    "gradcheck",
    "leaky_relu",
    "log",
    "log1p",
    "log_softmax",
    "logsumexp",
    "maximum",
    "minimum",
    "no_grad",
    "ops",
    "play",
    "relu",
    "sigmoid",
    "sin",
    "softmax",
    "softplus",
    "sqrt",
    "stale",
    "tan",
    "tanh",
    "topological_order",
    "total",
    "trace",
    "weighted_sum",
]

_ROOMS = {"Program": "engine.program", "trace": "engine.tracing"}  # entered when first asked for


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'engine' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_ROOMS[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""A scalar autograd engine: numbers that remember how they were made, and the chain rule."""

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from engine import operators as operators  # it gives Values their operators
from engine import ops
from engine.backward import Contribution, backward_steps, grad, topological_order
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
from engine.sums import log_softmax, logsumexp, softmax, total, weighted_sum
from engine.value import Value

if TYPE_CHECKING:
    from engine.anomaly import detect_anomaly, stale
    from engine.check import check_row, gradcheck
    from engine.draw import draw_dot
    from engine.explain import explain
    from engine.play import play
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

#: Whom nobody needs to compute with Values: their rooms are entered when they are first asked for.
_ROOMS = {
    "Program": "program",
    "check_row": "check",
    "detect_anomaly": "anomaly",
    "draw_dot": "draw",
    "explain": "explain",
    "gradcheck": "check",
    "play": "play",
    "stale": "anomaly",
    "trace": "tracing",
}


class _Door(ModuleType):
    """A room with the name of what it holds leaves the name alone: `engine.explain` is the function."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _ROOMS and isinstance(value, ModuleType)):
            super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        if name not in _ROOMS:
            raise AttributeError(f"module 'engine' has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(f"engine.{_ROOMS[name]}"), name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *__all__})


sys.modules[__name__].__class__ = _Door

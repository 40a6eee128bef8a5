"""A scalar autograd engine: numbers that record how they were computed, and the chain rule."""

import sys
from typing import TYPE_CHECKING

import engine.core.specialize  # noqa: F401  (it switches the accelerator on)
from engine.core import ops
from engine.core.backward import Contribution, backward_steps, topological_order
from engine.core.collector import collector_paused
from engine.core.functional import log_softmax, logsumexp, softmax, total, weighted_sum
from engine.core.grad import grad
from engine.core.grad_mode import no_grad
from engine.core.messages import brief, did_you_mean, one_line
from engine.core.methods import Role
from engine.core.op import shipped
from engine.core.ops import (
    Op,
    Operation,
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    ceil,
    cos,
    cosh,
    elu,
    erf,
    erfc,
    exp,
    expm1,
    floor,
    gelu,
    get_op,
    leaky_relu,
    log,
    log1p,
    maximum,
    minimum,
    relu,
    sigmoid,
    sign,
    silu,
    sin,
    sinh,
    softplus,
    sqrt,
    tan,
    tanh,
)
from engine.core.scalar import as_float, is_number
from engine.core.value import Constant, Number, Value, as_value, record

if TYPE_CHECKING:
    from collections.abc import Collection

    from engine.compiler.backends import BACKENDS, get_backend
    from engine.compiler.compiled import CompiledFunction
    from engine.compiler.guarded import GuardError
    from engine.compiler.program import Program
    from engine.compiler.tracing import trace
    from engine.core.files import write_whole
    from engine.debug.anomaly import detect_anomaly, stale
    from engine.debug.gradcheck import check_row, gradcheck
    from engine.view.backward_pass import BackwardPass
    from engine.view.draw import draw_dot
    from engine.view.explain import explain
    from engine.view.graphviz import check_graphviz, set_renderer
    from engine.view.play import Player, play

if sys.platform == "emscripten":  # Python in a browser
    from engine.core.adjoint import AdjointNode
    from engine.core.release import release_in_a_loop

    release_in_a_loop(Value, AdjointNode)

__version__ = "0.2.0"

#: These names are imported when they are first used, as computing with Values does not need them.
_LAZY = {
    "BACKENDS": "compiler.backends",
    "get_backend": "compiler.backends",
    "BackwardPass": "view.backward_pass",
    "CompiledFunction": "compiler.compiled",
    "GuardError": "compiler.guarded",
    "Player": "view.play",
    "Program": "compiler.program",
    "check_row": "debug.gradcheck",
    "detect_anomaly": "debug.anomaly",
    "draw_dot": "view.draw",
    "explain": "view.explain",
    "check_graphviz": "view.graphviz",
    "gradcheck": "debug.gradcheck",
    "set_renderer": "view.graphviz",
    "play": "view.play",
    "stale": "debug.anomaly",
    "trace": "compiler.tracing",
    "write_whole": "core.files",
}

__all__ = [
    "BACKENDS",
    "BackwardPass",
    "CompiledFunction",
    "Constant",
    "Contribution",
    "GuardError",
    "Number",
    "Op",
    "Operation",
    "Player",
    "Program",
    "Role",
    "Value",
    "acos",
    "acosh",
    "as_float",
    "as_value",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "backward_steps",
    "brief",
    "ceil",
    "check_graphviz",
    "check_row",
    "collector_paused",
    "cos",
    "cosh",
    "detect_anomaly",
    "did_you_mean",
    "draw_dot",
    "elu",
    "erf",
    "erfc",
    "exp",
    "explain",
    "expm1",
    "floor",
    "gelu",
    "get_backend",
    "get_op",
    "grad",
    "gradcheck",
    "is_number",
    "leaky_relu",
    "log",
    "log1p",
    "log_softmax",
    "logsumexp",
    "maximum",
    "minimum",
    "no_grad",
    "one_line",
    "ops",
    "play",
    "record",
    "relu",
    "set_renderer",
    "shipped",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "sinh",
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
    "write_whole",
]


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module 'engine' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"engine.{_LAZY[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _show(
    value: Value, include: "Collection[str] | None" = None, exclude: "Collection[str] | None" = None
) -> dict[str, str]:
    """Return a Value as a notebook shows it."""
    from engine.view.display import mimebundle

    return mimebundle(value, include, exclude)


Value._repr_mimebundle_ = _show  # type: ignore[attr-defined]  # here, as the core imports no pictures

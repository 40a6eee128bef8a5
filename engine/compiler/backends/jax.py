"""The program as a function of JAX: to be compiled, mapped, differentiated and sharded by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from engine.compiler.backends.tensors import Tensors, TensorStep

if TYPE_CHECKING:
    from engine.compiler.program import Program


class JaxStep(TensorStep):
    """Runs XLA, in float64 whatever JAX's setting is; the gradients are a float64 array.

    Attributes:
        function: ``(parameters, columns) -> (mean, gradients)``, pure, for ``jax.jit``, ``vmap``, ``grad``
            and sharded arrays. It checks nothing, and computes in the precision of the arrays that it is
            given: for float64 use it within ``jax.enable_x64(True)``, as the step does.
    """

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self._compiled = jax.jit(self.everything)

    def interpreter(self, zeros: Any) -> Tensors:
        return Tensors(jnp, jax.scipy.special.erf, jax.scipy.special.erfc, zeros)

    def zeros(self, like: Any) -> Any:
        return jnp.zeros_like(like) if len(like) else jnp.zeros(1)

    def stack(self, slopes: list[Any]) -> Any:
        return jnp.stack(slopes) if slopes else jnp.zeros((0, 1))

    def run(self, parameters: Any, columns: Any, samples: int) -> Any:
        mean, gradients, _ = self._call(parameters, columns)
        return float(mean), np.array(gradients)

    def each(self, parameters: Any, columns: Any, samples: int) -> Any:
        return np.array(self._call(parameters, columns)[2])

    def _call(self, parameters: Any, columns: Any) -> tuple[Any, Any, Any]:
        with jax.enable_x64(True):
            mean, gradients, values, bad = self._compiled(parameters, columns)
        if bad:
            self.complain(parameters, columns)
        return mean, gradients, values


STEP = JaxStep

"""The program as a function of JAX, which may compile, map, differentiate and shard it."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from engine.compiler.backends.tensors import Array, TensorFunction, Tensors
from engine.compiler.ir import IR


class JaxFunction(TensorFunction):
    """Runs XLA, in float64 whatever JAX's setting is; the gradients and further outputs are float64 arrays.

    XLA treats denormal numbers, those below 2.3e-308, as 0.

    Attributes:
        function: ``(parameters, columns) -> (mean, gradients)``, pure, for ``jax.jit``, ``vmap``, ``grad``
            and sharded arrays; of a list of outputs ``(mean, gradients, others)``. It checks nothing, and
            computes in the precision of its arguments: for float64 use it within ``jax.enable_x64(True)``.
    """

    def __init__(self, program: IR) -> None:
        super().__init__(program)
        self._compiled = jax.jit(self.everything)

    def interpreter(self, zeros: Array) -> Tensors:
        return Tensors(jnp, jax.scipy.special.erf, jax.scipy.special.erfc, zeros, self.put)

    def is_spread(self, columns: Sequence[Array]) -> bool:
        # over an axis of a mesh that is explicit, JAX takes no product, as it could not place the result
        return any(axis is not None for column in columns for axis in jax.typeof(column).sharding.spec)

    def zeros(self, like: Array) -> Array:
        zeros: Array = jnp.zeros_like(like) if len(like) else jnp.zeros(1)
        return zeros

    def stack(self, gradients: list[Array]) -> Array:
        stacked: Array = jnp.stack(gradients) if gradients else jnp.zeros((0, 1))
        return stacked

    def put(self, part: Array, index: object, size: int) -> Array:
        array: Array = jnp.zeros((size, *part.shape[1:]), part.dtype).at[index].add(part)
        return array

    def call(
        self, parameters: np.ndarray, columns: Sequence[np.ndarray]
    ) -> tuple[Array, Array, list[Array], Array]:
        with jax.enable_x64(True):
            results: tuple[Array, Array, list[Array], Array] = self._compiled(parameters, columns)
        return results


BACKEND = JaxFunction

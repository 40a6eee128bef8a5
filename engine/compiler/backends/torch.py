"""The program as a function of PyTorch, which may map and differentiate it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from engine.compiler.backends.tensors import Array, TensorFunction, Tensors


class TorchFunction(TensorFunction):
    """Runs PyTorch, operation by operation, in float64; the gradients and further outputs are float64 arrays.

    Attributes:
        function: ``(parameters, columns) -> (mean, gradients)``, pure, on tensors of any precision and
            device, for ``torch.func`` and ``torch.compile``; of a list of outputs
            ``(mean, gradients, others)``. It checks nothing.
    """

    def interpreter(self, zeros: Array) -> Tensors:
        return Tensors(torch, torch.erf, torch.erfc, zeros, self.put)

    def zeros(self, like: Array) -> Array:
        zeros: Array = torch.zeros_like(like) if len(like) else torch.zeros(1, dtype=torch.float64)
        return zeros

    def stack(self, gradients: list[Array]) -> Array:
        stacked: Array = torch.stack(gradients) if gradients else torch.zeros((0, 1))
        return stacked

    def put(self, part: Array, index: object, size: int) -> Array:
        places = torch.arange(size)[index]
        zeros = torch.zeros((size, *part.shape[1:]), dtype=part.dtype, device=part.device)
        wide = torch.broadcast_to(part, (len(places), *part.shape[1:]))
        array: Array = zeros.index_add(0, places.to(part.device), wide)
        return array

    def as_numpy(self, array: Array) -> np.ndarray:
        numpy: np.ndarray = torch.Tensor.numpy(array)
        return numpy

    def call(
        self, parameters: np.ndarray, columns: Sequence[np.ndarray]
    ) -> tuple[Array, Array, list[Array], Array]:
        with torch.no_grad():
            tensors = [torch.tensor(np.array(column)) for column in (parameters, *columns)]
            return self.everything(tensors[0], tensors[1:])


BACKEND = TorchFunction

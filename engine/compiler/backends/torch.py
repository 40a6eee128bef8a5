"""The program as a function of PyTorch: to be mapped and differentiated by it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from engine.compiler.backends.tensors import Tensors, TensorStep


class TorchStep(TensorStep):
    """Runs PyTorch, operation by operation, in float64; the gradients are a float64 array.

    Attributes:
        function: ``(parameters, columns) -> (mean, gradients)``, pure, on tensors of any precision and
            device, for ``torch.func`` and ``torch.compile``. It checks nothing.
    """

    def interpreter(self, zeros: Any) -> Tensors:
        return Tensors(torch, torch.erf, torch.erfc, zeros)

    def zeros(self, like: Any) -> Any:
        return torch.zeros_like(like) if len(like) else torch.zeros(1, dtype=torch.float64)

    def stack(self, slopes: list[Any]) -> Any:
        return torch.stack(slopes) if slopes else torch.zeros((0, 1))

    def run(self, parameters: Any, columns: Any, samples: int) -> Any:
        mean, gradients, _ = self._call(parameters, columns)
        return float(mean), gradients.numpy()

    def each(self, parameters: Any, columns: Any, samples: int) -> Any:
        return self._call(parameters, columns)[2].numpy()

    def _call(self, parameters: Any, columns: Any) -> tuple[Any, Any, Any]:
        with torch.no_grad():
            tensors = [torch.tensor(np.array(column)) for column in (parameters, *columns)]
            mean, gradients, values, bad = self.everything(tensors[0], tensors[1:])
        if bad:
            self.complain(parameters, columns)
        return mean, gradients, values


STEP = TorchStep

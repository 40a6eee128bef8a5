"""Run a graph without compiling it: machine code for the operations of the table interprets it."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Self

import numpy as np

from engine.compiler.backends.arrays import ArrayFunction
from engine.compiler.backends.llvm.builder import LANES
from engine.compiler.backends.llvm.machine import address, code_of
from engine.compiler.backends.llvm.nodes import function
from engine.compiler.backends.llvm.tables import Pass, Tables
from engine.compiler.interpreter import raise_domain_error
from engine.compiler.ir import IR

PASS = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_void_p] * 5, ctypes.c_int64)


class InterpreterFunction(ArrayFunction):
    """Runs a graph node by node: for vectors of samples, and for the remaining samples one by one."""

    def __init__(self, program: IR) -> None:
        super().__init__(program)
        graph = program.graph
        self._tables = Tables(graph)
        places = self._tables.positions
        self._outputs = places[list(graph.outputs)]
        self._parameters = slice(len(graph.parameters))  # they are the first leaves that all samples share
        self._root = int(self._outputs[0])
        self._memories: dict[int, Memory] = {}
        self._memory(1).values[places[list(graph.numbers)], 0] = list(graph.numbers.values())
        self._lock = threading.Lock()  # one call at a time may use the memory

    def numbers(self, given: object, what: str, names: Sequence[str] = ()) -> np.ndarray:
        if type(given) is list and {*map(type, given)} == {float}:  # for speed
            given = np.array(given)
        return super().numbers(given, what, names)

    def forward_only(self) -> Self:
        return self  # the forward pass is a list of calls of its own

    def run(
        self, parameters: np.ndarray, columns: list[np.ndarray], samples: int
    ) -> tuple[float, np.ndarray, list[np.ndarray]]:
        # if a sum over samples overflows, it is computed in another way
        with self._lock, np.errstate(all="ignore") if samples > 1 else nullcontext():
            try:
                bad, outputs = self._run_samples(parameters, columns, samples, backward=True)
                bad |= self._finish(samples)
                grads = self._memory(1).grads
                gradients = grads[self._parameters, 0].copy()
                grads[: self._tables.forward[0].node] = 0.0  # those of the leaves
            except BaseException:  # a KeyboardInterrupt: the next call begins with gradients of 0
                for memory in self._memories.values():
                    memory.grads[:] = 0.0
                raise
            mean = float(np.add.reduce(outputs[0])) / samples if samples > 1 else float(outputs[0, 0])
        if bad:
            self.raise_domain_error(parameters, columns)
        return mean, gradients, list(outputs[1:]) if len(outputs) > 1 else []

    def run_outputs(
        self, parameters: np.ndarray, columns: list[np.ndarray], samples: int
    ) -> list[np.ndarray]:
        with self._lock:
            bad, outputs = self._run_samples(parameters, columns, samples, backward=False)
        if bad:  # derivatives may be undefined where the outputs are defined
            raise_domain_error(self.program.forward(), parameters.tolist(), [c.tolist() for c in columns])
        return list(outputs)

    def _memory(self, width: int) -> Memory:
        """Return the memory for samples of that number; it is allocated when it is first needed."""
        if width not in self._memories:
            self._memories[width] = Memory(self._tables, width)
        return self._memories[width]

    def _run_samples(
        self, parameters: np.ndarray, columns: list[np.ndarray], samples: int, backward: bool
    ) -> tuple[bool, np.ndarray]:
        """Run the shared nodes, then all samples; return whether a flag was raised, and the outputs."""
        one, shared = self._memory(1), self._tables.shared
        one.values[self._parameters, 0] = parameters
        bad = one.run(self._tables.forward[0])
        if not columns:  # there is nothing else
            return bad, one.values[self._outputs]
        whole = samples // LANES * LANES
        used = [one, self._memory(LANES)] if whole else [one]
        if whole:
            used[1].values[:shared] = one.values[:shared]
        outputs, given = np.empty((len(self._outputs), samples)), np.array(columns).reshape(-1, samples)
        for start in (*range(0, whole, LANES), *range(whole, samples)):
            memory = used[start < whole]
            part = slice(start, start + memory.width)
            memory.values[shared : shared + len(columns)] = given[:, part]
            bad |= memory.run(self._tables.forward[1])
            outputs[:, part] = memory.values[self._outputs]
            if backward and self._root >= shared:
                memory.grads[self._root] = 1.0
                bad |= memory.run(self._tables.backward[1])
        return bad, outputs

    def _finish(self, samples: int) -> bool:
        """Compute the gradients of the shared nodes from their sums over the samples; return the flag."""
        one, shared = self._memory(1), self._tables.shared
        if samples >= LANES:
            sums = self._memory(LANES).grads[:shared]
            one.grads[:shared, 0] += sums.sum(axis=1)
            sums[:] = 0.0
        if samples > 1:
            one.grads[:shared] /= samples
        if self._root < shared:
            one.grads[self._root] = 1.0
        return one.run(self._tables.backward[0])


class Memory:
    """A number for each node and sample, its gradient, and the machine code that computes them.

    Args:
        tables: the nodes.
        width: the number of samples: 1, or that of the lanes of a vector.
    """

    def __init__(self, tables: Tables, width: int) -> None:
        self.width = width
        self.values = np.zeros((len(tables.positions), width))
        self.grads = np.zeros((len(tables.positions), width))
        self._args = tables.args
        wanted = [function(it, backward, width) for it in tables.patterns for backward in (False, True)]
        self._code = code_of(wanted)
        # a flag, and the addresses of the functions
        table = [0] * LANES + [address("stop"), *(it.address for it in self._code)]
        self._table = np.array(table, dtype=np.int64)
        self._pass = PASS(address("pass"))
        self._addresses = [array.ctypes.data for array in (self.values, self.grads, self._args, self._table)]

    def run(self, graph_pass: Pass) -> bool:
        """Run a pass; return whether a number was not finite."""
        if len(graph_pass.calls) == 1:  # it has no nodes
            return False
        values, grads, args, table = self._addresses
        args += self._args.itemsize * graph_pass.offset
        return bool(self._pass(values, grads, args, graph_pass.calls.ctypes.data, table, graph_pass.node))

"""The backend: LLVM compiles the program to machine code that computes a vector of samples at a time."""

from __future__ import annotations

import ctypes
import threading
from typing import Any

import llvmlite.binding as llvm
import numpy as np

from engine.compiler.backends.arrays import ArrayFunction
from engine.compiler.backends.llvm.builder import LANES, whole_vectors
from engine.compiler.backends.llvm.interpreter import InterpreterFunction
from engine.compiler.backends.llvm.machine import compiled
from engine.compiler.backends.llvm.module import Assembly
from engine.compiler.backends.llvm.schedule import FIRST, MEAN
from engine.compiler.compiled import Columns, Numbers
from engine.compiler.ir import IR

CUT = 500  # operations of a function: more would need more registers than there are, and ever more time
MANY = 8_000  # edges of a graph: a larger one is interpreted, as compiling it would take seconds


class LlvmFunction(ArrayFunction):
    """Runs machine code; the gradients and the further outputs are float64 arrays."""

    def __init__(self, program: IR) -> None:
        super().__init__(program)
        plan = Assembly(program, CUT)
        self._outputs_at = plan.outputs
        self._engine = machine_code(plan)
        self._function = ctypes.CFUNCTYPE(ctypes.c_int64)(self._engine.get_function_address("step"))
        self._given = self._memory("given", ctypes.c_int64, 3)
        results = self._memory("results", ctypes.c_double, plan.sums)
        self._result = results.item
        self._gradients = results[FIRST : FIRST + len(program.gradients)].copy
        self._lock = threading.Lock()  # one call at a time may use the memory
        self._lengths: list[int] | None = None  # of the columns for which there is memory

    @property
    def assembly(self) -> str:
        """The program in LLVM's assembly language: its instructions, then the loops over the samples."""
        plan = Assembly(self.program, CUT)
        return f"{plan.lines}\n\n{plan.frame}"

    def __call__(self, parameters: Numbers, columns: Columns = ()) -> Any:
        with self._lock:
            self._run(parameters, columns)
            mean: float = self._result(MEAN)
            gradients: np.ndarray = self._gradients()
            others = self._outputs()[1:] if self.program.many else []
        if mean - mean != 0.0:  # it is infinite or NaN
            mean, gradients = self.rescue(parameters, columns, mean, gradients)
        return (mean, gradients, others) if self.program.many else (mean, gradients)

    def values(self, parameters: Numbers, columns: Columns = ()) -> Any:
        forward = self.forward_only()
        with forward._lock:
            forward._run(parameters, columns)
            outputs = forward._outputs()
        return outputs if self.program.many else outputs[0]

    def _outputs(self) -> list[np.ndarray]:
        """Return the values of each output in the last run."""
        samples, columns = int(self._given[2]), self._columns.copy()
        return [
            np.full(samples, self._result(it.place)) if it.shared else columns[it.place]
            for it in self._outputs_at
        ]

    def _run(self, parameters: Numbers, columns: Columns) -> None:
        try:
            if isinstance(columns, np.ndarray) and columns.ndim == 2:  # copied as one
                lengths, parts = [columns.shape[1]] * columns.shape[0], (columns.reshape(-1), parameters)
            else:
                lengths, parts = [*map(len, columns)], (*columns, parameters)
            alike = lengths == self._lengths
            if alike:  # to the last call, so its memory is reused
                np.concatenate(parts, out=self._numbers)
        except (TypeError, ValueError):
            alike = False
        if not alike:
            self._allocate(*self.check(parameters, columns))
        if self._function():
            self.raise_domain_error(*self.check(parameters, columns)[:2])

    def _allocate(self, parameters: np.ndarray, columns: list[np.ndarray], samples: int) -> None:
        """Allocate memory for so many samples, and copy these numbers to it."""
        self._memory_in = np.concatenate((*columns, parameters, np.zeros(LANES)))
        self._numbers = self._memory_in[:-LANES]
        varying, length = sum(not it.shared for it in self._outputs_at), whole_vectors(samples)
        self._memory_out = np.zeros((max(1, varying), length))
        self._columns = self._memory_out[:, :samples]
        self._given[:] = self._memory_in.ctypes.data, self._memory_out.ctypes.data, samples
        self._lengths = [samples] * len(columns)

    def _memory(self, name: str, kind: type[ctypes.c_int64 | ctypes.c_double], count: int) -> np.ndarray:
        """Return the memory of that name as an array."""
        address = self._engine.get_global_value_address(name)
        array: np.ndarray = np.ctypeslib.as_array((kind * count).from_address(address))
        return array


def machine_code(plan: Assembly) -> llvm.ExecutionEngine:
    """Compile both modules; return the owner of the code."""
    module, machine = compiled(plan.lines)
    engine = llvm.create_mcjit_compiler(*compiled(plan.frame))
    engine.add_object_file(llvm.ObjectFileRef.from_data(machine.emit_object(module)))
    engine.finalize_object()
    return engine


def compile_program(program: IR) -> LlvmFunction | InterpreterFunction:
    """Return a program as machine code of its own, or, if it is large, as data for an interpreter."""
    large = sum(map(len, program.graph.args)) > MANY
    return InterpreterFunction(program) if large else LlvmFunction(program)

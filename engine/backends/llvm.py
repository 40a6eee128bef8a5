"""Machine code: the program compiled by LLVM, four samples side by side."""

from __future__ import annotations

import ctypes
import threading
from typing import TYPE_CHECKING, Any

import llvmlite.binding as llvm
import numpy as np

from engine.backends.arrays import ArrayStep
from engine.backends.assembly import FIRST, FLAG, MEAN, Assembly
from engine.backends.replay import operations

if TYPE_CHECKING:
    from engine.program import Program

CUT = 500  # operations of a function: more would want more registers than there are, and ever more time
MANY = 20_000  # operations of a program, beyond which LLVM is told to hurry

FLOAT64 = np.dtype(np.float64)

llvm.initialize_native_target()
llvm.initialize_native_asmprinter()


class LlvmStep(ArrayStep):
    """Runs machine code; the gradients are a float64 array.

    Attributes:
        assembly: the program in LLVM's assembly language.
    """

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        size = sum(operations(line.tree) for line in program.lines)
        plan = Assembly(program, CUT)
        self.assembly, self._sums = plan.text, plan.sums
        self._shared_root = plan.shared_root
        self._engine, address = machine_code(plan.text, int(size <= MANY))
        self._function = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 3, *[ctypes.c_void_p] * 10)(address)
        self._lock = threading.Lock()  # the memory below is one step's at a time
        self._given, self._spread = aligned(len(program.parameters)), aligned(4 * len(program.parameters))
        self._slots = aligned(4 * plan.slots)
        self._full, self._last = aligned(4 * plan.sums), aligned(4 * plan.sums)
        self._shared, self._results = aligned(plan.sums), aligned(plan.sums)
        self._make_room(1)

    def __call__(self, parameters: Any, columns: Any = ()) -> Any:
        with self._lock:
            return super().__call__(parameters, columns)

    def values(self, parameters: Any, columns: Any = ()) -> Any:
        with self._lock:
            return super().values(parameters, columns)

    def check(self, parameters: Any, columns: Any) -> tuple[Any, Any, int]:
        """As everywhere; but of arrays that are right at a glance the machine code itself looks for a NaN."""
        samples = self._samples
        if right(parameters, len(self.program.parameters)) and len(columns) == len(self._rows):
            for column in columns:
                if not right(column, samples):
                    break
            else:
                return parameters, columns, samples
        return super().check(parameters, columns)

    def run(self, parameters: Any, columns: Any, samples: int) -> Any:
        self._call(parameters, columns, samples)
        return float(self._results[MEAN]), self._results[FIRST:].copy()

    def each(self, parameters: Any, columns: Any, samples: int) -> Any:
        self._call(parameters, columns, samples)
        if self._shared_root:
            return np.full(samples, self._results[MEAN])
        return self._roots[:samples].copy()

    def _call(self, parameters: Any, columns: Any, samples: int) -> None:
        if samples != self._samples:
            self._make_room(samples)
        self._given[:] = parameters
        for row, column in zip(self._rows, columns):
            row[:] = column
        self._function(*self._arguments)
        if self._results[FLAG] != 0.0:
            super().check(parameters, columns)
            self.complain(parameters, columns)

    def _make_room(self, samples: int) -> None:
        """The memory for so many samples; its addresses are those of the call."""
        blocks, inputs = -(-samples // 4), len(self.program.inputs)
        self._table = table = aligned(inputs * 4 * blocks)
        self._rows = list(table.reshape(inputs, 4 * blocks)[:, :samples])
        self._packed = packed = aligned(inputs * 4 * blocks)
        self._roots = aligned(4 * blocks)
        memory = [self._given, table, self._spread, packed, self._slots, self._full, self._last, self._roots,
                  self._shared, self._results]  # fmt: skip
        counts = [blocks, samples - 4 * (blocks - 1), samples]
        self._arguments = [ctypes.c_int64(n) for n in counts] + [
            ctypes.c_void_p(m.ctypes.data) for m in memory
        ]
        self._samples = samples


def right(array: Any, length: int) -> bool:
    """Whether it is an array as the machine code takes it."""
    return type(array) is np.ndarray and array.dtype is FLOAT64 and array.shape == (length,)


def aligned(size: int) -> Any:
    """An array of zeros that begins where a vector may."""
    array = np.zeros(size + 4)
    first = -array.ctypes.data % 32 // 8
    return array[first : first + size]


def machine_code(text: str, level: int) -> tuple[Any, int]:
    """Compile it for this very processor: the owner of the code, and the address of ``step``."""
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=level, jit=True
    )
    module = llvm.parse_assembly(text)
    module.verify()
    if level:
        passes = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=level))
        passes.getModulePassManager().run(module, passes)
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    return engine, engine.get_function_address("step")


STEP = LlvmStep

"""Machine code: the program compiled by LLVM, four samples side by side."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import llvmlite.binding as llvm
import numpy as np

from engine.backends.arrays import ArrayStep
from engine.backends.assembly import Assembly
from engine.backends.blocks import FRAMES, TABLE
from engine.backends.replay import operations
from engine.backends.split import FIRST, FLAG, MEAN, ONE
from engine.backends.vector import LANES

if TYPE_CHECKING:
    from engine.program import Program

CUT = 500  # operations of a function: more would want more registers than there are, and ever more time
MANY = 20_000  # operations of a program, beyond which LLVM is told to hurry

FLOAT64 = np.dtype(np.float64)
BEYOND = bytes(8 * (LANES - 1))  # behind the last number, where a vector may end that begins at it

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
        self.assembly, self._shared_root = plan.text, plan.shared_root
        self._engine, address = machine_code(plan.text, int(size <= MANY))
        self._function = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)(address)
        self._lock = threading.Lock()  # the memory below is one step's at a time
        results, values = aligned(plan.sums), aligned(LANES * FRAMES * len(plan.slots))
        ones = [slot for name, slot in plan.slots.items() if name.startswith(ONE)]
        values.reshape(FRAMES, len(plan.slots), LANES)[:, ones] = 1.0
        self._result, self._gradients = results.item, results[FIRST : FIRST + len(program.gradients)].copy
        self._memory = {
            "c": aligned(plan.kept), "b": aligned(plan.sums), "w": values, "y": results,
            "p": aligned(LANES * (len(program.parameters) + plan.kept)),
            "s": aligned(LANES * plan.sums), "t": aligned(LANES * plan.sums),
            "rows": np.array(plan.rows, np.int64),
        }  # fmt: skip
        self._make_room(1)

    def __call__(self, parameters: Any, columns: Any = ()) -> Any:
        with self._lock:
            self._run(parameters, columns)
            return self._result(MEAN), self._gradients()

    def values(self, parameters: Any, columns: Any = ()) -> Any:
        with self._lock:
            self._run(parameters, columns)
            if self._shared_root:
                return np.full(self._samples, self._result(MEAN))
            return self._roots[: self._samples].copy()

    def _run(self, parameters: Any, columns: Any) -> None:
        given = self._at_a_glance(parameters, columns)
        if given is None:
            parameters, columns, samples = self.check(parameters, columns)
            if samples != self._samples:
                self._make_room(samples)
            given = b"".join((*columns, parameters, BEYOND))
        self._function(self._table_at, given)
        if self._result(FLAG) != 0.0:
            self.check(parameters, columns)
            self.complain(parameters, columns)

    def _at_a_glance(self, parameters: Any, columns: Any) -> bytes | None:
        """The numbers in one piece, if they are arrays like those before. Machine code looks for a NaN."""
        if not isinstance(columns, (list, tuple)) or len(columns) != self._columns:
            return None
        try:
            for array, shape in zip((parameters, *columns), self._shapes):
                if array.dtype is not FLOAT64 or array.shape != shape:
                    return None
            return b"".join((*columns, parameters, BEYOND))
        except (AttributeError, TypeError):  # no array, or not in one piece
            return None

    def numbers(self, given: Any, what: str, names: Sequence[str] = ()) -> Any:
        return np.ascontiguousarray(super().numbers(given, what, names))

    def _make_room(self, samples: int) -> None:
        """The memory for so many samples, and the table that says where all of it is."""
        self._samples = samples
        self._columns = len(self.program.inputs)
        self._shapes = [(len(self.program.parameters),)] + [(samples,)] * self._columns
        self._roots = self._memory["r"] = aligned(samples + LANES)
        addresses = {name: array.ctypes.data for name, array in self._memory.items()}
        self._table = np.array([addresses.get(name, samples) for name in TABLE])
        self._table_at = ctypes.c_void_p(self._table.ctypes.data)


def aligned(size: int) -> Any:
    """An array of zeros that begins where a vector may, and to which whole vectors belong."""
    array = np.zeros(size + 2 * LANES)
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

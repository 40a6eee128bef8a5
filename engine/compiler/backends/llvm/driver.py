"""Machine code: the program compiled by LLVM, as many samples side by side as a vector has lanes."""

from __future__ import annotations

import ctypes
import threading
from typing import TYPE_CHECKING, Any

import llvmlite.binding as llvm
import numpy as np

from engine.compiler.backends.arrays import ArrayStep
from engine.compiler.backends.llvm.builder import LANES
from engine.compiler.backends.llvm.module import Assembly
from engine.compiler.interpreter import operations
from engine.compiler.split import FIRST, MEAN

if TYPE_CHECKING:
    from engine.compiler.program import Program

CUT = 500  # operations of a function: more would want more registers than there are, and ever more time
MANY = 20_000  # operations of a program, beyond which LLVM is told to hurry with its lines

llvm.initialize_native_target()
llvm.initialize_native_asmprinter()


class LlvmStep(ArrayStep):
    """Runs machine code; the gradients are a float64 array."""

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        size = sum(operations(line.tree) for line in program.lines)
        plan = Assembly(program, CUT)
        self._shared_root, self._engine = plan.shared_root, machine_code(plan, int(size <= MANY))
        self._function = ctypes.CFUNCTYPE(ctypes.c_int64)(self._engine.get_function_address("step"))
        self._given = self._memory("given", ctypes.c_int64, 3)
        results = self._memory("results", ctypes.c_double, FIRST + len(program.gradients))
        self._result, self._gradients = results.item, results[FIRST:].copy
        self._lock = threading.Lock()  # the memory is one step's at a time
        self._lengths: list[int] | None = None  # of the columns for which there is room

    @property
    def assembly(self) -> str:
        """The program in LLVM's assembly language: its lines, then what runs them for all samples."""
        plan = Assembly(self.program, CUT)
        return f"{plan.lines}\n\n{plan.frame}"

    def __call__(self, parameters: Any, columns: Any = ()) -> Any:
        with self._lock:
            self._run(parameters, columns)
            return self._result(MEAN), self._gradients()

    def values(self, parameters: Any, columns: Any = ()) -> Any:
        with self._lock:
            self._run(parameters, columns)
            samples = self._given[2]
            return np.full(samples, self._result(MEAN)) if self._shared_root else self._roots[:samples].copy()

    def _run(self, parameters: Any, columns: Any) -> None:
        try:
            alike = [*map(len, columns)] == self._lengths
            if alike:  # to the last call: there is room
                np.concatenate((*columns, parameters), out=self._numbers)
        except (TypeError, ValueError):
            alike = False
        if not alike:
            self._make_room(*self.check(parameters, columns))
        if self._function():
            parameters, columns, _ = self.check(parameters, columns)
            self.complain(parameters, columns)

    def _make_room(self, parameters: Any, columns: Any, samples: int) -> None:
        """Memory for so many samples, with these numbers in it."""
        self._room = np.concatenate((*columns, parameters, np.zeros(LANES)))
        self._numbers, self._roots = self._room[:-LANES], np.zeros(samples + LANES)
        self._given[:] = self._room.ctypes.data, self._roots.ctypes.data, samples
        self._lengths = [samples] * len(columns)

    def _memory(self, name: str, kind: Any, count: int) -> Any:
        """The memory of that name, as an array."""
        return np.ctypeslib.as_array((kind * count).from_address(self._engine.get_global_value_address(name)))


def machine_code(plan: Assembly, level: int) -> Any:
    """Compile both modules, the lines with that much care: the owner of the code."""
    module, machine = compiled(plan.lines, level)
    engine = llvm.create_mcjit_compiler(*compiled(plan.frame, 1))
    engine.add_object_file(llvm.ObjectFileRef.from_data(machine.emit_object(module)))
    engine.finalize_object()
    return engine


def compiled(text: str, level: int) -> tuple[Any, Any]:
    """The module of a text, and the machine that it is for: this very processor."""
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=level, jit=True
    )
    module = llvm.parse_assembly(text)
    module.verify()
    if level:
        passes = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=level))
        passes.getModulePassManager().run(module, passes)
    return module, machine


STEP = LlvmStep

"""Compile LLVM's assembly language for this processor."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from weakref import WeakValueDictionary

import llvmlite.binding as llvm

from engine.compiler.backends.llvm.nodes import Function, graph_pass, module

llvm.initialize_native_target()
llvm.initialize_native_asmprinter()


def compiled(text: str, level: int = 1) -> tuple[llvm.ModuleRef, llvm.TargetMachine]:
    """Return the module of a text, and the machine that it is for: this processor."""
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=level, jit=True
    )
    parsed = llvm.parse_assembly(text)
    parsed.verify()
    passes = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=level))
    passes.getModulePassManager().run(parsed, passes)
    return parsed, machine


def engine_of(text: str) -> llvm.ExecutionEngine:
    """Return the owner of the machine code of a text."""
    engine = llvm.create_mcjit_compiler(*compiled(text))
    engine.finalize_object()
    return engine


class Code:
    """A compiled function: its address, which is valid as long as this object lives."""

    def __init__(self, engine: llvm.ExecutionEngine, name: str) -> None:
        self.address: int = engine.get_function_address(name)
        self._engine = engine


_known: WeakValueDictionary[Function | str, Code] = WeakValueDictionary()
_lasting: list[Code] = []  # what any graph may need lives as long as the process
_lock = threading.Lock()


def address(name: str) -> int:
    """Return the address of ``pass`` or ``stop``, see `graph_pass`."""
    with _lock:
        if name not in _known:
            engine = engine_of(graph_pass())
            _lasting.extend([_known.setdefault(it, Code(engine, it)) for it in ("pass", "stop")])
        return _known[name].address


def code_of(functions: Sequence[Function]) -> list[Code]:
    """Return functions as machine code; what is known of other graphs is not compiled again."""
    with _lock:
        found = {it: code for it in functions if (code := _known.get(it))}
        for lasting in True, False:
            new = [it for it in dict.fromkeys(functions) if it not in found and it.lasting is lasting]
            if new:
                names = {f"f{i}": it for i, it in enumerate(new)}
                engine = engine_of(module(names))
                found |= {it: _known.setdefault(it, Code(engine, name)) for name, it in names.items()}
                _lasting.extend([found[it] for it in new if lasting])
        return [found[it] for it in functions]

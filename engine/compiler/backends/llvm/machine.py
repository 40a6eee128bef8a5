"""Compile LLVM's assembly language for this processor."""

from __future__ import annotations

import threading
from collections.abc import Sequence

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


_known: dict[Function | str, int] = {}  # addresses
_engines: list[llvm.ExecutionEngine] = []  # the owners of the machine code, which live as long as the process
_lock = threading.Lock()


def address(name: str) -> int:
    """Return the address of ``pass`` or ``stop``, see `graph_pass`."""
    with _lock:
        if name not in _known:
            _engines.append(engine_of(graph_pass()))
            _known.update({name: _engines[-1].get_function_address(name) for name in ("pass", "stop")})
        return _known[name]


def addresses(functions: Sequence[Function]) -> list[int]:
    """Return the addresses of functions; each is compiled once, for all graphs."""
    with _lock:
        new = [it for it in dict.fromkeys(functions) if it not in _known]
        if new:
            names = {f"f{i}": it for i, it in enumerate(new)}
            _engines.append(engine_of(module(names)))
            _known.update({it: _engines[-1].get_function_address(name) for name, it in names.items()})
        return [_known[it] for it in functions]

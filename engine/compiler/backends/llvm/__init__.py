"""Machine code for a program, compiled by LLVM (llvmlite)."""

from engine.compiler.backends.llvm.driver import compile_program as BACKEND

__all__ = ["BACKEND"]

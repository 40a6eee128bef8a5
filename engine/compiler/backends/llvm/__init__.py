"""Machine code for a program, compiled by LLVM (llvmlite)."""

from engine.compiler.backends.llvm.driver import LlvmFunction as BACKEND

__all__ = ["BACKEND"]

"""Machine code for a program, compiled by LLVM (llvmlite)."""

from engine.compiler.backends.llvm.driver import LlvmStep as STEP

__all__ = ["STEP"]

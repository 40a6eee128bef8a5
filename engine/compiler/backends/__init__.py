"""What can run a program: one room for each backend, opened only when it is asked for."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any

#: Beyond so many operations another backend serves better. XLA takes 3 s for 800 of them in a straight line,
#: 10 for 1,300 and 75 for 3,500, which LLVM compiles in less than one. LLVM takes 15 to 50 µs for each, as
#: many as there are: twice the time of NumPy, which then computes at a fiftieth of its speed.
TOO_LONG = {"jax": (1_000, "llvm"), "llvm": (2_000_000, "numpy")}
BACKENDS = ("python", "numpy", "llvm", "jax", "torch")


def advise(name: str, operations: int) -> None:
    """Warn if a program is too long for a backend, and name the better one."""
    most, better = TOO_LONG.get(name, (operations, ""))
    if operations > most:
        warnings.warn(
            f"{operations:,} operations are more straight-line code than {name} compiles in good time; "
            f"backend={better!r} is the better one for a program of this length",
            stacklevel=3,
        )


def find(name: str) -> Any:
    """The CompiledFunction of a backend.

    Raises:
        ValueError: there is none of that name; the message lists those that there are.
        ImportError: it needs a package that is not installed; the message names the extra.

    >>> find("python").__name__
    'PythonStep'
    """
    if name not in BACKENDS:
        raise ValueError(f"no backend {name!r}; there are {', '.join(BACKENDS)}")
    try:
        return import_module(f"engine.compiler.backends.{name}").STEP
    except ImportError as error:
        if (error.name or "engine").partition(".")[0] == "engine":
            raise
        why = f"the backend {name!r} needs {error.name}: pip install 'chalkgrad[{name}]'"
        raise ImportError(why, name=error.name) from error

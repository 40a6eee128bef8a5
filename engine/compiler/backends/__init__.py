"""The backends that run a program; each is a module that is imported when it is first used."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib import import_module
from typing import cast

from engine.compiler.compiled import CompiledFunction
from engine.compiler.ir import IR
from engine.core.messages import brief, did_you_mean

#: The number of operations beyond which another backend is better. XLA takes 3 s for 800 operations in a
#: straight line, 10 s for 1,300 and 75 s for 3,500. LLVM compiles these in less than 1 s, and interprets
#: longer ones.
TOO_LONG = {"jax": (1_000, "llvm")}
BACKENDS = ("python", "numpy", "llvm", "jax", "torch")


def warn_if_too_long(name: str, operations: int) -> None:
    """Warn if a program is too long for a backend, and name a better one."""
    most, better = TOO_LONG.get(name, (operations, ""))
    if operations > most:
        warnings.warn(
            f"{operations:,} operations are more straight-line code than {name} compiles in good time; "
            f"backend={better!r} is the better one for a program of this length",
            stacklevel=3,
        )


def get_backend(name: str) -> Callable[[IR], CompiledFunction]:
    """Return the class of a backend, which compiles a program.

    Raises:
        ValueError: there is no backend of that name; the message lists all of them.
        ImportError: it needs a package that is not installed; the message names the extra.

    >>> get_backend("python")
    <class 'engine.compiler.backends.python.PythonFunction'>
    """
    if name not in BACKENDS:
        raise ValueError(
            f"no backend {brief(name)}{did_you_mean(name, BACKENDS)}; there are {', '.join(BACKENDS)}"
        )
    try:
        module = import_module(f"engine.compiler.backends.{name}")
    except ImportError as error:
        if (error.name or "engine").partition(".")[0] == "engine":
            raise
        why = f"the backend {name!r} needs {error.name}: pip install 'chalkgrad[{name}]'"
        raise ImportError(why, name=error.name) from error
    return cast(Callable[[IR], CompiledFunction], module.BACKEND)

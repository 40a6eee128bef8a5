"""Check, when nn is imported, that the package engine is the one that nn was shipped with.

Another package of that name may come first on Python's path: a folder engine/ in the current directory, or
another distribution, which may also have overwritten the files of ours.
"""

from __future__ import annotations

import os

__all__ = ["VERSION", "check"]

VERSION = "0.2.0"  #: that of nn; `engine.__version__` must be the same


def check(engine: object, here: str = __file__) -> None:
    """Raise an ImportError that names both places, unless ``engine`` was shipped with nn.

    >>> import engine
    >>> check(engine)
    """
    paths = [*getattr(engine, "__path__", [])]
    place = getattr(engine, "__file__", None) or (paths[0] if paths else "an unknown place")
    version = getattr(engine, "__version__", None)
    nn = os.path.dirname(os.path.realpath(here))
    beside = os.path.join(os.path.dirname(nn), "engine", "__init__.py")
    if os.path.realpath(place) != beside or version != VERSION or not hasattr(engine, "Value"):
        found = f"version {version}" if isinstance(version, str) else "not of chalkgrad"
        raise ImportError(
            f"nn in {nn} needs the engine of chalkgrad {VERSION}, which lies beside it; Python found "
            f"engine in {place} ({found:.60}): rename or uninstall it, or install chalkgrad again",
            name="engine",
        )


try:
    import engine
except ImportError as error:
    found = f"; {error.path} was found" if error.path else ""
    raise ImportError(
        f"nn in {os.path.dirname(os.path.realpath(__file__))} needs the package engine of chalkgrad "
        f"{VERSION}, which cannot be imported: {error}{found}",
        name="engine",
    ) from error
check(engine)

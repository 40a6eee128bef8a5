"""A model as a file and back, exact to the last bit, written whole or not at all.

The file is JSON: the architecture, the parameters (a decimal that Python writes reads back as the same
float), and a checksum of both, so that a damaged file is refused and never becomes another model.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import hashlib
import json
import os
import time
from itertools import pairwise
from math import isfinite
from pathlib import Path
from typing import Any

from engine import one_line, ops
from nn.model.activations import symbol
from nn.model.modules import MLP, Module

__all__ = ["load", "save"]

FORMAT, VERSION = "chalkgrad model", 1
HOUR = 3600  # seconds


def save(model: Module, path: str | os.PathLike[str]) -> None:
    """Write the parameters of ``model``, and what is needed to build it again, to ``path``.

    A file that was there is replaced at the last moment; if anything fails before, it stays as it was. What a
    process that was killed has left half written beside it, a later call removes, an hour on.

    Raises:
        TypeError: the model is not a Module, or the path no path.
        ValueError: a parameter is not finite; the message names it.
        OSError: the file cannot be written.

    >>> import os, tempfile
    >>> from nn.model.modules import MLP
    >>> model = MLP(2, [3, 1])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(model, os.path.join(folder, "model.json"))
    ...     same = load(os.path.join(folder, "model.json"))
    >>> same, same.predict([0.1, 0.2]) == model.predict([0.1, 0.2])
    (MLP(2, [3, 1], activation='relu', output=None), True)
    """
    if not isinstance(model, Module):
        raise TypeError(f"expected a model, not {type(model).__name__}: {model!r:.60}")
    for k, p in enumerate(model.parameters()):
        if not isfinite(p.data):
            raise ValueError(
                f"parameter {one_line(p.label) or k} is {p.data}; only finite numbers can be saved"
            )
    content = {
        "format": FORMAT,
        "version": VERSION,
        "architecture": _architecture(model),
        "parameters": [p.data for p in model.parameters()],
    }
    place = Path(os.path.realpath(path))
    if place.exists() and not place.is_file():  # the file would take the place of a folder, or of a device
        raise OSError(errno.EINVAL, "expected a file, or nothing, to write a model to", str(place))
    _write(place, json.dumps({**content, "sha256": _checksum(content)}, indent=1))


def load(path: str | os.PathLike[str], into: Module | None = None) -> Any:
    """The model that was saved: a new one, or ``into`` with its parameters set to the saved ones.

    Args:
        path: the file.
        into: a model of the same architecture. Only an MLP can be built from the file alone.

    Raises:
        TypeError: ``into`` is not a Module, or the path no path.
        ValueError: the file is damaged, of another version, of another architecture than ``into``, holds a
            number that is not finite, or an activation that is not defined here. ``into`` is then as it was.
        OSError: the file cannot be read.

    >>> import os, tempfile
    >>> from nn.model.modules import MLP
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "model.json")
    ...     save(MLP(2, [3, 1]), path)
    ...     same = load(path, into=MLP(2, [3, 1]))
    """
    if into is not None and not isinstance(into, Module):
        raise TypeError(f"into is a model, not {type(into).__name__}: {into!r:.60}")
    content = _read(Path(path))
    saved, numbers = content["architecture"], content["parameters"]
    model = _build(path, saved, len(numbers)) if into is None else into
    if _architecture(model) != saved or len(model.parameters()) != len(numbers):
        expected = _architecture(model)
        raise ValueError(f"{one_line(path)} holds another model: expected {expected}, found {saved!r:.200}")
    for p, number in zip(model.parameters(), numbers):
        p.data = number
    return model


def _architecture(model: Module) -> dict[str, Any]:
    if type(model) is not MLP:
        return {"kind": type(model).__name__, "parameters": len(model.parameters())}
    return {
        "kind": "MLP",
        "nin": model.nin,
        "nouts": model.nouts,
        "activation": symbol(model.activation),
        "output": symbol(model.output),
        "atomic": model.atomic,
    }


def _build(path: Any, saved: dict[str, Any], count: int) -> MLP:
    """An MLP as described, once it is known to be no larger than its parameters."""
    if saved.get("kind") != "MLP":
        kind = f"{saved.get('kind')!r:.60}".strip("'")
        raise ValueError(
            f"{one_line(path)} holds a {kind}, and only an MLP builds itself: give load(into=...)"
        )
    try:
        for name in (saved["activation"], saved["output"]):
            if name is not None and name not in ops.table:
                raise ValueError(f"its activation {name!r:.60} is not defined here; define it with Op first")
        sizes = [saved["nin"], *saved["nouts"]]
        if sum((n + 1) * m for n, m in pairwise(sizes)) != count:
            raise ValueError(f"layers of {sizes!r:.60} do not have {count} parameters")
        options = {name: saved[name] for name in ("nin", "nouts", "activation", "output", "atomic")}
        return MLP(**options, init="zeros")
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        raise ValueError(f"{one_line(path)} cannot be built: {error}") from None


def _read(path: Path) -> dict[str, Any]:
    """The content of the file, once it is known to be what was saved."""
    name, whole = one_line(path), path.read_bytes()
    try:
        content = json.loads(whole)
        if content["format"] != FORMAT:
            raise ValueError(f"its format is {content['format']!r:.60}")
        claimed = content.pop("sha256", None)
        version, found = content.get("version"), _checksum(content)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(f"{name} is damaged, or no model: {error}") from None
    if version != VERSION:
        raise ValueError(f"{name} is of version {version!r:.60}; this chalkgrad reads version {VERSION}")
    if claimed != found:
        raise ValueError(f"{name} is damaged: its checksum does not fit its content")
    numbers = content.get("parameters")
    if not isinstance(numbers, list) or not isinstance(content.get("architecture"), dict):
        raise ValueError(f"{name} is damaged: it lacks an architecture or a list of parameters")
    for k, number in enumerate(numbers):
        if type(number) is not float or not isfinite(number):
            raise ValueError(f"{name}: parameter {k} is {number!r:.60}, not a finite number")
    return content  # type: ignore[no-any-return]


def _checksum(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _write(path: Path, text: str) -> None:
    """Write beside the file, make sure it is on the disk, and only then put it in the file's place."""
    _tidy(path)
    beside = path.with_name(f".{path.name}.{os.urandom(8).hex()}.part")
    try:
        with open(beside, "x", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise


def _tidy(path: Path) -> None:
    """Remove what a process that was killed while it saved has left; a younger one may still be at it."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > HOUR:
                left.unlink()

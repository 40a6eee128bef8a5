"""Make distinct Python identifiers, which name the instructions of a program, from the labels of a graph."""

from __future__ import annotations

import keyword
import unicodedata
from collections.abc import Iterable

LONGEST = 40  # characters of a label that a name keeps


class Identifiers:
    """Make Python identifiers from labels, each only once.

    Args:
        taken: names that are not to be used.

    >>> identifiers = Identifiers(["exp"])
    >>> [identifiers.give(label) for label in ("z1_3", "z1_3", "exp", "Σ w a", "1st; import os")]
    ['z1_3', 'z1_3_2', 'exp_2', 'Σ_w_a', 'v_1st__import_os']
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._next = dict.fromkeys((*taken, *keyword.kwlist, "__debug__"), 2)

    def give(self, label: str) -> str:
        """Return a new name, as similar to ``label`` as possible."""
        name = base = identifier(label)
        while name in self._next:
            name = f"{base}_{self._next[base]}"
            self._next[base] += 1
        self._next[name] = 2
        return name


def identifier(label: str) -> str:
    """Return the label, normalized as Python does, with ``_`` for each character that no name can have."""
    if label.isascii() and label.isidentifier() and len(label) <= LONGEST and label.strip("_") == label:
        return label  # as most are
    text = unicodedata.normalize("NFKC", label)[:LONGEST]
    name = "".join(letter if f"_{letter}".isidentifier() else "_" for letter in text).strip("_")
    return name if name.isidentifier() else f"v_{name}" if name else "v"

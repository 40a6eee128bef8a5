"""Names for the lines of a program: the labels of the graph, made safe and told apart."""

from __future__ import annotations

import keyword
import unicodedata
from collections.abc import Iterable

LONGEST = 40


class Names:
    """Gives every thing a name that is a Python identifier, and none to two things.

    Args:
        taken: names that mean something already.

    >>> names = Names(["exp"])
    >>> [names.give(label) for label in ("z1_3", "z1_3", "exp", "Σ w a", "1st; import os")]
    ['z1_3', 'z1_3_2', 'exp_2', 'Σ_w_a', 'v_1st__import_os']
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._next = dict.fromkeys((*taken, *keyword.kwlist, "__debug__"), 2)

    def give(self, label: str) -> str:
        """A new name, as close to ``label`` as can be."""
        name = base = identifier(label)
        while name in self._next:
            name = f"{base}_{self._next[base]}"
            self._next[base] += 1
        self._next[name] = 2
        return name


def identifier(label: str) -> str:
    """The label as Python would read it, with everything that cannot stand in a name made ``_``."""
    text = unicodedata.normalize("NFKC", label)[:LONGEST]
    name = "".join(letter if f"_{letter}".isidentifier() else "_" for letter in text).strip("_")
    return name if name.isidentifier() else f"v_{name}" if name else "v"

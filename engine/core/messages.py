"""Text for error messages: one line, of bounded length, whatever the labels and arguments are."""

from __future__ import annotations

from collections.abc import Iterable

LONGEST = 60  # characters of an argument in a message


def one_line(label: object) -> str:
    r"""Return a label or a path as one line of text, whatever is in it.

    >>> print(one_line("x"), one_line("two\nlines"))
    x 'two\nlines'
    """
    text = str(label)
    return text if text.isprintable() else repr(text)


def brief(x: object) -> str:
    """Return the start of ``repr(x)``, on one line.

    >>> brief([1.0] * 100)
    '[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0,'
    """
    return f"{x!r}"[:LONGEST].replace("\n", " ").rstrip()


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return " (did you mean ...?)" with the known name that is most like ``name``; "" if none is.

    >>> did_you_mean("ReLu", ["tanh", "relu"]), did_you_mean("swish", ["tanh", "relu"])
    (' (did you mean relu?)', '')
    """
    from difflib import get_close_matches  # slow to import

    by_lower_case = {one.lower(): one for one in known}
    near = get_close_matches(str(name)[:LONGEST].lower(), by_lower_case, 1)
    return f" (did you mean {by_lower_case[near[0]]}?)" if near else ""

"""Text for error messages: one line, of bounded length, whatever the labels and arguments are."""

from __future__ import annotations

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

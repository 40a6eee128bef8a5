"""Text for messages and tables that is one line of bounded length, whatever the labels are."""

from __future__ import annotations

from engine.core.messages import LONGEST, one_line


def bounded(text: str, longest: int = LONGEST) -> str:
    r"""Return ``text`` on one line; of a long text, the start and the end.

    >>> print(bounded("two\nlines"), bounded("x" * 9_999, longest=9))
    'two\nlines' xxxx…xxxx
    """
    line, half = one_line(text), longest // 2
    return line if len(line) <= longest else f"{line[:half]}…{line[-half:]}"

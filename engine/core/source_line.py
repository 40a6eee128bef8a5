"""Find the line of the user's source that is running."""

from __future__ import annotations

import os
import sys

_PACKAGE = os.path.dirname(os.path.dirname(__file__))
_OURS = (_PACKAGE, os.path.join(os.path.dirname(_PACKAGE), "nn"), "<row")


def calling_line() -> str:
    """Return the file, the number and the text of the innermost line that does not belong to engine or nn.

    If there is none, it is the outermost line.
    """
    import linecache  # here, as its import is slow

    frame = sys._getframe(1)
    while frame.f_back and frame.f_code.co_filename.startswith(_OURS):
        frame = frame.f_back
    file, number = frame.f_code.co_filename, frame.f_lineno
    return f"{file}, line {number}: {linecache.getline(file, number).strip()}"

"""Find what draws pictures: the package graphviz with the program `dot`, or a renderer. Write its labels."""

from __future__ import annotations

import math
import os
import sys
import unicodedata
from collections.abc import Callable
from types import ModuleType
from typing import TypeAlias

REMEDIES = (
    "a picture needs the program dot, and none was found: pip install 'chalkgrad[draw]' installs one "
    "(graphviz-pure); or install Graphviz itself, so that dot is on the PATH (Debian: apt install graphviz, "
    "macOS: brew install graphviz)"
)
NO_PROGRAM = (
    "a picture needs a renderer here, as Python in a browser starts no programs: engine.set_renderer takes a "
    "function of DOT and a format, such as renderString of viz-js"
)
#: Takes DOT and one of Graphviz's formats of text, "svg" or "plain", and returns the picture.
Renderer: TypeAlias = Callable[[str, str], str]

_renderer: Renderer | None = None

LEAST = 11 / 16  #: the least scale of a picture: text of 12 points, which are 16 pixels, has 11 then


def graphviz() -> ModuleType:
    """Return the package graphviz, which writes DOT, and make it find `dot` by `find_dot`.

    Raises:
        ImportError: the package is not installed; the message names the extra.
    """
    try:
        import graphviz
        from graphviz.backend import dot_command
    except ImportError:
        raise ImportError("a picture needs the package graphviz: pip install 'chalkgrad[draw]'") from None
    chosen = dot_command.DOT_BINARY
    if isinstance(chosen, os.PathLike) and str(chosen) == "dot":  # the default: the user has chosen no other
        dot_command.DOT_BINARY = Dot()
    package: ModuleType = graphviz
    return package


def check_graphviz() -> None:
    """Raise an error if the package or the program that a picture needs is missing.

    Raises:
        ImportError: the package graphviz is not installed.
        RuntimeError: there is neither a program dot nor a renderer.

    >>> try:
    ...     check_graphviz()
    ... except (ImportError, RuntimeError) as error:
    ...     print(f"no pictures: {error}")
    """
    graphviz()
    if get_renderer() is None:
        find_dot()


def set_renderer(render: Renderer | None) -> None:
    """Let a function draw all pictures in place of the program `dot`: in a browser, viz-js.

    Args:
        render: takes the DOT of a graph and a format, "svg" or "plain", and returns the picture as text.
            None lets `dot` draw again.

    Raises:
        TypeError: it is neither a function nor None.

    >>> from engine import Value, draw_dot
    >>> set_renderer(lambda dot, format: f'<svg width="90pt">{dot.count("->")} edges as {format}</svg>')
    >>> draw_dot(Value(2.0) * 3.0).pipe("svg", encoding="utf-8")
    '<svg width="90pt">3 edges as svg</svg>'
    >>> set_renderer(None)
    """
    if render is not None and not callable(render):
        raise TypeError(f"expected a function of DOT and a format, not {type(render).__name__}")
    global _renderer
    _renderer = render


def get_renderer() -> Renderer | None:
    """Return the function that draws in place of `dot`, or None if `dot` draws.

    Raises:
        RuntimeError: there is none, and Python runs in a browser, where there is no `dot` either.
    """
    if _renderer is None and sys.platform == "emscripten":
        raise RuntimeError(NO_PROGRAM)
    return _renderer


class Dot(os.PathLike[str]):
    """The path of `dot`. It is looked up when `dot` is run, as a picture that is not shown needs none."""

    def __fspath__(self) -> str:
        return find_dot()

    def __repr__(self) -> str:
        return "dot"


def find_dot() -> str:
    """Return the path of `dot`: the one on the PATH, else the one that graphviz-pure installs.

    Raises:
        RuntimeError: there is neither; the message names the command that installs one.
    """
    import importlib.metadata  # here, as these are slow to import and only a drawing needs them
    import shutil
    from pathlib import Path

    on_path = shutil.which("dot")
    if on_path:
        return on_path
    try:
        files = importlib.metadata.files("graphviz-pure") or ()
    except importlib.metadata.PackageNotFoundError:
        files = ()
    for file in files:
        path = Path(str(file.locate()))
        if path.stem == "graphviz-pure" and path.is_file():
            return str(path.resolve())
    raise RuntimeError(REMEDIES)


def text(anything: str) -> str:
    r"""Return any text as part of an HTML-like label: each character shows as itself, and none is markup.

    Line breaks are kept. A character that XML cannot contain is replaced by a similar one or by �.

    >>> print(text('<b> & "x" | {y}'))
    &lt;b&gt; &amp; &quot;x&quot; | {y}
    """
    from html import escape  # here, as it is slow to import and only a picture needs it

    lines = anything.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "<BR/>".join("".join(map(_character, escape(line))) for line in lines)


def _character(c: str) -> str:
    if c == "\\":
        return "<FONT>\\</FONT>"  # dot replaces \N by the name of the node, but not this
    if c < " ":
        return chr(0x2400 + ord(c))
    return "\ufffd" if unicodedata.category(c) in ("Cc", "Cs") or c in "\ufffe\uffff" else c


def cell(anything: str, bold: bool = False, width: int = 0, columns: int = 1, note: str = "") -> str:
    """Return a cell of a table in an HTML-like label.

    Args:
        anything: the text.
        bold: whether the text is bold.
        width: the minimum width, in points.
        columns: the number of columns that it spans.
        note: a word in plain type after the text, on the same line.
    """
    if not anything.isascii():  # graphviz-pure measures ASCII only, so the cell needs a width
        width = max(width, 10 + measure(f"{anything} {note}" if note else anything))
    inner = text(anything).replace("<BR/>", '<BR ALIGN="LEFT"/>') or " "
    if bold:
        inner = f"<B>{inner}</B>"
    if note:
        inner += f" {text(note)}"
    if "<BR" in inner:
        inner += '<BR ALIGN="LEFT"/>'  # aligns the last line
    return f'<TD ALIGN="LEFT" COLSPAN="{columns}" WIDTH="{width}">{inner}</TD>'


def measure(anything: str) -> int:
    """Return the width of a text in points, for a font of 12 points: an upper bound for common letters.

    >>> measure("wᵢaᵢ"), measure("漢字")
    (36, 26)
    """
    return math.ceil(max(sum(map(_width, line)) for line in anything.split("\n")))


def _width(c: str) -> float:
    if c in " .,:;'|!()/-":
        return 4.1
    if c.isascii() and (c.isdigit() or c.islower()) and c not in "mw":
        return 6.8
    return 13 if unicodedata.east_asian_width(c) in "WF" or c in "…mwMW@" else 8


def data_uri(svg: str) -> str:
    """Return a picture as a data URI for use in double quotes, with as few escapes as possible.

    >>> print(data_uri('<svg id="a#b"/>'))
    data:image/svg+xml;charset=utf-8,<svg id='a%23b'/>
    """
    one_line = svg.replace("\n", "").replace('"', "'")
    for c, instead in ("%", "%25"), ("#", "%23"), ("&", "&amp;"):
        one_line = one_line.replace(c, instead)
    return f"data:image/svg+xml;charset=utf-8,{one_line}"

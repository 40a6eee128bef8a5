"""The class of the picture that `draw_dot` returns.

It is imported only when a picture is drawn, as the package graphviz is an extra.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from html import escape
from typing import overload

from graphviz import Digraph

from engine.view.graphviz import LEAST, data_uri, get_renderer

PIXEL = 0.75  # points


class Drawing(Digraph):  # type: ignore[misc]  # mypy does not follow the package graphviz
    """A `graphviz.Digraph` that Jupyter shows as large as its text needs.

    It hides the warnings of `dot` about fonts; errors are raised as usual.

    Attributes:
        title: the text in place of the picture, for screen readers.
        scale: the scale of the picture, from 11/16 to 1.
    """

    title, scale = "a graph", 1.0

    @overload
    def pipe(self, *args: object, quiet: bool = True, encoding: str, **options: object) -> str: ...
    @overload
    def pipe(self, *args: object, quiet: bool = True, encoding: None = None, **options: object) -> bytes: ...
    def pipe(
        self, *args: object, quiet: bool = True, encoding: str | None = None, **options: object
    ) -> bytes | str:
        """Return the picture as bytes, or as text with ``encoding``."""
        if renderer := get_renderer():
            form = args[0] if args else options.get("format") or self.format
            text = renderer(self.source, str(form))
            return text if encoding else text.encode()
        picture: bytes | str = super().pipe(*args, quiet=quiet, encoding=encoding, **options)
        return picture

    def render(self, *args: object, quiet: bool = True, **options: object) -> str:
        """Write the picture to a file, and return its path."""
        _check_program()
        path: str = super().render(*args, quiet=quiet, **options)
        return path

    def view(self, *args: object, quiet: bool = True, **options: object) -> str:
        """Write the picture to a file and open it in a viewer; return its path."""
        _check_program()
        path: str = super().view(*args, quiet=quiet, **options)
        return path

    def measure(self, **attributes: str) -> float:
        """Set attributes of the graph; return the width of the picture in pixels, as `dot` computes it."""
        self.graph_attr.update(attributes)
        return _width(self.pipe("svg", encoding="utf-8"))

    def fit(self, width: float, natural: float) -> Drawing:
        """Scale the picture to ``width`` pixels, but not below the least scale; return it.

        Args:
            width: the width of the page in pixels.
            natural: the width of the picture in pixels.
        """
        self.scale = min(1.0, max(LEAST, width / natural))
        if self.scale < 1:
            self.graph_attr["size"] = f"{natural * self.scale * PIXEL / 72:.3f},1000"
        return self

    def html(self) -> str:
        """Return the picture as HTML: an image that shrinks with the page while its text can be read.

        On a page that is even narrower, it can be scrolled.
        """
        svg = self.pipe("svg", encoding="utf-8")
        width = _width(svg)
        style = f"width:{width:.0f}px;min-width:{width * LEAST / self.scale:.0f}px;max-width:100%;height:auto"
        image = f'<img alt="{escape(self.title)}" width="{width:.0f}" style="{style}" src="{data_uri(svg)}">'
        return f'<div style="overflow-x:auto">{image}</div>'

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None, **_: object
    ) -> dict[str, str]:
        """Return the picture as SVG and as HTML, which a page that trusts no script shows, too."""
        bundle: dict[str, str] = super()._repr_mimebundle_(include, exclude)
        if (include is None or "text/html" in include) and "text/html" not in (exclude or ()):
            bundle["text/html"] = self.html()
        return bundle


def _check_program() -> None:
    if get_renderer():
        raise RuntimeError(
            "only the program dot writes files; write the text of .pipe('svg', encoding='utf-8')"
        )


def _width(svg: str) -> float:
    found = re.search(r'<svg width="([\d.]+)pt"', svg)
    assert found, "dot writes the size of an SVG in points"
    return float(found[1]) / PIXEL

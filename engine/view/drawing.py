"""The class of the picture that `draw_dot` returns.

It is imported only when a picture is drawn, as the package graphviz is an extra.
"""

from __future__ import annotations

from graphviz import Digraph


class Drawing(Digraph):  # type: ignore[misc]  # mypy does not follow the package graphviz
    """A `graphviz.Digraph` that hides the warnings of `dot` about fonts; errors are raised as usual."""

    def pipe(self, *args: object, quiet: bool = True, **options: object) -> bytes | str:
        """Return the picture as bytes, or as text with ``encoding``."""
        picture: bytes | str = super().pipe(*args, quiet=quiet, **options)
        return picture

    def render(self, *args: object, quiet: bool = True, **options: object) -> str:
        """Write the picture to a file, and return its path."""
        path: str = super().render(*args, quiet=quiet, **options)
        return path

    def view(self, *args: object, quiet: bool = True, **options: object) -> str:
        """Write the picture to a file and open it in a viewer; return its path."""
        path: str = super().view(*args, quiet=quiet, **options)
        return path

"""The picture that `draw_dot` returns.

The package graphviz is an extra, so this module is imported only when a picture is drawn.
"""

from __future__ import annotations

from typing import Any

from graphviz import Digraph


class Drawing(Digraph):  # type: ignore[misc]  # mypy does not follow the package graphviz
    """A `graphviz.Digraph` that hides the warnings of `dot` about fonts; errors are raised as usual."""

    def pipe(self, *args: Any, quiet: bool = True, **options: Any) -> Any:
        """Return the picture as bytes, or as text with ``encoding``."""
        return super().pipe(*args, quiet=quiet, **options)

    def render(self, *args: Any, quiet: bool = True, **options: Any) -> Any:
        """Write the picture to a file, and return its path."""
        return super().render(*args, quiet=quiet, **options)

    def view(self, *args: Any, quiet: bool = True, **options: Any) -> Any:
        """Write the picture to a file and open it in a viewer; return its path."""
        return super().view(*args, quiet=quiet, **options)

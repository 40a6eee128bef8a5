"""The pictures of a run: its curve, the digits it was tested on, the plane as it divides it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from nn.training.history import History

__all__ = ["boundary", "check", "curve", "digits"]

# Colours that the colour-blind can tell apart (Okabe and Ito, 2008).
BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"
ROWS, COLUMNS = 5, 10  # of the sheet of digits
GRID = 100  # points along each side of the plane

Path = str | os.PathLike[str]


def check() -> None:
    """Raise the ImportError that says what is missing, before anything has been learned in vain."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError:
        raise ImportError("pictures are drawn by matplotlib: pip install 'chalkgrad[plot]'") from None


def curve(history: History, path: Path) -> None:
    """Loss and accuracy, epoch by epoch, of the samples learned from and of those held back."""
    figure = _figure(9, 3.6)
    left, right = figure.subplots(1, 2)
    epochs = range(1, len(history.epochs) + 1)
    for axes, what, learned, tested in (
        (left, "mean loss", history.loss, history.validation_loss),
        (right, "accuracy", history.accuracy, history.validation_accuracy),
    ):
        for numbers, colour, style, name in (
            (learned, BLUE, "-", "learned from, during the epoch"),
            (tested, ORANGE, "--", "held back, after the epoch"),
        ):
            if numbers and numbers[0] is not None:
                axes.plot(epochs, numbers, style, color=colour, marker=".", label=name)
        axes.set(xlabel="epoch", ylabel=what)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend()
    left.set_ylim(bottom=0)
    right.yaxis.set_major_formatter(lambda part, _: f"{part:.0%}")
    figure.savefig(path)


def digits(xs: Sequence[Sequence[float]], ys: Sequence[int], said: Sequence[int], path: Path) -> None:
    """A sheet of digits with what the model said of each: first those it got wrong, framed, then others."""
    order = sorted(range(len(xs)), key=lambda i: said[i] == ys[i])[: ROWS * COLUMNS]
    wrong = sum(a != b for a, b in zip(said, ys))
    figure = _figure(9, 5.6)
    figure.suptitle(
        f"Above each digit, what the model reads: of {len(xs)} held back, {wrong} are wrong (framed)"
    )
    for axes, i in zip(figure.subplots(ROWS, COLUMNS).flat, order):
        axes.imshow([xs[i][8 * row : 8 * row + 8] for row in range(8)], cmap="gray_r", vmin=0, vmax=1)
        right = said[i] == ys[i]
        axes.set_title(
            f"{said[i]}" if right else f"{said[i]}, is {ys[i]}",
            fontsize=10,
            color="black" if right else ORANGE,
            fontweight="normal" if right else "bold",
        )
        axes.set(xticks=[], yticks=[])
        for side in axes.spines.values():
            side.set(color="lightgrey" if right else ORANGE, linewidth=0.5 if right else 3)
    figure.savefig(path)


def boundary(
    lean: Callable[[list[list[float]]], list[float]],
    learned: tuple[Any, Any],
    tested: tuple[Any, Any],
    path: Path,
) -> None:
    """The plane, shaded by which of two classes a model leans to and how much, and the samples upon it.

    Args:
        lean: for each of many points, a number from -1 (surely class 0) to 1 (surely class 1).
        learned, tested: ``(xs, ys)`` of the samples learned from and of those held back.
        path: the file.
    """
    figure = _figure(7.2, 5.6)
    axes = figure.subplots()
    every = [*learned[0], *tested[0]]
    (x_low, x_high), (y_low, y_high) = (_span([x[k] for x in every]) for k in (0, 1))
    horizontal = [x_low + (x_high - x_low) * i / (GRID - 1) for i in range(GRID)]
    vertical = [y_low + (y_high - y_low) * j / (GRID - 1) for j in range(GRID)]
    every_lean = lean([[x, y] for y in vertical for x in horizontal])
    leans = [every_lean[row : row + GRID] for row in range(0, GRID * GRID, GRID)]
    steps = [i / 10 for i in range(-10, 11)]
    shade = axes.contourf(horizontal, vertical, leans, levels=steps, cmap="PuOr_r", vmin=-2, vmax=2)
    axes.contour(horizontal, vertical, leans, levels=[0.0], colors="black", linewidths=1.5)
    for k, marker in ((0, "o"), (1, "^")):
        for (xs, ys), face, name in ((learned, "white", "learned from"), (tested, "black", "held back")):
            points = [x for x, y in zip(xs, ys) if y == k]
            axes.scatter(
                [p[0] for p in points],
                [p[1] for p in points],
                marker=marker,
                facecolor=face,
                edgecolor="black",
                s=28,
                linewidth=0.8,
                label=f"class {k}, {name}",
            )
    axes.set(title="What the model says of every point")
    figure.legend(loc="outside lower center", ncols=2, fontsize=9)
    bar = figure.colorbar(shade, ticks=[-1, 0, 1], shrink=0.8)
    bar.ax.set_yticklabels(["surely class 0", "undecided", "surely class 1"])
    figure.savefig(path)


def _span(numbers: Sequence[float]) -> tuple[float, float]:
    low, high = min(numbers), max(numbers)
    margin = 0.1 * (high - low) or 1.0
    return low - margin, high + margin


def _figure(width: float, height: float) -> Any:
    check()
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=120, layout="constrained")

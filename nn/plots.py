"""Plots of a training run: the loss curve, the predicted digits, and the decision boundary in the plane."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from nn.training.history import History

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["boundary", "check", "curve", "digits"]

# Colours that the colour-blind can tell apart (Okabe and Ito, 2008).
BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"
ROWS, COLUMNS = 5, 10  # of the picture of digits
GRID = 100  # points along each side of the plane

Path: TypeAlias = str | os.PathLike[str]
Dataset: TypeAlias = tuple[Sequence[Sequence[float]], Sequence[int]]


def check() -> None:
    """Raise an ImportError that names what is missing, before a model is trained."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError:
        raise ImportError("pictures are drawn by matplotlib: pip install 'chalkgrad[plot]'") from None


def curve(history: History, path: Path) -> None:
    """Draw the loss and the accuracy of each epoch, for training and for validation."""
    figure = _figure(9, 3.6)
    left, right = figure.subplots(1, 2)
    epochs = range(1, len(history.epochs) + 1)
    for axes, what, train, test in (
        (left, "mean loss", history.loss, history.validation_loss),
        (right, "accuracy", history.accuracy, history.validation_accuracy),
    ):
        for numbers, colour, style, name in (
            (train, BLUE, "-", "training"),
            (test, ORANGE, "--", "validation"),
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


def digits(xs: Sequence[Sequence[float]], ys: Sequence[int], predictions: Sequence[int], path: Path) -> None:
    """Draw digits with their predictions: first the wrong ones, framed, then others."""
    order = sorted(range(len(xs)), key=lambda i: predictions[i] == ys[i])[: ROWS * COLUMNS]
    n_wrong = sum(a != b for a, b in zip(predictions, ys))
    figure = _figure(9, 5.6)
    figure.suptitle(
        f"The prediction is above each digit: {n_wrong} of {len(xs)} validation samples are wrong (framed)"
    )
    for axes, i in zip(figure.subplots(ROWS, COLUMNS).flat, order):
        axes.imshow([xs[i][8 * row : 8 * row + 8] for row in range(8)], cmap="gray_r", vmin=0, vmax=1)
        correct = predictions[i] == ys[i]
        axes.set_title(
            f"{predictions[i]}" if correct else f"{predictions[i]}, is {ys[i]}",
            fontsize=10,
            color="black" if correct else ORANGE,
            fontweight="normal" if correct else "bold",
        )
        axes.set(xticks=[], yticks=[])
        for side in axes.spines.values():
            side.set(color="lightgrey" if correct else ORANGE, linewidth=0.5 if correct else 3)
    figure.savefig(path)


def boundary(
    score: Callable[[list[list[float]]], list[float]],
    train: Dataset,
    test: Dataset,
    path: Path,
) -> None:
    """Draw the plane, shaded by the score of two classes, and the samples on it.

    Args:
        score: returns, for each of many points, a number from -1 (class 0) to 1 (class 1).
        train, test: ``(xs, ys)`` of the training samples and of the validation samples.
        path: the file.
    """
    figure = _figure(7.2, 5.6)
    axes = figure.subplots()
    every = [*train[0], *test[0]]
    (x_low, x_high), (y_low, y_high) = (_span([x[k] for x in every]) for k in (0, 1))
    horizontal = [x_low + (x_high - x_low) * i / (GRID - 1) for i in range(GRID)]
    vertical = [y_low + (y_high - y_low) * j / (GRID - 1) for j in range(GRID)]
    scores = score([[x, y] for y in vertical for x in horizontal])
    grid = [scores[row : row + GRID] for row in range(0, GRID * GRID, GRID)]
    levels = [i / 10 for i in range(-10, 11)]
    shade = axes.contourf(horizontal, vertical, grid, levels=levels, cmap="PuOr_r", vmin=-2, vmax=2)
    axes.contour(horizontal, vertical, grid, levels=[0.0], colors="black", linewidths=1.5)
    for k, marker in ((0, "o"), (1, "^")):
        for (xs, ys), face, name in ((train, "white", "training"), (test, "black", "validation")):
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
    axes.set(title="The prediction for each point of the plane")
    figure.legend(loc="outside lower center", ncols=2, fontsize=9)
    bar = figure.colorbar(shade, ticks=[-1, 0, 1], shrink=0.8)
    bar.ax.set_yticklabels(["class 0", "undecided", "class 1"])
    figure.savefig(path)


def _span(numbers: Sequence[float]) -> tuple[float, float]:
    low, high = min(numbers), max(numbers)
    margin = 0.1 * (high - low) or 1.0
    return low - margin, high + margin


def _figure(width: float, height: float) -> Figure:
    check()
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=120, layout="constrained")

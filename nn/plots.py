"""Plots of a training run: the loss curve, the predicted digits, and the decision boundary in the plane."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from math import tanh
from typing import TYPE_CHECKING, TypeAlias, cast, overload

from engine import as_float, brief
from nn.model.modules import Module
from nn.training.dataset import Targets
from nn.training.history import History
from nn.training.targets import Classes
from nn.validation import Rows, as_list, as_rows, is_list

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["boundary", "check", "curve", "digits"]

# Colours that the colour-blind can tell apart (Okabe and Ito, 2008).
BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"
ROWS, COLUMNS = 5, 10  # of the picture of digits
MARKERS = "o^sDvP*X<>"  # of the classes
GRID = 100  # points along each side of the plane

Path: TypeAlias = str | os.PathLike[str]
Dataset: TypeAlias = tuple[Sequence[Sequence[float]], Sequence[int]]


def check() -> None:
    """Raise an ImportError that names what is missing, before a model is trained.

    >>> check()
    """
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError:
        raise ImportError("pictures are drawn by matplotlib: pip install 'chalkgrad[plot]'") from None


def curve(history: History, path: Path | None = None) -> Figure:
    """Draw the loss and the accuracy of each epoch, for training and for validation.

    The figure is returned, and shows itself in Jupyter; it is written to ``path`` if there is one.

    >>> figure = curve(History())
    >>> [axes.get_ylabel() for axes in figure.axes]
    ['mean loss', 'accuracy']
    """
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
    return _saved(figure, path)


def digits(
    xs: Sequence[Sequence[float]],
    ys: Sequence[int],
    predictions: Sequence[int],
    path: Path | None = None,
) -> Figure:
    """Draw digits with their predictions: first the wrong ones, framed, then others.

    The figure is returned, and shows itself in Jupyter; it is written to ``path`` if there is one.

    >>> figure = digits([[0.0] * 64], [3], [8])
    >>> figure.axes[0].get_title()
    '8, is 3'
    """
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
    return _saved(figure, path)


Score: TypeAlias = Callable[[list[list[float]]], list[float]]


@overload
def boundary(
    model: Module,
    xs: Rows,
    ys: Targets,
    path: Path | None = None,
    *,
    loss: str = "cross_entropy",
) -> Figure: ...
@overload
def boundary(model: Score, xs: Dataset, ys: Dataset, path: Path) -> Figure: ...
def boundary(
    model: Module | Score,
    xs: Rows | Dataset,
    ys: Targets | Dataset,
    path: Path | None = None,
    *,
    loss: str = "cross_entropy",
) -> Figure:
    """Draw the plane, shaded by the class that a model predicts for each point, and the samples on it.

    Args:
        model: a Module of two inputs; or a function that returns, for each of many points, a number from -1
            (class 0) to 1 (class 1), followed by the training samples and the validation samples, each a pair
            ``(xs, ys)``, and the file.
        xs: the samples, two numbers each.
        ys: the target of each: the number of its class, -1 or 1, or a list with 1 for its class.
        path: the file; None to write none.
        loss: the name of the loss that the model was trained with. The boundary of one output is at 0, which
            is right for hinge and binary_cross_entropy; for the squared errors, it is at ½.

    Returns:
        The figure of matplotlib, which shows itself in Jupyter.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: a sample has not two numbers, there are not as many targets as samples, or a target is no
            class of the model's outputs.
        TypeError: xs or ys is not a list.
        OSError: the file cannot be written.

    >>> from nn import MLP, data
    >>> xs, ys = data.xor(4, noise=0.0)
    >>> figure = boundary(MLP(2, [3, 2]), xs, ys)
    >>> figure.axes[0].get_title()
    'The prediction for each point of the plane'
    """
    if not isinstance(model, Module):
        train, test = cast("Dataset", xs), cast("Dataset", ys)
        return _plane([("training", "white", *train), ("validation", "black", *test)], path, score=model)
    points = as_rows(cast("Rows", xs), 2)
    given = as_list("ys is a list with one target for each sample", ys)
    if len(points) != len(given) or not points:
        raise ValueError(
            f"expected at least one sample, and as many targets: {len(points)} samples, {len(given)} targets"
        )
    first = model.predict(points[0])
    classes = Classes(loss, 2 if not isinstance(first, list) else max(2, len(first)))
    one_output = not isinstance(first, list) or len(first) == 1
    targets = []
    for i, target in enumerate(given):
        try:
            targets.append(_class(target, classes.count))
        except (TypeError, ValueError) as error:
            raise type(error)(f"target {i}: {error}") from None

    def outputs(points: list[list[float]]) -> list[list[float]]:
        found = [y if isinstance(y, list) else [y] for y in model.predict_many(points)]
        return [[classes.middle, *y] for y in found] if one_output else found

    samples = [("", "white", points, targets)]
    if classes.count == 2:
        return _plane(samples, path, score=lambda points: [tanh(yes - no) for no, yes in outputs(points)])

    def chosen(points: list[list[float]]) -> list[float]:
        return [max(range(len(y)), key=lambda k: y[k]) for y in outputs(points)]

    return _plane(samples, path, chosen=chosen, count=classes.count)


def _class(target: object, count: int) -> int:
    """Return the number of the class that a target stands for: -1 is the first of two."""
    if is_list(target):
        numbers = [as_float(t) for t in target]
        k = numbers[0] if len(numbers) == 1 else float(max(range(len(numbers)), key=lambda k: numbers[k]))
    else:
        k = as_float(target)
    if k == -1 and count == 2:
        return 0
    if k not in range(count):
        raise ValueError(f"expected the number of a class, from 0 to {count - 1}, not {brief(target)}")
    return int(k)


def _plane(
    samples: Sequence[tuple[str, str, Sequence[Sequence[float]], Sequence[int]]],
    path: Path | None,
    *,
    score: Score | None = None,
    chosen: Score | None = None,
    count: int = 2,
) -> Figure:
    """Draw the plane, shaded by the score of two classes or by the class chosen, and samples on it.

    Each entry of ``samples`` has a name, the colour of its markers, and the points with their classes.
    """
    figure = _figure(7.2, 5.6)
    axes = figure.subplots()
    every = [x for _, _, xs, _ in samples for x in xs]
    (x_low, x_high), (y_low, y_high) = (_span([x[k] for x in every]) for k in (0, 1))
    horizontal = [x_low + (x_high - x_low) * i / (GRID - 1) for i in range(GRID)]
    vertical = [y_low + (y_high - y_low) * j / (GRID - 1) for j in range(GRID)]
    points = [[x, y] for y in vertical for x in horizontal]
    if score is not None:
        grid = _rows(score(points))
        levels = [i / 10 for i in range(-10, 11)]
        shade = axes.contourf(horizontal, vertical, grid, levels=levels, cmap="PuOr_r", vmin=-2, vmax=2)
        if min(map(min, grid)) < 0 < max(map(max, grid)):  # else there is no boundary to draw
            axes.contour(horizontal, vertical, grid, levels=[0.0], colors="black", linewidths=1.5)
        bar = figure.colorbar(shade, ticks=[-1, 0, 1], shrink=0.8)
        bar.ax.set_yticklabels(["class 0", "undecided", "class 1"])
    elif chosen is not None:
        axes.pcolormesh(
            horizontal, vertical, _rows(chosen(points)), cmap="tab10", vmin=0, vmax=9, alpha=0.35,
            shading="nearest",
        )  # fmt: skip
    for k in range(count):
        for name, face, xs, ys in samples:
            inside = [x for x, y in zip(xs, ys) if y == k]
            axes.scatter(
                [p[0] for p in inside],
                [p[1] for p in inside],
                marker=MARKERS[k % len(MARKERS)],
                facecolor=face,
                edgecolor="black",
                s=28,
                linewidth=0.8,
                label=f"class {k}{', ' * bool(name)}{name}",
            )
    axes.set(title="The prediction for each point of the plane")
    figure.legend(loc="outside lower center", ncols=2 if count == 2 else min(count, 5), fontsize=9)
    return _saved(figure, path)


def _rows(numbers: Sequence[float]) -> list[Sequence[float]]:
    return [numbers[row : row + GRID] for row in range(0, GRID * GRID, GRID)]


def _span(numbers: Sequence[float]) -> tuple[float, float]:
    low, high = min(numbers), max(numbers)
    margin = 0.1 * (high - low) or 1.0
    return low - margin, high + margin


def _saved(figure: Figure, path: Path | None) -> Figure:
    if path is not None:
        figure.savefig(path)
    return figure


def _figure(width: float, height: float) -> Figure:
    check()
    from io import BytesIO

    from matplotlib.figure import Figure

    class Picture(Figure):
        """A figure that Jupyter shows without pyplot."""

        def _repr_png_(self) -> bytes:
            file = BytesIO()
            self.savefig(file, format="png")
            return file.getvalue()

    return Picture(figsize=(width, height), dpi=120, layout="constrained")

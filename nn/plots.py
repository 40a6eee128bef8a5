"""Plots of training: loss curves, the gradient of each layer, the loss landscape, digits and boundaries.

Every figure has a white background of its own, so that it can be read on light and dark pages, and curves
differ in line style and marker as well as in colour.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from math import isfinite, isqrt, nan, sqrt, tanh
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, TypeVar, cast, overload

from engine import Value, as_float, as_value, brief, grad, no_grad, total
from nn.model.modules import Module, set_numbers
from nn.training import losses
from nn.training.dataset import Sample, Targets, check_samples
from nn.training.history import History
from nn.training.losses import Loss
from nn.training.targets import Classes
from nn.validation import Floats, Rows, as_floats, as_list, as_rows, check_finite, expected, is_list

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

__all__ = ["boundary", "check", "curve", "digits", "gradient_flow", "loss_landscape"]

# Colours that the colour-blind can tell apart (Okabe and Ito, 2008).
BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"
STYLES = [  # of several curves: colour, line and marker
    (BLUE, "-", "o"), (ORANGE, "--", "^"), (GREEN, "-.", "s"), ("#CC79A7", ":", "D"), ("black", "-", "v"),
    ("#767676", "--", "P"),
]  # fmt: skip
ROWS, COLUMNS = 5, 10  # of the picture of digits
WIDE, HIGH = 11, 12  # pixels from one of its digits to the next
MARKERS = "o^sDvP*X<>"  # of the classes
AREA = 28.0  # of a marker
GRID = 100  # points along each side of the plane
SMALL = 60  # along each side of one of several planes
LEVELS = 14  # lines of equal loss
LINE = 61  # points of the loss landscape
MARKED = 40  # at most so many points of a curve have a marker
SPREAD = 300  # at most so many weights of a layer are drawn
AT_ONCE = 32  # samples in one graph

MISSING = "pictures are drawn by matplotlib: pip install 'chalkgrad[plot]'"

Path: TypeAlias = str | os.PathLike[str]
Dataset: TypeAlias = tuple[Sequence[Sequence[float]], Sequence[int]]


def check() -> None:
    """Raise an ImportError that names what is missing, before a model is trained.

    Nothing is imported, as matplotlib takes a second.

    >>> check()
    """
    from importlib.util import find_spec

    if find_spec("matplotlib") is None:
        raise ImportError(MISSING)


def curve(history: History | Mapping[str, History], path: Path | None = None) -> Figure:
    """Draw the loss and the accuracy of each epoch, for training and for validation.

    Of several histories, by name, the curves of the training are drawn, to compare them; the first is the
    widest, so that curves which lie on each other are all seen. The figure is returned, and shows itself in
    Jupyter; it is written to ``path`` if there is one.

    >>> figure = curve(History())
    >>> [axes.get_ylabel() for axes in figure.axes]
    ['mean loss', 'accuracy']
    """
    figure = _figure(9, 3.6)
    left, right = figure.subplots(1, 2)
    for axes, what, curves in (
        (left, "mean loss", _curves(history, "loss")),
        (right, "accuracy", _curves(history, "accuracy")),
    ):
        for i, (name, numbers) in enumerate(curves.items()):
            if numbers and numbers[0] is not None:
                epochs = range(1, len(numbers) + 1)
                _line(axes, epochs, numbers, STYLES[i % len(STYLES)], name, max(1.2, 2.2 - i))
        axes.set(xlabel="epoch", ylabel=what)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend()
    left.set_ylim(bottom=0)
    right.yaxis.set_major_formatter(lambda part, _: f"{part:.0%}")
    return _saved(figure, path)


def _curves(
    history: History | Mapping[str, History], what: Literal["loss", "accuracy"]
) -> dict[str, Sequence[float | None]]:
    """Return the losses or the accuracies, by the name of the curve."""
    if isinstance(history, Mapping):
        named: dict[str, History] = _named(history, "history")
        return {name: getattr(each, what) for name, each in named.items()}
    if what == "loss":
        return {"training": history.loss, "validation": history.validation_loss}
    return {"training": history.accuracy, "validation": history.validation_accuracy}


def _line(
    axes: Axes,
    xs: Sequence[float],
    ys: Sequence[float | None],
    style: tuple[str, str, str],
    label: str,
    width: float,
) -> None:
    """Draw a curve with its colour, line style and marker; of many points, some have the marker."""
    colour, line, marker = style
    every = -(-len(ys) // MARKED) or 1
    axes.plot(
        xs, ys, color=colour, linestyle=line, linewidth=width, marker=marker, markersize=2 + 1.6 * width,
        markevery=every, label=label,
    )  # fmt: skip


def gradient_flow(
    models: Module | Mapping[str, Module],
    xs: Rows,
    ys: Targets,
    loss: str | Loss = "cross_entropy",
    path: Path | None = None,
) -> Figure:
    """Draw the size of the gradient of the weights in each layer, on a logarithmic scale.

    The curve is the root mean square of ∂L/∂w over the weights w of a layer, where L is the mean loss of the
    samples. Where it falls from layer to layer towards the inputs, the gradient vanishes; where it grows, it
    explodes (Glorot and Bengio, 2010). For one model, each weight is drawn as a dot, too, and the share of
    the weights whose gradient is 0 is given under the number of the layer.

    Args:
        models: a model made of layers, such as an MLP; or several, by name, to compare them.
        xs: the samples.
        ys: the target of each, as the loss takes it.
        loss: the name of a loss or a function (outputs, target).
        path: the file; None to write none.

    Returns:
        The figure of matplotlib, which shows itself in Jupyter. No ``.grad`` is read or written.

    Raises:
        ValueError: there is no model, the weights of a model do not belong to layers, or a sample or its
            target does not fit.
        TypeError: a model is not a Module, or xs or ys is not a list.
        ImportError: matplotlib is not installed.
        OSError: the file cannot be written.

    >>> import random
    >>> from nn import MLP, data
    >>> xs, ys = data.moons(20, rng=random.Random(0))
    >>> nets = {g: MLP(2, [8, 8, 2], activation=g, rng=random.Random(1)) for g in ("sigmoid", "relu")}
    >>> figure = gradient_flow(nets, xs, ys)
    >>> [line.get_label() for line in figure.axes[0].lines]
    ['sigmoid', 'relu']
    """
    named = _named(models, "model")
    found = {name: _gradients(model, xs, ys, losses.get_loss(loss)) for name, model in named.items()}
    figure = _figure(7.2, 4.4)
    axes = figure.subplots()
    axes.set_yscale("log")
    sizes = [
        {l: sqrt(sum(g * g for g in layer) / len(layer)) for l, layer in layers.items()}
        for layers in found.values()
    ]
    lowest = min((size for curve in sizes for size in curve.values() if size > 0), default=1.0) / 10
    for i, (name, curve) in enumerate(zip(found, sizes)):
        points = [size if size > 0 else nan for size in curve.values()]
        style = STYLES[i % len(STYLES)]
        inside = (
            max(1.2, 3.6 - 0.8 * i) if len(found) > 1 else 1.5
        )  # curves that lie on each other show as borders
        _line(axes, list(curve), points, style, name or "root mean square", inside)
        zeros = [l for l, size in curve.items() if not size]
        for l in zeros:
            axes.plot(l, lowest, "w" + style[2], markeredgecolor=style[0])
            axes.annotate("0", (l, lowest), xytext=(8, 4), textcoords="offset points")
    numbers = sorted({l for layers in found.values() for l in layers})
    ticks = [f"{l}" for l in numbers]
    if len(found) == 1:
        [layers] = found.values()
        [curve] = sizes
        _spread(axes, layers)
        for l, size in curve.items():
            axes.annotate(
                f"{size:.1e}", (l, size or lowest), xytext=(9, 6), textcoords="offset points", zorder=4
            )
        ticks = [f"{l}\n{sum(not g for g in layers[l]) / len(layers[l]):.0%} are 0" for l in numbers]
    axes.set(
        xticks=numbers,
        xlabel="layer (1 is next to the inputs)",
        ylabel="|∂L/∂w|",
        xlim=(numbers[0] - 0.5, numbers[-1] + 0.5),
        title="The gradient of the weights in each layer",
    )
    axes.set_xticklabels(ticks)
    axes.grid(alpha=0.3)
    axes.legend()
    return _saved(figure, path)


def _spread(axes: Axes, layers: Mapping[int, Sequence[float]]) -> None:
    """Draw a dot for each weight whose gradient is not 0; of many, for some at equal distances."""
    for l, layer in layers.items():
        seen = [abs(g) for g in layer[:: -(-len(layer) // SPREAD)] if g]
        aside = [l - 0.25 + 0.2 * (i * 0.618 % 1) for i in range(len(seen))]  # evenly, in no order
        axes.scatter(
            aside, seen, s=9, color="#767676", alpha=0.6, label="each weight" if l == min(layers) else None
        )


def _gradients(model: Module, xs: Rows, ys: Targets, loss: Loss) -> dict[int, list[float]]:
    """Return ∂L/∂w of each weight, by layer."""
    if not isinstance(model, Module):
        expected("expected a model, a Module", model)
    weights = [(p.role.layer, p) for p in model.parameters() if p.role is not None and p.role.kind == "w"]
    layers = sorted({l for l, _ in weights if l is not None})
    if not layers:
        raise ValueError(f"expected a model made of layers, such as an MLP, not {brief(model)}")
    samples = check_samples(model, xs, ys, loss)
    parameters = [p for l, p in weights if l is not None]
    sums = [0.0] * len(parameters)
    for first in range(0, len(samples), AT_ONCE):
        errors = [as_value(loss(model(sample.x), sample.t)) for sample in samples[first : first + AT_ONCE]]
        for i, g in enumerate(grad(total(errors) / len(samples), parameters)):
            sums[i] += g
    by_layer: dict[int, list[float]] = {l: [] for l in layers}
    for (l, _), g in zip(((l, p) for l, p in weights if l is not None), sums):
        by_layer[l].append(g)
    return by_layer


def loss_landscape(
    model: Module,
    xs: Rows,
    ys: Targets,
    loss: str | Loss,
    descent: Sequence[Sequence[float]] | Mapping[str, Sequence[Sequence[float]]],
    path: Path | None = None,
    *,
    plane: bool = False,
) -> Figure:
    """Draw the loss along a line through the space of the parameters, and the path of descent above it.

    The line is θ(s) = (1 - s) θ₀ + s θ₁ from the first parameters of the path, θ₀, to the last, θ₁
    (Goodfellow, Vinyals and Saxe, 2015). Each point of the path has its own loss as height, and its
    projection onto the line as s, so it is above or below the curve where the path leaves the line. A model
    of one parameter has no other direction: s is the parameter itself, and the points are on the curve. With
    ``plane=True``, a model of two parameters is drawn as a map: lines of equal loss over the two of them.

    Args:
        model: a Module. Its parameters are as before afterwards.
        xs: the samples whose mean loss is drawn.
        ys: the target of each, as the loss takes it.
        loss: the name of a loss or a function (outputs, target).
        descent: the parameters on the way, at least two lists in the order of ``model.parameters()``; or
            several paths, by name, to compare them. The first path gives the line.
        path: the file; None to write none.
        plane: draw the map of a model of two parameters.

    Returns:
        The figure of matplotlib, which shows itself in Jupyter.

    Raises:
        ValueError: a path has fewer than two points or ends where it began, a point has not one finite
            number for each parameter, the model of a plane has not two parameters, or a sample or its target
            does not fit.
        TypeError: the model is not a Module, or a path, xs or ys is not a list.
        ImportError: matplotlib is not installed.
        OSError: the file cannot be written.

    >>> from nn import Neuron, SGD, fit
    >>> neuron = Neuron(1, activation=None, init="zeros")
    >>> descent = [[p.data for p in neuron.parameters()]]
    >>> history = fit(neuron, [[1.0], [2.0]], [1.0, 3.0], "half_squared_error",
    ...               SGD(neuron.parameters(), lr=0.2), epochs=5, progress=False,
    ...               callback=lambda *_: descent.append([p.data for p in neuron.parameters()]))
    >>> figure = loss_landscape(neuron, [[1.0], [2.0]], [1.0, 3.0], "half_squared_error", descent)
    >>> [line.get_label() for line in figure.axes[0].lines]
    ['loss on the line', 'descent']
    """
    if not isinstance(model, Module):
        expected("expected a model, a Module", model)
    E, parameters = losses.get_loss(loss), model.parameters()
    samples = check_samples(model, xs, ys, E)
    named = _named(descent, "path of descent")
    paths = {name: _points(given, len(parameters)) for name, given in named.items()}
    if plane:
        return _saved(_map(model, samples, E, paths), path)
    first, *_, last = next(iter(paths.values()))
    direction = [b - a for a, b in zip(first, last)]
    length = sum(d * d for d in direction)
    if not length:
        raise ValueError(
            "the path of descent ends where it began: it has no direction to draw the loss along"
        )
    if len(parameters) == 1:
        first, direction, length = [0.0], [1.0], 1.0

    def place(point: Sequence[float]) -> float:
        return sum((p - a) * d for p, a, d in zip(point, first, direction)) / length

    places = {name: [place(point) for point in points] for name, points in paths.items()}
    low, high = _span([s for on_path in places.values() for s in on_path])
    line = [low + (high - low) * i / (LINE - 1) for i in range(LINE)]
    heights = _losses(
        model,
        samples,
        E,
        [
            *([a + s * d for a, d in zip(first, direction)] for s in line),
            *(point for points in paths.values() for point in points),
        ],
    )
    rest = iter(heights[LINE:])
    figure = _figure(7.2, 4.4)
    axes = figure.subplots()
    name = "loss" if len(parameters) == 1 else "loss on the line"
    axes.plot(line, heights[:LINE], color="black", linewidth=1.5, label=name)
    for (name, on_path), style in zip(places.items(), STYLES * len(places)):
        at = [next(rest) for _ in on_path]
        _line(axes, on_path, at, style, name or "descent", 1.0)
        for text, k in (("start", 0), ("end", -1)) if len(paths) == 1 else ():
            axes.annotate(text, (on_path[k], at[k]), xytext=(7, 7), textcoords="offset points", fontsize=9)
    where = "on the line from the start (0) to the end (1) of the descent"
    axes.set(
        xlabel=(parameters[0].label or "the parameter") if len(parameters) == 1 else where,
        ylabel="mean loss",
        title="The loss, and the path of descent",
    )
    axes.grid(alpha=0.3)
    axes.legend()
    return _saved(figure, path)


def _map(
    model: Module, samples: Sequence[Sample], E: Loss, paths: Mapping[str, Sequence[Sequence[float]]]
) -> Figure:
    """Draw lines of equal loss over two parameters, and the paths of descent on them."""
    parameters = model.parameters()
    if len(parameters) != 2:
        raise ValueError(f"a plane has two parameters; this model has {len(parameters)}")
    every = [point for points in paths.values() for point in points]
    (x_low, x_high), (y_low, y_high) = (_span([point[k] for point in every]) for k in (0, 1))
    across = [x_low + (x_high - x_low) * i / (LINE - 1) for i in range(LINE)]
    up = [y_low + (y_high - y_low) * i / (LINE - 1) for i in range(LINE)]
    heights = _losses(model, samples, E, [[x, y] for y in up for x in across])
    figure = _figure(7.2, 4.8)
    axes = figure.subplots()
    finite = [y for y in heights if isfinite(y)] or [0.0]
    low, high = min(finite), max(finite)
    if high > low:
        # the lines are closer near the minimum: their distances grow as squares
        levels = [low + (high - low) * ((i + 0.5) / LEVELS) ** 2 for i in range(LEVELS)]
        middle = (high - low) / 2  # neither black nor white
        lines = axes.contour(
            across, up, _rows(heights), levels=levels, cmap="Greys_r", vmin=low - middle, vmax=high + middle,
            linewidths=1,
        )  # fmt: skip
        figure.colorbar(lines, label="mean loss", format="%.2g")
    for (name, points), style in zip(paths.items(), STYLES * len(paths)):
        _line(axes, [p[0] for p in points], [p[1] for p in points], style, name or "descent", 1.0)
    start = next(iter(paths.values()))[0]
    axes.annotate("start", (start[0], start[1]), xytext=(7, 7), textcoords="offset points", fontsize=9)
    axes.set(
        xlabel=parameters[0].label or "the first parameter",
        ylabel=parameters[1].label or "the second parameter",
        title="Lines of equal loss, and the path of descent",
    )
    axes.legend()
    return figure


T = TypeVar("T")


def _named(given: T | Mapping[str, T], what: str) -> dict[str, T]:
    """Return several objects by name; one without a name as {"": it}."""
    if not isinstance(given, Mapping):
        return {"": given}
    if not given:
        raise ValueError(f"expected at least one {what}, not an empty dict")
    return {str(name): entry for name, entry in cast("Mapping[str, T]", given).items()}


def _points(given: Sequence[Sequence[float]], n: int) -> list[list[float]]:
    """Return a path through the space of n parameters as floats."""
    points = [as_floats(cast("Floats", p)) for p in as_list("a path of descent is a list of lists", given)]
    if len(points) < 2:
        raise ValueError(f"a path of descent has at least two points, not {len(points)}")
    for i, point in enumerate(points):
        if len(point) != n:
            raise ValueError(f"point {i} of the descent: expected {n} parameters, got {len(point)}")
        check_finite(f"point {i} of the descent: parameter", point)
    return points


def _losses(
    model: Module, samples: Sequence[Sample], loss: Loss, points: Sequence[Sequence[float]]
) -> list[float]:
    """Return the mean loss of the samples with each of several lists of parameters; NaN where it has none."""
    from nn.model.predict import compile_outputs  # loads the compiler: slow to import

    parameters = model.parameters()
    kept = [p.data for p in parameters]
    predict = compile_outputs(model, samples[0].x, "numpy")
    rows = [sample.x for sample in samples]

    def mean(point: Sequence[float]) -> float:
        set_numbers(parameters, point)
        try:
            errors = [_loss(loss, y, sample.t) for y, sample in zip(predict(rows), samples)]
            return sum(errors) / len(errors)
        except (ArithmeticError, ValueError):  # outside the domain of an operation
            return nan

    try:
        found = [mean(point) for point in points]
    finally:
        set_numbers(parameters, kept)
    return [y if isfinite(y) else nan for y in found]


def _loss(loss: Loss, outputs: float | list[float], t: object) -> float:
    """Return the loss of one sample; a loss of the user's may need Values."""
    if losses.table.get(losses.name(loss)) is loss:
        return as_float(loss(outputs, t))
    with no_grad():
        values = [Value(y) for y in outputs] if isinstance(outputs, list) else Value(outputs)
        return as_value(loss(values, t)).data


def digits(
    xs: Sequence[Sequence[float]],
    ys: Sequence[int],
    predictions: Sequence[int],
    path: Path | None = None,
) -> Figure:
    """Draw digits with their predictions: first the wrong ones, framed, then others.

    The figure is returned, and shows itself in Jupyter; it is written to ``path`` if there is one.

    >>> figure = digits([[0.0] * 64], [3], [8])
    >>> figure.axes[0].texts[0].get_text()
    '8, is 3'
    """
    order = sorted(range(len(xs)), key=lambda i: predictions[i] == ys[i])[: ROWS * COLUMNS]
    n_wrong = sum(a != b for a, b in zip(predictions, ys))
    figure = _figure(9, 5.6)
    axes = figure.subplots()  # one for all digits, as each takes matplotlib 20 ms
    axes.set(
        xlim=(-0.5, WIDE * COLUMNS - 2.5),
        ylim=(HIGH * ROWS - 2, -HIGH + 8),
        aspect="equal",
        title=f"The prediction is above each digit: {n_wrong} of {len(xs)} validation samples are wrong "
        "(framed)",
    )
    axes.axis("off")
    for place, i in enumerate(order):
        left, top = WIDE * (place % COLUMNS), HIGH * (place // COLUMNS)
        extent = (left - 0.5, left + 7.5, top + 7.5, top - 0.5)
        pixels = [xs[i][8 * row : 8 * row + 8] for row in range(8)]
        axes.imshow(pixels, cmap="gray_r", vmin=0, vmax=1, extent=extent)
        correct = predictions[i] == ys[i]
        colour = "lightgrey" if correct else ORANGE
        axes.plot(
            [left - 0.5, left + 7.5, left + 7.5, left - 0.5, left - 0.5],
            [top - 0.5, top - 0.5, top + 7.5, top + 7.5, top - 0.5],
            color=colour,
            linewidth=0.5 if correct else 3,
        )
        axes.text(
            left + 3.5,
            top - 1,
            f"{predictions[i]}" if correct else f"{predictions[i]}, is {ys[i]}",
            ha="center",
            va="bottom",
            fontsize=10,
            color="black" if correct else ORANGE,
            fontweight="normal" if correct else "bold",
        )
    return _saved(figure, path)


_CLASSES = ["class 0", "class 1"]
Score: TypeAlias = Callable[[list[list[float]]], list[float]]
Sizes: TypeAlias = Sequence[float] | Mapping[str, Sequence[float]]


class _Shading(NamedTuple):
    """A number for each point of the plane: from -1 to 1 between two classes, or the class chosen."""

    numbers: Score
    chosen: bool


class _Points(NamedTuple):
    """Samples of one kind: the name of the kind, the colour and the area of the markers, and the points."""

    name: str
    face: str
    areas: Sequence[float]
    xs: Sequence[Sequence[float]]
    ys: Sequence[int]


@overload
def boundary(
    model: Module | Mapping[str, Module],
    xs: Rows,
    ys: Targets,
    path: Path | None = None,
    *,
    loss: str = "cross_entropy",
    classes: Sequence[str] | None = None,
    sizes: Sizes | None = None,
) -> Figure: ...
@overload
def boundary(
    model: Score, xs: Dataset, ys: Dataset, path: Path, *, classes: Sequence[str] | None = None
) -> Figure: ...
def boundary(
    model: Module | Mapping[str, Module] | Score,
    xs: Rows | Dataset,
    ys: Targets | Dataset,
    path: Path | None = None,
    *,
    loss: str = "cross_entropy",
    classes: Sequence[str] | None = None,
    sizes: Sizes | None = None,
) -> Figure:
    """Draw the plane, shaded by the class that a model predicts for each point, and the samples on it.

    Args:
        model: a Module of two inputs; or several, by name, for a plane each; or a function of many points
            that returns a number for each: from -1 (class 0) to 1 (class 1), or the number of the class if
            there are more than two ``classes``.
        xs: the samples, two numbers each. With a function, the pair ``(xs, ys)`` of the training samples.
        ys: the target of each: the number of its class, -1 or 1, or a list with 1 for its class. With a
            function, the pair ``(xs, ys)`` of the validation samples.
        path: the file; None to write none.
        loss: the name of the loss that the model was trained with. The boundary of one output is at 0, which
            is right for hinge and binary_cross_entropy; for the squared errors, it is at ½.
        classes: their names; None for "class 0", "class 1", ...
        sizes: a number of at least 0 for each sample, such as the size of its Δ: the area of its marker grows
            with it; for several models, such a list for each, by name. None for markers of one size.

    Returns:
        The figure of matplotlib, which shows itself in Jupyter.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: a sample has not two numbers, there are not as many targets or sizes as samples, a size is
            negative or not finite, a target is no class of a model's outputs, there are not as many names as
            classes, there is no model, or several have different numbers of classes.
        TypeError: xs or ys is not a list.
        OSError: the file cannot be written.

    >>> from nn import MLP, data
    >>> xs, ys = data.xor(4, noise=0.0)
    >>> figure = boundary(MLP(2, [3, 2]), xs, ys)
    >>> figure.axes[0].get_title()
    'The prediction for each point of the plane'
    >>> figure = boundary({"narrow": MLP(2, [3, 2]), "wide": MLP(2, [9, 2])}, xs, ys, sizes=[1, 2, 3, 4])
    >>> [axes.get_title() for axes in figure.axes[:2]]
    ['narrow', 'wide']
    """
    if not isinstance(model, (Module, Mapping)):
        train, test = cast("Dataset", xs), cast("Dataset", ys)
        names = list(classes or _CLASSES)
        samples = [
            _Points("training", "white", [AREA] * len(train[0]), *train),
            _Points("validation", "black", [AREA] * len(test[0]), *test),
        ]
        return _planes({"": (_Shading(model, len(names) > 2), samples)}, names, path)
    points = as_rows(cast("Rows", xs), 2)
    given = as_list("ys is a list with one target for each sample", ys)
    if len(points) != len(given) or not points:
        raise ValueError(
            f"expected at least one sample, and as many targets: {len(points)} samples, {len(given)} targets"
        )
    models = _named(model, "model")
    areas = _areas(sizes, list(models), len(points))
    planes: dict[str, tuple[_Shading, list[_Points]]] = {}
    names = []
    for name, net in models.items():
        if not isinstance(net, Module):
            expected("expected a model, a Module", net)
        first = net.predict(points[0])
        decided = Classes(loss, 2 if not isinstance(first, list) else max(2, len(first)))
        if names and classes is None and len(names) != decided.count:
            raise ValueError(
                f"expected models of equally many classes, not of {len(names)} and {decided.count}"
            )
        names = [f"class {k}" for k in range(decided.count)] if classes is None else list(classes)
        if len(names) != decided.count:
            raise ValueError(
                f"expected the names of {decided.count} classes, not {len(names)}: {brief(names)}"
            )
        targets = [_target(i, target, decided.count) for i, target in enumerate(given)]
        one_output = not isinstance(first, list) or len(first) == 1
        shading = _shading(net, decided, one_output)
        planes[name] = shading, [_Points("", "white", areas[name], points, targets)]
    return _planes(planes, names, path)


def _target(i: int, target: object, count: int) -> int:
    try:
        return _class(target, count)
    except (TypeError, ValueError) as error:
        raise type(error)(f"target {i}: {error}") from None


def _areas(sizes: Sizes | None, names: Sequence[str], n: int) -> dict[str, list[float]]:
    """Return the area of the marker of each of n samples, for each of the models of these names."""
    if sizes is None:
        return {name: [AREA] * n for name in names}
    given = sizes if isinstance(sizes, Mapping) else dict.fromkeys(names, sizes)
    if set(given) != set(names):
        raise ValueError(f"expected sizes for the models {brief(list(names))}, not for {brief(list(given))}")
    found = {name: as_floats(given[name]) for name in names}
    for numbers in found.values():
        if len(numbers) != n:
            raise ValueError(f"expected one size for each sample: {n} samples, {len(numbers)} sizes")
        check_finite("sizes: size", numbers)
        if min(numbers) < 0:
            raise ValueError(f"expected sizes of at least 0, not {min(numbers):g}")
    largest = max(map(max, found.values())) or 1.0
    # the smallest marker is still seen as a circle or a triangle
    return {name: [10 + 140 * size / largest for size in numbers] for name, numbers in found.items()}


def _shading(model: Module, decided: Classes, one_output: bool) -> _Shading:
    """Return the function that shades the plane by the predictions of a model."""

    def outputs(points: list[list[float]]) -> list[list[float]]:
        found = [y if isinstance(y, list) else [y] for y in model.predict_many(points)]
        return [[decided.middle, *y] for y in found] if one_output else found

    def score(points: list[list[float]]) -> list[float]:
        return [tanh(yes - no) for no, yes in outputs(points)]

    def chosen(points: list[list[float]]) -> list[float]:
        return [max(range(len(y)), key=lambda k: y[k]) for y in outputs(points)]

    return _Shading(score, False) if decided.count == 2 else _Shading(chosen, True)


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


def _planes(
    planes: Mapping[str, tuple[_Shading, Sequence[_Points]]], names: Sequence[str], path: Path | None
) -> Figure:
    """Draw a plane for each entry, by name, shaded and with samples on it; the names are of the classes."""
    several = len(planes) > 1
    columns = min(len(planes), 3 if len(planes) in (3, 5, 6, 9) else 4)
    rows = -(-len(planes) // columns)
    if several:  # in all at most 960 pixels wide, as a notebook is
        width = max(7.2, min(3.1 * columns, 9.6))
        figure = _figure(width, 0.6 + 0.8 * width / columns * rows, dpi=100)
    else:
        figure = _figure(7.2, 5.6)
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).flat
    for axes in grid[len(planes) :]:
        axes.axis("off")
    shades = []
    for axes, (title, (shading, samples)) in zip(grid, planes.items()):
        n = min(GRID, SMALL) if several else GRID
        shades.append(_shade(axes, shading, [x for some in samples for x in some.xs], n))
        axes.set_title(title if several else "The prediction for each point of the plane")
        for k, kind in enumerate(names):
            for some in samples:
                _scatter(axes, some, k, _kind(kind, some))
    if not planes[next(iter(planes))][0].chosen:
        shown = grid[: len(planes)]
        bar = figure.colorbar(shades[0], ax=list(shown), ticks=[-1, 0, 1], shrink=0.8)
        bar.ax.set_yticklabels([names[0], "undecided", names[1]])
    figure.legend(
        handles=[_marker(k, some, _kind(kind, some)) for k, kind in enumerate(names) for some in samples],
        loc="outside lower center",
        ncols=2 if len(names) == 2 else min(len(names), 5),
        fontsize=9,
    )
    return _saved(figure, path)


def _shade(axes: Axes, shading: _Shading, samples: Sequence[Sequence[float]], n: int) -> ScalarMappable:
    """Shade the plane around the samples at n × n points, and draw the boundary of two classes."""
    (x_low, x_high), (y_low, y_high) = (_span([x[k] for x in samples]) for k in (0, 1))
    horizontal = [x_low + (x_high - x_low) * i / (n - 1) for i in range(n)]
    vertical = [y_low + (y_high - y_low) * j / (n - 1) for j in range(n)]
    grid = _rows(shading.numbers([[x, y] for y in vertical for x in horizontal]))
    if shading.chosen:
        return axes.pcolormesh(
            horizontal, vertical, grid, cmap="tab10", vmin=0, vmax=9, alpha=0.35, shading="nearest"
        )
    levels = [i / 10 for i in range(-10, 11)]
    shade = axes.contourf(horizontal, vertical, grid, levels=levels, cmap="PuOr_r", vmin=-2, vmax=2)
    if min(map(min, grid)) < 0 < max(map(max, grid)):  # else there is no boundary to draw
        axes.contour(horizontal, vertical, grid, levels=[0.0], colors="black", linewidths=1.5)
    return shade


def _scatter(axes: Axes, samples: _Points, k: int, label: str) -> None:
    """Draw the samples of one class."""
    inside = [(x, area) for x, y, area in zip(samples.xs, samples.ys, samples.areas) if y == k]
    axes.scatter(
        [x[0] for x, _ in inside],
        [x[1] for x, _ in inside],
        s=[area for _, area in inside],
        marker=MARKERS[k % len(MARKERS)],
        facecolor=samples.face,
        edgecolor="black",
        linewidth=0.8,
        label=label,
    )


def _kind(name: str, samples: _Points) -> str:
    """Return the text of a legend for the samples of a class."""
    return f"{name}{', ' * bool(samples.name)}{samples.name}"


def _marker(k: int, samples: _Points, label: str) -> Line2D:
    """Return the entry of a class in the legend, whatever the areas of its markers in the plane."""
    from matplotlib.lines import Line2D

    return Line2D(
        [], [], linestyle="", marker=MARKERS[k % len(MARKERS)], markersize=6, markerfacecolor=samples.face,
        markeredgecolor="black", label=label,
    )  # fmt: skip


def _rows(numbers: Sequence[float]) -> list[Sequence[float]]:
    """Return the rows of a square."""
    n = isqrt(len(numbers))
    return [numbers[row : row + n] for row in range(0, n * n, n)]


def _span(numbers: Sequence[float]) -> tuple[float, float]:
    low, high = min(numbers), max(numbers)
    margin = 0.1 * (high - low) or 1.0
    return low - margin, high + margin


def _saved(figure: Figure, path: Path | None) -> Figure:
    if path is not None:
        figure.savefig(path)
    return figure


def _figure(width: float, height: float, dpi: int = 120) -> Figure:
    from io import BytesIO

    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError(MISSING) from None

    class Picture(Figure):
        """A figure that Jupyter shows without pyplot."""

        def _repr_png_(self) -> bytes:
            from PIL import Image  # matplotlib needs it, too

            whole, small = BytesIO(), BytesIO()
            self.savefig(whole, format="png")
            # 256 colours are enough, and a third of the bytes: a notebook stores its pictures
            picture = Image.open(whole).convert("RGB").quantize(256, dither=Image.Dither.NONE)
            picture.save(small, "png", optimize=True)
            return small.getvalue()

    return Picture(figsize=(width, height), dpi=dpi, layout="constrained")

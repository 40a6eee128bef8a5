"""Plots of a training run: the files that they write, and the data that they show."""

import math
import random
import sys

import pytest

from nn import MLP, History, data, plots
from nn.training.history import Epoch

pytest.importorskip("matplotlib")
import matplotlib.image
from matplotlib.figure import Figure


@pytest.fixture
def drawn(monkeypatch):
    """Return the list of the figures that were saved."""
    figures = []
    real = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, path: (figures.append(self), real(self, path)))
    return figures


def history(*epochs):
    made = History()
    made.epochs += epochs
    return made


def is_a_picture(path):
    height, width, _ = matplotlib.image.imread(path).shape
    return height > 300 and width > 300


def test_training_and_validation_have_a_curve_each(tmp_path, drawn):
    plots.curve(history(Epoch(2.0, 0.5, 3.0, 0.25), Epoch(1.0, 0.75, 2.0, 0.5)), tmp_path / "loss.png")
    assert is_a_picture(tmp_path / "loss.png")
    left, right = drawn[0].axes
    assert [list(line.get_ydata()) for line in left.lines] == [[2.0, 1.0], [3.0, 2.0]]
    assert [list(line.get_ydata()) for line in right.lines] == [[0.5, 0.75], [0.25, 0.5]]


def test_without_classes_there_is_no_curve_of_accuracy(tmp_path, drawn):
    plots.curve(history(Epoch(2.0, None)), tmp_path / "loss.png")
    left, right = drawn[0].axes
    assert (len(left.lines), len(right.lines)) == (1, 0)


def test_a_run_without_epochs_can_be_drawn(tmp_path):
    plots.curve(history(), tmp_path / "loss.png")
    assert is_a_picture(tmp_path / "loss.png")


def test_wrong_predictions_come_first_and_are_framed(tmp_path, drawn):
    xs = [[k / 100] * 64 for k in range(60)]
    ys = [k % 10 for k in range(60)]
    predictions = [*ys[:40], 9, *ys[41:]]  # sample 40, a 0, is predicted as 9
    plots.digits(xs, ys, predictions, tmp_path / "digits.png")
    assert is_a_picture(tmp_path / "digits.png")
    titles = [axes.get_title() for axes in drawn[0].axes]
    assert titles[:3] == ["9, is 0", "0", "1"]
    assert len(titles) == 50
    assert drawn[0].axes[0].spines["top"].get_linewidth() > drawn[0].axes[1].spines["top"].get_linewidth()
    assert "1 of 60 validation samples are wrong" in drawn[0].get_suptitle()


def test_the_plane_is_shaded_and_shows_every_sample(tmp_path, drawn):
    train, test = data.moons(20, rng=random.Random(0)), data.moons(10, rng=random.Random(1))
    points_asked = []

    def score(points):
        points_asked.extend(points)
        return [max(-1.0, min(1.0, x[0])) for x in points]

    plots.boundary(score, train, test, tmp_path / "boundary.png")
    assert is_a_picture(tmp_path / "boundary.png")
    shown = [tuple(point) for c in drawn[0].axes[0].collections[2:] for point in c.get_offsets()]
    assert sorted(shown) == sorted(map(tuple, train[0] + test[0]))
    for k in (0, 1):
        inside = [x[k] for x in train[0] + test[0]]
        assert min(x[k] for x in points_asked) < min(inside)
        assert max(x[k] for x in points_asked) > max(inside)


def test_points_on_a_line_can_be_drawn(tmp_path):
    plots.boundary(
        lambda points: [x[0] for x in points],
        ([[0.0, 1.0], [2.0, 1.0]], [0, 1]),
        ([[1.0, 1.0]], [0]),
        tmp_path / "b.png",
    )
    assert is_a_picture(tmp_path / "b.png")


@pytest.mark.parametrize("draw", [plots.check, lambda: plots.curve(history(), "never.png")])
def test_without_matplotlib_the_error_names_the_extra(draw, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"pip install 'chalkgrad\[plot\]'"):
        draw()


# The boundary of a model of the user's


def net(outputs, activation="tanh"):
    return MLP(2, [3, outputs], activation, rng=random.Random(0))


@pytest.mark.parametrize(
    ("outputs", "targets"),
    [
        (1, [0, 1]),
        (1, [-1, 1]),
        (1, [[-1.0], [1.0]]),
        (2, [0, 1]),
        (2, [[1, 0], [0, 1]]),
        (2, [[1, -1], [-1, 1]]),
        (3, [0, 2]),
        (3, [[1, 0, 0], [0, 0, 1]]),
    ],
)
def test_the_boundary_of_a_model_shows_every_sample_by_its_class(
    tmp_path, drawn, monkeypatch, outputs, targets
):
    monkeypatch.setattr(plots, "GRID", 10)
    xs = [[0.0, 1.0], [2.0, -1.0]]
    figure = plots.boundary(net(outputs), xs, targets, tmp_path / "b.png")
    assert is_a_picture(tmp_path / "b.png")
    assert drawn == [figure]
    labels = {c.get_label(): c.get_offsets().tolist() for c in figure.axes[0].collections}
    last = f"class {max(outputs, 2) - 1}"
    assert (labels["class 0"], labels[last]) == ([xs[0]], [xs[1]])


def test_without_a_path_the_figure_shows_itself(monkeypatch):
    monkeypatch.setattr(plots, "GRID", 10)
    figure = plots.boundary(net(1), [[0.0, 1.0], [2.0, -1.0]], [0, 1])
    assert figure._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize(("loss", "middle"), [("hinge", 0.0), ("half_squared_error", 0.5)])
def test_the_boundary_is_where_the_loss_has_it(monkeypatch, loss, middle):
    monkeypatch.setattr(plots, "GRID", 10)
    seen = []
    monkeypatch.setattr(plots, "_rows", lambda numbers: (seen.append(numbers), [[0.0] * 10] * 10)[1])
    model = MLP(2, [1], init="zeros")
    model.layers[0].neurons[0].b.data = 0.5
    plots.boundary(model, [[0.0, 1.0], [2.0, -1.0]], [0, 1], loss=loss)
    assert set(seen[0]) == {math.tanh(0.5 - middle)}


@pytest.mark.parametrize(
    ("outputs", "xs", "ys", "error", "message"),
    [
        (1, [[1.0]], [0], ValueError, "row 0: expected 2 inputs, got 1"),
        (1, [[1.0, 2.0]], [0, 1], ValueError, "1 samples, 2 targets"),
        (1, [], [], ValueError, "expected at least one sample"),
        (1, [[1.0, 2.0]], [2], ValueError, "target 0: expected the number of a class, from 0 to 1, not 2"),
        (3, [[1.0, 2.0]], [-1], ValueError, "target 0: expected the number of a class, from 0 to 2, not -1"),
        (1, [[1.0, 2.0]], ["a"], TypeError, "target 0: "),
        (1, 5, [0], TypeError, "rows is a list with one sample each, not int: 5"),
    ],
)
def test_samples_that_do_not_fit_are_refused(outputs, xs, ys, error, message):
    with pytest.raises(error, match=message):
        plots.boundary(net(outputs), xs, ys)

"""Plots of a training run: the files that they write, and the data that they show."""

import random
import sys

import pytest

from nn import History, data, plots
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
